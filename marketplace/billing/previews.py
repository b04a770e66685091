"""What a change would do, before it is made, and what a closed month differs by: the same rating, with nothing written.

What is asked for is kept a while with what it was made from. A little is found at once; what would take longer than a
page may is found by the worker. A change is tried in a savepoint that is rolled back before anything is rated, so that
nobody who makes it meanwhile waits for that.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import jobs
from marketplace.billing import trials
from marketplace.billing.effects import DocumentEffect, PendingDifference, differences_as_data, effect_for
from marketplace.billing.inputs import current_fingerprint
from marketplace.billing.models import BillingPeriod, PeriodStatus, Preview, RunStatus, Statement
from marketplace.billing.rated_period import Progress, rate_period
from marketplace.billing.rating_run import Workshop
from marketplace.billing.sources import Sources, load_sources
from marketplace.billing.terms import Book, load_book
from marketplace.billing.trials import Change
from marketplace.core import audit
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.db import Database
from marketplace.core.money import Money
from marketplace.core.period import Period

PREVIEW = "billing.preview"
DIFFERENCES = "differences"

MOST_ROWS_AT_ONCE = 20_000
"""So many usage lines and terms are rated while a page waits, which takes seconds at most. What is more, the worker does:
of a large trade even a little usage, since all its terms are read to find whose it is and what it costs."""

LATEST_PERIODS = 2
DAYS_KEPT = 7
AT_WORK = (RunStatus.QUEUED.value, RunStatus.RUNNING.value)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What somebody wants to know: what a change does, on which page they asked, and from which day it counts."""

    actor: Actor
    change: Change
    link: str
    first_day: date | None = None

    @property
    def key(self) -> str:
        """Name it: the same again is the same. What a month differs by is one thing for all of the wholesaler."""
        is_shared = self.change.kind == DIFFERENCES
        content = self.change.content
        parts = (
            self.actor.audience.value,
            self.actor.party_id,
            None if is_shared else self.actor.user_id,
            self.change.kind,
            sorted(self.change.facts.items()),
            None if content is None else hashlib.sha256(content).hexdigest(),
            str(self.first_day),
            self.link,
        )
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    @classmethod
    def of(cls, preview: Preview) -> "Asked":
        """Take up again what was written down."""
        return cls(
            actor=Actor(
                preview.asked_by,
                Audience(preview.audience),
                party_id=preview.party_id,
                user_id=preview.user_id,
                permissions=frozenset(Permission(one) for one in preview.permissions),
            ),
            change=Change(kind=preview.kind, facts=preview.facts, content=preview.content),
            link=preview.link,
            first_day=preview.first_day,
        )


@dataclass(frozen=True, slots=True)
class Found:
    """An answer as it is kept, and the fingerprint each month it was made from had."""

    data: dict[str, Any]
    made_from: dict[str, str]


class _Quiet:
    """Progress of what is found at once: nobody watches."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        del stage, done, total

    def watch(self, interrupt: Callable[[], None]) -> None:
        del interrupt


def ask(database: Database, asked: Asked, *, workshop: Workshop, now: datetime) -> UUID:
    """Find what is asked, at once or by the worker; give the id under which it is kept.

    Refusals of a change are raised as they would be when it is made.
    """
    with database.owner_transaction() as session:
        with _tried(session, asked, now=now):
            pass
        if _is_long(session, periods_of(session, asked)):
            return _queue(session, asked, now=now)
    found = find(database, asked, workshop=workshop, progress=lambda _number, _of: _Quiet(), now=now)
    with database.owner_transaction() as session:
        return _kept(
            session,
            asked,
            status=RunStatus.DONE.value,
            found=found.data,
            made_from=found.made_from,
            asked_at=now,
            ended_at=now,
        )


def find(
    database: Database,
    asked: Asked,
    *,
    workshop: Workshop,
    progress: Callable[[int, int], Progress],
    now: datetime,
) -> Found:
    """Find what is asked. `progress` gives whom to tell about rating so many of so many."""
    if asked.change.kind == DIFFERENCES:
        return _find_differences(database, asked, workshop=workshop, progress=progress(0, 1))
    with database.owner_transaction() as session:
        latest = periods_of(session, asked)
        stands = {period: current_fingerprint(session, period) for period in latest}
        with _tried(session, asked, now=now):
            changed = [period for period in latest if current_fingerprint(session, period) != stands[period]]
            after = {period: load_book(session, period) for period in changed}
        # Nobody sees an effect on others' sales: a reseller's own are all that is rated.
        seller = asked.actor.reseller_id
        drafted = {
            period: _drafted(session, period, seller, fingerprint=stands[period]) for period in changed
        }
        before = {period: load_book(session, period) for period in changed if drafted[period] is None}
        sources = {period: load_sources(session, period, lake=workshop.lake) for period in changed}
        closed = _closed(session, changed)
    documents: list[DocumentEffect] = []
    done, ratings = 0, len(before) + len(after)
    for period in changed:
        was = drafted[period]
        if was is None:
            was = _totals(before[period], sources[period], workshop, progress(done, ratings), seller=seller)
            done += 1
        becomes = _totals(after[period], sources[period], workshop, progress(done, ratings), seller=seller)
        done += 1
        documents += _compared(period, was, becomes)
    effect = effect_for(asked.actor, documents, closed=closed)
    return Found(effect.as_data(), _as_data(stands))


def changed_since(session: Session, preview: Preview) -> list[Period]:
    """Give the months whose usage or terms are no longer those a preview was made from."""
    if preview.status != RunStatus.DONE:
        return []
    stands = _as_data(
        {period: current_fingerprint(session, period) for period in periods_of(session, Asked.of(preview))}
    )
    numbers = sorted(stands.keys() | preview.made_from.keys())
    return [Period.from_number(int(one)) for one in numbers if stands.get(one) != preview.made_from.get(one)]


def cancel(session: Session, *, preview: Preview, actor: Actor, now: datetime) -> None:
    """Let the worker find it no longer; it hears of that within a second or so."""
    preview.status, preview.ended_at = RunStatus.CANCELLED.value, now
    audit.record(
        session, actor=actor, action="preview.cancel", subject="preview", subject_id=preview.public_id
    )


def forget_old(session: Session, *, now: datetime) -> int:
    """Delete what was asked so long ago that nobody decides by it."""
    old = delete(Preview).where(Preview.asked_at < now - timedelta(days=DAYS_KEPT)).returning(Preview.id)
    return len(session.scalars(old).all())


def address_of(link: str, public_id: UUID) -> str:
    """Give the address at which the page that asked opens again with the answer."""
    return f"{link}{'&' if '?' in link else '?'}preview={public_id}"


def periods_of(session: Session, asked: Asked) -> list[Period]:
    """Give the months that are compared: the latest with usage on or after the first day, or the one asked about."""
    if asked.change.kind == DIFFERENCES:
        return [Period.parse(asked.change.facts["period"])]
    rows = session.scalars(
        text(
            "SELECT DISTINCT period FROM delivery_slice WHERE is_current "
            "AND (CAST(:first AS date) IS NULL OR (facts ->> 'last_day')::date >= :first) "
            "ORDER BY period DESC LIMIT :most"
        ),
        {"first": asked.first_day, "most": LATEST_PERIODS},
    )
    return [Period.from_number(number) for number in rows]


@contextmanager
def _tried(session: Session, asked: Asked, *, now: datetime) -> Iterator[None]:
    """Make a change for as long as the block lasts. What is asked of a closed month changes nothing."""
    if asked.change.kind == DIFFERENCES:
        yield
        return
    nested = session.begin_nested()
    try:
        trials.carry_out(session, asked.change, actor=asked.actor, now=now)
        session.flush()  # the change must be seen by the queries that follow
        yield
    finally:
        nested.rollback()
        session.expire_all()


def _queue(session: Session, asked: Asked, *, now: datetime) -> UUID:
    """Ask the worker, unless it is at it already."""
    standing = select(Preview).where(Preview.key == asked.key, Preview.status.in_(AT_WORK)).with_for_update()
    at_work = session.scalars(standing).one_or_none()
    if at_work is not None:
        return at_work.public_id
    public_id = _kept(session, asked, status=RunStatus.QUEUED.value, asked_at=now, ended_at=None)
    # One after the other for each party: nobody's questions take all the workers.
    lock = f"{PREVIEW} {asked.actor.audience} {asked.actor.party_id or ''}"
    jobs.defer(session, PREVIEW, queue=jobs.LONG, lock=lock, preview_id=str(public_id))
    return public_id


def _kept(session: Session, asked: Asked, **values: Any) -> UUID:
    """Write a preview down, over the one that was asked for in the same way."""
    blank = {"stage": "", "percent": 0, "error": None, "made_from": {}, "found": None}
    columns = {
        **blank,
        **values,
        "key": asked.key,
        "audience": asked.actor.audience.value,
        "party_id": asked.actor.party_id,
        "user_id": asked.actor.user_id,
        "asked_by": asked.actor.name,
        "permissions": sorted(asked.actor.permissions),
        "kind": asked.change.kind,
        "facts": dict(asked.change.facts),
        "content": asked.change.content,
        "link": asked.link,
        "first_day": asked.first_day,
    }
    keep = insert(Preview).values(public_id=uuid4(), **columns)
    keep = keep.on_conflict_do_update(index_elements=[Preview.key], set_=columns)
    return session.scalars(keep.returning(Preview.public_id)).one()


def _is_long(session: Session, periods: Sequence[Period]) -> bool:
    """Whether more is read to rate months than a page may wait for: usage lines, and the terms that price them."""
    values = {"periods": [period.number for period in periods], "enough": MOST_ROWS_AT_ONCE + 1}
    return int(session.scalar(text(_COUNTED), values) or 0) > MOST_ROWS_AT_ONCE


# Of each kind only as many as decide it.
_COUNTED = """
    SELECT (SELECT coalesce(sum(accepted), 0) FROM delivery_slice WHERE is_current AND period = ANY(:periods))
        + (SELECT count(*) FROM (SELECT FROM customer LIMIT :enough) AS counted)
        + (SELECT count(*) FROM (SELECT FROM account_mapping LIMIT :enough) AS counted)
        + (SELECT count(*) FROM (SELECT FROM price_rule LIMIT :enough) AS counted)
"""


@dataclass(frozen=True, slots=True)
class _Total:
    money: Money | None
    exact: Decimal

    @classmethod
    def nothing(cls, currency: str) -> "_Total":
        return cls(Money.zero(currency), Decimal(0))


_Totals = dict[tuple[str, int, int, str], _Total]


def _totals(
    book: Book, sources: Sources, workshop: Workshop, progress: Progress, *, seller: int | None = None
) -> _Totals:
    """Rate a period without writing anything; give the total of every document, or of every one a reseller is party to."""
    totals: _Totals = {}
    with rate_period(
        book,
        sources,
        billing_period=book.period,
        engine=workshop.engine,
        progress=progress,
        reseller_id=seller,
    ) as (rated, _):
        for some in rated.priced:
            for one in some.figures:
                if seller not in (None, one.reseller_id):
                    continue
                money = None if one.parked_pair else Money(one.minor, one.currency)
                key = (one.hop, one.reseller_id, one.customer_id, one.currency)
                totals[key] = _Total(money, one.exact)
    return totals


def _drafted(session: Session, period: Period, seller: int | None, *, fingerprint: str) -> _Totals | None:
    """Give what rating a period again would give, where its draft stands: what it was made from is as it was.

    Of a closed month the statements tell no such thing: what was corrected since stands on later ones.
    """
    standing = session.get(BillingPeriod, period.number)
    is_draft = standing is not None and standing.status in (PeriodStatus.RATED, PeriodStatus.REVIEWED)
    if standing is None or not is_draft or standing.fingerprint != fingerprint:
        return None
    of_seller = [] if seller is None else [Statement.reseller_id == seller]
    rows = session.execute(
        select(
            Statement.hop,
            Statement.reseller_id,
            Statement.customer_id,
            Statement.currency,
            Statement.exact_total,
            Statement.parked_pair,
        ).where(Statement.period == period.number, *of_seller)
    )
    return {
        (hop, reseller_id, customer_id, currency): _Total(
            None if pair else Money.rounded(exact, currency), exact
        )
        for hop, reseller_id, customer_id, currency, exact, pair in rows
    }


def _compared(period: Period, before: _Totals, after: _Totals) -> Iterator[DocumentEffect]:
    for key in sorted(before.keys() | after.keys()):
        hop, reseller_id, customer_id, currency = key
        was = before.get(key, _Total.nothing(currency))
        becomes = after.get(key, _Total.nothing(currency))
        if was != becomes:
            yield DocumentEffect(period, hop, reseller_id, customer_id, was.money, becomes.money)


def _closed(session: Session, periods: Sequence[Period]) -> list[Period]:
    query = text(
        "SELECT period FROM billing_period WHERE status = :closed AND period = ANY(:periods) ORDER BY period"
    )
    numbers = [period.number for period in periods]
    found = session.scalars(query, {"closed": PeriodStatus.CLOSED.value, "periods": numbers})
    return [Period.from_number(number) for number in found]


def _as_data(fingerprints: dict[Period, str]) -> dict[str, str]:
    return {str(period.number): fingerprint for period, fingerprint in fingerprints.items()}


def _find_differences(database: Database, asked: Asked, *, workshop: Workshop, progress: Progress) -> Found:
    """Say what a closed period differs by from what was billed for it, summed by hop and currency."""
    with database.owner_transaction() as session:
        (period,) = periods_of(session, asked)
        stands = {period: current_fingerprint(session, period)}
        book = load_book(session, period)
        sources = load_sources(session, period, lake=workshop.lake)
        rows = session.execute(text(_BILLED), {"period": period.number})
        billed = {(row[0], row[1], row[2], row[3]): int(row[4]) for row in rows}
    worth = _totals(book, sources, workshop, progress)
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
    found = [
        PendingDifference(hop, Money(amount, currency), documents)
        for (hop, currency), (amount, documents) in sorted(sums.items())
    ]
    return Found(differences_as_data(found), _as_data(stands))


_BILLED = """
    SELECT l.hop, l.reseller_id, l.customer_id, l.currency, sum(l.amount_minor)
    FROM statement_line l JOIN billing_period p ON p.period = l.period AND p.status = 'closed'
    WHERE (l.period = :period AND l.corrects IS NULL) OR l.corrects = :period
    GROUP BY 1, 2, 3, 4
"""
