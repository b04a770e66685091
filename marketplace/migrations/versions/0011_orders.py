"""Orders: carts, quotes, approvals, the price of every hop, and credit, with row-level security.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from marketplace.migrations.policies import AUDIENCE, CUSTOMER, PARTY, RESELLER, WHOLESALER, let_in

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
OF_ORDER = "EXISTS (SELECT FROM sales_order o WHERE o.id = order_id)"
OF_LINE = "EXISTS (SELECT FROM sales_order_line l WHERE l.id = line_id)"

# Who sees which rows. A cart is its audience's own until it is ordered. Screens only read: placing an order looks at
# costs and credit that nobody in the shop may see, so it is done as the owner, by operations that ask who is acting.
VISIBLE = {
    "sales_order": (
        f"{WHOLESALER} OR ((state <> 'draft' OR audience = {AUDIENCE}) AND "
        f"(({RESELLER} AND reseller_id = {PARTY}) OR ({CUSTOMER} AND customer_id = {PARTY})))"
    ),
    "sales_order_line": OF_ORDER,
    "sales_order_price": (
        f"{WHOLESALER} OR (({OF_LINE}) AND (hop = 'retail' OR (hop = 'wholesale' AND {RESELLER})))"
    ),
    "sales_order_event": OF_ORDER,
    "quote": OF_ORDER,
    "order_approval": f"{WHOLESALER} OR ({RESELLER} AND {OF_ORDER})",
    "order_rule": f"{WHOLESALER} OR ({RESELLER} AND reseller_id = {PARTY})",
    "settled_statement": WHOLESALER,
    "customer_buying": (
        f"{WHOLESALER} OR ({CUSTOMER} AND customer_id = {PARTY}) OR ({RESELLER} AND customer_id IN "
        f"(SELECT c.id FROM customer c WHERE c.reseller_id = {PARTY}))"
    ),
}


def upgrade() -> None:
    """Create the tables, and let the screens see their parties' rows."""
    op.create_table(
        "settled_statement",
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("period", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", INSTANT, nullable=False),
        sa.Column("settled_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("statement_id", name=op.f("pk_settled_statement")),
    )
    op.create_table(
        "order_rule",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("reseller_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("above_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.CheckConstraint(
            "(above_minor IS NULL) = (currency IS NULL)", name=op.f("ck_order_rule_amount_has_a_currency")
        ),
        sa.ForeignKeyConstraint(["reseller_id"], ["reseller.id"], name=op.f("fk_order_rule_reseller_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_rule")),
        sa.UniqueConstraint("public_id", name=op.f("uq_order_rule_public_id")),
    )
    op.create_index("ix_order_rule_reseller_id", "order_rule", ["reseller_id"], unique=False)
    op.create_table(
        "customer_buying",
        sa.Column("customer_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("may_buy", sa.Boolean(), nullable=False),
        sa.Column("needs_approval", sa.Boolean(), nullable=False),
        sa.Column("set_at", INSTANT, nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_customer_buying_customer_id")
        ),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_customer_buying")),
    )
    op.create_table(
        "sales_order",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("reseller_id", sa.BigInteger(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("is_apart", sa.Boolean(), nullable=False),
        sa.Column("po_number", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column(
            "created_at",
            INSTANT,
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("submitted_at", INSTANT, nullable=True),
        sa.Column("submitted_by", sa.Text(), nullable=False),
        sa.Column("submitted_by_id", sa.BigInteger(), nullable=True),
        sa.Column("submitted_role", sa.Text(), nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column(
            "reason",
            postgresql.JSONB(),
            nullable=True,
        ),
        sa.CheckConstraint(
            "(state = 'draft') <= (submitted_at IS NULL)",
            name=op.f("ck_sales_order_drafts_are_not_submitted"),
        ),
        sa.CheckConstraint(
            "kind IN ('purchase', 'change', 'cancel')", name=op.f("ck_sales_order_kind_is_known")
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'quoted', 'submitted', 'awaiting_approval', 'scheduled', 'provisioning', 'completed', 'rejected', 'failed', 'cancelled')",
            name=op.f("ck_sales_order_state_is_known"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_sales_order_customer_id")),
        sa.ForeignKeyConstraint(["reseller_id"], ["reseller.id"], name=op.f("fk_sales_order_reseller_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sales_order")),
        sa.UniqueConstraint("public_id", name=op.f("uq_sales_order_public_id")),
    )
    op.create_index("ix_sales_order_customer_id", "sales_order", ["customer_id", "state"], unique=False)
    op.create_index("ix_sales_order_reseller_id", "sales_order", ["reseller_id", "state"], unique=False)
    op.create_index(
        "ix_sales_order_starts_on",
        "sales_order",
        ["starts_on"],
        unique=False,
        postgresql_where=sa.text("state = 'scheduled'"),
    )
    op.create_index(
        "uq_sales_order_cart",
        "sales_order",
        ["customer_id", "audience"],
        unique=True,
        postgresql_where=sa.text("state = 'draft' AND kind = 'purchase' AND NOT is_apart"),
    )
    op.create_table(
        "order_approval",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "words",
            postgresql.JSONB(),
            nullable=False,
        ),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(decided_at IS NULL) = (decision = '')", name=op.f("ck_order_approval_decided_says_what")
        ),
        sa.CheckConstraint(
            "kind IN ('rule', 'credit', 'customer')", name=op.f("ck_order_approval_kind_is_known")
        ),
        sa.CheckConstraint(
            "party IN ('wholesaler', 'reseller')", name=op.f("ck_order_approval_party_is_known")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.id"], name=op.f("fk_order_approval_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_approval")),
        sa.UniqueConstraint("public_id", name=op.f("uq_order_approval_public_id")),
    )
    op.create_index(
        "ix_order_approval_open",
        "order_approval",
        ["party"],
        unique=False,
        postgresql_where=sa.text("decided_at IS NULL"),
    )
    op.create_index("ix_order_approval_order_id", "order_approval", ["order_id"], unique=False)
    op.create_table(
        "quote",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("sent_to", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("lines", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("commitment_minor", sa.BigInteger(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger(), nullable=True),
        sa.Column("accepted_at", INSTANT, nullable=True),
        sa.Column("accepted_by", sa.Text(), nullable=False),
        sa.Column("declined_at", INSTANT, nullable=True),
        sa.Column("declined_by", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", INSTANT, nullable=True),
        sa.CheckConstraint(
            "accepted_at IS NULL OR declined_at IS NULL", name=op.f("ck_quote_has_one_answer")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.id"], name=op.f("fk_quote_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quote")),
        sa.UniqueConstraint("order_id", "version", name=op.f("uq_quote_order_id_version")),
        sa.UniqueConstraint("public_id", name=op.f("uq_quote_public_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_quote_token_hash")),
    )
    op.create_table(
        "sales_order_event",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column(
            "words",
            postgresql.JSONB(),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["sales_order.id"], name=op.f("fk_sales_order_event_order_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sales_order_event")),
    )
    op.create_index("ix_sales_order_event_order_id", "sales_order_event", ["order_id", "id"], unique=False)
    op.create_table(
        "sales_order_line",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("custom_end", sa.Date(), nullable=True),
        sa.Column("subscription_id", sa.BigInteger(), nullable=True),
        sa.Column("change", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("billing_cycle", sa.Text(), nullable=False),
        sa.Column("unit_list", sa.Numeric(), nullable=True),
        sa.Column("list_currency", sa.String(length=3), nullable=False),
        sa.Column("term_end", sa.Date(), nullable=True),
        sa.Column("charges", sa.BigInteger(), nullable=False),
        sa.Column("became_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_sales_order_line_quantity_is_not_negative")),
        sa.ForeignKeyConstraint(
            ["became_id"], ["subscription.id"], name=op.f("fk_sales_order_line_became_id")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["sales_order.id"], name=op.f("fk_sales_order_line_order_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_sales_order_line_plan_id")),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscription.id"], name=op.f("fk_sales_order_line_subscription_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sales_order_line")),
        sa.UniqueConstraint("order_id", "number", name=op.f("uq_sales_order_line_order_id_number")),
        sa.UniqueConstraint("public_id", name=op.f("uq_sales_order_line_public_id")),
    )
    op.create_index(op.f("ix_sales_order_line_became_id"), "sales_order_line", ["became_id"], unique=False)
    op.create_index(op.f("ix_sales_order_line_plan_id"), "sales_order_line", ["plan_id"], unique=False)
    op.create_index(
        op.f("ix_sales_order_line_subscription_id"), "sales_order_line", ["subscription_id"], unique=False
    )
    op.create_table(
        "sales_order_price",
        sa.Column("line_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hop", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("unit", sa.Numeric(), nullable=False),
        sa.Column("charge_minor", sa.BigInteger(), nullable=False),
        sa.Column("commitment_minor", sa.BigInteger(), nullable=False),
        sa.Column("unit_term", sa.Numeric(), nullable=True),
        sa.CheckConstraint(
            "hop IN ('vendor', 'wholesale', 'retail')", name=op.f("ck_sales_order_price_hop_is_known")
        ),
        sa.ForeignKeyConstraint(
            ["line_id"],
            ["sales_order_line.id"],
            name=op.f("fk_sales_order_price_line_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("line_id", "hop", name=op.f("pk_sales_order_price")),
    )
    for table, rows in VISIBLE.items():
        let_in(table, "SELECT", rows, act="SELECT")


def downgrade() -> None:
    """Drop everything."""
    for table in (
        *("customer_buying", "settled_statement", "order_rule", "order_approval", "quote"),
        *("sales_order_event", "sales_order_price", "sales_order_line", "sales_order"),
    ):
        op.drop_table(table)
