"""Floors under the wholesaler's margins.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

from marketplace.migrations.policies import WHOLESALER, let_in

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table: nobody's business but the wholesaler's."""
    op.create_table(
        "margin_floor",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("soft_percent", sa.Numeric(), nullable=False),
        sa.Column("hard_percent", sa.Numeric(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "hard_percent <= soft_percent", name=op.f("ck_margin_floor_hard_is_not_above_soft")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_margin_floor")),
        sa.UniqueConstraint("public_id", name=op.f("uq_margin_floor_public_id")),
        sa.UniqueConstraint("vendor", name=op.f("uq_margin_floor_vendor")),
    )
    let_in("margin_floor", "SELECT, INSERT, UPDATE, DELETE", WHOLESALER)
    op.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO marketplace_app")


def downgrade() -> None:
    """Undo it."""
    op.drop_table("margin_floor")
