"""Writing the documents of a period: COPY into new partitions that then take the place of the old ones.

Everything happens in the caller's transaction: until it commits, readers see the old draft, and a killed process
leaves nothing.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.core.period import Period
from marketplace.rating.exact import multiply, plain
from marketplace.rating.statements import Document, Line, digest

LINE_COLUMNS = (
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
_INDEX_MEMORY = "256MB"
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def statement_id(*, hop: str, customer: str, currency: str, reseller: str, period: Period) -> str:
    """Derive a statement's id from its business key."""
    return digest("statement", str(period), hop, reseller, customer, currency)


def copy_text(*values: object) -> str:
    """Write one row in PostgreSQL's text format for COPY; None is NULL."""
    return "\t".join(_NULL if value is None else str(value).translate(_ESCAPES) for value in values) + "\n"


def line_row(document: Document, line: Line, *, period: Period, statement: str) -> str:
    """Write a line of a period's own usage for COPY. The columns are those of `LINE_COLUMNS`."""
    chain, price = document.chain, line.effective
    days, day_basis, day_factor = _days(line)
    subject = "\t".join(line.subject)
    if "\\" in subject or "\n" in subject or "\r" in subject or subject.count("\t") != len(line.subject) - 1:
        subject = "\t".join(value.translate(_ESCAPES) for value in line.subject)
    rule = _NULL if line.terms.rule_id is None else line.terms.rule_id
    percent = _NULL if price.percent is None else price.percent
    unit_price = _NULL if price.unit_price is None else price.unit_price
    upper_rule = _NULL if line.upper_rule_id is None else line.upper_rule_id
    return (
        f"{line.group_id}\t{period.number}\t\\N\t{line.group_id}\t{statement}\t{document.hop}\t{chain.reseller_id}\t"
        f"{chain.customer_id}\t{subject}\t{line.charge_from}\t{line.charge_until}\t{line.quantity}\t{rule}\t"
        f"{price.basis}\t{line.basis_amount}\t{line.basis_currency}\t{percent}\t{unit_price}\t{line.fx_rate}\t"
        f"{line.exact}\t{line.minor}\t{document.currency}\t{line.rows}\t{price.gap}\t{upper_rule}\t"
        f"{line.upper_basis}\t{line.cost}\t{line.row_currency}\t{days}\t{day_basis}\t{day_factor}\t\\N\t\\N\n"
    )


def _days(line: Line) -> tuple[str, str, Decimal]:
    """Give a line's days, the basis of each and the factor to its currency.

    Parts that were added up with different multipliers get theirs applied here and share a factor.
    """
    if len(line.day_parts) == 1:
        multiplier, part = line.day_parts[0]
        return part.days, part.amounts, multiply(multiplier, line.factor)
    days = "{" + ",".join(part.days[1:-1] for _, part in line.day_parts) + "}"
    amounts = []
    for multiplier, part in line.day_parts:
        texts = part.amounts[1:-1].split(",")
        amounts += (
            texts if multiplier == 1 else [str(multiply(Decimal(value), multiplier)) for value in texts]
        )
    return days, "{" + ",".join(amounts) + "}", line.factor


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

    def write_rows(self, rows: Iterable[str]) -> None:
        """Copy lines as they come, each a row of `LINE_COLUMNS` or several."""
        with copying(self._session, f"statement_line_{self._suffix}", LINE_COLUMNS) as copy:
            for row in rows:
                copy.write(row)

    def finish(self, parked_cost: dict[str, str]) -> None:
        """Write the statements, build the indexes and put the new tables in the place of the old ones."""
        with copying(self._session, f"statement_{self._suffix}", _STATEMENT_COLUMNS) as copy:
            for s in self._statements.values():
                minor = None if s.parked_pair else s.minor
                pair = f"{s.parked_pair} {self._period}" if s.parked_pair else ""
                copy.write(
                    copy_text(
                        *(s.id, self._period.number, s.hop, s.reseller_id, s.customer_id, s.currency, minor),
                        *(plain(s.exact), s.lines, pair, parked_cost.get(s.id, "{}")),
                    )
                )
        self._execute(f"SET LOCAL maintenance_work_mem = '{_INDEX_MEMORY}'")
        for table in ("statement_line", "statement"):
            self._exchange(table)

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
def copying(session: Session, table: str, columns: str) -> Iterator[psycopg.Copy]:
    """Open a COPY into a table on the session's own connection, in its transaction."""
    connection: Any = session.connection().connection.driver_connection
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        yield copy
