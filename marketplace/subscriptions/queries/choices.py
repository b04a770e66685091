"""What a subscription may be changed to: other plans at their price of the day, and the ends its next term may have."""

from dataclasses import replace
from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from catalog.models import Plan, Product, Sku
from catalog.rules.plans import TERM_MONTHS
from catalog.words import PlanStatus, Term
from marketplace.core.errors import N_, Refusal
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.queries.offers import quotes
from marketplace.subscriptions.queries.promotions import asked_at_renewal
from marketplace.subscriptions.queries.standing import other_terms
from marketplace.subscriptions.rules.changes import (
    Change,
    ChangeAtRenewal,
    ChangeBilling,
    ChangeTerm,
    ConvertTrial,
    Upgrade,
)
from marketplace.subscriptions.rules.ends import AllowedEnd, allowed_ends
from marketplace.subscriptions.rules.history import Quoted, Standing
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


class EndNotOffered(Refusal):
    """The next term cannot end then."""

    sentence = N_("The next term cannot end on that day: choose one of the days that are offered.")


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
    day: date,
) -> dict[UUID, Quoted]:
    """Give the plans on sale it may become, by their public ids, at their price. The session must be the owner's."""
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
            asked_at_renewal(standing, plan_id, customer_id=customer.id, market=customer.country, day=day),
            quantity=quantity,
        )
        for plan_id in plans
    }
    found = quotes(session, asked.values())
    priced = [(plans[plan_id], found[one]) for plan_id, one in asked.items() if one in found]
    return dict(sorted(priced, key=lambda pair: _place(pair[1])))


def _place(quoted: Quoted) -> tuple[str, int, str]:
    return quoted.offer.product, TERM_MONTHS.get(quoted.offer.term, 0), quoted.offer.billing_cycle.value


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
) -> Change:
    """Give the change that was chosen. Raises `PlanNotChosen`, `EndNotOffered`."""
    if aim is Aim.AT_RENEWAL:
        if custom_end is not None and custom_end not in {one.end for one in ends or ()}:
            raise EndNotOffered
        return ChangeAtRenewal(quantity=quantity, quoted=quoted, custom_end=custom_end)
    if quoted is None:
        raise PlanNotChosen
    if aim is Aim.UPGRADE:
        return Upgrade(quoted, quantity)
    if aim is Aim.CONVERT:
        return ConvertTrial(quoted, quantity)
    is_same_term = Term(quoted.offer.term) is standing.offer.term
    return ChangeBilling(quoted) if is_same_term else ChangeTerm(quoted)
