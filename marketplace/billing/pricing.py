"""From lines in the making to rows for COPY and figures of documents: the pure pricing, applied to Arrow tables.

What does not take part in pricing stays in Arrow's columns and is never looked at. What does is priced column by
column, in whole numbers of one scale: each line costs Python a few products, and its share of the rounded total.
"""

import struct
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from operator import mul
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from marketplace.billing.attribution import Kind, Lot
from marketplace.billing.terms import Book
from marketplace.core.ahead import ahead
from marketplace.core.rounding import EXACT, whole_numbers
from marketplace.rating.exact import add, multiply, plain
from marketplace.rating.price import AT_COST, Listing, effective
from marketplace.rating.statements import (
    WHOLESALE,
    Amounts,
    Formula,
    FormulaTable,
    MissingRate,
    Sum,
    list_unit_amount,
    retail_formula,
    round_document,
    wholesale_formula,
)

_LISTINGS = tuple(Listing)
#: Decimals of every sum that comes from attribution.
_SUM_DECIMALS = 18
_ONE = Decimal(1)
_LOTS_AHEAD = 2


@dataclass(frozen=True, slots=True)
class Figures:
    """What one document adds to its statement."""

    statement_id: str
    hop: str
    reseller_id: int
    customer_id: int
    currency: str
    minor: int
    exact: Decimal
    lines: int
    # "USD>EUR" where a rate is missing; such a document has no lines.
    parked_pair: str


@dataclass(frozen=True, slots=True)
class Priced:
    """Some documents' lines as rows for COPY, and the documents' figures."""

    rows: pa.Table
    figures: Sequence[Figures]


def price_all(lots: Iterable[Lot], book: Book) -> Generator[Priced, None, None]:
    """Price lines document by document. Gives the documents in the order they come in.

    While some are being priced the next are made.
    """
    known: tuple[Sequence[Kind], _Formulas] | None = None
    with closing(ahead(lots, by=_LOTS_AHEAD)) as made:
        for kinds, lines in made:
            if known is None or known[0] is not kinds:
                known = kinds, _Formulas(kinds, book)
            yield _price(lines, known[1])


class _Formulas:
    """The formula of every kind of line of a month, by the number of the kind."""

    def __init__(self, kinds: Sequence[Kind], book: Book) -> None:
        """Work out each formula once."""
        self._terms = book.terms()
        self._rates = book.rates
        #: Kinds whose lines cannot be priced, with the pair of currencies whose rate is missing.
        self.pairs: dict[int, str] = {}
        known: list[Formula] = []
        for number, kind in enumerate(kinds):
            try:
                known.append(self._formula(kind))
            except MissingRate as missing:
                self.pairs[number] = str(missing)
                known.append(_NOTHING)
        self.table = FormulaTable(known)
        self._columns = {
            "basis_currency": pa.array([one.basis_currency for one in known], pa.string()),
            "percent": pa.array([_text(one.effective.percent) for one in known], pa.string()),
            "unit_price": pa.array([_text(one.effective.unit_price) for one in known], pa.string()),
            "fx_rate": pa.array([plain(one.fx_rate) for one in known], pa.string()),
            "gap": pa.array([one.effective.gap for one in known], pa.string()),
        }

    def _formula(self, kind: Kind) -> Formula:
        terms, listing = self._terms[kind.rule_id], _LISTINGS[kind.listing]
        if kind.hop == WHOLESALE:
            return wholesale_formula(
                terms,
                listing,
                row_currency=kind.row_currency,
                reseller_currency=kind.reseller_currency,
                rates=self._rates,
            )
        return retail_formula(
            terms,
            listing,
            wholesale=self._terms[kind.upper_rule_id],
            row_currency=kind.row_currency,
            reseller_currency=kind.reseller_currency,
            customer_currency=kind.customer_currency,
            rates=self._rates,
        )

    def missing_pair(self, kinds: Sequence[int]) -> str:
        """Give the pair of currencies, "USD>EUR", for want of whose rate a document of such lines is parked."""
        if not self.pairs:
            return ""
        return next((self.pairs[kind] for kind in kinds if kind in self.pairs), "")

    def columns(self, kinds: pa.ChunkedArray) -> dict[str, pa.ChunkedArray]:
        """Give the columns that follow from the formula alone, for lines of these kinds."""
        return {name: column.take(kinds) for name, column in self._columns.items()}


#: Stands where a formula cannot be known; nothing is priced with it.
_NOTHING = Formula(Sum.COST, _ONE, effective(AT_COST, Listing.PRICED), "", _ONE, _ONE)


def _text(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


@dataclass(frozen=True, slots=True)
class _ListBasis:
    """The list basis of a line of several list prices, and of each of its days."""

    amount: Decimal
    days: str
    day_basis: str

    @classmethod
    def of(cls, parts: Sequence[dict[str, Any]]) -> "_ListBasis":
        """Add up the parts: rows of one list price each, or rows that carry their list cost."""
        amount = Decimal(0)
        day_basis: list[str] = []
        for part in parts:
            unit = _ONE if part["list_unit"] is None else _unit(part["list_unit"])
            amount = add(amount, multiply(Decimal(part["amount"]), unit))
            day_basis += [plain(multiply(Decimal(one), unit)) for one in part["day_basis"].split(",")]
        days = ",".join(part["days"] for part in parts)
        return cls(amount, f"{{{days}}}", f"{{{','.join(day_basis)}}}")


@lru_cache(maxsize=100_000)
def _unit(text: str) -> Decimal:
    """Read a list price and, after a blank, the rate of exchange it is brought to the currency of the rows with."""
    list_price, _, list_fx = text.partition(" ")
    return list_unit_amount(Decimal(list_price), Decimal(list_fx) if list_fx else None)


class _Sums(NamedTuple):
    """What lines are priced from, and the list price of a unit that is in it already: 1 where there is none."""

    amounts: Amounts
    units: Amounts
    # Of lines of several list prices, by their place.
    list_bases: dict[int, _ListBasis]


def _sums(lines: pa.Table) -> _Sums:
    encoded = lines["list_unit"].combine_chunks().dictionary_encode()
    parts = lines["parts"]
    list_bases = {}
    if parts.null_count < len(lines):
        list_bases = {place: _ListBasis.of(some) for place, some in enumerate(parts.to_pylist()) if some}
    prices = [_unit(text) for text in encoded.dictionary.to_pylist()]
    # Scaled as the sums are, so that they come out with as many decimals as a sum times a unit has.
    of_several = [EXACT.scaleb(basis.amount, _SUM_DECIMALS) for basis in list_bases.values()]
    numbers, decimals = whole_numbers([*prices, _ONE, *of_several])
    places = encoded.indices.fill_null(len(prices)).to_pylist()
    units = list(map(numbers.__getitem__, places))
    amounts = list(map(mul, _stored_numbers(lines["amount"]), units))
    for place, number in zip(list_bases, numbers[len(prices) + 1 :], strict=True):
        amounts[place] = number
    return _Sums(Amounts(amounts, _SUM_DECIMALS + decimals), Amounts(units, decimals), list_bases)


def _stored_numbers(decimals: pa.ChunkedArray) -> list[int]:
    """Give 128-bit decimals as the whole numbers they are stored as: two words, the lower first."""
    numbers: list[int] = []
    for chunk in decimals.chunks:
        words = memoryview(chunk.buffers()[1])[_WIDTH * chunk.offset : _WIDTH * (chunk.offset + len(chunk))]
        numbers += [high << 64 | low for low, high in struct.iter_unpack("<Qq", words)]
    return numbers


_WIDTH = 16


def _texts(amounts: Amounts) -> pa.Array:
    """Write amounts as PostgreSQL reads them: 12345e-3."""
    return pc.binary_join_element_wise(
        pa.array(map(str, amounts.numbers), pa.string()), f"e-{amounts.decimals}", ""
    )


class _Document(NamedTuple):
    """Whose lines are being priced."""

    statement_id: str
    hop: str
    reseller_id: int
    customer_id: int
    currency: str


#: Columns that are needed for pricing and not stored.
_NOT_STORED = ("document", "kind", "amount", "list_unit", "parts")


def _price(lines: pa.Table, formulas: _Formulas) -> Priced:
    """Price the lines of whole documents. Those of parked ones are left out."""
    kinds = lines["kind"].to_pylist()
    sums = _sums(lines)
    basis, exact = formulas.table.price(kinds, sums.amounts)
    figures: list[Figures] = []
    minors: list[int] = []
    stands: list[bool] = []
    for document, start, end in _documents(lines):
        pair = formulas.missing_pair(kinds[start:end])
        exacts = [0] if pair else exact.numbers[start:end]
        minor, shares = round_document(exacts, exact.decimals, document.currency)
        total = EXACT.scaleb(Decimal(sum(exacts)), -exact.decimals)
        figures.append(Figures(*document, minor, total, 0 if pair else end - start, pair))
        stands += [not pair] * (end - start)
        minors += [0] * (end - start) if pair else shares
    columns = {name: lines[name] for name in lines.column_names if name not in _NOT_STORED}
    columns |= formulas.columns(lines["kind"])
    columns["basis_amount"] = _texts(basis)
    columns["exact_amount"] = _texts(exact)
    columns["amount_minor"] = pa.array(minors, pa.int64())
    columns["day_factor"] = _texts(formulas.table.times_factors(kinds, sums.units))
    if sums.list_bases:
        for name in ("days", "day_basis"):
            values = columns[name].to_pylist()
            for place, list_basis in sums.list_bases.items():
                values[place] = getattr(list_basis, name)
            columns[name] = pa.array(values, pa.string())
    rows = pa.table(columns)
    return Priced(rows if all(stands) else rows.filter(pa.array(stands)), figures)


def _documents(lines: pa.Table) -> Iterator[tuple[_Document, int, int]]:
    """Give each document with the places where its lines start and end."""
    ends = pc.run_end_encode(lines["document"].combine_chunks()).run_ends.to_pylist()
    starts = [0, *ends[:-1]]
    firsts = (lines[name].take(pa.array(starts)).to_pylist() for name in _Document._fields)
    return zip(map(_Document._make, zip(*firsts, strict=True)), starts, ends, strict=True)
