"""Until when a subscription can be given up, for lists.

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it; of what stands already, the next term opens a window that is known."""
    op.add_column("subscription", sa.Column("window_until", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Forget it."""
    op.drop_column("subscription", "window_until")
