"""What a vendor calls a product now, beside the name rules and statements know it by.

Revision ID: 0022
Revises: 0021
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

BEFORE = "title || ' ' || own_title || ' ' || reference || ' ' || category || ' ' || own_category"


def upgrade() -> None:
    """Add it: until now both were one. It is searched in, too."""
    op.add_column("product", sa.Column("vendor_title", sa.Text(), server_default="", nullable=False))
    op.execute("UPDATE product SET vendor_title = title")
    op.alter_column("product", "vendor_title", server_default=None)
    _search_in(
        "title || ' ' || vendor_title || ' ' || own_title || ' ' || reference || ' ' || category || ' ' || own_category"
    )


def downgrade() -> None:
    """Forget it."""
    _search_in(BEFORE)
    op.drop_column("product", "vendor_title")


def _search_in(words: str) -> None:
    op.drop_column("product", "words")
    op.add_column(
        "product",
        sa.Column(
            "words",
            postgresql.TSVECTOR(),
            sa.Computed(f"to_tsvector('simple', {words})", persisted=True),
            nullable=False,
        ),
    )
    op.create_index("ix_product_words", "product", ["words"], unique=False, postgresql_using="gin")
