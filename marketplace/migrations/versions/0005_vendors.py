"""What is asked of vendors, each try of it, and what was changed at vendors behind our back.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from marketplace.migrations.policies import allow, let_in

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

AUDIENCE = "current_setting('marketplace.audience', true)"
PARTY = "nullif(current_setting('marketplace.party', true), '')::bigint"
WHOLESALER = f"{AUDIENCE} = 'wholesaler'"
RESELLER = f"{AUDIENCE} = 'reseller'"
CUSTOMER = f"{AUDIENCE} = 'customer'"

INSTANT = sa.DateTime(timezone=True)
JSON = postgresql.JSONB(astext_type=sa.Text())

#: What staff may change of a request, and a reseller while the vendor asks. What was asked never changes.
CHANGEABLE = (
    "state, attempts, next_attempt_at, orders, result, error, error_code, answer, answered_by, assigned_to, "
    "assigned_to_id, due_on, ended_at"
)


def upgrade() -> None:
    """Create the tables and their policies."""
    _create_requests()
    _create_outside_changes()
    _restrict()


def _create_requests() -> None:
    op.create_table(
        "provisioning_request",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("reseller_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("asked", JSON, nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("told_job", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("next_attempt_at", INSTANT, nullable=True),
        sa.Column("orders", JSON, nullable=False),
        sa.Column("result", JSON, nullable=True),
        sa.Column("error", JSON, nullable=True),
        sa.Column("error_code", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.Text(), nullable=False),
        sa.Column("assigned_to", sa.Text(), nullable=False),
        sa.Column("assigned_to_id", sa.BigInteger(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("created_at", INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'sent', 'waiting', 'inquiry', 'by_hand', 'done', 'failed')",
            name=op.f("ck_provisioning_request_state_is_known"),
        ),
        sa.CheckConstraint(
            "(state IN ('done', 'failed')) = (ended_at IS NOT NULL)",
            name=op.f("ck_provisioning_request_ends_when_it_ended"),
        ),
        sa.CheckConstraint(
            "state <> 'inquiry' OR question <> ''",
            name=op.f("ck_provisioning_request_inquiry_has_a_question"),
        ),
        sa.ForeignKeyConstraint(
            ["reseller_id"], ["reseller.id"], name=op.f("fk_provisioning_request_reseller_id")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_provisioning_request_customer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provisioning_request")),
        sa.UniqueConstraint("public_id", name=op.f("uq_provisioning_request_public_id")),
        sa.UniqueConstraint("key", name=op.f("uq_provisioning_request_key")),
    )
    op.create_index("ix_provisioning_request_customer_id", "provisioning_request", ["customer_id"])
    op.create_index("ix_provisioning_request_reseller_id", "provisioning_request", ["reseller_id"])
    op.create_index(
        "ix_provisioning_request_due",
        "provisioning_request",
        ["next_attempt_at"],
        postgresql_where=sa.text("state IN ('queued', 'sent', 'waiting')"),
    )
    op.create_table(
        "provisioning_attempt",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("request_id", sa.BigInteger(), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("words", JSON, nullable=True),
        sa.Column("received", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["provisioning_request.id"],
            name=op.f("fk_provisioning_attempt_request_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provisioning_attempt")),
    )
    op.create_index("ix_provisioning_attempt_request_id", "provisioning_attempt", ["request_id", "id"])


def _create_outside_changes() -> None:
    op.create_table(
        "outside_change",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("subscription", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ours", sa.Text(), nullable=False),
        sa.Column("theirs", sa.Text(), nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.Column("last_seen_at", INSTANT, nullable=False),
        sa.Column("settled_at", INSTANT, nullable=True),
        sa.Column("settled_by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('quantity', 'status', 'auto_renew', 'ends_on', 'next_term', 'unknown', 'missing')",
            name=op.f("ck_outside_change_kind_is_known"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_outside_change_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outside_change")),
        sa.UniqueConstraint("public_id", name=op.f("uq_outside_change_public_id")),
    )
    op.create_index("ix_outside_change_customer_id", "outside_change", ["customer_id"])
    op.create_index(
        "uq_outside_change_open",
        "outside_change",
        ["vendor", "subscription", "kind"],
        unique=True,
        postgresql_where=sa.text("settled_at IS NULL"),
    )


def _restrict() -> None:
    own = (
        f"(({RESELLER}) AND reseller_id = {PARTY} AND customer_id IN "
        f"(SELECT c.id FROM customer c WHERE c.reseller_id = {PARTY}))"
    )
    let_in(
        "provisioning_request",
        f"SELECT, INSERT, UPDATE ({CHANGEABLE})",
        f"{WHOLESALER} OR {RESELLER} AND reseller_id = {PARTY} OR {CUSTOMER} AND customer_id = {PARTY}",
        act="SELECT",
        is_numbered=True,
    )
    allow(
        "provisioning_request",
        "ask",
        f"{WHOLESALER} OR {own} OR {CUSTOMER} AND customer_id = {PARTY}",
        act="INSERT",
    )
    allow(
        "provisioning_request",
        "change",
        f"{WHOLESALER} OR {RESELLER} AND reseller_id = {PARTY} AND state = 'inquiry'",
        act="UPDATE",
        writes=f"{WHOLESALER} OR {RESELLER} AND reseller_id = {PARTY} AND state = 'queued'",
    )
    let_in("provisioning_attempt", "SELECT", WHOLESALER)
    let_in("outside_change", "SELECT, UPDATE (settled_at, settled_by, note)", WHOLESALER)


def downgrade() -> None:
    """Drop everything."""
    for table in ("outside_change", "provisioning_attempt", "provisioning_request"):
        op.drop_table(table)
