"""What was paid of closed statements, whole or in part, instead of a mark that they were.

Revision ID: 0021
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

from marketplace.migrations.policies import WHOLESALER, let_in

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take over what was marked, as paid whole on that day."""
    op.create_table(
        "statement_payment",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("noted_by", sa.Text(), nullable=False),
        sa.CheckConstraint("amount_minor <> 0", name=op.f("ck_statement_payment_is_an_amount")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_payment")),
        sa.UniqueConstraint(
            "statement_id",
            "paid_on",
            "amount_minor",
            name=op.f("uq_statement_payment_statement_id_paid_on_amount_minor"),
        ),
    )
    op.execute(
        "INSERT INTO statement_payment (statement_id, amount_minor, paid_on, noted_at, noted_by) "
        "SELECT p.statement_id, s.total_minor, (p.settled_at AT TIME ZONE 'UTC')::date, p.settled_at, p.settled_by "
        "FROM settled_statement p JOIN statement s ON s.id = p.statement_id AND s.period = p.period "
        "WHERE s.total_minor <> 0"
    )
    op.drop_table("settled_statement")
    let_in("statement_payment", "SELECT", WHOLESALER, act="SELECT")


def downgrade() -> None:
    """Go back to marks, of statements that are paid whole."""
    op.create_table(
        "settled_statement",
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("period", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("statement_id", name=op.f("pk_settled_statement")),
    )
    op.execute(
        "INSERT INTO settled_statement (statement_id, period, settled_at, settled_by) "
        "SELECT s.id, s.period, max(p.noted_at), max(p.noted_by) FROM statement_payment p "
        "JOIN statement s ON s.id = p.statement_id GROUP BY s.id, s.period, s.total_minor "
        "HAVING sum(p.amount_minor) = s.total_minor"
    )
    op.drop_table("statement_payment")
    let_in("settled_statement", "SELECT", WHOLESALER, act="SELECT")
