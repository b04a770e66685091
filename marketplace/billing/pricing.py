"""From lines in the making to rows for COPY and figures of documents: the pure pricing, applied to Arrow tables.

What does not take part in pricing stays in Arrow's columns and is never looked at; each line costs Python one formula
found in a dictionary, two products, and its share of the rounded total.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from marketplace.billing.terms import Book
from marketplace.rating.exact import add, multiply, plain
from marketplace.rating.price import Listing
from marketplace.rating.statements import (
    WHOLESALE,
    Chain,
    Formula,
    MissingRate,
    list_unit_amount,
    price_document,
    retail_formula,
    wholesale_formula,
)

_LISTINGS = tuple(Listing)


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
    """Some customers' lines as rows for COPY, and their documents' figures."""

    rows: pa.Table
    figures: Sequence[Figures]


def price_all(batches: Iterable[pa.RecordBatch], book: Book) -> Iterator[Priced]:
    """Price lines that come as Arrow batches ordered by customer. Gives the customers in the same order."""
    formulas = _Formulas(book)
    for table in _whole_customers(batches):
        yield _price(table, formulas)


def _whole_customers(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Cut the stream anew so that no customer's lines are torn apart."""
    rest: pa.Table | None = None
    for batch in batches:
        table = pa.Table.from_batches([batch])
        if rest is not None:
            table = pa.concat_tables([rest, table])
        last = table["customer_id"][-1]
        start = pc.index(table["customer_id"], last).as_py()
        if start:
            yield table.slice(0, start)
        rest = table.slice(start)
    if rest is not None:
        yield rest


class _Formulas:
    """The formula of every kind of line of a month, each worked out once and numbered."""

    def __init__(self, book: Book) -> None:
        self.chains = book.chains
        self.known: list[Formula] = []
        # What a day's part of the sum is multiplied by to give the day's part of the amount.
        self.day_factors: list[Decimal] = []
        self._texts: dict[str, list[str | None]] = {name: [] for name in _FORMULA_TEXTS}
        self._terms = book.terms()
        self._rates = book.rates
        self._numbers: dict[tuple[Any, ...], int | str] = {}

    def number(self, hop: str, chain: Chain, *kind: Any) -> int | str:
        """Give the number of the formula for a kind of line, or the pair of currencies whose rate it lacks.

        A kind is: rule, rule of the hop above, listing, currency of the rows.
        """
        key = (hop, chain.reseller_currency, chain.customer_currency, *kind)
        number = self._numbers.get(key)
        if number is None:
            try:
                formula = self._formula(*key)
            except MissingRate as missing:
                number = str(missing)
            else:
                number = len(self.known)
                self.known.append(formula)
                self.day_factors.append(multiply(formula.before, formula.factor))
                for name, write in _FORMULA_TEXTS.items():
                    self._texts[name].append(write(formula))
            self._numbers[key] = number
        return number

    def _formula(
        self,
        hop: str,
        reseller_currency: str,
        customer_currency: str,
        rule_id: int | None,
        upper_rule_id: int | None,
        listing: int,
        row_currency: str,
    ) -> Formula:
        terms = self._terms[rule_id]
        if hop == WHOLESALE:
            return wholesale_formula(
                terms,
                _LISTINGS[listing],
                row_currency=row_currency,
                reseller_currency=reseller_currency,
                rates=self._rates,
            )
        return retail_formula(
            terms,
            _LISTINGS[listing],
            wholesale=self._terms[upper_rule_id],
            row_currency=row_currency,
            reseller_currency=reseller_currency,
            customer_currency=customer_currency,
            rates=self._rates,
        )

    def columns(self, numbers: pa.Array) -> dict[str, pa.Array]:
        """Give the columns that follow from the formula alone, for lines with these formulas."""
        return {name: pa.array(texts, pa.string()).take(numbers) for name, texts in self._texts.items()}


def _text(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


#: The columns of a line that follow from its formula alone.
_FORMULA_TEXTS: dict[str, Callable[[Formula], str | None]] = {
    "basis_currency": lambda one: one.basis_currency,
    "percent": lambda one: _text(one.effective.percent),
    "unit_price": lambda one: _text(one.effective.unit_price),
    "fx_rate": lambda one: plain(one.fx_rate),
    "gap": lambda one: one.effective.gap,
}


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
            unit = Decimal(1) if part["list_price"] is None else _unit(part["list_price"], part["list_fx"])
            amount = add(amount, multiply(Decimal(part["amount"]), unit))
            day_basis += [plain(multiply(Decimal(one), unit)) for one in part["day_basis"].split(",")]
        days = ",".join(part["days"] for part in parts)
        return cls(amount, f"{{{days}}}", f"{{{','.join(day_basis)}}}")


@lru_cache(maxsize=100_000)
def _unit(list_price: str, list_fx: str | None) -> Decimal:
    return list_unit_amount(Decimal(list_price), None if list_fx is None else Decimal(list_fx))


#: What pricing looks at of each line, in this order.
_LOOKED_AT = ("customer_id", "hop", "rule_id", "upper_rule_id", "listing", "row_currency", "amount", "list_price",
              "list_fx", "parts")  # fmt: skip
_KIND = slice(2, 6)
_NOT_STORED = ("listing", "amount", "list_price", "list_fx", "parts")


class _Pricing:
    """The lines of whole customers, being priced document by document. Lines of parked documents are left out."""

    def __init__(self, formulas: _Formulas) -> None:
        self._formulas = formulas
        self._stands: list[bool] = []
        self._numbers: list[int] = []
        self._basis_amounts: list[Decimal] = []
        self._exact_amounts: list[Decimal] = []
        self._minors: list[int] = []
        self._day_factors: list[str] = []
        # By place among the lines that stand.
        self._list_bases: dict[int, _ListBasis] = {}

    def document(self, chain: Chain, hop: str, rows: Sequence[tuple[Any, ...]], statement_id: str) -> Figures:
        """Price one document."""
        currency = chain.reseller_currency if hop == WHOLESALE else chain.customer_currency
        numbers = [self._formulas.number(hop, chain, *row[_KIND]) for row in rows]
        pair = next((number for number in numbers if isinstance(number, str)), "")
        self._stands += [not pair] * len(rows)
        total, minor = Decimal(0), 0
        if not pair:
            total, minor = self._price(rows, numbers, currency)
        lines = 0 if pair else len(rows)
        return Figures(
            statement_id, hop, chain.reseller_id, chain.customer_id, currency, minor, total, lines, pair
        )

    def _price(
        self, rows: Sequence[tuple[Any, ...]], numbers: Sequence[Any], currency: str
    ) -> tuple[Decimal, int]:
        formulas = self._formulas
        known, day_factors = formulas.known, formulas.day_factors
        place = len(self._numbers)
        lines: list[tuple[Formula, Decimal]] = []
        for number, (*_, amount, list_price, list_fx, parts) in zip(numbers, rows, strict=True):
            formula, day_factor = known[number], day_factors[number]
            if parts is not None:
                basis = self._list_bases[place + len(lines)] = _ListBasis.of(parts)
                exact = basis.amount
            elif list_price is not None:
                unit = _unit(list_price, list_fx)
                exact = multiply(Decimal(amount), unit)
                day_factor = multiply(day_factor, unit)
            else:
                exact = Decimal(amount)
            lines.append((formula, exact))
            self._day_factors.append(str(day_factor))
        priced = price_document(lines, currency)
        self._numbers += numbers
        self._basis_amounts += priced.basis_amounts
        self._exact_amounts += priced.exact_amounts
        self._minors += priced.minors
        return priced.exact_total, priced.total_minor

    def rows(self, lines: pa.Table) -> pa.Table:
        """Give the lines that stand with the columns of a statement line."""
        if not all(self._stands):
            lines = lines.filter(pa.array(self._stands, pa.bool_()))
        columns = {name: lines[name] for name in lines.column_names if name not in _NOT_STORED}
        columns |= self._formulas.columns(pa.array(self._numbers, pa.int32()))
        columns["basis_amount"] = pa.array(map(str, self._basis_amounts), pa.string())
        columns["exact_amount"] = pa.array(map(str, self._exact_amounts), pa.string())
        columns["amount_minor"] = pa.array(self._minors, pa.int64())
        columns["day_factor"] = pa.array(self._day_factors, pa.string())
        if self._list_bases:
            for name in ("days", "day_basis"):
                values = columns[name].to_pylist()
                for place, basis in self._list_bases.items():
                    values[place] = getattr(basis, name)
                columns[name] = pa.array(values, pa.string())
        return pa.table(columns)


def _price(lines: pa.Table, formulas: _Formulas) -> Priced:
    """Price the lines of whole customers."""
    pricing = _Pricing(formulas)
    statement_ids = lines["statement_id"]
    figures = []
    seen = 0
    columns = (lines[column].to_pylist() for column in _LOOKED_AT)
    for (customer_id, hop), of_document in groupby(zip(*columns, strict=True), itemgetter(0, 1)):
        rows = list(of_document)
        statement_id = statement_ids[seen].as_py()
        figures.append(pricing.document(formulas.chains[customer_id], hop, rows, statement_id))
        seen += len(rows)
    return Priced(pricing.rows(lines), figures)
