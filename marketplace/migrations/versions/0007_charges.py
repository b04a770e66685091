"""What vendors charge for subscriptions beyond their own histories, as a part of each bill.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the part to the balances; of those that stand it is nought."""
    op.add_column(
        "period_balance", sa.Column("licences_minor", sa.BigInteger(), server_default="0", nullable=False)
    )


def downgrade() -> None:
    """Take it away."""
    op.drop_column("period_balance", "licences_minor")
