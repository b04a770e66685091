"""What vendors bill for subscriptions that differs from what they are charged here.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

from marketplace.migrations.policies import let_in

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

WHOLESALER = "current_setting('marketplace.audience', true) = 'wholesaler'"


def upgrade() -> None:
    """Create the table: the wholesaler's alone."""
    op.create_table(
        "charge_difference",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("period", sa.BigInteger(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("subscription", sa.Text(), nullable=False),
        sa.Column("subscription_id", sa.BigInteger(), nullable=True),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("charge_type", sa.Text(), nullable=False),
        sa.Column("charged_on", sa.Date(), nullable=True),
        sa.Column("billed", sa.Numeric(), nullable=False),
        sa.Column("own", sa.Numeric(), nullable=False),
        sa.Column("billed_quantity", sa.Numeric(), nullable=False),
        sa.Column("own_quantity", sa.Numeric(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('timing', 'quantity', 'price', 'promotion', 'currency', 'unknown')",
            name=op.f("ck_charge_difference_kind_is_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_charge_difference")),
        sa.UniqueConstraint("public_id", name=op.f("uq_charge_difference_public_id")),
    )
    op.create_index("ix_charge_difference_period", "charge_difference", ["period"], unique=False)
    let_in("charge_difference", "SELECT, UPDATE (settled_at, settled_by, note)", WHOLESALER)


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("charge_difference")
