"""Requests that buy: the vendor is asked about the reseller first.

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the mark; what is on its way already goes on without."""
    op.add_column(
        "provisioning_request", sa.Column("buys", sa.Boolean(), server_default=sa.false(), nullable=False)
    )


def downgrade() -> None:
    """Forget it."""
    op.drop_column("provisioning_request", "buys")
