"""Writing the documents of a period: COPY into new partitions that then take the place of the old ones.

Everything happens in the caller's transaction: until it commits, readers see the old draft, and a killed process
leaves nothing.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any

import psycopg
import pyarrow as pa
from pyarrow.csv import WriteOptions, write_csv
from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.core.ahead import ahead
from marketplace.core.period import Period
from marketplace.rating.exact import plain
from marketplace.rating.statements import digest

DIFFERENCE_COLUMNS = (
    "id, period, corrects, group_id, statement_id, hop, reseller_id, customer_id, vendor, account, subscription, "
    "product, sku, meter, unit, charge_category, charge_type, charge_from, charge_until, quantity, rule_id, basis, "
    "basis_amount, basis_currency, percent, unit_price, fx_rate, exact_amount, amount_minor, currency, source_rows, "
    "gap, upper_rule_id, upper_basis, cost, row_currency, days, day_basis, day_factor, worth, billed"
)
_STATEMENT_COLUMNS = (
    "id, period, hop, reseller_id, customer_id, currency, total_minor, exact_total, lines, parked_pair, "
    "parked_cost"
)
_NULL = r"\N"
_ROWS_AT_ONCE = 5_000
#: Lines of so many tables may be made before they are copied.
_TABLES_AHEAD = 4
_INDEX_MEMORY = "256MB"
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def statement_id(*, hop: str, customer: str, currency: str, reseller: str, period: Period) -> str:
    """Derive a statement's id from its business key."""
    return digest("statement", str(period), hop, reseller, customer, currency)


def copy_text(*values: object) -> str:
    """Write one row in PostgreSQL's text format for COPY; None is NULL."""
    texts = (
        _NULL if value is None else value.translate(_ESCAPES) if isinstance(value, str) else str(value)
        for value in values
    )
    return "\t".join(texts) + "\n"


def copy_rows(session: Session, table: str, columns: str, rows: Iterable[Iterable[object]]) -> None:
    """Copy rows of values into a table, many at a time: each send costs more than the row it carries."""
    waiting = iter(rows)
    with copying(session, table, columns) as copy:
        while some := "".join(copy_text(*row) for row in islice(waiting, _ROWS_AT_ONCE)):
            copy.write(some)


def copy_lines(session: Session, table: str, period: Period, some: Iterable[pa.Table]) -> None:
    """Copy lines of a period's own usage into a table. While some are being copied the next are made."""
    with ExitStack() as stack:
        copy: psycopg.Copy | None = None
        for lines in stack.enter_context(closing(ahead(some, by=_TABLES_AHEAD))):
            if copy is None:
                columns = ", ".join((*lines.column_names, "id", "period"))
                copy = stack.enter_context(copying(session, table, columns, options="FORMAT csv"))
            _copy_lot(copy, lines, period)


def _copy_lot(copy: psycopg.Copy, lines: pa.Table, period: Period) -> None:
    number = pa.repeat(pa.scalar(period.number, pa.int32()), len(lines))
    rows = pa.BufferOutputStream()
    write_csv(
        lines.append_column("id", lines["group_id"]).append_column("period", number),
        rows,
        WriteOptions(include_header=False),
    )
    copy.write(rows.getvalue().to_pybytes())


@dataclass(slots=True)
class Totals:
    """What stands on one statement so far."""

    id: str
    hop: str
    reseller_id: int
    customer_id: int
    currency: str
    minor: int = 0
    exact: Decimal = Decimal(0)
    lines: int = 0
    parked_pair: str = ""


class Draft:
    """The new documents of a period, being written beside the old ones."""

    def __init__(self, session: Session, *, period: Period, run_id: int) -> None:
        """Create empty tables for the period's statements and lines."""
        self._session = session
        self._period = period
        self._suffix = f"p{period.number}_r{run_id}"
        self._statements: dict[str, Totals] = {}
        for table in ("statement_line", "statement"):
            self._execute(
                f"CREATE TABLE {table}_{self._suffix} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
            )

    @property
    def statements(self) -> Iterable[Totals]:
        """Every statement of the period so far, differences of closed periods included."""
        return self._statements.values()

    def statement(self, identity: str, hop: str, reseller_id: int, customer_id: int, currency: str) -> Totals:
        """Give a statement of the period, begun where it is new."""
        if identity not in self._statements:
            self._statements[identity] = Totals(identity, hop, reseller_id, customer_id, currency)
        return self._statements[identity]

    def write_lines(self, some: Iterable[pa.Table]) -> None:
        """Copy lines of the period's own usage as they come."""
        copy_lines(self._session, f"statement_line_{self._suffix}", self._period, some)

    def write_differences(self, rows: Iterable[Iterable[object]]) -> None:
        """Copy differences of closed periods, each a row of `DIFFERENCE_COLUMNS`."""
        copy_rows(self._session, f"statement_line_{self._suffix}", DIFFERENCE_COLUMNS, rows)

    def finish(self, parked_cost: dict[str, str]) -> None:
        """Write the statements, build the indexes and put the new tables in the place of the old ones."""
        rows = (self._statement_row(one, parked_cost) for one in self._statements.values())
        copy_rows(self._session, f"statement_{self._suffix}", _STATEMENT_COLUMNS, rows)
        self._execute(f"SET LOCAL maintenance_work_mem = '{_INDEX_MEMORY}'")
        for table in ("statement_line", "statement"):
            self._exchange(table)

    def _statement_row(self, s: Totals, parked_cost: dict[str, str]) -> tuple[object, ...]:
        party = (s.id, self._period.number, s.hop, s.reseller_id, s.customer_id, s.currency)
        if s.parked_pair:
            pair = f"{s.parked_pair} {self._period}"
            return *party, None, plain(s.exact), s.lines, pair, parked_cost.get(s.id, "{}")
        return *party, s.minor, plain(s.exact), s.lines, "", "{}"

    def _exchange(self, table: str) -> None:
        """Attach the new partition instead of the old one. Locks on readers last for these last steps only."""
        new, number = f"{table}_{self._suffix}", self._period.number
        self._execute(f"ALTER TABLE {new} ADD CONSTRAINT {new}_period CHECK (period = {number})")
        key = "id, period" if table == "statement_line" else "period, id"
        self._execute(f"ALTER TABLE {new} ADD PRIMARY KEY ({key})")
        for definition in self._session.scalars(text(_INDEXES), {"table": table}).all():
            self._execute(definition.replace(f" ON ONLY public.{table} ", f" ON {new} "))
        self._execute(f"ANALYZE {new}")
        for old in self._session.scalars(
            text(_PARTITIONS), {"table": table, "prefix": f"{table}_p{number}_%"}
        ).all():
            self._execute(f"ALTER TABLE {table} DETACH PARTITION {old}")
            self._execute(f"DROP TABLE {old}")
        self._execute(f"ALTER TABLE {table} ATTACH PARTITION {new} FOR VALUES IN ({number})")
        self._execute(f"ALTER TABLE {new} DROP CONSTRAINT {new}_period")

    def _execute(self, statement: str) -> None:
        self._session.execute(text(statement.replace(":", r"\:")))


_PARTITIONS = r"""
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = CAST(:table AS regclass) AND c.relname LIKE replace(:prefix, '_', '\_')
"""
_INDEXES = """
    SELECT regexp_replace(pg_get_indexdef(i.indexrelid), 'INDEX \\S+ ON', 'INDEX ON')
    FROM pg_index i WHERE i.indrelid = CAST(:table AS regclass) AND NOT i.indisprimary
"""


@contextmanager
def copying(
    session: Session, table: str, columns: str, *, options: str = "FORMAT text"
) -> Iterator[psycopg.Copy]:
    """Open a COPY into a table on the session's own connection, in its transaction."""
    connection: Any = session.connection().connection.driver_connection
    statement = f"COPY {table} ({columns}) FROM STDIN ({options})"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        yield copy
