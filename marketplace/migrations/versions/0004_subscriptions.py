"""Subscriptions, their segments with what they cost, and changes that wait, with row-level security.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

from marketplace.migrations.policies import let_in, narrow

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

AUDIENCE = "current_setting('marketplace.audience', true)"
PARTY = "nullif(current_setting('marketplace.party', true), '')::bigint"
WHOLESALER = f"{AUDIENCE} = 'wholesaler'"
RESELLER = f"{AUDIENCE} = 'reseller'"
CUSTOMER = f"{AUDIENCE} = 'customer'"
INSTANT = sa.DateTime(timezone=True)

OF_SUBSCRIPTION = "EXISTS (SELECT FROM subscription s WHERE s.id = subscription_id)"
# Who may see which rows. Only the wholesaler and its machine write: every change is an order.
VISIBLE = {
    "subscription": (
        f"{WHOLESALER} OR ({CUSTOMER} AND customer_id = {PARTY}) OR ({RESELLER} AND customer_id IN "
        f"(SELECT c.id FROM customer c WHERE c.reseller_id = {PARTY}))"
    ),
    "subscription_segment": OF_SUBSCRIPTION,
    "segment_cost": WHOLESALER,
    "scheduled_change": OF_SUBSCRIPTION,
}


def upgrade() -> None:
    """Create the tables, and let the screens see their parties' rows."""
    op.create_table(
        "subscription",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("vendor_account", sa.Text(), nullable=False),
        sa.Column("vendor_subscription_id", sa.Text(), nullable=False),
        sa.Column("friendly_name", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("created_at", INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.Column("at_term_end", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("term_start", sa.Date(), nullable=False),
        sa.Column("term_end", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "at_term_end IN ('renew', 'end', 'extend')", name=op.f("ck_subscription_term_end_is_known")
        ),
        sa.CheckConstraint(
            "status IN ('active', 'suspended', 'cancelled', 'expired')",
            name=op.f("ck_subscription_status_is_known"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_subscription_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
        sa.UniqueConstraint("public_id", name=op.f("uq_subscription_public_id")),
    )
    op.create_index(op.f("ix_subscription_customer_id"), "subscription", ["customer_id"], unique=False)
    op.create_index(op.f("ix_subscription_plan_id"), "subscription", ["plan_id"], unique=False)
    op.create_index(
        "ix_subscription_due",
        "subscription",
        ["term_end"],
        unique=False,
        postgresql_where=sa.text("status IN ('active', 'suspended')"),
    )
    op.create_index(
        "uq_subscription_vendor_subscription_id",
        "subscription",
        ["vendor", "vendor_subscription_id"],
        unique=True,
        postgresql_where=sa.text("vendor_subscription_id <> ''"),
    )
    op.create_table(
        "subscription_segment",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("subscription_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("term_start", sa.Date(), nullable=False),
        sa.Column("term_end", sa.Date(), nullable=True),
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("product_kind", sa.Text(), nullable=False),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("billing_cycle", sa.Text(), nullable=False),
        sa.Column("is_trial", sa.Boolean(), nullable=False),
        sa.Column("is_extended", sa.Boolean(), nullable=False),
        sa.Column("unit_list", sa.Numeric(), nullable=True),
        sa.Column("order_line", sa.Text(), nullable=False),
        sa.Column("order_part", sa.BigInteger(), nullable=False),
        sa.Column("created_at", INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_subscription_segment_quantity_is_not_negative")),
        sa.CheckConstraint(
            "term_end IS NULL OR term_end > term_start", name=op.f("ck_subscription_segment_term_has_a_day")
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscription.id"], name=op.f("fk_subscription_segment_subscription_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription_segment")),
        sa.UniqueConstraint(
            "subscription_id", "number", name=op.f("uq_subscription_segment_subscription_id_number")
        ),
    )
    op.create_index("ix_subscription_segment_at", "subscription_segment", ["at"], unique=False)
    op.create_index(
        "uq_subscription_segment_order_line",
        "subscription_segment",
        ["order_line", "order_part"],
        unique=True,
        postgresql_where=sa.text("order_line <> ''"),
    )
    op.create_table(
        "segment_cost",
        sa.Column("segment_id", sa.BigInteger(), nullable=False),
        sa.Column("unit_cost", sa.Numeric(), nullable=False),
        sa.ForeignKeyConstraint(
            ["segment_id"], ["subscription_segment.id"], name=op.f("fk_segment_cost_segment_id")
        ),
        sa.PrimaryKeyConstraint("segment_id", name=op.f("pk_segment_cost")),
    )
    op.create_table(
        "scheduled_change",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.BigInteger(), nullable=False),
        sa.Column("waits_for", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=True),
        sa.Column("plan_id", sa.BigInteger(), nullable=True),
        sa.Column("custom_end", sa.Date(), nullable=True),
        sa.Column("order_line", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("was_carried_out", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "waits_for IN ('renewal', 'next_charge')", name=op.f("ck_scheduled_change_waits_for_is_known")
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscription.id"], name=op.f("fk_scheduled_change_subscription_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheduled_change")),
        sa.UniqueConstraint("public_id", name=op.f("uq_scheduled_change_public_id")),
    )
    op.create_index(
        op.f("ix_scheduled_change_subscription_id"), "scheduled_change", ["subscription_id"], unique=False
    )
    op.create_index(
        "uq_scheduled_change_waiting",
        "scheduled_change",
        ["subscription_id", "waits_for"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    _enable_row_level_security()


def _enable_row_level_security() -> None:
    for table, rows in VISIBLE.items():
        # What was charged once is never changed: segments are added.
        rights = (
            "SELECT, INSERT"
            if table in ("subscription_segment", "segment_cost")
            else "SELECT, INSERT, UPDATE"
        )
        let_in(table, rights, rows, is_numbered=table != "segment_cost")
        narrow(table, "who_adds", WHOLESALER, act="INSERT")
        narrow(table, "who_changes", WHOLESALER, act="UPDATE")


def downgrade() -> None:
    """Drop everything."""
    for table in ("scheduled_change", "segment_cost", "subscription_segment", "subscription"):
        op.drop_table(table)
