"""The promotion that the price of an order line, and of a subscription's term, is after.

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TABLES = ("sales_order_line", "subscription_segment")


def upgrade() -> None:
    """Add the columns: until now no price was."""
    for table in TABLES:
        op.add_column(table, sa.Column("promotion_id", sa.BigInteger(), nullable=True))
        op.create_foreign_key(op.f(f"fk_{table}_promotion_id"), table, "promotion", ["promotion_id"], ["id"])


def downgrade() -> None:
    """Forget it."""
    for table in TABLES:
        op.drop_column(table, "promotion_id")
