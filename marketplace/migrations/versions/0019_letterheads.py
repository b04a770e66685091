"""Mails under a reseller's letterhead, of which the sender's name is a part.

Revision ID: 0019
Revises: 0018
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it in the place of the name."""
    op.add_column(
        "outgoing_mail", sa.Column("letterhead", postgresql.JSONB(none_as_null=True), nullable=True)
    )
    op.drop_column("outgoing_mail", "sender_name")


def downgrade() -> None:
    """Give back the name."""
    op.add_column("outgoing_mail", sa.Column("sender_name", sa.Text(), server_default="", nullable=False))
    op.drop_column("outgoing_mail", "letterhead")
