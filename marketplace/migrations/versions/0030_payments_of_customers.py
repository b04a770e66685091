"""Whose statement a payment is of, so that buyer and seller may see it.

Revision ID: 0030
Revises: 0029
"""

import sqlalchemy as sa
from alembic import op

from marketplace.migrations.policies import CUSTOMER, PARTY, RESELLER, WHOLESALER, allow

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep what the statement says of its parties."""
    op.add_column("statement_payment", sa.Column("hop", sa.Text(), nullable=True))
    op.add_column("statement_payment", sa.Column("reseller_id", sa.BigInteger(), nullable=True))
    op.add_column("statement_payment", sa.Column("customer_id", sa.BigInteger(), nullable=True))
    op.execute(
        "UPDATE statement_payment p SET hop = s.hop, reseller_id = s.reseller_id, customer_id = s.customer_id "
        "FROM statement s WHERE s.id = p.statement_id"
    )
    # Of drafts that were rated anew since, and whose statement is no more.
    op.execute("DELETE FROM statement_payment WHERE hop IS NULL")
    for column in ("hop", "reseller_id", "customer_id"):
        op.alter_column("statement_payment", column, nullable=False)
    op.execute("DROP POLICY visible ON statement_payment")
    allow(
        "statement_payment",
        "visible",
        f"{WHOLESALER} OR ({RESELLER} AND reseller_id = {PARTY}) "
        f"OR ({CUSTOMER} AND customer_id = {PARTY} AND hop = 'retail')",
        act="SELECT",
    )


def downgrade() -> None:
    """Let the wholesaler alone see them again."""
    op.execute("DROP POLICY visible ON statement_payment")
    allow("statement_payment", "visible", WHOLESALER, act="SELECT")
    for column in ("hop", "reseller_id", "customer_id"):
        op.drop_column("statement_payment", column)
