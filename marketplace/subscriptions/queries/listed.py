"""Subscriptions as lists show them, and what renews when."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from marketplace.core.actor import Actor
from marketplace.core.period import Period
from marketplace.subscriptions.models import RenewalAnswer, ScheduledChange, Subscription, SubscriptionSegment
from marketplace.subscriptions.queries.offers import quotes
from marketplace.subscriptions.queries.promotions import Asked
from marketplace.subscriptions.queries.visible import narrowed
from marketplace.subscriptions.words import STANDING, When
from resellers.models import Customer, Reseller

#: The latest segment of each subscription: what it is sold as now.
LATEST = (
    select(SubscriptionSegment)
    .ext(distinct_on(SubscriptionSegment.subscription_id))
    .order_by(SubscriptionSegment.subscription_id, SubscriptionSegment.number.desc())
    .subquery()
)


_ANSWER = (
    select(RenewalAnswer)
    .ext(distinct_on(RenewalAnswer.subscription_id, RenewalAnswer.term_end))
    .order_by(RenewalAnswer.subscription_id, RenewalAnswer.term_end, RenewalAnswer.id.desc())
    .subquery()
)


@dataclass(frozen=True, slots=True)
class SubscriptionRow:
    """A subscription as lists show it."""

    id: UUID
    name: str
    product: str
    sku: str
    customer: str
    customer_id: UUID
    reseller: str
    vendor: str
    vendor_subscription_id: str
    quantity: int
    status: str
    term: str
    billing_cycle: str
    term_start: date
    term_end: date | None
    at_term_end: str
    # Until when all of it can be given up; it may be over.
    window_until: datetime | None
    # How many seats it renews with, and the plan it renews as, where that was instructed.
    renews_with: int | None
    renews_as: int | None
    # What the customer said to the renewal, and when; blank where nothing.
    answer: str
    answered_at: datetime | None
    answered_by: str
    # The list price of a seat for a term, as it was bought, and what its price on another day is asked with.
    unit_listed: Decimal | None
    plan_id: int
    buyer_id: int
    is_trial: bool
    market: str
    currency: str

    @property
    def asked(self) -> Asked:
        """What it would renew as if it did today, to ask a price for: the day is filled in by who asks."""
        quantity = self.quantity if self.renews_with is None else self.renews_with
        return Asked(
            self.renews_as or self.plan_id,
            quantity,
            self.market,
            self.currency,
            date.min,
            customer_id=self.buyer_id,
            instead_of=(self.sku, self.quantity),
            is_trial_conversion=self.is_trial,
        )


def list_subscriptions(actor: Actor) -> Select[*tuple[Any, ...]]:
    """Select what `subscription_row` reads of the subscriptions an actor may see."""
    statement = (
        select(
            Subscription,
            LATEST.c.product,
            LATEST.c.sku,
            LATEST.c.term,
            LATEST.c.billing_cycle,
            Customer.legal_name,
            Customer.public_id,
            Reseller.legal_name,
            ScheduledChange.quantity,
            ScheduledChange.plan_id,
            _ANSWER.c.choice,
            _ANSWER.c.answered_at,
            _ANSWER.c.answered_by,
            LATEST.c.unit_list,
            LATEST.c.is_trial,
            Customer.country,
        )
        .join(LATEST, LATEST.c.subscription_id == Subscription.id)
        .join(Customer, Customer.id == Subscription.customer_id)
        .outerjoin(Reseller, Reseller.id == Customer.reseller_id)
        .outerjoin(
            ScheduledChange,
            (ScheduledChange.subscription_id == Subscription.id)
            & (ScheduledChange.waits_for == When.AT_RENEWAL.value)
            & ScheduledChange.ended_at.is_(None),
        )
    )
    statement = statement.outerjoin(
        _ANSWER,
        (_ANSWER.c.subscription_id == Subscription.id) & (_ANSWER.c.term_end == Subscription.term_end),
    )
    return narrowed(statement, actor)


def subscription_row(found: Any) -> SubscriptionRow:
    """Make the row of a list from what `list_subscriptions` gives."""
    one, product, sku, term, cycle, customer, customer_id, reseller, seats, plan, *rest = found
    choice, answered_at, answered_by, unit_listed, is_trial, market = rest
    return SubscriptionRow(
        id=one.public_id,
        name=one.friendly_name or product,
        product=product,
        sku=sku,
        customer=customer,
        customer_id=customer_id,
        reseller=reseller or "",
        vendor=one.vendor,
        vendor_subscription_id=one.vendor_subscription_id,
        quantity=one.quantity,
        status=one.status,
        term=term,
        billing_cycle=cycle,
        term_start=one.term_start,
        term_end=one.term_end,
        at_term_end=one.at_term_end,
        window_until=one.window_until,
        renews_with=seats,
        renews_as=plan,
        answer=choice or "",
        answered_at=answered_at,
        answered_by=answered_by or "",
        unit_listed=unit_listed,
        plan_id=one.plan_id,
        buyer_id=one.customer_id,
        is_trial=is_trial,
        market=market,
        currency=one.currency,
    )


def renewing_in(period: Period) -> Any:
    """Choose what stands and whose term ends in a month: the day after is the renewal's."""
    return (
        Subscription.status.in_(STANDING)
        & (Subscription.term_end >= period.start)
        & (Subscription.term_end < period.end)
    )


def renewals(session: Session, actor: Actor, period: Period) -> list[SubscriptionRow]:
    """Give what renews in a month, the earliest first."""
    rows = session.execute(
        list_subscriptions(actor)
        .where(renewing_in(period))
        .order_by(Subscription.term_end, Customer.legal_name, Subscription.id)
    )
    return [subscription_row(row) for row in rows]


def list_prices_now(
    session: Session, rows: Sequence[SubscriptionRow], *, day: date
) -> dict[UUID, Decimal | None]:
    """Give the list price of a seat for a term as each would renew on a day; what is not sold then is left out.

    The session must be the owner's or the wholesaler's: price lists hold costs.
    """
    asked = {row.id: replace(row.asked, day=day) for row in rows}
    found = quotes(session, set(asked.values()))
    return {identity: found[ask].unit_listed for identity, ask in asked.items() if ask in found}
