"""The paper of a quote and its language; a file that goes with a mail.

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them, blank where there is none."""
    op.add_column("quote", sa.Column("language", sa.String(length=2), server_default="en", nullable=False))
    op.add_column("quote", sa.Column("paper", sa.Text(), server_default="", nullable=False))
    for name in ("attachment", "attachment_name"):
        op.add_column("outgoing_mail", sa.Column(name, sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    """Forget them."""
    for name in ("attachment", "attachment_name"):
        op.drop_column("outgoing_mail", name)
    op.drop_column("quote", "paper")
    op.drop_column("quote", "language")
