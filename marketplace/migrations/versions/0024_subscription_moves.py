"""Single subscriptions that go to a customer of another reseller.

Revision ID: 0024
Revises: 0023
"""

import sqlalchemy as sa
from alembic import op

from marketplace.migrations.policies import WHOLESALER, let_in

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table; it is the wholesaler's alone."""
    op.create_table(
        "subscription_move",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("subscription", sa.Text(), nullable=False),
        sa.Column("from_customer_id", sa.BigInteger(), nullable=False),
        sa.Column("to_customer_id", sa.BigInteger(), nullable=False),
        sa.Column("moves_on", sa.Date(), nullable=False),
        sa.Column("done_at", INSTANT, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "from_customer_id <> to_customer_id", name=op.f("ck_subscription_move_goes_somewhere")
        ),
        sa.ForeignKeyConstraint(
            ["from_customer_id"], ["customer.id"], name=op.f("fk_subscription_move_from_customer_id")
        ),
        sa.ForeignKeyConstraint(
            ["to_customer_id"], ["customer.id"], name=op.f("fk_subscription_move_to_customer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription_move")),
        sa.UniqueConstraint("public_id", name=op.f("uq_subscription_move_public_id")),
        sa.UniqueConstraint(
            "vendor",
            "subscription",
            "moves_on",
            name=op.f("uq_subscription_move_vendor_subscription_moves_on"),
        ),
    )
    for column in ("from_customer_id", "to_customer_id"):
        op.create_index(op.f(f"ix_subscription_move_{column}"), "subscription_move", [column], unique=False)
    let_in("subscription_move", "SELECT, INSERT, UPDATE, DELETE", WHOLESALER, is_numbered=True)


def downgrade() -> None:
    """Forget them."""
    op.drop_table("subscription_move")
