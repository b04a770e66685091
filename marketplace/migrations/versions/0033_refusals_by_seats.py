"""Promotions that vendors do not give to customers for a number of seats.

Revision ID: 0033
Revises: 0032
"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let a refusal be about a number of seats; what is there counts for any."""
    op.add_column(
        "promotion_refusal", sa.Column("seats", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
    )
    _key("customer_id", "promotion_id", "seats")


def downgrade() -> None:
    """Forget those that are about a number."""
    op.execute("DELETE FROM promotion_refusal WHERE seats <> 0")
    _key("customer_id", "promotion_id")
    op.drop_column("promotion_refusal", "seats")


def _key(*columns: str) -> None:
    op.drop_constraint("pk_promotion_refusal", "promotion_refusal", type_="primary")
    op.create_primary_key("pk_promotion_refusal", "promotion_refusal", list(columns))
