"""Reminders of renewals, and what customers say to them.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

from marketplace.migrations.policies import let_in, narrow

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

WHOLESALER = "current_setting('marketplace.audience', true) = 'wholesaler'"
CUSTOMER = "current_setting('marketplace.audience', true) = 'customer'"
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables. Only customers answer, and no answer is changed."""
    op.create_table(
        "renewal_reminder",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("subscription_id", sa.BigInteger(), nullable=False),
        sa.Column("term_end", sa.Date(), nullable=False),
        sa.Column("days_before", sa.BigInteger(), nullable=False),
        sa.Column("told_at", INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscription.id"], name=op.f("fk_renewal_reminder_subscription_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_renewal_reminder")),
        sa.UniqueConstraint(
            "subscription_id",
            "term_end",
            "days_before",
            name=op.f("uq_renewal_reminder_subscription_id_term_end_days_before"),
        ),
    )
    op.create_table(
        "renewal_answer",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("subscription_id", sa.BigInteger(), nullable=False),
        sa.Column("term_end", sa.Date(), nullable=False),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.Column("answered_at", INSTANT, nullable=False),
        sa.Column("answered_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "choice IN ('renew', 'end', 'extend')", name=op.f("ck_renewal_answer_choice_is_known")
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscription.id"], name=op.f("fk_renewal_answer_subscription_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_renewal_answer")),
    )
    op.create_index(
        "ix_renewal_answer_subscription_id", "renewal_answer", ["subscription_id", "term_end"], unique=False
    )
    of_subscription = "EXISTS (SELECT FROM subscription s WHERE s.id = subscription_id)"
    let_in("renewal_reminder", "SELECT, INSERT", WHOLESALER, is_numbered=True)
    let_in("renewal_answer", "SELECT, INSERT", of_subscription, is_numbered=True)
    narrow("renewal_answer", "who_adds", CUSTOMER, act="INSERT")


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("renewal_answer")
    op.drop_table("renewal_reminder")
