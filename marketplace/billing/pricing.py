"""From groups of usage to rows for COPY and figures of statements: the pure pricing, on as many processors as allowed.

Customers are priced apart from each other, so their groups are handed to processes a few thousand at a time and come
back in order. Small months are priced in this process: starting others would take longer.
"""

import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from marketplace.billing.drafts import line_row, statement_id
from marketplace.billing.terms import Book
from marketplace.core.period import Period
from marketplace.rating.price import Listing, Terms
from marketplace.rating.statements import (
    Chain,
    Document,
    ExchangeRates,
    Subject,
    UsageGroup,
    documents_of_customer,
)

_LISTINGS = tuple(Listing)
#: Fewer groups than this are priced faster by one process than it takes to start a second.
_WORTH_A_PROCESS = 40_000


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
    # What the vendor charged for the rows of a wholesale document, by vendor and currency.
    cost: dict[tuple[str, str], Decimal]


@dataclass(frozen=True, slots=True)
class Priced:
    """Some customers' lines as rows for COPY, and their documents' figures."""

    rows: str
    figures: Sequence[Figures]


@dataclass(frozen=True, slots=True)
class PriceBook:
    """What pricing needs of a book: it travels to other processes."""

    chains: dict[int, Chain]
    terms: dict[int | None, Terms]
    rates: ExchangeRates
    usage_period: Period
    # The period whose statements the lines stand on.
    billing_period: Period

    @classmethod
    def of(cls, book: Book, *, billing_period: Period) -> "PriceBook":
        """Take what is needed."""
        return cls(book.chains, book.terms(), book.rates, book.period, billing_period)


def price_all(
    batches: Iterable[pa.RecordBatch], book: PriceBook, *, groups: int, processes: int
) -> Iterator[Priced]:
    """Price groups that come as Arrow batches ordered by customer. Gives the customers in the same order."""
    whole = _whole_customers(batches)
    if groups < _WORTH_A_PROCESS or processes < 2:  # noqa: PLR2004 - one process is this one
        for table in whole:
            yield price_table(table, book)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer=_begin, initargs=(book,)) as pool:
        waiting: deque[Future[Priced]] = deque(
            pool.submit(_price, table) for table in islice(whole, processes * 2)
        )
        try:
            while waiting:
                priced = waiting.popleft().result()
                for table in islice(whole, 1):
                    waiting.append(pool.submit(_price, table))
                yield priced
        finally:
            pool.shutdown(cancel_futures=True)


def _whole_customers(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Cut the stream anew so that no customer's groups are torn apart."""
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


_book: PriceBook | None = None
"""The book of a pricing process: handed over once, when the process starts."""


def _begin(book: PriceBook) -> None:
    global _book  # noqa: PLW0603 - a pool's initializer has no other way to leave something behind
    _book = book


def _price(table: pa.Table) -> Priced:
    if _book is None:
        raise RuntimeError("a pricing process was started without its book")
    return price_table(table, _book)


def price_table(table: pa.Table, book: PriceBook) -> Priced:
    """Price the groups of whole customers."""
    rows: list[str] = []
    figures: list[Figures] = []
    for customer_id, of_customer in groupby(
        zip(*(c.to_pylist() for c in table.columns), strict=True), itemgetter(0)
    ):
        pair = documents_of_customer(
            book.chains[customer_id],
            (_usage_group(row, book.terms) for row in of_customer),
            rates=book.rates,
            usage_period=str(book.usage_period),
        )
        for document in pair:
            one = _figures(document, book.billing_period)
            rows += [
                line_row(document, line, period=book.billing_period, statement=one.statement_id)
                for line in document.lines
            ]
            figures.append(one)
    return Priced("".join(rows), figures)


def _usage_group(row: tuple[Any, ...], terms: dict[int | None, Terms]) -> UsageGroup:
    """Give one row its names. Decimals come as text, which is the quickest way out of DuckDB."""
    price, fx = row[14], row[15]
    return UsageGroup(
        Subject(*row[1:10]),
        row[10],
        terms[row[11]],
        terms[row[12]],
        _LISTINGS[row[13]],
        None if price is None else Decimal(price),
        None if fx is None else Decimal(fx),
        Decimal(row[16]),
        Decimal(row[17]),
        Decimal(row[18]),
        *row[19:],
    )


def _figures(document: Document, billing_period: Period) -> Figures:
    chain = document.chain
    identity = statement_id(
        hop=document.hop,
        customer=chain.customer,
        reseller=chain.reseller,
        currency=document.currency,
        period=billing_period,
    )
    return Figures(
        identity,
        document.hop,
        chain.reseller_id,
        chain.customer_id,
        document.currency,
        document.total_minor,
        document.exact_total,
        len(document.lines),
        document.parked_pair,
        document.cost,
    )
