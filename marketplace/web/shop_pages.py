"""The shop, as resellers and customers see it: what is on sale at their own prices, and each offer's plans side by side.

What it costs above the viewer never leaves the order desk.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from catalog.models import Plan
from catalog.queries.shop import OfferRow, ShopOffer, find_offer, offers_on_sale, plans_on_sale
from catalog.rules.plans import TERM_MONTHS
from catalog.rules.promotions import PromotionTerms
from catalog.words import RelationKind, Term
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_, Phrase, Refusal
from marketplace.orders.operations.cart import BuyingNotAllowed, check_buying, put_in_cart
from marketplace.orders.queries.visible import customers_of
from marketplace.subscriptions.prices import (
    NOBODY,
    Buyer,
    SeenPrices,
    Wanted,
    asked_by,
    buyers,
    price_list_currency,
    prices_of,
)
from marketplace.subscriptions.queries.offers import offers_of
from marketplace.subscriptions.queries.promotions import verdicts
from marketplace.web.charts import Part, Parts, in_currency
from marketplace.web.guards import requires
from marketplace.web.listing import EXPORTS
from marketplace.web.session import current_actor, order_desk, transaction
from marketplace.web.shop_list import CYCLES, TERMS, Looking, lowest, offer_view, per_month, plan_view
from resellers.models import Customer, Reseller

_MOST_DIGITS = 6


@dataclass(frozen=True)
class ShopPages:
    """What differs between the shells: the blueprint, and who may look and order."""

    blueprint: Blueprint
    views: Permission
    places: Permission

    @property
    def shell(self) -> str:
        """The name of the shell, which endpoints begin with."""
        return self.blueprint.name


@dataclass(frozen=True, slots=True)
class PlanOffer:
    """One plan of an offer at the viewer's prices."""

    plan: Plan
    # None where it has no price for so many in this country.
    seen: SeenPrices | None
    # Until when it can be given back if it is bought now.
    cancel_until: datetime


@dataclass(frozen=True, slots=True)
class PromotionOffer:
    """A promotion of the vendor's, and why the customer cannot have it for some plans; no reason where it can."""

    terms: PromotionTerms
    reason: Phrase | None
    plans: list[str]


@dataclass(frozen=True, slots=True)
class Choice:
    """For whom and how many, as the address says."""

    customers: Sequence[Customer]
    customer: Customer | None
    quantity: int


def add_shop_pages(pages: ShopPages) -> None:
    """Put the shop on a shell's blueprint."""

    @pages.blueprint.get("/shop")
    @requires(pages.views)
    def shop() -> ResponseReturnValue:
        """List what is on sale, priced for the chosen customer."""
        actor = current_actor()
        with transaction() as session:
            choice = choice_of(session, actor)
            looking = Looking(actor, choice.customers, market_of(session, choice, actor), utc_now())
            if request.args.get("format") in EXPORTS:
                return plan_view(session, looking).respond(session, plans_on_sale(), "shop/list.html")
            page = offer_view(session, looking).page(session, offers_on_sale())
        prices = _prices_of_rows(actor, choice, page.rows)
        return render_template(
            "shop/list.html",
            page=page,
            shell=pages.shell,
            choice=choice,
            lowest={row.sku_id: lowest(row.plan_ids, prices) for row in page.rows},
            terms=[term.value for term, _ in TERMS],
        )

    @pages.blueprint.get("/shop/<uuid:sku_id>")
    @requires(pages.views)
    def offer(sku_id: UUID) -> ResponseReturnValue:
        """Show one offer: its plans side by side for so many, and for whom."""
        actor = current_actor()
        with transaction() as session:
            found = find_offer(session, sku_id)
            if found is None:
                abort(404)
            choice = choice_of(session, actor, least=found.sku.minimum_quantity)
            may_order = actor.may(pages.places) and may_buy(session, actor, choice)
        plans, promotions = _plans(actor, choice, found)
        return render_template(
            "shop/show.html",
            offer=found,
            choice=choice,
            plans=plans,
            promotions=promotions,
            chart=_by_month(plans),
            shell=pages.shell,
            may_order=may_order,
            needs=found.related(RelationKind.PREREQUISITE),
            upgrades=found.related(RelationKind.UPGRADE),
            chosen=request.args.get("plan", ""),
        )

    @pages.blueprint.post("/cart/add")
    @requires(pages.places)
    def add_to_cart() -> ResponseReturnValue:
        """Put a plan into the customer's cart."""
        actor = current_actor()
        customer_id = _uuid(request.form.get("customer", ""))
        plan_id = _uuid(request.form.get("plan", ""))
        quantity = quantity_of(request.form.get("quantity", ""))
        if customer_id is None or plan_id is None or not quantity:
            raise NothingChosen
        with order_desk() as session:
            cart = put_in_cart(
                session, actor=actor, customer_id=customer_id, plan_id=plan_id, quantity=quantity
            )
            cart_id = cart.public_id
        flash(gettext("It is in the cart."), "success")
        return redirect(url_for(f"{pages.shell}.order", order_id=cart_id), code=303)


class NothingChosen(Refusal):
    """The form came without a customer, a plan or a quantity."""

    sentence = N_("Choose a customer, a plan and how many, then add it to the cart.")


def quantity_of(text: str) -> int:
    """Read how many from a form; nought where it is no number."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else 0


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def choice_of(session: Session, actor: Actor, *, least: int = 1) -> Choice:
    """Read for whom and how many."""
    customers = session.scalars(customers_of(actor).order_by(Customer.legal_name)).all()
    wanted = request.args.get("customer", "")
    customer = next((one for one in customers if str(one.public_id) == wanted), None)
    if customer is None and (actor.audience is Audience.CUSTOMER or len(customers) == 1):
        customer = customers[0] if customers else None
    quantity = quantity_of(request.args.get("quantity", "")) or least
    return Choice(customers, customer, quantity)


def may_buy(session: Session, actor: Actor, choice: Choice) -> bool:
    """Whether the actor may order for the chosen customer; a customer only where its reseller allows it."""
    if choice.customer is None:
        return True
    try:
        check_buying(session, actor=actor, customer=choice.customer)
    except BuyingNotAllowed:
        return False
    return True


def buyer_of(desk: Session, actor: Actor, choice: Choice) -> Buyer | None:
    """Give whom prices are for: the chosen customer, else any of the reseller's."""
    if choice.customer is not None:
        return buyers(desk, customer_ids=[choice.customer.id])[choice.customer.id]
    if actor.reseller_id is not None:
        return buyers(desk, reseller_id=actor.reseller_id)[NOBODY]
    return None


def _prices_of_rows(actor: Actor, choice: Choice, rows: Sequence[OfferRow]) -> Mapping[int, SeenPrices]:
    """Price a page of the list, each plan for the least that can be bought of it."""
    with order_desk() as desk:
        buyer = buyer_of(desk, actor, choice)
        if buyer is None:
            return {}
        wanted = [Wanted(buyer, plan_id, row.least) for row in rows for plan_id in row.plan_ids]
        found = prices_of(desk, wanted, now=utc_now())
        return {one.plan_id: prices.seen_by(actor) for one, prices in found.items()}


def _plans(actor: Actor, choice: Choice, offer: ShopOffer) -> tuple[list[PlanOffer], list[PromotionOffer]]:
    """Price the plans of an offer for so many, and judge the promotions for them."""
    now = utc_now()
    with order_desk() as desk:
        buyer = buyer_of(desk, actor, choice)
        if buyer is None:
            return [], []
        wanted = {plan.id: Wanted(buyer, plan.id, choice.quantity) for plan in offer.plans}
        found = prices_of(desk, list(wanted.values()), now=now)
        promotions = _promotions(desk, offer, list(wanted.values()))
    plans = []
    for plan in offer.plans:
        prices = found.get(wanted[plan.id])
        seen = prices.seen_by(actor) if prices else None
        window = seen.offer.commitments(now.date()).window if seen else None
        plans.append(PlanOffer(plan, seen, now + window if window else now))
    plans.sort(key=lambda one: (one.plan.segment, TERM_MONTHS.get(Term(one.plan.term), 99)))
    return plans, promotions


def _promotions(desk: Session, offer: ShopOffer, wanted: Sequence[Wanted]) -> list[PromotionOffer]:
    """Say of every promotion for an offer's plans whether it holds, for which of them, and else why not."""
    currency, day = price_list_currency(desk), utc_now().date()
    asked = {asked_by(one, currency=currency, day=day): one.plan_id for one in wanted}
    plans = {plan.id: plan for plan in offer.plans}
    found: dict[tuple[int, str], PromotionOffer] = {}
    for ask, judged in verdicts(desk, asked, offers_of(desk, plans)).items():
        held = next((one for one in judged if one.is_eligible), None)
        for verdict in judged:
            reason = verdict.reason
            if verdict.is_eligible and held is not None and verdict is not held:
                reason = Phrase.of(N_("%(title)s takes more off."), title=held.promotion.terms.title)
            key = verdict.promotion.id, reason or ""
            shown = found.setdefault(key, PromotionOffer(verdict.promotion.terms, reason, []))
            shown.plans.append(_plan_words(plans[asked[ask]]))
    return sorted(found.values(), key=lambda one: (one.reason is not None, -one.terms.percent))


def _by_month(plans: Sequence[PlanOffer]) -> Parts | None:
    """Draw what a unit comes to a month under each plan, the cheapest last; with two plans there is something to see."""
    parts: list[Part] = []
    currency = ""
    for one in plans:
        price = one.seen and (one.seen.wholesale or one.seen.retail)
        if one.seen is None or not price or one.seen.offer.term not in TERM_MONTHS:
            continue
        currency = price.charge.currency
        parts.append(Part(name=_plan_words(one.plan), value=per_month(price, one.seen).amount))
    if len(parts) < 2:  # noqa: PLR2004 - nothing to compare
        return None
    return Parts(title=gettext("One unit, a month"), parts=parts, write=in_currency(currency))


def _plan_words(plan: Plan) -> str:
    term = {term.value: label for term, label in TERMS}.get(plan.term, plan.term)
    cycle = {cycle.value: label for cycle, label in CYCLES}.get(plan.billing_cycle, "")
    return ", ".join(gettext(word) for word in (term, cycle) if word)


def market_of(session: Session, choice: Choice, actor: Actor) -> str:
    """Give the country prices are for: the customer's, else the reseller's."""
    if choice.customer is not None:
        return choice.customer.country
    reseller = session.get(Reseller, actor.reseller_id) if actor.reseller_id is not None else None
    return reseller.country if reseller else ""
