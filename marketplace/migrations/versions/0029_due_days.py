"""The day until which a statement is to be paid is fixed when its month is closed.

Revision ID: 0029
Revises: 0028
"""

import sqlalchemy as sa
from alembic import op

from marketplace.core.db import APP_ROLE
from marketplace.migrations.policies import WHOLESALER

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

# Screens read statements and may not write them: months are closed there too, so that this alone is let through.
FIX = f"""
    CREATE FUNCTION fix_due_days(of_period bigint, closed_on date, usual_days int)
    RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        UPDATE statement s SET due_on = closed_on + coalesce(
            (SELECT t.payment_days FROM credit_terms t
             WHERE t.reseller_id = s.reseller_id
               AND t.customer_id IS NOT DISTINCT FROM CASE WHEN s.hop = 'retail' THEN s.customer_id END),
            usual_days
        )::int
        WHERE s.period = of_period AND (current_setting('role') <> '{APP_ROLE}' OR {WHOLESALER})
    $$
"""


def upgrade() -> None:
    """Add the day; what was closed before is due by the terms that stand now."""
    op.add_column("statement", sa.Column("due_on", sa.Date(), nullable=True))
    op.execute(FIX)
    op.execute("REVOKE ALL ON FUNCTION fix_due_days FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION fix_due_days TO {APP_ROLE}")
    op.execute(
        "SELECT fix_due_days(period, (closed_at AT TIME ZONE 'UTC')::date, 30) "
        "FROM billing_period WHERE status = 'closed' AND closed_at IS NOT NULL"
    )


def downgrade() -> None:
    """Forget it."""
    op.execute("DROP FUNCTION fix_due_days")
    op.drop_column("statement", "due_on")
