"""Renewals as one viewer sees them: what ends when, what follows at which price, who decided and until when one can.

Prices come from costs, so that the session must be the owner's; what the viewer may not see is left out here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.orm import Session

from marketplace.core.actor import Actor
from marketplace.core.money import Money, total_by_currency
from marketplace.core.period import Period
from marketplace.subscriptions.models import Subscription, SubscriptionSegment
from marketplace.subscriptions.queries.listed import SubscriptionRow, list_subscriptions, subscription_row
from marketplace.subscriptions.renewal_prices import RenewalPrices, ThenAndNow, price_renewals
from marketplace.subscriptions.rules.history import midnight
from marketplace.subscriptions.words import STANDING, AtTermEnd, DecidedBy, SegmentKind
from resellers.models import Customer

#: A deadline within these days is closing.
CLOSING_DAYS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """A term that ends, or one that has begun by itself and can still be given up."""

    row: SubscriptionRow
    # Until when it can be decided; of what has renewed, until when it can be given up.
    deadline: datetime
    has_renewed: bool
    prices: RenewalPrices
    # The hop the viewer counts in.
    own: ThenAndNow

    @property
    def is_undecided(self) -> bool:
        """Whether nobody has said anything about it, not even a policy."""
        return not self.has_renewed and self.row.decided_by == DecidedBy.NOBODY

    @property
    def seats_then(self) -> int:
        """How many seats there are after the renewal."""
        return self.row.quantity if self.row.renews_with is None else self.row.renews_with

    def closes_by(self, moment: datetime) -> bool:
        """Whether its deadline comes before a moment."""
        return self.deadline <= moment


@dataclass(frozen=True, slots=True)
class Week:
    """What renews in a week of a month: how many, how many of them are undecided, and what their next terms come to."""

    first: date
    last: date
    count: int
    undecided: int
    totals: tuple[Money, ...]


def renewals_of_month(session: Session, *, actor: Actor, period: Period, now: datetime) -> list[Renewal]:
    """Give what renews in a month and what has renewed in it and can still be given up: undecided first, then by day."""
    ends = and_(Subscription.term_end >= period.start, Subscription.term_end < period.end)
    renewed = and_(
        Subscription.term_start >= period.start,
        Subscription.term_start < period.end,
        Subscription.window_until > now,
        exists(
            select(SubscriptionSegment.id).where(
                SubscriptionSegment.subscription_id == Subscription.id,
                SubscriptionSegment.kind == SegmentKind.RENEW.value,
                SubscriptionSegment.term_start == Subscription.term_start,
            )
        ),
    )
    found = _renewals(session, or_(ends, renewed), actor=actor, period=period, now=now)
    return sorted(found, key=lambda one: (not one.is_undecided, one.has_renewed))


def renewals_of(
    session: Session, subscriptions: Sequence[Subscription], *, actor: Actor, now: datetime
) -> list[Renewal]:
    """Give the renewals of some subscriptions, those that end first first."""
    chosen = Subscription.id.in_([one.id for one in subscriptions])
    return _renewals(session, and_(chosen, Subscription.term_end.is_not(None)), actor=actor, now=now)


def _renewals(
    session: Session, which: Any, *, actor: Actor, now: datetime, period: Period | None = None
) -> list[Renewal]:
    rows = session.execute(
        list_subscriptions(actor)
        .where(Subscription.status.in_(STANDING), which)
        .order_by(Subscription.term_end, Customer.legal_name, Subscription.id)
    ).all()
    prices = price_renewals(session, [row[0] for row in rows], actor=actor, now=now)
    made = []
    for found in rows:
        one, row = found[0], subscription_row(found)
        has_renewed = period is not None and not period.start <= one.term_end < period.end
        made.append(
            Renewal(
                row=row,
                deadline=one.window_until if has_renewed else midnight(one.term_end),
                has_renewed=has_renewed,
                prices=prices[one.id],
                own=prices[one.id].own(actor.audience),
            )
        )
    return made


def weeks_of(period: Period, renewals: Sequence[Renewal]) -> list[Week]:
    """Cut a month into its weeks, from Monday, and add up what renews in each."""
    weeks = []
    first = period.start
    while first < period.end:
        last = min(first + timedelta(days=6 - first.weekday()), period.end - timedelta(days=1))
        inside = [
            one
            for one in renewals
            if not one.has_renewed and one.row.term_end is not None and first <= one.row.term_end <= last
        ]
        weeks.append(
            Week(first, last, len(inside), sum(one.is_undecided for one in inside), next_terms(inside))
        )
        first = last + timedelta(days=1)
    return weeks


def next_terms(renewals: Sequence[Renewal]) -> tuple[Money, ...]:
    """Add up what the next terms come to of those that do not end, by currency."""
    amounts = (
        one.own.commitment for one in renewals if not one.has_renewed and one.row.at_term_end != AtTermEnd.END
    )
    return tuple(total_by_currency(amount for amount in amounts if amount is not None).values())
