"""The set-based half of rating: DuckDB reads the lake, finds owners, chooses rules and sums exactly.

It multiplies nothing: prices are the pure code's business (`marketplace.rating`). Every sum is DECIMAL(38, 18) and
an overflow is an error, never a rounding.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from marketplace.billing import attribution_sql as sql
from marketplace.billing.terms import FIRST_DAY, LAST_DAY, Book, MappingSpan, MovedSpan
from marketplace.core.period import Period
from marketplace.rating.exact import add
from marketplace.rating.price import LIST
from marketplace.rating.rule_choice import SCOPE_COLUMNS
from marketplace.usage.damage import telling_damage
from marketplace.usage.engine import quoted

_FETCH = 50_000
#: Sums of a day and subject that are made into lines at once.
_DAYS_AT_ONCE = 1_000_000
_PARTY_COLUMNS = {
    **dict.fromkeys(("customer_id", "reseller_id"), pa.int64()),
    **dict.fromkeys(("customer", "customer_currency", "reseller", "reseller_currency"), pa.string()),
}


@dataclass(frozen=True, slots=True)
class LakeSource:
    """Lake files of one vendor, all of whose rows count, or only those of some billing accounts and kinds."""

    vendor: str
    files: tuple[str, ...]
    # None: every row. Otherwise the (billing account, file kind) pairs that are current.
    only: tuple[tuple[str, str], ...] | None = None
    # Charges of subscriptions: their rows name the day that chooses their price.
    is_charges: bool = False


@dataclass(frozen=True, slots=True)
class Engine:
    """What DuckDB may use."""

    memory_mb: int
    threads: int
    spill: Path


class Kind(NamedTuple):
    """What the formula of a line depends on. Rules stand for all that price alike."""

    hop: str
    rule_id: int | None
    upper_rule_id: int | None
    listing: int
    row_currency: str
    reseller_currency: str
    customer_currency: str


class Lot(NamedTuple):
    """Lines of whole documents, ordered by document and business fields, and the kinds they name by their place."""

    kinds: Sequence[Kind]
    lines: pa.Table


class BillKey(NamedTuple):
    """One vendor bill."""

    vendor: str
    billing_account: str
    currency: str


@dataclass(frozen=True, slots=True)
class UnmappedUsage:
    """Usage of one account that nobody owns."""

    vendor: str
    billing_account: str
    account: str
    currency: str
    rows: int
    cost: Decimal
    first_day: date
    last_day: date
    product: str


class Attribution:
    """The usage of one period, attributed and grouped. Use as a context manager; results are read once."""

    def __init__(
        self,
        book: Book,
        sources: Sequence[LakeSource],
        *,
        covered_invoices: Mapping[str, Sequence[str]],
        own_subscriptions: Mapping[str, Sequence[str]],
        engine: Engine,
        reseller_id: int | None = None,
    ) -> None:
        """Open DuckDB with its limits.

        `covered_invoices` of each vendor are billed from the daily usage, not the reconciliation; so are its
        `own_subscriptions` from their own histories. With a reseller, only what its customers had is read: its documents
        are whole, and no others.
        """
        self._book = book
        self._sources = sources
        self._covered = covered_invoices
        self._own = own_subscriptions
        self._reseller_id = reseller_id
        self._db = duckdb.connect()
        engine.spill.mkdir(parents=True, exist_ok=True)
        self._db.execute(f"SET memory_limit = '{engine.memory_mb}MB'")
        self._db.execute(f"SET threads = {engine.threads}")
        self._db.execute("SET temp_directory = ?", [str(engine.spill)])
        self._db.execute("SET preserve_insertion_order = false")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def interrupt(self) -> None:
        """Stop what is running; it raises `duckdb.InterruptException` where it was called."""
        self._db.interrupt()

    def telling_damage(self) -> AbstractContextManager[None]:
        """Say which file is to blame where the lake cannot be read. Raises `UsageUnreadable`."""
        return telling_damage(self._db, [file for source in self._sources for file in source.files])

    # -- the steps, in order ------------------------------------------------------------------------------------

    def read(self) -> int:
        """Sum the lake's rows per subject and day. Gives the number of rows that count."""
        own = [(vendor, one) for vendor, subscriptions in self._own.items() for one in subscriptions]
        self._load(
            "own_subscription",
            pa.table(
                {
                    "vendor": pa.array([vendor for vendor, _ in own], pa.string()),
                    "subscription": pa.array([one for _, one in own], pa.string()),
                }
            ),
        )
        self._load("mapping", _spans(self._book, "account", self._book.mappings))
        self._load("moved", _spans(self._book, "subscription", self._book.moved))
        self._db.execute("CREATE TEMP VIEW usage_row AS " + self._rows())
        number = self._number_subjects()
        self._db.execute(sql.day_sums_query(number))
        return int(self._one("SELECT coalesce(sum(rows), 0)::BIGINT FROM day_sum"))

    def attribute(self) -> None:
        """Find the owner of every account on every day, then the two rules of everything owned."""
        self._load_terms()
        self._db.execute(sql.BUCKETS_OF_DAYS)
        self._db.execute(sql.STRETCHES)
        self._db.execute(sql.OWNERS)
        self._db.execute(sql.choice_query(self._book.rules))

    def group(self, billing_period: Period) -> int:
        """Give everything owned its terms, and lay out the documents of a period. Gives their number."""
        self._db.execute(sql.terms_query(self._book.rules))
        self._load_documents(billing_period)
        self._db.execute(sql.SLICES, [_DAYS_AT_ONCE])
        return int(self._one("SELECT count(*) FROM document"))

    def lots(self) -> Iterator[Lot]:
        """Sum up to the lines of both hops, those of some customers at a time, and give them some documents at a time."""
        slices = self._db.execute("SELECT DISTINCT slice FROM slice ORDER BY slice").fetchall()
        for (number,) in slices:
            self._db.execute(sql.TERMS_OF_SLICE, [number])
            self._db.execute(sql.GROUPS)
            self._db.execute(sql.ALL_LINES)
            if self._one("SELECT count(*) FROM line WHERE is_mixed"):
                self._db.execute(sql.MIXED_LINES)
                self._db.execute("DELETE FROM line WHERE is_mixed = (parts IS NULL)")
            self._db.execute(sql.KINDS)
            kinds = [
                Kind(*kind)
                for kind in self._db.execute("SELECT * EXCLUDE (kind) FROM kind ORDER BY kind").fetchall()
            ]
            for lines in _whole_documents(self._db.sql(sql.LINES_IN_ORDER).to_arrow_reader(_FETCH)):
                yield Lot(kinds, lines)

    def costs(self) -> Iterator[tuple[int, int, str, str, Decimal]]:
        """Give what the vendor charged for each customer: reseller, customer, vendor, currency, cost."""
        query = self._db.execute(sql.COSTS)
        while rows := query.fetchmany(_FETCH):
            yield from rows

    def unmapped(self) -> list[UnmappedUsage]:
        """Give what nobody owns, by account, the dearest first."""
        return [UnmappedUsage(*row) for row in self._db.execute(sql.UNMAPPED).fetchall()]

    def tax(self) -> dict[BillKey, tuple[Decimal, int]]:
        """Give vendor tax by bill: the sum and the number of rows."""
        rows = self._db.execute(sql.TAX).fetchall()
        return {BillKey(*row[:3]): (row[3], row[4]) for row in rows}

    def compared(self) -> dict[BillKey, Decimal]:
        """Give by bill what the vendor charged on licence lines that are compared with our own charges, not billed."""
        sums: dict[BillKey, Decimal] = {}
        for source in self._sources:
            if source.is_charges or not self._own.get(source.vendor):
                continue
            vendor = quoted(source.vendor)
            conditions = [*current_only(source), sql.IS_COMPARED.format(vendor=vendor)]
            files, where = ", ".join(map(quoted, source.files)), " AND ".join(conditions)
            for *key, cost in self._db.execute(
                sql.COMPARED.format(vendor=vendor, files=files, where=where)
            ).fetchall():
                bill = BillKey(*key)
                sums[bill] = add(sums.get(bill, Decimal(0)), cost)
        return sums

    def owned(self, *, only: Sequence[tuple[int, int]] | None = None) -> dict[BillKey, tuple[Decimal, int]]:
        """Give the cost of what somebody owns by bill, of all or of some customers of resellers."""
        if only is None:
            rows = self._db.execute(sql.OWNED.format(where="")).fetchall()
        else:
            where = "AND (o.reseller_id, o.customer_id) IN (SELECT unnest(?::BIGINT[]), unnest(?::BIGINT[]))"
            pairs = [list(ids) for ids in zip(*only, strict=True)]
            rows = self._db.execute(sql.OWNED.format(where=where), pairs).fetchall()
        return {BillKey(*row[:3]): (row[3], row[4]) for row in rows}

    # -- how ----------------------------------------------------------------------------------------------------

    def _one(self, query: str) -> Any:
        return self._db.execute(query).fetchall()[0][0]

    def _number_subjects(self) -> str:
        """List what rows are about, each under a number of its own; say how a row's is made."""
        for attempt in count():
            number = sql.number_of_subject(attempt)
            self._db.execute(sql.subjects_query(number, has_moves=bool(self._book.moved)))
            if self._one(sql.ARE_TOLD_APART):
                break
        return number

    def _rows(self) -> str:
        if not self._sources:
            return sql.NO_ROWS
        needs_list = any(rule.terms.basis == LIST for rule in self._book.rules)
        selects = []
        for source in self._sources:
            conditions = current_only(source)
            if covered := self._covered.get(source.vendor):
                invoices = ", ".join(map(quoted, covered))
                conditions.append(
                    "NOT (file_kind = 'reconciliation' AND lower(charge_category) = 'usage' "
                    f"AND invoice IN ({invoices}))"
                )
            if self._own.get(source.vendor):
                conditions.append(f"NOT {sql.IS_COMPARED.format(vendor=quoted(source.vendor))}")
            if self._reseller_id is not None:
                owned = sql.IS_OF_RESELLER.format(vendor=quoted(source.vendor), reseller=self._reseller_id)
                conditions.append(owned)
            where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
            query = sql.ROWS.format(
                vendor=quoted(source.vendor),
                listing=sql.LISTING if needs_list else "0::TINYINT",
                price_day="price_day" if source.is_charges else "usage_date",
                files=", ".join(map(quoted, source.files)),
                where=where,
            )
            selects.append(query)
        return " UNION ALL ".join(selects)

    def _load_terms(self) -> None:
        """Give DuckDB the rules, and cut time into stretches over which they and owners do not change."""
        book = self._book
        rules = pa.table(
            {
                "rule_id": pa.array([r.rule_id for r in book.rules], pa.int64()),
                "hop": pa.array([r.hop for r in book.rules], pa.string()),
                "basis": pa.array([r.terms.basis for r in book.rules], pa.string()),
                "filled": pa.array([",".join(r.scope.filled) for r in book.rules], pa.string()),
                **{
                    column: pa.array(
                        [getattr(r.scope, column) for r in book.rules],
                        pa.int64() if column.endswith("_id") else pa.string(),
                    )
                    for column in SCOPE_COLUMNS
                },
                "starts": pa.array([r.start for r in book.rules], pa.date32()),
                "ends": pa.array([r.end for r in book.rules], pa.date32()),
            }
        )
        owned: list[MappingSpan | MovedSpan] = [*book.mappings, *book.moved]
        spans = [(one.start, one.end) for one in owned] + [(rule.start, rule.end) for rule in book.rules]
        moves = {one.start for sellers in book.sellers.values() for one in sellers}
        cuts = sorted(({day for span in spans for day in span} | moves) - {LAST_DAY})
        first, last = self._db.execute(
            "SELECT min(least(usage_date, price_day)), max(usage_date) FROM day_sum"
        ).fetchall()[0]
        first, last = first or FIRST_DAY, last or FIRST_DAY
        starts = [first, *(cut for cut in cuts if first < cut <= last)]
        buckets = pa.table(
            {"bucket": pa.array(range(len(starts)), pa.int32()), "starts": pa.array(starts, pa.date32())}
        )
        self._load("rule", rules)
        self._load("bucket", buckets)

    def _load_documents(self, billing_period: Period) -> None:
        """Give DuckDB the documents lines stand on, and the rules by their words, which names and orders lines."""
        rules = self._book.rules
        chains = {one.number: one.chain for sellers in self._book.sellers.values() for one in sellers}
        self._load(
            "party",
            pa.table(
                {
                    "chain": pa.array(list(chains), pa.int64()),
                    **{
                        column: pa.array([getattr(chain, column) for chain in chains.values()], type_)
                        for column, type_ in _PARTY_COLUMNS.items()
                    },
                }
            ),
        )
        first: dict[tuple[Any, ...], int] = {}
        equal = {rule.rule_id: first.setdefault(rule.terms.price, rule.rule_id) for rule in rules}
        words = sorted((rule.terms.words, rule.rule_id) for rule in rules)
        self._load(
            "rule_words",
            pa.table(
                {
                    "rule_id": pa.array([rule_id for _, rule_id in words], pa.int64()),
                    "words": pa.array([one for one, _ in words], pa.string()),
                    "place": pa.array(range(1, len(words) + 1), pa.int32()),
                    "stands_for": pa.array([equal[rule_id] for _, rule_id in words], pa.int64()),
                }
            ),
        )
        self._db.execute(sql.DOCUMENTS, [str(self._book.period), str(billing_period)])

    def _load(self, name: str, table: pa.Table) -> None:
        self._db.register("loaded", table)
        self._db.execute(f"CREATE TEMP TABLE {name} AS SELECT * FROM loaded")
        self._db.unregister("loaded")


def _spans(book: Book, named_by: str, owned: Sequence[MappingSpan] | Sequence[MovedSpan]) -> pa.Table:
    """Lay out whose accounts or subscriptions are on which days: whose customer, and whose of resellers."""
    pairs = [
        (one, seller)
        for one in owned
        for seller in book.sellers[one.customer_id]
        if one.start < seller.end and seller.start < one.end
    ]
    return pa.table(
        {
            "vendor": pa.array([one.vendor for one, _ in pairs], pa.string()),
            named_by: pa.array([getattr(one, named_by) for one, _ in pairs], pa.string()),
            "customer_id": pa.array([one.customer_id for one, _ in pairs], pa.int64()),
            "reseller_id": pa.array([seller.chain.reseller_id for _, seller in pairs], pa.int64()),
            "chain": pa.array([seller.number for _, seller in pairs], pa.int64()),
            "starts": pa.array([max(one.start, seller.start) for one, seller in pairs], pa.date32()),
            "ends": pa.array([min(one.end, seller.end) for one, seller in pairs], pa.date32()),
        }
    )


def _whole_documents(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Cut the stream anew so that no document's lines are torn apart."""
    rest: pa.Table | None = None
    for batch in batches:
        table = pa.Table.from_batches([batch])
        if rest is not None:
            table = pa.concat_tables([rest, table])
        last = table["document"][-1]
        start = pc.index(table["document"], last).as_py()
        if start:
            yield table.slice(0, start)
        rest = table.slice(start)
    if rest is not None:
        yield rest


def current_only(source: LakeSource) -> list[str]:
    """Give the condition that leaves out rows of slices that are no longer current."""
    if source.only is None:
        return []
    pairs = ", ".join(f"({quoted(account)}, {quoted(kind)})" for account, kind in source.only)
    return [f"(billing_account, file_kind) IN ({pairs})"]
