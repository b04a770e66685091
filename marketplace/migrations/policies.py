"""Row-level security as migrations write it: what the screens' role may do to a table, and which of its rows it sees.

Conditions ask who is at work by the names below. They are asked once a statement, not once a row: as subqueries,
PostgreSQL takes them for constants.
"""

from alembic import op

from marketplace.core.db import APP_ROLE

AUDIENCE = "(SELECT current_setting('marketplace.audience', true))"
PARTY = "(SELECT nullif(current_setting('marketplace.party', true), '')::bigint)"
USER = "(SELECT nullif(current_setting('marketplace.user_id', true), '')::bigint)"
WHOLESALER = f"{AUDIENCE} = 'wholesaler'"
RESELLER = f"{AUDIENCE} = 'reseller'"
CUSTOMER = f"{AUDIENCE} = 'customer'"
ANYBODY = f"{AUDIENCE} IN ('wholesaler', 'reseller', 'customer')"


def let_in(
    table: str,
    rights: str,
    rows: str,
    *,
    policy: str = "visible",
    act: str = "ALL",
    is_numbered: bool = False,
) -> None:
    """Let screens use the rows of a table that a condition holds for; `is_numbered` where they add rows with a number."""
    op.execute(f"GRANT {rights} ON {table} TO {APP_ROLE}")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    allow(table, policy, rows, act=act)
    if is_numbered:
        op.execute(f"GRANT USAGE ON SEQUENCE {table}_id_seq TO {APP_ROLE}")


def allow(table: str, policy: str, rows: str, *, act: str = "ALL", writes: str = "") -> None:
    """Add a policy beside the others; `writes` says what rows may become where that is another condition."""
    clause = "WITH CHECK" if act == "INSERT" else "USING"
    becomes = f" WITH CHECK ({writes})" if writes else ""
    op.execute(f"CREATE POLICY {policy} ON {table} FOR {act} TO {APP_ROLE} {clause} ({rows}){becomes}")


def narrow(table: str, policy: str, rows: str, *, act: str) -> None:
    """Add a policy that must hold besides all others."""
    clause = "WITH CHECK" if act == "INSERT" else "USING"
    op.execute(f"CREATE POLICY {policy} ON {table} AS RESTRICTIVE FOR {act} TO {APP_ROLE} {clause} ({rows})")
