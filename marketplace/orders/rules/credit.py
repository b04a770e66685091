"""Whether credit reaches: everything that is or will be owed, against a limit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from marketplace.core.errors import N_, Phrase
from marketplace.core.money import Money

#: How far ahead the day is looked for on which a limit would be crossed.
LOOK_AHEAD = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Exposure:
    """What somebody owes the wholesaler or is bound to owe, all in its own currency."""

    # What is left of closed statements.
    unpaid: Money
    # Months that were rated and are not closed.
    unbilled: Money
    # What subscriptions will still be charged until their terms end.
    committed: Money
    # Orders on their way that are no subscriptions yet.
    ordered: Money
    # What of the unpaid should have been paid by now.
    overdue: Money

    @property
    def total(self) -> Money:
        """All of it."""
        return self.unpaid + self.unbilled + self.committed + self.ordered

    @classmethod
    def zero(cls, currency: str) -> "Exposure":
        """Give nothing owed."""
        nothing = Money.zero(currency)
        return cls(nothing, nothing, nothing, nothing, nothing)


@dataclass(frozen=True, slots=True)
class Renewal:
    """A term that will begin anew on a day, and what it commits to."""

    on: date
    amount: Money


@dataclass(frozen=True, slots=True)
class CreditCheck:
    """An order against a limit. Without a limit there is nothing to cross."""

    exposure: Exposure
    order: Money
    limit: Money | None
    # The day the limit would be crossed if nothing were paid until then: today where the order itself crosses it.
    crossed_on: date | None = None

    @property
    def total(self) -> Money:
        """What would be owed with the order."""
        return self.exposure.total + self.order

    @property
    def is_within(self) -> bool:
        """Whether the order may go on. What costs nothing, or gives back, always may."""
        return self.limit is None or self.order.minor <= 0 or self.total.minor <= self.limit.minor

    @property
    def missing(self) -> Money:
        """By how much the limit would be exceeded."""
        if self.limit is None or self.is_within:
            return Money.zero(self.order.currency)
        return self.total - self.limit

    @property
    def share(self) -> int:
        """How much of the limit is taken, in whole percent, for drawings."""
        if self.limit is None:
            return 0
        return 100 if self.limit.minor <= 0 else min(999, 100 * self.total.minor // self.limit.minor)

    @property
    def words(self) -> Phrase:
        """Say why the order cannot go on."""
        return Phrase.of(
            N_(
                "Credit does not reach: %(total)s would be owed with this order, %(missing)s more than the limit of "
                "%(limit)s."
            ),
            total=self.total,
            missing=self.missing,
            limit=self.limit,
        )


def check(
    exposure: Exposure,
    order: Money,
    *,
    limit: Money | None,
    today: date,
    renewals: Sequence[Renewal] = (),
    daily: Money | None = None,
) -> CreditCheck:
    """Compare what would be owed with a limit, and say when it would be crossed.

    `daily` is what usage adds on a day, as the running month tells; renewals add their whole term on their day.
    """
    made = CreditCheck(exposure, order, limit)
    if limit is None:
        return made
    day = _crossing(made.total, limit, today=today, renewals=renewals, daily=daily)
    return CreditCheck(exposure, order, limit, day)


def _crossing(
    owed: Money, limit: Money, *, today: date, renewals: Sequence[Renewal], daily: Money | None
) -> date | None:
    """Go from renewal to renewal, usage adding up in between."""
    left = limit.minor - owed.minor
    if left < 0:
        return today
    rate = daily.minor if daily and daily.minor > 0 else 0
    spent_until = today
    last = today + LOOK_AHEAD
    for renewal in [*sorted(renewals, key=lambda one: one.on), Renewal(last, Money.zero(limit.currency))]:
        if not today < renewal.on <= last:
            continue
        if rate:
            days = left // rate + 1
            if days <= (renewal.on - spent_until).days:
                return spent_until + timedelta(days=days)
            left -= rate * (renewal.on - spent_until).days
        spent_until = renewal.on
        left -= renewal.amount.minor
        if left < 0:
            return renewal.on
    return None
