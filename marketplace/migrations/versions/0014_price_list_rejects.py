"""What could not be used of a price list's file, kept with its version.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from marketplace.migrations.policies import WHOLESALER, let_in

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table: nobody's business but the wholesaler's."""
    op.create_table(
        "price_list_reject",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("price_list_id", sa.BigInteger(), nullable=False),
        sa.Column("row", sa.BigInteger(), nullable=False),
        sa.Column("column_name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("reason", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["price_list_id"],
            ["price_list.id"],
            name=op.f("fk_price_list_reject_price_list_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_list_reject")),
    )
    op.create_index("ix_price_list_reject_price_list_id", "price_list_reject", ["price_list_id", "row"])
    let_in("price_list_reject", "SELECT, INSERT", WHOLESALER)
    op.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO marketplace_app")


def downgrade() -> None:
    """Undo it."""
    op.drop_table("price_list_reject")
