"""Fetches of vendors' files: what became of each.

Revision ID: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from marketplace.migrations.policies import WHOLESALER, let_in

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table; the worker writes it, staff read it."""
    op.create_table(
        "vendor_fetch",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("period", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("words", postgresql.JSONB(), nullable=True),
        sa.Column("deliveries", sa.BigInteger(), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("started_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('running', 'imported', 'unchanged', 'nothing', 'refused', 'away')",
            name=op.f("ck_vendor_fetch_outcome_is_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vendor_fetch")),
    )
    op.create_index("ix_vendor_fetch_vendor", "vendor_fetch", ["vendor", "started_at"])
    let_in("vendor_fetch", "SELECT", WHOLESALER, act="SELECT")


def downgrade() -> None:
    """Drop it."""
    op.drop_table("vendor_fetch")
