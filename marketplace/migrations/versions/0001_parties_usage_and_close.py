"""Parties, terms, deliveries, the close and the audit trail, with row-level security.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

AUDIENCE = "current_setting('marketplace.audience', true)"
PARTY = "nullif(current_setting('marketplace.party', true), '')::bigint"
WHOLESALER = f"{AUDIENCE} = 'wholesaler'"
RESELLER = f"{AUDIENCE} = 'reseller'"
CUSTOMER = f"{AUDIENCE} = 'customer'"
ANYBODY = f"{AUDIENCE} IN ('wholesaler', 'reseller', 'customer')"

# Who may see which rows. Policies of a table apply to reading and writing alike; screens refuse the rest.
VISIBLE = {
    "wholesaler": ANYBODY,
    "fx_rate": ANYBODY,
    "billing_period": ANYBODY,
    "reseller": (
        f"{WHOLESALER} OR ({RESELLER} AND id = {PARTY}) "
        f"OR ({CUSTOMER} AND id = (SELECT c.reseller_id FROM customer c WHERE c.id = {PARTY})) "
        f"OR ({CUSTOMER} AND id IN (SELECT resellers_billed_by()))"
    ),
    # Who moved to another reseller keeps its name on what was billed before.
    "customer": (
        f"{WHOLESALER} OR ({RESELLER} AND reseller_id = {PARTY}) OR ({CUSTOMER} AND id = {PARTY}) "
        f"OR ({RESELLER} AND id IN (SELECT customers_billed_for()))"
    ),
    "vendor_account": f"{WHOLESALER} OR EXISTS (SELECT FROM account_mapping m WHERE m.vendor_account_id = vendor_account.id)",
    "account_mapping": (
        f"{WHOLESALER} OR EXISTS (SELECT FROM customer c WHERE c.id = customer_id "
        f"AND ({CUSTOMER} OR c.reseller_id = {PARTY}))"
    ),
    # A buyer may see the rules made for it, never those of the hop above or of its peers.
    "price_rule_scope": (
        f"{WHOLESALER} OR ({RESELLER} AND (reseller_id = {PARTY} "
        f"OR (reseller_id IS NULL AND customer_id IN (SELECT c.id FROM customer c WHERE c.reseller_id = {PARTY})) "
        f"OR (reseller_id IS NULL AND customer_id IS NULL))) "
        f"OR ({CUSTOMER} AND hop = 'retail' AND (customer_id = {PARTY} OR (customer_id IS NULL "
        f"AND (reseller_id IS NULL OR reseller_id = (SELECT c.reseller_id FROM customer c WHERE c.id = {PARTY})))))"
    ),
    # On the hop a party buys at, rules that start from its seller's cost stay the seller's secret.
    "price_rule": (
        f"{WHOLESALER} OR EXISTS (SELECT FROM price_rule_scope s WHERE s.id = scope_id "
        f"AND (basis <> 'cost' OR ({RESELLER} AND s.hop = 'retail')))"
    ),
    "delivery": WHOLESALER,
    "delivery_file": WHOLESALER,
    "delivery_slice": WHOLESALER,
    "close_run": WHOLESALER,
    "unmapped_amount": WHOLESALER,
    "statement_cost": WHOLESALER,
    "period_balance": WHOLESALER,
    "statement": (
        f"{WHOLESALER} OR ({RESELLER} AND reseller_id = {PARTY}) "
        f"OR ({CUSTOMER} AND customer_id = {PARTY} AND hop = 'retail')"
    ),
    "statement_line": (
        f"{WHOLESALER} OR ({RESELLER} AND reseller_id = {PARTY}) "
        f"OR ({CUSTOMER} AND customer_id = {PARTY} AND hop = 'retail')"
    ),
    "question": (
        f"{WHOLESALER} OR ({RESELLER} AND reseller_id = {PARTY}) "
        f"OR ({CUSTOMER} AND customer_id = {PARTY} AND hop = 'retail')"
    ),
    "question_message": "EXISTS (SELECT FROM question q WHERE q.id = question_id)",
    "audit_entry": f"{WHOLESALER} OR (audience = {AUDIENCE} AND party_id = {PARTY})",
}

READ_ONLY = {"statement_cost", "unmapped_amount", "period_balance"}
APPEND_ONLY = {"audit_entry"}
# Screens read documents through views that leave out what the seller starts from: see `marketplace.migrations.views`.
BEHIND_VIEWS = {"statement", "statement_line"}


def upgrade() -> None:
    """Create everything."""
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("party_id", sa.BigInteger(), nullable=True),
        sa.Column("staff_id", sa.BigInteger(), nullable=True),
        sa.Column("staff_name", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    op.create_index(op.f("ix_audit_entry_at"), "audit_entry", ["at"], unique=False)
    op.create_index("ix_audit_entry_subject", "audit_entry", ["subject", "subject_id"], unique=False)
    op.create_table(
        "billing_period",
        sa.Column("period", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("rated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rated_by", sa.Text(), nullable=False),
        sa.Column("rated_by_id", sa.BigInteger(), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reviewed_by", sa.Text(), nullable=False),
        sa.Column("reviewed_by_id", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("period", name=op.f("pk_billing_period")),
    )
    op.create_table(
        "close_run",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("period", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("started_by", sa.Text(), nullable=False),
        sa.Column("started_by_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("slice_ids", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("corrects", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("summary", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("changes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_close_run")),
        sa.UniqueConstraint("public_id", name=op.f("uq_close_run_public_id")),
    )
    op.create_index(op.f("ix_close_run_period"), "close_run", ["period"], unique=False)
    op.create_table(
        "delivery",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("billing_account", sa.Text(), nullable=False),
        sa.Column("period", sa.BigInteger(), nullable=True),
        sa.Column("is_addition", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("replaces_id", sa.BigInteger(), nullable=True),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("accepted", sa.BigInteger(), nullable=False),
        sa.Column("rejected", sa.BigInteger(), nullable=False),
        sa.Column("look_alikes", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger(), nullable=True),
        sa.Column("current_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["replaces_id"], ["delivery.id"], name=op.f("fk_delivery_replaces_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("public_id", name=op.f("uq_delivery_public_id")),
    )
    op.create_index("ix_delivery_fingerprint", "delivery", ["fingerprint"], unique=False)
    op.create_table(
        "fx_rate",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("month", sa.BigInteger(), nullable=False),
        sa.Column("from_currency", sa.String(length=3), nullable=False),
        sa.Column("to_currency", sa.String(length=3), nullable=False),
        sa.Column("rate", sa.Numeric(), nullable=False),
        sa.CheckConstraint("from_currency <> to_currency", name=op.f("ck_fx_rate_currencies_differ")),
        sa.CheckConstraint("rate > 0", name=op.f("ck_fx_rate_rate_is_positive")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fx_rate")),
        sa.UniqueConstraint(
            "month", "from_currency", "to_currency", name=op.f("uq_fx_rate_month_from_currency_to_currency")
        ),
    )
    op.create_table(
        "period_balance",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("period", sa.BigInteger(), nullable=False),
        sa.Column("corrects", sa.BigInteger(), nullable=True),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("billing_account", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("bill_minor", sa.BigInteger(), nullable=False),
        sa.Column("bill_is_reconciled", sa.Boolean(), nullable=False),
        sa.Column("detail", sa.Numeric(), nullable=False),
        sa.Column("cost_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), nullable=False),
        sa.Column("unmapped_minor", sa.BigInteger(), nullable=False),
        sa.Column("parked_minor", sa.BigInteger(), nullable=False),
        sa.Column("rounding_minor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_period_balance")),
    )
    op.create_index("ix_period_balance_period", "period_balance", ["period"], unique=False)
    op.create_table(
        "question",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("period", sa.BigInteger(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("hop", sa.Text(), nullable=False),
        sa.Column("reseller_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("addressed_to", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_by_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question")),
        sa.UniqueConstraint("public_id", name=op.f("uq_question_public_id")),
    )
    op.create_index(op.f("ix_question_customer_id"), "question", ["customer_id"], unique=False)
    op.create_index("ix_question_line", "question", ["line_id"], unique=False)
    op.create_index(op.f("ix_question_reseller_id"), "question", ["reseller_id"], unique=False)
    op.create_table(
        "reseller",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("legal_name", sa.Text(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("vat_number", sa.Text(), nullable=False),
        sa.Column("registration_number", sa.Text(), nullable=False),
        sa.Column("partner_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("billing_mode", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reseller")),
        sa.UniqueConstraint("public_id", name=op.f("uq_reseller_public_id")),
        sa.UniqueConstraint("reference", name=op.f("uq_reseller_reference")),
    )
    op.create_table(
        "statement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("period", sa.BigInteger(), nullable=False),
        sa.Column("hop", sa.Text(), nullable=False),
        sa.Column("reseller_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=True),
        sa.Column("exact_total", sa.Numeric(), nullable=False),
        sa.Column("lines", sa.BigInteger(), nullable=False),
        sa.Column("parked_pair", sa.Text(), nullable=False),
        sa.Column("parked_cost", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint(
            "(parked_pair = '') = (total_minor IS NOT NULL)", name=op.f("ck_statement_parked_has_no_total")
        ),
        sa.PrimaryKeyConstraint("period", "id", name=op.f("pk_statement")),
        postgresql_partition_by="LIST (period)",
    )
    op.create_index("ix_statement_customer", "statement", ["customer_id", "hop", "period"], unique=False)
    op.create_index("ix_statement_reseller", "statement", ["reseller_id", "hop", "period"], unique=False)
    op.create_table(
        "statement_cost",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("period", sa.BigInteger(), nullable=False),
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("reseller_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("cost", sa.Numeric(), nullable=False),
        sa.Column("cost_minor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_cost")),
    )
    op.create_index("ix_statement_cost_period", "statement_cost", ["period"], unique=False)
    op.create_index(op.f("ix_statement_cost_statement_id"), "statement_cost", ["statement_id"], unique=False)
    op.create_table(
        "statement_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("period", sa.BigInteger(), nullable=False),
        sa.Column("corrects", sa.BigInteger(), nullable=True),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("hop", sa.Text(), nullable=False),
        sa.Column("reseller_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("subscription", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("meter", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("charge_category", sa.Text(), nullable=False),
        sa.Column("charge_type", sa.Text(), nullable=False),
        sa.Column("charge_from", sa.Date(), nullable=False),
        sa.Column("charge_until", sa.Date(), nullable=False),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        sa.Column("rule_id", sa.BigInteger(), nullable=True),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("basis_amount", sa.Numeric(), nullable=False),
        sa.Column("basis_currency", sa.String(length=3), nullable=False),
        sa.Column("percent", sa.Numeric(), nullable=True),
        sa.Column("unit_price", sa.Numeric(), nullable=True),
        sa.Column("fx_rate", sa.Numeric(), nullable=False),
        sa.Column("exact_amount", sa.Numeric(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("source_rows", sa.BigInteger(), nullable=False),
        sa.Column("gap", sa.Text(), nullable=False),
        sa.Column("upper_rule_id", sa.BigInteger(), nullable=True),
        sa.Column("upper_basis", sa.Text(), nullable=False),
        sa.Column("cost", sa.Numeric(), nullable=False),
        sa.Column("row_currency", sa.String(length=3), nullable=False),
        sa.Column("days", postgresql.ARRAY(sa.Date()), nullable=False),
        sa.Column("day_basis", postgresql.ARRAY(sa.Numeric()), nullable=False),
        sa.Column("day_factor", sa.Numeric(), nullable=False),
        sa.Column("worth", sa.Numeric(), nullable=True),
        sa.Column("billed", sa.Numeric(), nullable=True),
        sa.PrimaryKeyConstraint("id", "period", name=op.f("pk_statement_line")),
        postgresql_partition_by="LIST (period)",
    )
    op.create_index(
        "ix_statement_line_corrects",
        "statement_line",
        ["corrects"],
        unique=False,
        postgresql_where=sa.text("corrects IS NOT NULL"),
    )
    op.create_index(
        "ix_statement_line_customer", "statement_line", ["customer_id", "hop", "period"], unique=False
    )
    op.create_index(
        "ix_statement_line_reseller", "statement_line", ["reseller_id", "hop", "period"], unique=False
    )
    op.create_index("ix_statement_line_statement", "statement_line", ["statement_id"], unique=False)
    op.create_table(
        "unmapped_amount",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("period", sa.BigInteger(), nullable=False),
        sa.Column("usage_period", sa.BigInteger(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("billing_account", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("source_rows", sa.BigInteger(), nullable=False),
        sa.Column("cost", sa.Numeric(), nullable=False),
        sa.Column("cost_minor", sa.BigInteger(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unmapped_amount")),
    )
    op.create_index("ix_unmapped_amount_period", "unmapped_amount", ["period"], unique=False)
    op.create_table(
        "vendor_account",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vendor_account")),
        sa.UniqueConstraint("vendor", "account", name=op.f("uq_vendor_account_vendor_account")),
    )
    op.create_table(
        "wholesaler",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("legal_name", sa.Text(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("vat_number", sa.Text(), nullable=False),
        sa.Column("registration_number", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("four_eyes", sa.Boolean(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_wholesaler_there_is_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wholesaler")),
    )
    op.create_table(
        "customer",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("reseller_id", sa.BigInteger(), nullable=False),
        sa.Column("legal_name", sa.Text(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("vat_number", sa.Text(), nullable=False),
        sa.Column("registration_number", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["reseller_id"], ["reseller.id"], name=op.f("fk_customer_reseller_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer")),
        sa.UniqueConstraint("public_id", name=op.f("uq_customer_public_id")),
        sa.UniqueConstraint("reference", name=op.f("uq_customer_reference")),
    )
    op.create_index(op.f("ix_customer_reseller_id"), "customer", ["reseller_id"], unique=False)
    op.create_table(
        "delivery_file",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("file_kind", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("accepted", sa.BigInteger(), nullable=False),
        sa.Column("rejected", sa.BigInteger(), nullable=False),
        sa.Column("notes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_delivery_file_delivery_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_file")),
    )
    op.create_index(op.f("ix_delivery_file_delivery_id"), "delivery_file", ["delivery_id"], unique=False)
    op.create_table(
        "delivery_slice",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("billing_account", sa.Text(), nullable=False),
        sa.Column("period", sa.BigInteger(), nullable=False),
        sa.Column("file_kind", sa.Text(), nullable=False),
        sa.Column("is_addition", sa.Boolean(), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("replaced_by_id", sa.BigInteger(), nullable=True),
        sa.Column("accepted", sa.BigInteger(), nullable=False),
        sa.Column("cost", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("cost_by_day", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("cost_by_invoice", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("lake_files", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_delivery_slice_delivery_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["replaced_by_id"], ["delivery.id"], name=op.f("fk_delivery_slice_replaced_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_slice")),
    )
    op.create_index(
        "ix_delivery_slice_current",
        "delivery_slice",
        ["period"],
        unique=False,
        postgresql_where=sa.text("is_current"),
    )
    op.create_index(op.f("ix_delivery_slice_delivery_id"), "delivery_slice", ["delivery_id"], unique=False)
    op.create_index(
        "ix_delivery_slice_key",
        "delivery_slice",
        ["vendor", "billing_account", "period", "file_kind"],
        unique=False,
    )
    op.create_table(
        "question_message",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("question_id", sa.BigInteger(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["question_id"], ["question.id"], name=op.f("fk_question_message_question_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question_message")),
    )
    op.create_index(
        op.f("ix_question_message_question_id"), "question_message", ["question_id"], unique=False
    )
    op.create_table(
        "account_mapping",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_account_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.text("int8range(vendor_account_id, vendor_account_id, '[]')"), "&&"),
            (sa.text("daterange(valid_from, valid_until)"), "&&"),
            using="gist",
            name="ex_account_mapping_overlap",
        ),
        sa.CheckConstraint(
            "valid_until IS NULL OR valid_until >= valid_from",
            name=op.f("ck_account_mapping_ends_after_it_starts"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_account_mapping_customer_id")
        ),
        sa.ForeignKeyConstraint(
            ["vendor_account_id"], ["vendor_account.id"], name=op.f("fk_account_mapping_vendor_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_mapping")),
        sa.UniqueConstraint("public_id", name=op.f("uq_account_mapping_public_id")),
    )
    op.create_index(op.f("ix_account_mapping_customer_id"), "account_mapping", ["customer_id"], unique=False)
    op.create_table(
        "price_rule_scope",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("hop", sa.Text(), nullable=False),
        sa.Column("reseller_id", sa.BigInteger(), nullable=True),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("subscription", sa.Text(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.CheckConstraint("hop IN ('wholesale', 'retail')", name=op.f("ck_price_rule_scope_hop_is_known")),
        sa.CheckConstraint(
            "product = '' OR vendor <> ''", name=op.f("ck_price_rule_scope_product_needs_its_vendor")
        ),
        sa.CheckConstraint(
            "sku = '' OR product <> ''", name=op.f("ck_price_rule_scope_sku_needs_its_product")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_price_rule_scope_customer_id")
        ),
        sa.ForeignKeyConstraint(
            ["reseller_id"], ["reseller.id"], name=op.f("fk_price_rule_scope_reseller_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_rule_scope")),
    )
    op.create_index(
        op.f("ix_price_rule_scope_customer_id"), "price_rule_scope", ["customer_id"], unique=False
    )
    op.create_index(
        op.f("ix_price_rule_scope_reseller_id"), "price_rule_scope", ["reseller_id"], unique=False
    )
    op.create_index(
        "uq_price_rule_scope",
        "price_rule_scope",
        ["hop", "reseller_id", "customer_id", "subscription", "vendor", "product", "sku"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "price_rule",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("scope_id", sa.BigInteger(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("percent", sa.Numeric(), nullable=True),
        sa.Column("unit_price", sa.Numeric(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.text("int8range(scope_id, scope_id, '[]')"), "&&"),
            (sa.text("daterange(valid_from, valid_until)"), "&&"),
            using="gist",
            name="ex_price_rule_overlap",
        ),
        sa.CheckConstraint(
            "(basis = 'fixed') = (unit_price IS NOT NULL AND currency IS NOT NULL) AND (basis = 'fixed') = (percent IS NULL)",
            name=op.f("ck_price_rule_fixed_has_a_price_others_a_percentage"),
        ),
        sa.CheckConstraint("basis IN ('cost', 'list', 'fixed')", name=op.f("ck_price_rule_basis_is_known")),
        sa.CheckConstraint(
            "valid_until IS NULL OR valid_until >= valid_from",
            name=op.f("ck_price_rule_ends_after_it_starts"),
        ),
        sa.ForeignKeyConstraint(["scope_id"], ["price_rule_scope.id"], name=op.f("fk_price_rule_scope_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_rule")),
        sa.UniqueConstraint("public_id", name=op.f("uq_price_rule_public_id")),
    )
    op.create_foreign_key("fk_billing_period_run_id", "billing_period", "close_run", ["run_id"], ["id"])
    _protect_audit_trail()
    _let_roles_in()
    _create_billed_parties()
    _enable_row_level_security()
    _create_line_sources()


def _protect_audit_trail() -> None:
    op.execute("""
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$
    """)
    op.execute("""
        CREATE TRIGGER audit_entry_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)


def _let_roles_in() -> None:
    """Let the roles of the screens in, which `marketplace.schema` made. They reach partitions only by their parent."""
    op.execute("GRANT USAGE ON SCHEMA public TO marketplace_app, marketplace_lines")


def _create_billed_parties() -> None:
    """Let a party know the names on its own statements. Each answers for the party at work and for nobody else."""
    for name, party, where in (
        ("customers_billed_for", "customer_id", f"{RESELLER} AND reseller_id = {PARTY}"),
        ("resellers_billed_by", "reseller_id", f"{CUSTOMER} AND customer_id = {PARTY} AND hop = 'retail'"),
    ):
        op.execute(f"""
            CREATE FUNCTION {name}() RETURNS SETOF bigint
            LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
                SELECT DISTINCT {party} FROM statement WHERE {where}
            $$
        """)
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO marketplace_app")


def _enable_row_level_security() -> None:
    for table, rows in VISIBLE.items():
        role = "marketplace_lines" if table in BEHIND_VIEWS else "marketplace_app"
        if table in READ_ONLY | BEHIND_VIEWS:
            rights = "SELECT"
        elif table in APPEND_ONLY:
            rights = "SELECT, INSERT"
        else:
            rights = "SELECT, INSERT, UPDATE, DELETE"
        op.execute(f"GRANT {rights} ON {table} TO {role}")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY visible ON {table} TO {role} USING ({rows})")
    op.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO marketplace_app")


def _create_line_sources() -> None:
    """Let a buyer open its line onto source rows without seeing what was delivered to the wholesaler."""
    op.execute("""
        CREATE FUNCTION line_sources(billed_in bigint, used_in bigint)
        RETURNS TABLE (vendor text, billing_account text, file_kind text, lake_file text)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
            SELECT s.vendor, s.billing_account, s.file_kind, f.value
            FROM billing_period p
            JOIN close_run r ON r.id = p.run_id
            JOIN delivery_slice s ON s.period = used_in AND r.slice_ids @> to_jsonb(s.id)
            CROSS JOIN LATERAL jsonb_array_elements_text(s.lake_files) AS f(value)
            WHERE p.period = billed_in
        $$
    """)
    op.execute("REVOKE ALL ON FUNCTION line_sources FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION line_sources TO marketplace_app")


def downgrade() -> None:
    """Drop everything."""
    op.execute("DROP FUNCTION line_sources")
    for table in VISIBLE:
        op.execute(f"DROP POLICY visible ON {table}")
    op.execute("DROP FUNCTION customers_billed_for")
    op.execute("DROP FUNCTION resellers_billed_by")
    op.drop_constraint("fk_billing_period_run_id", "billing_period", type_="foreignkey")
    for table in (
        "price_rule",
        "price_rule_scope",
        "account_mapping",
        "question_message",
        "delivery_slice",
        "delivery_file",
        "customer",
        "wholesaler",
        "vendor_account",
        "unmapped_amount",
        "statement_line",
        "statement_cost",
        "statement",
        "reseller",
        "question",
        "period_balance",
        "fx_rate",
        "delivery",
        "close_run",
        "billing_period",
        "audit_entry",
    ):
        op.drop_table(table)
    op.execute("DROP FUNCTION refuse_change")
