"""The name a mail comes from: a reseller's, to its customers.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it, blank where the marketplace writes in its own name."""
    op.add_column("outgoing_mail", sa.Column("sender_name", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    """Forget it."""
    op.drop_column("outgoing_mail", "sender_name")
