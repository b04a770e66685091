"""What is billed as it is used, in the shop: the steps of its meters at the viewer's prices, and a calculator."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from catalog.models import Plan
from catalog.queries.meters import (
    Meter,
    MeteredOffer,
    OrderedPlan,
    find_metered,
    metered_offers,
    ordered_plan,
)
from marketplace.core.actor import Actor
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_, Refusal
from marketplace.rating.exact import plain
from marketplace.subscriptions.consumption_prices import MeterEstimate, estimate
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.prices import price_terms
from marketplace.subscriptions.queries.visible import visible_to
from marketplace.subscriptions.words import STANDING
from marketplace.web.forms import NotANumber, parse_number
from marketplace.web.guards import requires
from marketplace.web.session import current_actor, order_desk, transaction
from marketplace.web.shop_pages import Choice, ShopPages, buyer_of, choice_of, market_of, may_buy

_USUAL = Decimal(100)
_MOST = Decimal(10**12)


class NoSuchQuantity(Refusal):
    """What is to be reckoned with is no quantity."""

    sentence = N_("%(text)s is no quantity: write a number from 0 to a million million, such as 340.")


def add_consumption_pages(pages: ShopPages) -> None:
    """Put them on a shell's blueprint."""

    @pages.blueprint.get("/shop/consumption")
    @requires(pages.views)
    def metered() -> ResponseReturnValue:
        """List what is billed as it is used."""
        actor = current_actor()
        with transaction() as session:
            choice = choice_of(session, actor)
            offers = metered_offers(session, market=market_of(session, choice, actor), at=utc_now())
        return render_template("shop/metered.html", offers=offers, choice=choice, shell=pages.shell)

    @pages.blueprint.get("/shop/consumption/<uuid:metered_id>")
    @requires(pages.views)
    def metered_offer(metered_id: UUID) -> ResponseReturnValue:
        """Show the steps of an offer's meters, what a month's quantity comes to, and how to have it."""
        actor, text = current_actor(), request.args.get("quantity", "").strip()
        quantity = _quantity(text) if text else _USUAL
        with transaction() as session:
            choice = choice_of(session, actor)
            market = market_of(session, choice, actor)
            found = find_metered(session, metered_id, market=market, at=utc_now())
            if found is None:
                abort(404)
            offer, meters = found
            ordered = ordered_plan(session, offer)
            may_order = actor.may(pages.places) and may_buy(session, actor, choice)
            has = _had(session, actor, choice, ordered)
        return render_template(
            "shop/metered_offer.html",
            offer=offer,
            choice=choice,
            ordered=ordered,
            may_order=may_order,
            has=has,
            quantity=quantity,
            # Without separators of thousands, which would be read as something else.
            written=plain(quantity),
            estimates=_estimates(actor, choice, offer, meters, quantity),
            shell=pages.shell,
        )


def _had(session: Session, actor: Actor, choice: Choice, ordered: OrderedPlan | None) -> UUID | None:
    """Give the subscription by which the chosen customer has it already."""
    if ordered is None or choice.customer is None:
        return None
    found = session.scalar(
        visible_to(actor)
        .join(Plan, Plan.id == Subscription.plan_id)
        .where(
            Plan.public_id == ordered.plan_id,
            Subscription.customer_id == choice.customer.id,
            Subscription.status.in_(STANDING),
        )
        .limit(1)
    )
    return found.public_id if found else None


def _estimates(
    actor: Actor, choice: Choice, offer: MeteredOffer, meters: Sequence[Meter], quantity: Decimal
) -> list[MeterEstimate]:
    """Reckon each meter; none where nobody is chosen whose prices these could be."""
    with order_desk() as desk:
        buyer = buyer_of(desk, actor, choice)
        if buyer is None:
            return []
        terms = price_terms(desk, [buyer], day=utc_now().date())
    return [estimate(terms, buyer, offer, meter, quantity, actor=actor) for meter in meters]


def _quantity(text: str) -> Decimal:
    try:
        quantity = parse_number(text)
    except NotANumber:
        raise NoSuchQuantity(text=text[:40]) from None
    if not 0 <= quantity <= _MOST:
        raise NoSuchQuantity(text=text[:40])
    return quantity
