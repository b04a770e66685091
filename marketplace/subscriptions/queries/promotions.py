"""Promotions as they hold for customers: what these have and bought before decides, and what the vendor said of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from catalog.queries.promotions import promotions_for
from catalog.rules.promotions import Offered, Promoted, Purchase, Verdict, best, judge
from marketplace.subscriptions.models import Subscription, SubscriptionSegment
from marketplace.subscriptions.rules.history import Offer, Standing
from marketplace.subscriptions.words import STANDING
from marketplace.vendors.promotions import Refused, refusals


@dataclass(frozen=True, slots=True)
class Asked:
    """What a price is asked for: so many units of a plan, in a market and currency, on a day.

    Promotions are for a customer, whom `customer_id` names (one that nobody is has nothing yet); without one it is the
    full price.
    """

    plan_id: int
    quantity: int
    market: str
    currency: str
    day: date
    customer_id: int | None = None
    # Seats of a SKU that what is asked for takes the place of, and of its own SKU that are ordered beside it.
    instead_of: tuple[str, int] = ("", 0)
    beside: int = 0
    is_trial_conversion: bool = False


def asked_at_renewal(standing: Standing, plan_id: int, *, customer_id: int, market: str, day: date) -> Asked:
    """Ask what a subscription would go on as: its own seats are no others that a promotion would count."""
    last, waiting = standing.now, standing.at_renewal
    quantity = last.quantity if waiting is None or waiting.quantity is None else waiting.quantity
    return Asked(
        plan_id,
        quantity,
        market,
        last.quoted.currency,
        day,
        customer_id=customer_id,
        instead_of=(standing.offer.sku, last.quantity),
        is_trial_conversion=standing.offer.is_trial,
    )


def held_promotions(
    session: Session, asked: Iterable[Asked], offers: Mapping[int, Offer]
) -> dict[Asked, Promoted]:
    """Give the promotions that hold for what is asked for."""
    found = {}
    for one, (promotions, purchase) in _candidates(session, asked, offers).items():
        if (promotion := best(promotions, purchase)) is not None:
            found[one] = promotion.promoted
    return found


def verdicts(
    session: Session, asked: Iterable[Asked], offers: Mapping[int, Offer]
) -> dict[Asked, list[Verdict]]:
    """Say of every promotion for what is asked for whether the customer may have it; the highest first."""
    return {
        one: sorted(
            (judge(promotion, purchase) for promotion in promotions),
            key=lambda verdict: (-verdict.promotion.terms.percent, verdict.promotion.terms.reference),
        )
        for one, (promotions, purchase) in _candidates(session, asked, offers).items()
    }


def _candidates(
    session: Session, asked: Iterable[Asked], offers: Mapping[int, Offer]
) -> dict[Asked, tuple[list[Offered], Purchase]]:
    """Give the promotions for each plan asked for, with what decides on them. Without any, one query a day is all."""
    by_day: dict[date, list[Asked]] = defaultdict(list)
    for one in asked:
        if one.customer_id is not None:
            by_day[one.day].append(one)
    fitting: dict[Asked, list[Offered]] = {}
    refused: dict[date, Mapping[int, Sequence[Refused]]] = {}
    for day, group in by_day.items():
        promotions = promotions_for(session, plan_ids={one.plan_id for one in group}, day=day)
        for one in group:
            if mine := [promotion for promotion in promotions if one.plan_id in promotion.plan_ids]:
                fitting[one] = mine
        if promotions:
            refused[day] = refusals(session, {one.customer_id or 0 for one in group}, day=day)
    had = _had(session, list(fitting), offers) if fitting else {}
    return {
        one: (mine, _purchase(one, offers[one.plan_id], had, refused[one.day].get(one.customer_id or 0, ())))
        for one, mine in fitting.items()
    }


@dataclass(frozen=True, slots=True)
class _Had:
    """What a customer has, or had, of a SKU."""

    seats: int
    is_trial: bool


_Sku = tuple[int, str]


def _had(session: Session, asked: Sequence[Asked], offers: Mapping[int, Offer]) -> Mapping[_Sku, _Had]:
    """Give what customers have or had of the SKUs asked for, and of trials, by customer and SKU."""
    is_last = SubscriptionSegment.number == func.max(SubscriptionSegment.number).over(
        partition_by=SubscriptionSegment.subscription_id
    )
    histories = (
        select(
            Subscription.customer_id,
            SubscriptionSegment.sku,
            SubscriptionSegment.is_trial,
            case((is_last & Subscription.status.in_(STANDING), Subscription.quantity), else_=0).label(
                "seats"
            ),
        )
        .join(Subscription, Subscription.id == SubscriptionSegment.subscription_id)
        .where(Subscription.customer_id.in_({one.customer_id for one in asked}))
        .subquery()
    )
    rows = session.execute(
        select(
            histories.c.customer_id,
            histories.c.sku,
            func.bool_or(histories.c.is_trial),
            func.sum(histories.c.seats),
        )
        .where(or_(histories.c.sku.in_({offers[one.plan_id].sku for one in asked}), histories.c.is_trial))
        .group_by(histories.c.customer_id, histories.c.sku)
    )
    return {(customer, sku): _Had(int(seats), is_trial) for customer, sku, is_trial, seats in rows}


def _purchase(one: Asked, offer: Offer, had: Mapping[_Sku, _Had], refused: Sequence[Refused]) -> Purchase:
    customer = one.customer_id or 0
    mine = had.get((customer, offer.sku))
    sku, replaced = one.instead_of
    held = (mine.seats if mine else 0) + one.beside - (replaced if sku == offer.sku else 0)
    product = offer.sku.rpartition(":")[0]
    tried = any(
        its.is_trial
        for (its_customer, its_sku), its in had.items()
        if its_customer == customer and its_sku.rpartition(":")[0] == product
    )
    return Purchase(
        plan_id=one.plan_id,
        segment=offer.segment,
        day=one.day,
        quantity=one.quantity,
        held=max(held, 0),
        has_bought_before=mine is not None or tried or one.beside > 0,
        is_trial_conversion=one.is_trial_conversion,
        refused={no.promotion_id: no.words for no in refused if no.counts_for(one.quantity + one.beside)},
    )
