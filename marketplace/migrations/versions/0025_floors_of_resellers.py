"""Floors of margins that resellers set for themselves.

Revision ID: 0025
Revises: 0024
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

AUDIENCE = "(SELECT current_setting('marketplace.audience', true))"
PARTY = "(SELECT nullif(current_setting('marketplace.party', true), '')::bigint)"
OF_WHOLESALER = f"{AUDIENCE} = 'wholesaler' AND reseller_id IS NULL"
OF_RESELLER = f"{AUDIENCE} = 'reseller' AND reseller_id = {PARTY}"


def upgrade() -> None:
    """Say whose a floor is, and show each party its own alone."""
    op.add_column("margin_floor", sa.Column("reseller_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_margin_floor_reseller_id"), "margin_floor", "reseller", ["reseller_id"], ["id"]
    )
    op.drop_constraint(op.f("uq_margin_floor_vendor"), "margin_floor")
    op.create_unique_constraint(
        op.f("uq_margin_floor_reseller_id_vendor"),
        "margin_floor",
        ["reseller_id", "vendor"],
        postgresql_nulls_not_distinct=True,
    )
    op.execute("DROP POLICY visible ON margin_floor")
    op.execute(
        f"CREATE POLICY visible ON margin_floor TO marketplace_app USING (({OF_WHOLESALER}) OR ({OF_RESELLER}))"
    )


def downgrade() -> None:
    """Forget those of resellers."""
    op.execute("DELETE FROM margin_floor WHERE reseller_id IS NOT NULL")
    op.execute("DROP POLICY visible ON margin_floor")
    op.execute(f"CREATE POLICY visible ON margin_floor TO marketplace_app USING ({AUDIENCE} = 'wholesaler')")
    op.drop_constraint(op.f("uq_margin_floor_reseller_id_vendor"), "margin_floor")
    op.drop_column("margin_floor", "reseller_id")
    op.create_unique_constraint(op.f("uq_margin_floor_vendor"), "margin_floor", ["vendor"])
