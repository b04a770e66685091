"""What resellers want done when terms end, who decided, and links with which customers answer.

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

from marketplace.migrations.policies import CUSTOMER, PARTY, RESELLER, WHOLESALER, let_in, narrow

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
# Screens only read. A link is nobody's to see: whoever knows one could not answer with it, but learns whom it went to.
VISIBLE = {
    "renewal_policy": (
        f"{WHOLESALER} OR ({RESELLER} AND reseller_id = {PARTY}) OR ({CUSTOMER} AND (customer_id = {PARTY} OR "
        f"(customer_id IS NULL AND reseller_id = (SELECT c.reseller_id FROM customer c WHERE c.id = {PARTY}))))"
    ),
    "renewal_link": WHOLESALER,
}


def upgrade() -> None:
    """Create the tables; answers make orders now, so that screens write none themselves."""
    op.add_column("subscription", sa.Column("decided_by", sa.Text(), server_default="", nullable=False))
    op.add_column("subscription", sa.Column("decided_name", sa.Text(), server_default="", nullable=False))
    op.add_column("subscription", sa.Column("decided_at", INSTANT, nullable=True))
    op.execute(
        "UPDATE subscription SET decided_by = 'wholesaler', decided_at = created_at WHERE at_term_end <> 'renew'"
    )
    op.create_check_constraint(
        op.f("ck_subscription_decided_by_is_known"),
        "subscription",
        "decided_by IN ('', 'policy', 'customer', 'reseller', 'wholesaler')",
    )
    op.create_check_constraint(
        op.f("ck_subscription_decided_on_a_day"),
        "subscription",
        "(decided_by = '') = (decided_at IS NULL)",
    )
    for name in ("decided_by", "decided_name"):
        op.alter_column("subscription", name, server_default=None)
    op.add_column("renewal_answer", sa.Column("quantity", sa.BigInteger(), nullable=True))
    op.add_column("renewal_answer", sa.Column("sent_to", sa.Text(), server_default="", nullable=False))
    op.add_column("renewal_answer", sa.Column("order_id", sa.Uuid(), nullable=True))
    op.alter_column("renewal_answer", "sent_to", server_default=None)
    op.create_check_constraint(
        op.f("ck_renewal_answer_seats_renew"),
        "renewal_answer",
        "quantity IS NULL OR (quantity > 0 AND choice = 'renew')",
    )
    op.execute("REVOKE INSERT ON renewal_answer FROM marketplace_app")
    op.execute("DROP POLICY who_adds ON renewal_answer")
    op.create_table(
        "renewal_policy",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("reseller_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.Column("set_at", INSTANT, nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.CheckConstraint(
            "choice IN ('renew', 'end', 'extend', 'ask')", name=op.f("ck_renewal_policy_choice_is_known")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_renewal_policy_customer_id")),
        sa.ForeignKeyConstraint(["reseller_id"], ["reseller.id"], name=op.f("fk_renewal_policy_reseller_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_renewal_policy")),
    )
    op.create_index(
        "uq_renewal_policy_standing",
        "renewal_policy",
        ["reseller_id", sa.text("coalesce(customer_id, 0)")],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("ix_renewal_policy_customer_id", "renewal_policy", ["customer_id"], unique=False)
    op.create_table(
        "renewal_link",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("subscription_id", sa.BigInteger(), nullable=True),
        sa.Column("period", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("sent_to", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_renewal_link_customer_id")),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscription.id"], name=op.f("fk_renewal_link_subscription_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_renewal_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_renewal_link_token_hash")),
    )
    for name in ("customer_id", "subscription_id"):
        op.create_index(op.f(f"ix_renewal_link_{name}"), "renewal_link", [name], unique=False)
    for table, rows in VISIBLE.items():
        let_in(table, "SELECT", rows, act="SELECT")


def downgrade() -> None:
    """Drop everything."""
    op.drop_table("renewal_link")
    op.drop_table("renewal_policy")
    op.execute("GRANT INSERT ON renewal_answer TO marketplace_app")
    narrow("renewal_answer", "who_adds", CUSTOMER, act="INSERT")
    for name in ("quantity", "sent_to", "order_id"):
        op.drop_column("renewal_answer", name)
    for name in ("decided_by", "decided_name", "decided_at"):
        op.drop_column("subscription", name)
