"""Rating one period: from lake files to documents, and the parts of each vendor bill."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from marketplace.billing.attribution import Attribution, BillKey, Engine, UnmappedUsage
from marketplace.billing.pricing import Priced, price_all
from marketplace.billing.sources import Sources
from marketplace.billing.terms import Book
from marketplace.core.errors import N_, Refusal
from marketplace.core.period import Period
from marketplace.rating.balance import Parts
from marketplace.rating.exact import add, subtract
from marketplace.rating.statements import WHOLESALE

STAGES = ("read", "attribute", "group", "price", "write")


class Progress(Protocol):
    """Told how far the work is; raises to cancel it."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Note that `done` of `total` are done in a stage."""

    def watch(self, interrupt: Callable[[], None]) -> None:
        """Call `interrupt` as soon as somebody cancels."""


class UsageLost(Refusal):
    """Rating did not account for what was imported. Never expected; better no statement than a wrong one."""

    sentence = N_(
        "Of the bill of %(vendor)s %(billing_account)s, %(expected)s %(currency)s were imported and %(found)s were "
        "rated. Nothing was changed: restore the lake from its backup, or import the files again with --replace."
    )


@dataclass(slots=True)
class RatedPeriod:
    """The documents of one period, to be read once, and what is known when they have been read."""

    book: Book
    rows: int
    priced: Iterator[Priced]
    unmapped: list[UnmappedUsage]
    tax: dict[BillKey, Decimal]
    # What the vendor charged for each customer: reseller, customer, vendor, currency, cost.
    costs: Callable[[], Iterator[tuple[int, int, str, str, Decimal]]]
    #: Resellers and customers whose wholesale statement waits for an exchange rate: complete once `priced` is read.
    parked: list[tuple[int, int]] = field(default_factory=list)


@contextmanager
def rate_period(
    book: Book,
    sources: Sources,
    *,
    billing_period: Period,
    engine: Engine,
    progress: Progress,
    reseller_id: int | None = None,
) -> Iterator[tuple[RatedPeriod, Callable[[], dict[BillKey, Parts]]]]:
    """Rate a period. Gives its priced documents, and a function for the parts of each bill to be called after them.

    Raises `UsageUnreadable`; `UsageLost` from that function where the rows read are not the rows that were imported. With
    a reseller, its documents alone are whole, and there are no parts to ask for.
    """
    with (
        Attribution(
            book,
            sources.files,
            covered_invoices=sources.covered_invoices,
            own_subscriptions=sources.own_subscriptions,
            engine=engine,
            reseller_id=reseller_id,
        ) as attribution,
        attribution.telling_damage(),
    ):
        progress.watch(attribution.interrupt)
        progress("read", 0, 1)
        rows = attribution.read()
        progress("attribute", 0, 1)
        attribution.attribute()
        progress("group", 0, 1)
        documents = attribution.group(billing_period)
        rated = RatedPeriod(
            book=book,
            rows=rows,
            priced=iter(()),
            unmapped=attribution.unmapped(),
            tax={key: cost for key, (cost, _) in attribution.tax().items()},
            costs=attribution.costs,
        )
        # Whatever happens to those who read, nothing is being made any more when DuckDB is closed.
        with closing(price_all(attribution.lots(), book)) as priced:
            rated.priced = _noting(priced, rated, documents, progress)
            yield rated, lambda: _parts(attribution, rated, sources)


def _noting(
    priced: Iterator[Priced], rated: RatedPeriod, documents: int, progress: Progress
) -> Iterator[Priced]:
    """Let priced customers pass, noting whose wholesale statement is parked, and how far the work is."""
    done = 0
    progress("price", 0, documents)
    for some in priced:
        for one in some.figures:
            done += 1
            if one.hop == WHOLESALE and one.parked_pair:
                rated.parked.append((one.reseller_id, one.customer_id))
        progress("price", done, documents)
        yield some


def _parts(attribution: Attribution, rated: RatedPeriod, sources: Sources) -> dict[BillKey, Parts]:
    """Say what became of every bill's rows, and prove that none is missing."""
    owned = attribution.owned()
    parked = attribution.owned(only=rated.parked) if rated.parked else {}
    unmapped = _by_bill(rated.unmapped)
    compared = attribution.compared()
    parts: dict[BillKey, Parts] = {}
    for key in sorted(owned.keys() | unmapped.keys() | rated.tax.keys() | sources.bills.keys()):
        waiting = parked.get(key, (Decimal(0), 0))[0]
        parts[key] = Parts(
            cost=subtract(owned.get(key, (Decimal(0), 0))[0], waiting),
            tax=rated.tax.get(key, Decimal(0)),
            unmapped=unmapped.get(key, Decimal(0)),
            parked=waiting,
            licences=_beyond(sources, key, compared),
        )
        found = add(add(parts[key].cost, parts[key].tax), add(parts[key].unmapped, parts[key].parked))
        expected = subtract(sources.expected.get(key, Decimal(0)), compared.get(key, Decimal(0)))
        if found != expected:
            raise UsageLost(**key._asdict(), expected=expected, found=found)
    return parts


def _beyond(sources: Sources, key: BillKey, compared: Mapping[BillKey, Decimal]) -> Decimal:
    """Give what the vendor charged for subscriptions beyond our own charges; nought where it sent no bill."""
    if key not in sources.bills:
        return Decimal(0)
    return subtract(compared.get(key, Decimal(0)), sources.charged.get(key, Decimal(0)))


def _by_bill(usage: Sequence[UnmappedUsage]) -> dict[BillKey, Decimal]:
    sums: dict[BillKey, Decimal] = {}
    for one in usage:
        key = BillKey(one.vendor, one.billing_account, one.currency)
        sums[key] = add(sums.get(key, Decimal(0)), one.cost)
    return sums
