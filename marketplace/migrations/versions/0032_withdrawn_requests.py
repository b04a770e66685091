"""Requests that whoever asked wants no more.

Revision ID: 0032
Revises: 0031
"""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

STATES = "'queued', 'sent', 'waiting', 'inquiry', 'by_hand', 'done', 'failed'"


def upgrade() -> None:
    """Know a request that was withdrawn; it has ended."""
    _know(f"{STATES}, 'withdrawn'", ended="'done', 'failed', 'withdrawn'")


def downgrade() -> None:
    """Call what was withdrawn failed."""
    op.execute("UPDATE provisioning_request SET state = 'failed' WHERE state = 'withdrawn'")
    _know(STATES, ended="'done', 'failed'")


def _know(states: str, *, ended: str) -> None:
    for name, condition in (
        ("state_is_known", f"state IN ({states})"),
        ("ends_when_it_ended", f"(state IN ({ended})) = (ended_at IS NOT NULL)"),
    ):
        constraint = op.f(f"ck_provisioning_request_{name}")
        op.drop_constraint(constraint, "provisioning_request", type_="check")
        op.create_check_constraint(constraint, "provisioning_request", condition)
