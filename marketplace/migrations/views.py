"""What screens read of documents: views of the same names as the tables, in a schema that screens look into first.

A line holds what its buyer must never know: the vendor's cost, and, where its price starts from cost, the basis and the
percentage that tell the seller's margin. Row-level security hides rows and not columns, so the role of the screens may
not read the tables at all. The views are owned by a role of their own, whose rows the policies of the tables choose.
They are dropped before a migration and made again after it, from the columns the tables have by then.
"""

from sqlalchemy import Connection, text

from marketplace.core.db import APP_ROLE, SCREENS_SCHEMA, VIEWS_ROLE

_IS_STAFF = "(SELECT current_setting('marketplace.audience', true)) IS NOT DISTINCT FROM 'wholesaler'"
_IS_CUSTOMER = "(SELECT current_setting('marketplace.audience', true)) IS NOT DISTINCT FROM 'customer'"
_IS_SELLERS_SECRET = f"NOT ({_IS_STAFF}) AND t.basis = 'cost' AND (t.hop = 'wholesale' OR ({_IS_CUSTOMER}))"


def _for_seller(column: str, otherwise: str = "NULL") -> str:
    return f"CASE WHEN {_IS_SELLERS_SECRET} THEN {otherwise} ELSE t.{column} END"


# By table: columns that do not show what is stored, or not to everybody.
MASKED = {
    "statement": {"parked_cost": f"CASE WHEN {_IS_STAFF} THEN t.parked_cost ELSE '{{}}'::jsonb END"},
    "statement_line": {
        "cost": f"CASE WHEN {_IS_STAFF} THEN t.cost END",
        "upper_rule_id": f"CASE WHEN NOT ({_IS_CUSTOMER}) THEN t.upper_rule_id END",
        "upper_basis": f"CASE WHEN NOT ({_IS_CUSTOMER}) THEN t.upper_basis ELSE '' END",
        "basis_amount": _for_seller("basis_amount"),
        "percent": _for_seller("percent"),
        # "No rule" on such a line would say that its price is the seller's cost.
        "gap": _for_seller("gap", "''"),
        # The amounts of the days, which are the buyer's own, instead of what they were made from.
        "day_basis": _for_seller(
            "day_basis",
            "ARRAY(SELECT d.basis * t.day_factor FROM unnest(t.day_basis) WITH ORDINALITY AS d(basis, at) ORDER BY d.at)",
        ),
        "day_factor": _for_seller("day_factor", "1"),
    },
}


def has_views(connection: Connection) -> bool:
    """Whether they are there: a restored database has none."""
    names = [f"{SCREENS_SCHEMA}.{table}" for table in MASKED]
    missing = text(
        "SELECT count(*) FROM unnest(CAST(:names AS text[])) AS name WHERE to_regclass(name) IS NULL"
    )
    return bool(connection.scalar(missing, {"names": names}) == 0)


def make_views(connection: Connection) -> None:
    """Make them, owned by their role."""
    drop_views(connection)
    connection.execute(text(f"CREATE SCHEMA {SCREENS_SCHEMA}"))
    for table, masked in MASKED.items():
        columns = connection.scalars(
            text(
                "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(:table) AND attnum > 0 "
                "AND NOT attisdropped ORDER BY attnum"
            ),
            {"table": f"public.{table}"},
        )
        shown = ", ".join(f"{masked.get(name, f't.{name}')} AS {name}" for name in columns)
        view = f"{SCREENS_SCHEMA}.{table}"
        connection.execute(text(f"CREATE VIEW {view} AS SELECT {shown} FROM public.{table} t"))
    # Only with a right to create does the role accept what is given to it.
    connection.execute(text(f"GRANT USAGE, CREATE ON SCHEMA {SCREENS_SCHEMA} TO {VIEWS_ROLE}"))
    for table in MASKED:
        connection.execute(text(f"GRANT SELECT ON {SCREENS_SCHEMA}.{table} TO {APP_ROLE}"))
        connection.execute(text(f"ALTER VIEW {SCREENS_SCHEMA}.{table} OWNER TO {VIEWS_ROLE}"))
    connection.execute(text(f"REVOKE CREATE ON SCHEMA {SCREENS_SCHEMA} FROM {VIEWS_ROLE}"))
    connection.execute(text(f"GRANT USAGE ON SCHEMA {SCREENS_SCHEMA} TO {APP_ROLE}"))


def drop_views(connection: Connection) -> None:
    """Drop them, since a migration may change what they show."""
    connection.execute(text(f"DROP SCHEMA IF EXISTS {SCREENS_SCHEMA} CASCADE"))
