"""What a subscription may be changed to: other plans at their price of the day, and the ends its next term may have."""

from dataclasses import replace
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from catalog.models import Plan, Product, Sku
from catalog.rules.plans import TERM_MONTHS
from catalog.words import PlanStatus, Term
from marketplace.core.errors import N_, Refusal
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.queries.offers import offers_of, quotes
from marketplace.subscriptions.queries.promotions import asked_at_renewal
from marketplace.subscriptions.queries.standing import other_terms, standings
from marketplace.subscriptions.rules.changes import (
    Change,
    ChangeAtRenewal,
    ChangeBilling,
    ChangeTerm,
    ConvertTrial,
    Upgrade,
)
from marketplace.subscriptions.rules.decisions import decide
from marketplace.subscriptions.rules.ends import AllowedEnd, allowed_ends
from marketplace.subscriptions.rules.history import Offer, Quoted, Standing
from resellers.models import Customer


class Aim(StrEnum):
    """What is changed to another plan."""

    UPGRADE = "upgrade"
    # The same SKU for another term, or paid by another cycle.
    PLAN = "plan"
    CONVERT = "convert"
    AT_RENEWAL = "at_renewal"


class PlanNotChosen(Refusal):
    """No plan was chosen, or one it cannot become."""

    sentence = N_("Choose one of the plans that are offered.")


class TargetNotOffered(Refusal):
    """The seats cannot go into that subscription."""

    sentence = N_("The seats cannot go into that subscription: choose one of those that are offered.")


class EndNotOffered(Refusal):
    """The next term cannot end then."""

    sentence = N_("The next term cannot end on that day: choose one of the days that are offered.")


class NothingDiffers(Refusal):
    """It would renew just like that by itself."""

    sentence = N_("It renews like that by itself: choose another plan, number of seats or end.")


def aims_of(standing: Standing) -> list[Aim]:
    """Give what can be thought of for a subscription that stands; whether it is allowed is decided plan by plan."""
    offer = standing.offer
    if standing.now.term_end is None:
        return []
    if offer.is_trial:
        return [Aim.CONVERT] if offer.converts_to else []
    return [*([Aim.UPGRADE] if offer.upgrades_to else []), Aim.PLAN, Aim.AT_RENEWAL]


def plans_for(
    session: Session,
    subscription: Subscription,
    standing: Standing,
    aim: Aim,
    *,
    quantity: int,
    now: datetime,
) -> dict[UUID, Quoted]:
    """Give the plans on sale it may become, by their public ids, at their price; those most like its own first.

    The session must be the owner's.
    """
    offer = standing.offer
    skus: frozenset[str] = {
        Aim.UPGRADE: offer.upgrades_to,
        Aim.CONVERT: offer.converts_to,
        Aim.PLAN: frozenset({offer.sku}),
        Aim.AT_RENEWAL: offer.upgrades_to | {offer.sku},
    }[aim]
    rows = session.execute(
        select(Plan.id, Plan.public_id)
        .join(Sku, Sku.id == Plan.sku_id)
        .join(Product, Product.id == Sku.product_id)
        .where(
            tuple_(Product.reference, Sku.reference).in_([one.rpartition(":")[::2] for one in skus]),
            Product.vendor == offer.vendor,
            Plan.segment == offer.segment.value,
            Plan.status == PlanStatus.ON_SALE.value,
            Plan.id != offer.plan_id,
        )
    )
    plans: dict[int, UUID] = {plan_id: public_id for plan_id, public_id in rows}  # noqa: C416 - a row is no pair
    customer = session.get_one(Customer, subscription.customer_id)
    asked = {
        plan_id: replace(
            asked_at_renewal(
                standing, plan_id, customer_id=customer.id, market=customer.country, day=now.date()
            ),
            quantity=quantity,
        )
        for plan_id in plans
    }
    found = quotes(session, asked.values())
    priced = [(plans[plan_id], found[one]) for plan_id, one in asked.items() if one in found]
    possible = [pair for pair in priced if _is_possible(aim, standing, pair[1], now)]
    return dict(sorted(possible, key=lambda pair: _place(pair[1].offer, offer)))


def targets_for(
    session: Session, subscription: Subscription, standing: Standing, quoted: Quoted, *, now: datetime
) -> dict[UUID, Upgrade]:
    """Give the customer's own subscriptions of a plan that can take upgraded seats, as upgrades of one seat.

    The session must be the owner's.
    """
    others = session.scalars(
        select(Subscription)
        .where(
            Subscription.customer_id == subscription.customer_id,
            Subscription.vendor_account == subscription.vendor_account,
            Subscription.plan_id == quoted.offer.plan_id,
            Subscription.vendor_subscription_id != "",
            Subscription.id != subscription.id,
        )
        .order_by(Subscription.id)
    ).all()
    known = standings(session, others, offers=offers_of(session, {one.plan_id for one in others}))
    found = {}
    for one in others:
        into = known[one.id]
        upgrade = Upgrade(into.now.quoted, 1, one.public_id, into)
        all_seats = replace(upgrade, quantity=standing.now.quantity)
        if any(decide(change, standing, now).is_possible for change in (upgrade, all_seats)):
            found[one.public_id] = upgrade
    return found


def _is_possible(aim: Aim, standing: Standing, quoted: Quoted, now: datetime) -> bool:
    """Whether a plan can be chosen for all seats or for one."""
    trial = standing.offer.commitments(now.date()).trial
    least = trial.quantity if trial else 1
    changes = (
        chosen(aim, standing, quoted, quantity=quantity) for quantity in (standing.now.quantity, least)
    )
    return any(decide(change, standing, now).is_possible for change in changes)


def _place(offer: Offer, own: Offer) -> tuple[bool, bool, str, int, str]:
    months = TERM_MONTHS.get(offer.term, 0)
    other_term, other_cycle = offer.term is not own.term, offer.billing_cycle is not own.billing_cycle
    return other_term, other_cycle, offer.product, months, offer.billing_cycle.value


def ends_for(
    session: Session, subscription: Subscription, standing: Standing, quoted: Quoted | None
) -> list[AllowedEnd]:
    """Give the ends the next term may be given instead of its own."""
    start = standing.now.term_end
    if start is None:
        return []
    others = other_terms(session, customer_id=subscription.customer_id, vendor=subscription.vendor)
    own = str(subscription.public_id)
    offer = (quoted or standing.now.quoted).offer
    return allowed_ends(offer, start, [one for one in others if one.subscription != own])


def chosen(
    aim: Aim,
    standing: Standing,
    quoted: Quoted | None,
    *,
    quantity: int,
    custom_end: date | None = None,
    ends: list[AllowedEnd] | None = None,
    into: Upgrade | None = None,
) -> Change:
    """Give the change that was chosen. Raises `PlanNotChosen`, `EndNotOffered`, `NothingDiffers`."""
    if aim is Aim.AT_RENEWAL:
        if custom_end is not None and custom_end not in {one.end for one in ends or ()}:
            raise EndNotOffered
        is_same = quantity == standing.now.quantity and quoted is None and custom_end is None
        if is_same and standing.at_renewal is None:
            raise NothingDiffers
        return ChangeAtRenewal(quantity=quantity, quoted=quoted, custom_end=custom_end)
    if quoted is None:
        raise PlanNotChosen
    if aim is Aim.UPGRADE:
        return replace(into, quantity=quantity) if into else Upgrade(quoted, quantity)
    if aim is Aim.CONVERT:
        return ConvertTrial(quoted, quantity)
    is_same_term = Term(quoted.offer.term) is standing.offer.term
    return ChangeBilling(quoted) if is_same_term else ChangeTerm(quoted)
