"""Statements of a period as files: every line of a hop, or of one seller or buyer, streamed from the database."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import IO, Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.core.currency import minor_units
from marketplace.core.errors import N_, Refusal
from marketplace.core.money import Money
from marketplace.core.period import Period
from marketplace.core.rounding import round_half_away
from marketplace.documents.focus import FOCUS_COLUMNS, FOCUS_NUMBERS, FocusLine, focus_rows
from marketplace.documents.tables import WRITERS, Cell, write_parquet, write_plain_csv
from marketplace.rating.exact import multiply, plain
from marketplace.rating.price import COST, LIST
from resellers.models import WHOLESALER_REFERENCE, Hop

COLUMNS = (
    *(
        "line",
        "period",
        "hop",
        "seller",
        "buyer",
        "customer",
        "vendor",
        "account",
        "subscription",
        "product",
        "sku",
    ),
    *("meter", "charge_category", "charge_type", "charge_from", "charge_until", "quantity", "unit", "basis"),
    *(
        "basis_amount",
        "percent",
        "unit_price",
        "fx_rate",
        "amount",
        "currency",
        "source_rows",
        "correction_of",
    ),
)
_FETCH = 5_000


class UnknownParty(Refusal):
    """A seller or buyer that is not on any statement of the hop."""

    sentence = N_(
        'There is no %(role)s "%(reference)s" at the %(hop)s hop: use a reference from resellers.csv or customers.csv.'
    )


class NoStatements(Refusal):
    """The period has not been rated."""

    sentence = N_(
        "There are no statements for %(period)s: run `python -m marketplace close %(period)s` first."
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines: a hop of a period, of one seller and one buyer where they are named."""

    period: Period
    hop: Hop
    seller: str = ""
    buyer: str = ""
    # Buyers see no cost their seller starts from.
    is_sellers_view: bool = True


def write_statements(session: Session, wanted: Wanted, *, format_: str, file: IO[bytes]) -> int:
    """Write lines as `csv`, `xlsx`, `parquet`, `focus` (CSV) or `focus.parquet`; give their number.

    Raises `NoStatements` and `UnknownParty`.
    """
    _check(session, wanted)
    rows = _Counted(_lines(session, wanted))
    if format_.startswith("focus"):
        cells = focus_rows(_focus(row) for row in rows)
        if format_ == "focus.parquet":
            write_parquet(file, FOCUS_COLUMNS, cells, numbers=FOCUS_NUMBERS)
        else:
            write_plain_csv(file, FOCUS_COLUMNS, cells)
    else:
        WRITERS[format_](file, COLUMNS, (_cells(row, is_sellers_view=wanted.is_sellers_view) for row in rows))
    return rows.count


class _Counted:
    """An iterator that counts what passes."""

    def __init__(self, rows: Iterator[Any]) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[Any]:
        for row in self._rows:
            self.count += 1
            yield row


def _check(session: Session, wanted: Wanted) -> None:
    known = text("SELECT 1 FROM billing_period WHERE period = :period AND run_id IS NOT NULL")
    if session.scalar(known, {"period": wanted.period.number}) is None:
        raise NoStatements(period=wanted.period)
    tables = (
        {"buyer": "reseller"} if wanted.hop is Hop.WHOLESALE else {"seller": "reseller", "buyer": "customer"}
    )
    for role, reference in (("seller", wanted.seller), ("buyer", wanted.buyer)):
        table = tables.get(role)
        if not reference or (table is None and reference == WHOLESALER_REFERENCE):
            continue
        query = f"SELECT 1 FROM {table} WHERE reference = :reference"
        if table is None or session.scalar(text(query), {"reference": reference}) is None:
            raise UnknownParty(role=role, reference=reference, hop=wanted.hop.value)


def _lines(session: Session, wanted: Wanted) -> Iterator[Any]:
    is_wholesale = wanted.hop is Hop.WHOLESALE
    values = {
        "period": wanted.period.number,
        "hop": wanted.hop.value,
        "reseller": wanted.buyer if is_wholesale else wanted.seller,
        "customer": "" if is_wholesale else wanted.buyer,
    }
    result = session.execute(text(_LINES), values, execution_options={"yield_per": _FETCH})
    yield from result.mappings()


_LINES = """
    SELECT l.*, r.reference AS reseller, r.legal_name AS reseller_name, c.reference AS customer,
           c.legal_name AS customer_name, (SELECT legal_name FROM wholesaler) AS wholesaler_name
    FROM statement_line l
    JOIN reseller r ON r.id = l.reseller_id
    JOIN customer c ON c.id = l.customer_id
    WHERE l.period = :period AND l.hop = :hop
      AND (:reseller = '' OR r.reference = :reseller) AND (:customer = '' OR c.reference = :customer)
    ORDER BY r.reference COLLATE "C", c.reference COLLATE "C", l.corrects NULLS FIRST, l.vendor COLLATE "C",
             l.account COLLATE "C", l.subscription COLLATE "C", l.product COLLATE "C", l.sku COLLATE "C",
             l.meter COLLATE "C", l.id
"""


def _cells(row: Any, *, is_sellers_view: bool) -> Sequence[Cell]:
    seller, buyer = _parties(row)
    hides_basis = row["basis"] == COST and not is_sellers_view
    return (
        row["id"],
        Period.from_number(row["period"]),
        row["hop"],
        seller,
        buyer,
        row["customer"],
        row["vendor"],
        row["account"],
        row["subscription"],
        row["product"],
        row["sku"],
        row["meter"],
        row["charge_category"],
        row["charge_type"],
        row["charge_from"],
        row["charge_until"],
        _exact(row["quantity"]),
        row["unit"],
        None if hides_basis else row["basis"],
        None if hides_basis else _exact(row["basis_amount"]),
        None if hides_basis else _exact(row["percent"]),
        _exact(row["unit_price"]),
        _exact(row["fx_rate"]),
        Money(row["amount_minor"], row["currency"]).amount,
        row["currency"],
        row["source_rows"],
        None if row["corrects"] is None else Period.from_number(row["corrects"]),
    )


def _parties(row: Any) -> tuple[str, str]:
    if row["hop"] == Hop.WHOLESALE:
        return WHOLESALER_REFERENCE, row["reseller"]
    return row["reseller"], row["customer"]


def _exact(value: Decimal | None) -> Decimal | None:
    """Drop trailing noughts, keep every other digit."""
    return None if value is None else Decimal(plain(value))


def _focus(row: Any) -> FocusLine:
    is_wholesale = row["hop"] == Hop.WHOLESALE
    listed = None
    if row["basis"] == LIST:
        exact = multiply(row["basis_amount"], row["fx_rate"])
        listed = round_half_away(exact, minor_units(row["currency"]))
    seller_name = (row["wholesaler_name"] or WHOLESALER_REFERENCE) if is_wholesale else row["reseller_name"]
    return FocusLine(
        line=row["id"],
        statement=row["statement_id"],
        period=Period.from_number(row["period"]),
        seller=seller_name,
        buyer=row["reseller"] if is_wholesale else row["customer"],
        buyer_name=row["reseller_name"] if is_wholesale else row["customer_name"],
        customer=row["customer"],
        customer_name=row["customer_name"],
        vendor=row["vendor"],
        account=row["account"],
        product=row["product"],
        sku=row["sku"],
        meter=row["meter"],
        unit=row["unit"],
        charge_category=row["charge_category"],
        charge_type=row["charge_type"],
        charge_from=row["charge_from"],
        charge_until=row["charge_until"],
        quantity=_exact(row["quantity"]) or Decimal(0),
        amount=Money(row["amount_minor"], row["currency"]).amount,
        list_amount=listed,
        currency=row["currency"],
        source_rows=row["source_rows"],
        is_correction=row["corrects"] is not None,
    )
