"""Previews: what a change would do and what closed months differ by, asked for and kept a while.

Revision ID: 0028
Revises: 0027
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from marketplace.migrations.policies import PARTY, RESELLER, WHOLESALER, let_in

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

OF_PARTY = f"({WHOLESALER} AND audience = 'wholesaler') OR ({RESELLER} AND audience = 'reseller' AND party_id = {PARTY})"


def upgrade() -> None:
    """Let each party see its own, and cancel them; what is found is written by the owner."""
    op.create_table(
        "preview",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("party_id", sa.BigInteger(), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("permissions", postgresql.JSONB(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("percent", sa.BigInteger(), nullable=False),
        sa.Column("error", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("made_from", postgresql.JSONB(), nullable=False),
        sa.Column("found", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_preview")),
        sa.UniqueConstraint("key", name=op.f("uq_preview_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_preview_public_id")),
    )
    op.create_index("ix_preview_audience_party_id_link", "preview", ["audience", "party_id", "link"])
    let_in("preview", "SELECT, UPDATE (status, ended_at)", OF_PARTY)


def downgrade() -> None:
    """Forget them."""
    op.drop_table("preview")
