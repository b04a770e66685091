"""Resellers try again by themselves what failed of their customers' accounts.

Revision ID: 0027
Revises: 0026
"""

from alembic import op

from marketplace.migrations.policies import PARTY, RESELLER, allow

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

KINDS = "kind IN ('customer', 'account', 'attestation')"


def upgrade() -> None:
    """Let failed requests of these kinds be queued again; what was asked stays as it is."""
    own = f"{RESELLER} AND reseller_id = {PARTY} AND {KINDS}"
    allow(
        "provisioning_request",
        "try_again",
        f"{own} AND state = 'failed'",
        act="UPDATE",
        writes=f"{own} AND state = 'queued'",
    )


def downgrade() -> None:
    """Leave it to staff."""
    op.execute("DROP POLICY try_again ON provisioning_request")
