"""Subscriptions as lists show them."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import distinct_on

from marketplace.core.actor import Actor
from marketplace.subscriptions.models import RenewalAnswer, ScheduledChange, Subscription, SubscriptionSegment
from marketplace.subscriptions.queries.policies import CHOICE, with_policies
from marketplace.subscriptions.queries.visible import narrowed
from marketplace.subscriptions.words import When
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
    answer_seats: int | None
    answered_at: datetime | None
    answered_by: str
    # The address of the link it was said through, and the order it made.
    answered_through: str
    answer_order: UUID | None
    # Who decided what happens at the end of the term (`words.DecidedBy`), and what holds where nobody did.
    decided_by: str
    decided_name: str
    decided_at: datetime | None
    policy: str
    # The list price of a seat for a term, as it was bought.
    unit_listed: Decimal | None
    plan_id: int
    currency: str


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
            _ANSWER.c.quantity,
            _ANSWER.c.answered_at,
            _ANSWER.c.answered_by,
            _ANSWER.c.sent_to,
            _ANSWER.c.order_id,
            CHOICE,
            LATEST.c.unit_list,
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
    return narrowed(with_policies(statement), actor)


def subscription_row(found: Any) -> SubscriptionRow:
    """Make the row of a list from what `list_subscriptions` gives."""
    one, product, sku, term, cycle, customer, customer_id, reseller, seats, plan, *rest = found
    choice, answer_seats, answered_at, answered_by, sent_to, order_id, policy, unit_listed = rest
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
        answer_seats=answer_seats,
        answered_at=answered_at,
        answered_by=answered_by or "",
        answered_through=sent_to or "",
        answer_order=order_id,
        decided_by=one.decided_by,
        decided_name=one.decided_name,
        decided_at=one.decided_at,
        policy=policy,
        unit_listed=unit_listed,
        plan_id=one.plan_id,
        currency=one.currency,
    )
