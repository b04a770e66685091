"""How a line of a subscription was charged: the term, the cycle, the days and the seats of each charge behind it."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from catalog.rules.promotions import PromotionTerms
from marketplace.billing.models import StatementLine
from marketplace.core.period import DateRange, Period
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.queries.standing import standings
from marketplace.subscriptions.rules.history import charges


@dataclass(frozen=True, slots=True)
class ChargeDetail:
    """One charge: so many seats for some days of a cycle; below nought where they were taken back."""

    seats: int
    start: date
    # Exclusive.
    end: date
    whole_days: int
    term: str
    billing_cycle: str
    # Exclusive end of the term, whose first day chose the price rule.
    term_start: date
    term_end: date | None
    # The vendor's promotion its price is after.
    promotion: PromotionTerms | None

    @property
    def span(self) -> DateRange:
        """The days that are charged, as a span."""
        return DateRange(self.start, self.end)

    @property
    def days(self) -> int:
        """The days that are charged."""
        return (self.end - self.start).days


def charge_details(session: Session, line: StatementLine) -> list[ChargeDetail]:
    """Give the charges behind a line, from the subscription's history; none where the line is of something else."""
    if not line.subscription:
        return []
    subscription = session.scalar(select(Subscription).where(_named(line.vendor, line.subscription)))
    if subscription is None:
        return []
    segments = standings(session, [subscription], offers={})[subscription.id].segments
    charged = [one for one in segments if one.kind.is_charged]
    period = Period.from_number(line.corrects or line.period)
    details = []
    for charge in charges(segments):
        sold = charged[charge.sold_as]
        names = (charge.kind.value, sold.quoted.offer.product, sold.quoted.offer.sku)
        if Period.of(charge.billed_on) != period or names != (line.charge_type, line.product, line.sku):
            continue
        details.append(
            ChargeDetail(
                seats=charge.quantity,
                start=charge.start,
                end=charge.end,
                whole_days=charge.whole_days,
                term=sold.quoted.offer.term.value,
                billing_cycle=sold.quoted.offer.billing_cycle.value,
                term_start=sold.term_start,
                term_end=sold.term_end,
                promotion=sold.quoted.promotion.terms if sold.quoted.promotion else None,
            )
        )
    return details


def _named(vendor: str, subscription: str) -> ColumnElement[bool]:
    """Find the subscription statements name so: by the vendor's id, else by its own."""
    named = Subscription.vendor_subscription_id == subscription
    with suppress(ValueError):
        own = Subscription.public_id == UUID(subscription)
        named = or_(named, and_(Subscription.vendor_subscription_id == "", own))
    return and_(Subscription.vendor == vendor, named)
