"""What a retail rule would do to sales and margins, before it is saved."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from marketplace.billing.closing import workshop
from marketplace.billing.previews import CustomerEffect, preview
from marketplace.billing.queries.amounts import Margin, load_rates, margin_of
from marketplace.billing.queries.margins import customers_with_margin, purchases_by_customer
from marketplace.core.actor import Actor, Permission
from marketplace.core.money import Money
from marketplace.core.period import Period
from marketplace.web.session import database, wiring
from resellers.models import Hop, Reseller

_LATEST_PERIODS = 2


@dataclass(frozen=True, kw_only=True)
class CustomerChange:
    """One customer's month: what it would pay, and what would be left of it."""

    customer: str
    period: Period
    before: Money
    after: Money
    margin_before: Margin | None
    margin_after: Margin | None

    @property
    def difference(self) -> Money:
        """By how much the sale would change."""
        return self.after - self.before


@dataclass(frozen=True, kw_only=True)
class RuleEffect:
    """What would change in the latest months."""

    changes: Sequence[CustomerChange]
    # Closed months among them: there the difference would be billed with the next open month.
    closed: Sequence[Period]
    first_day: date | None


def effect_of(
    session: Session, *, actor: Actor, change: Callable[[Session], object], first_day: date | None
) -> RuleEffect:
    """Try a change of the actor's own rules, which counts from a day, and compare its customers' documents.

    Nothing is kept.
    """
    found = preview(
        database(),
        change,
        workshop=workshop(wiring().settings),
        first_day=first_day,
        most_periods=_LATEST_PERIODS,
    )
    own = [
        one
        for one in found.customers
        if one.hop == Hop.RETAIL.value and one.reseller_id == actor.reseller_id and one.before and one.after
    ]
    periods = sorted({one.period for one in own}, reverse=True)
    return RuleEffect(
        changes=[change for period in periods for change in _changes(session, actor, period, own)],
        closed=[period for period in found.closed_periods if period in periods],
        first_day=first_day,
    )


def _changes(
    session: Session, actor: Actor, period: Period, effects: Sequence[CustomerEffect]
) -> list[CustomerChange]:
    names = {row.number: row.name for row in customers_with_margin(session, actor=actor, period=None)}
    currency = session.get_one(Reseller, actor.reseller_id).currency
    rates = load_rates(session, period)[period]
    purchases = purchases_by_customer(session, actor=actor, period=period)

    def margin(sale: Money, customer_id: int) -> Margin | None:
        purchase, waits = purchases.get(customer_id, ((), False))
        if waits or not actor.may(Permission.RESELLER_MARGINS_VIEW):
            return None
        return margin_of((sale,), purchase, rates=rates, currency=currency)

    return [
        CustomerChange(
            customer=names.get(one.customer_id, ""),
            period=period,
            before=one.before,
            after=one.after,
            margin_before=margin(one.before, one.customer_id),
            margin_after=margin(one.after, one.customer_id),
        )
        for one in effects
        if one.period == period and one.before is not None and one.after is not None
    ]
