"""Promotions that vendors do not give to customers.

Revision ID: 0031
Revises: 0030
"""

import sqlalchemy as sa
from alembic import op

from marketplace.migrations.policies import CUSTOMER, PARTY, RESELLER, WHOLESALER, let_in

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

OF_PARTY = (
    f"{WHOLESALER} OR ({CUSTOMER} AND customer_id = {PARTY}) OR ({RESELLER} AND customer_id IN "
    f"(SELECT c.id FROM customer c WHERE c.reseller_id = {PARTY}))"
)


def upgrade() -> None:
    """Let each party read what its prices are without; it is written by the owner as the vendor says it."""
    op.create_table(
        "promotion_refusal",
        sa.Column("customer_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("promotion_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("refused_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_promotion_refusal_customer_id")
        ),
        sa.ForeignKeyConstraint(
            ["promotion_id"],
            ["promotion.id"],
            name=op.f("fk_promotion_refusal_promotion_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("customer_id", "promotion_id", name=op.f("pk_promotion_refusal")),
    )
    op.create_index(op.f("ix_promotion_refusal_promotion_id"), "promotion_refusal", ["promotion_id"])
    let_in("promotion_refusal", "SELECT", OF_PARTY)


def downgrade() -> None:
    """Forget them."""
    op.drop_table("promotion_refusal")
