"""What a change would do, before it is made: the same rating, on what would be, with nothing written.

A rule or a mapping is tried in a transaction that is rolled back; only the customers it concerns are compared.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.billing.inputs import current_fingerprint
from marketplace.billing.models import PeriodStatus
from marketplace.billing.rated_period import rate_period
from marketplace.billing.rating_run import Workshop
from marketplace.billing.sources import load_sources
from marketplace.billing.terms import Book, load_book
from marketplace.core.db import Database
from marketplace.core.money import Money
from marketplace.core.period import Period


@dataclass(frozen=True, slots=True)
class CustomerEffect:
    """What one customer's document of one hop and period would become."""

    period: Period
    hop: str
    reseller_id: int
    customer_id: int
    before: Money | None
    after: Money | None

    @property
    def difference(self) -> Money | None:
        """The difference, where both are known (a parked document has no total)."""
        if self.before is None or self.after is None:
            return None
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change would do to the documents of the periods whose usage it reaches."""

    customers: tuple[CustomerEffect, ...]
    # Closed periods among them: there the difference would be billed with the next open period.
    closed_periods: tuple[Period, ...]
    first_day: date | None

    @property
    def differences(self) -> dict[tuple[str, str], Money]:
        """The sum of differences by hop and currency."""
        sums: dict[tuple[str, str], int] = {}
        for one in self.customers:
            if one.difference is not None:
                key = (one.hop, one.difference.currency)
                sums[key] = sums.get(key, 0) + one.difference.minor
        return {key: Money(minor, key[1]) for key, minor in sorted(sums.items())}


class _Quiet:
    """Progress of a preview: nobody watches."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        del stage, done, total

    def watch(self, interrupt: Callable[[], None]) -> None:
        del interrupt


def preview(
    database: Database,
    change: Callable[[Session], object],
    *,
    workshop: Workshop,
    first_day: date | None = None,
    most_periods: int = 3,
) -> Effect:
    """Try `change` (an operation on the session it is given) and say what it does to the latest periods' documents.

    Only periods with usage on or after `first_day` are compared, the latest `most_periods` of them, and rated only where
    the change reaches what their amounts come from. Refusals of the change are raised as they would be when it is made.
    """
    with database.owner_transaction() as session:
        latest = _periods_with_usage(session, first_day=first_day, most=most_periods)
        stands = {period: current_fingerprint(session, period) for period in latest}
        nested = session.begin_nested()
        change(session)
        session.flush()  # the change must be seen by the queries that rate
        periods = [period for period in latest if current_fingerprint(session, period) != stands[period]]
        after = {period: _totals(session, load_book(session, period), workshop) for period in periods}
        nested.rollback()
        before = {period: _totals(session, load_book(session, period), workshop) for period in periods}
        closed = _closed(session, periods)
    effects = []
    for period in periods:
        for key in sorted(before[period].keys() | after[period].keys()):
            was, becomes = before[period].get(key), after[period].get(key)
            if was == becomes:
                continue
            hop, reseller_id, customer_id, currency = key
            nothing = Money.zero(currency)
            effects.append(
                CustomerEffect(
                    period,
                    hop,
                    reseller_id,
                    customer_id,
                    nothing if was is None else was.money,
                    nothing if becomes is None else becomes.money,
                )
            )
    return Effect(tuple(effects), tuple(closed), first_day)


@dataclass(frozen=True, slots=True)
class _Total:
    money: Money | None
    exact: Decimal


def _totals(session: Session, book: Book, workshop: Workshop) -> dict[tuple[str, int, int, str], _Total]:
    """Rate a period without writing anything; give every document's total."""
    sources = load_sources(session, book.period, lake=workshop.lake)
    totals = {}
    with rate_period(
        book, sources, billing_period=book.period, engine=workshop.engine, progress=_Quiet()
    ) as (rated, _):
        for some in rated.priced:
            for one in some.figures:
                money = None if one.parked_pair else Money(one.minor, one.currency)
                key = (one.hop, one.reseller_id, one.customer_id, one.currency)
                totals[key] = _Total(money, one.exact)
    return totals


def _periods_with_usage(session: Session, *, first_day: date | None, most: int) -> list[Period]:
    rows = session.scalars(
        text(
            "SELECT DISTINCT period FROM delivery_slice WHERE is_current "
            "AND (CAST(:first AS date) IS NULL OR (facts ->> 'last_day')::date >= :first) "
            "ORDER BY period DESC LIMIT :most"
        ),
        {"first": first_day, "most": most},
    )
    return [Period.from_number(number) for number in rows]


def _closed(session: Session, periods: list[Period]) -> list[Period]:
    query = text(
        "SELECT period FROM billing_period WHERE status = :closed AND period = ANY(:periods) ORDER BY period"
    )
    numbers = [period.number for period in periods]
    found = session.scalars(query, {"closed": PeriodStatus.CLOSED.value, "periods": numbers})
    return [Period.from_number(number) for number in found]


@dataclass(frozen=True, slots=True)
class PendingDifference:
    """What a closed period's documents of one hop and currency would be corrected by if the next one were rated now."""

    period: Period
    hop: str
    amount: Money
    documents: int


def pending_differences(
    database: Database, *, workshop: Workshop, periods: list[Period]
) -> list[PendingDifference]:
    """Say what each closed period differs by from what was billed for it, summed by hop and currency."""
    found = []
    for period in periods:
        with database.owner_transaction() as session:
            worth = _totals(session, load_book(session, period), workshop)
            rows = session.execute(text(_BILLED), {"period": period.number})
            billed = {(row[0], row[1], row[2], row[3]): int(row[4]) for row in rows}
        sums: dict[tuple[str, str], tuple[int, int]] = {}
        for key in worth.keys() | billed.keys():
            total = worth.get(key)
            if total is not None and total.money is None:
                continue
            new = 0 if total is None or total.money is None else total.money.minor
            difference = new - billed.get(key, 0)
            if difference:
                amount, documents = sums.get((key[0], key[3]), (0, 0))
                sums[key[0], key[3]] = (amount + difference, documents + 1)
        found += [
            PendingDifference(period, hop, Money(amount, currency), documents)
            for (hop, currency), (amount, documents) in sorted(sums.items())
        ]
    return found


_BILLED = """
    SELECT l.hop, l.reseller_id, l.customer_id, l.currency, sum(l.amount_minor)
    FROM statement_line l JOIN billing_period p ON p.period = l.period AND p.status = 'closed'
    WHERE (l.period = :period AND l.corrects IS NULL) OR l.corrects = :period
    GROUP BY 1, 2, 3, 4
"""
