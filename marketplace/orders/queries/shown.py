"""One order as its page shows it: lines with the prices a viewer may see, history, approvals, quotes, and requests."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.models import Promotion
from catalog.queries.promotions import terms_of
from catalog.rules.metered import is_metered
from catalog.rules.promotions import PromotionTerms
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.errors import Phrase
from marketplace.core.money import Money
from marketplace.orders.models import Order, OrderApproval, OrderEvent, OrderLine, OrderPrice, Quote
from marketplace.orders.operations.pricing import PricedLine
from marketplace.orders.queries.visible import narrowed
from marketplace.orders.rules.change_data import change_words
from marketplace.orders.rules.states import OPEN, may_be_put_again
from marketplace.orders.words import OrderState, PriceHop
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.queries.standing import other_terms
from marketplace.subscriptions.rules.ends import AllowedEnd, allowed_ends
from resellers.models import Customer, Reseller


@dataclass(frozen=True, slots=True)
class ShownPrice:
    """What a line costs at one hop."""

    unit: Decimal
    charge: Money
    commitment: Money


@dataclass(frozen=True, slots=True)
class ShownOrderLine:
    """A line with the prices its viewer may see."""

    id: UUID
    number: int
    product: str
    sku: str
    unit: str
    term: str
    billing_cycle: str
    quantity: int
    term_end: date | None
    vendor: ShownPrice | None
    wholesale: ShownPrice | None
    retail: ShownPrice | None
    # What it changes; None for what is bought.
    change: Phrase | None
    subscription: UUID | None
    # The vendor's promotion that its prices are after.
    promotion: PromotionTerms | None
    # The ends its first term may have instead of its own, and the one that was chosen.
    ends: Sequence[AllowedEnd] = ()
    custom_end: date | None = None
    # Why it has no price.
    missing_rate: str = ""

    @property
    def is_metered(self) -> bool:
        """Whether it is billed as it is used."""
        return is_metered(self.term, self.billing_cycle)


@dataclass(frozen=True, slots=True)
class OrderPage:
    """Everything an order's page shows."""

    order: Order
    customer: Customer
    reseller: str
    lines: Sequence[ShownOrderLine]
    events: Sequence[OrderEvent]
    approvals: Sequence[OrderApproval]
    quotes: Sequence[Quote]

    @property
    def is_open(self) -> bool:
        """Whether it can still be put together."""
        return self.order.state in OPEN

    @property
    def may_be_cancelled(self) -> bool:
        """Whether it can still be withdrawn."""
        return self.order.state in {
            OrderState.AWAITING_APPROVAL,
            OrderState.SCHEDULED,
            OrderState.FAILED,
        }

    @property
    def may_be_put_again(self) -> bool:
        """Whether its lines may be put into the cart again."""
        return may_be_put_again(self.order.kind, self.order.state)

    def total(self, hop: str, what: str) -> Money | None:
        """Add up the charges or the commitments of all lines at a hop; None where one is not known."""
        amounts: list[Money] = []
        for line in self.lines:
            price: ShownPrice | None = getattr(line, hop)
            if price is None:
                return None
            amounts.append(price.charge if what == "charge" else price.commitment)
        if not amounts or len({one.currency for one in amounts}) > 1:
            return None
        total = Money.zero(amounts[0].currency)
        for one in amounts:
            total += one
        return total

    @property
    def waits_for(self) -> Sequence[OrderApproval]:
        """What nobody has decided yet."""
        return [one for one in self.approvals if one.decided_at is None]


def find_quote(session: Session, order_id: UUID, quote_id: UUID) -> Quote | None:
    """Give a version of an order's quote; row-level security asks whether the order may be seen."""
    return session.scalar(
        select(Quote)
        .join(Order, Order.id == Quote.order_id)
        .where(Order.public_id == order_id, Quote.public_id == quote_id)
    )


def find_order(session: Session, actor: Actor, order_id: UUID) -> tuple[Order, Customer, str] | None:
    """Give an order an actor may see, with its customer and the reseller's name."""
    found = session.execute(
        narrowed(
            select(Order, Customer, Reseller.legal_name)
            .join(Customer, Customer.id == Order.customer_id)
            .join(Reseller, Reseller.id == Order.reseller_id),
            actor,
        ).where(Order.public_id == order_id)
    ).one_or_none()
    return None if found is None else (found[0], found[1], found[2])


def order_page(
    session: Session,
    actor: Actor,
    found: tuple[Order, Customer, str],
    *,
    priced: Sequence[PricedLine] | None = None,
) -> OrderPage:
    """Give everything of an order; `priced` are the prices of today of one that is still put together."""
    order, customer, reseller = found
    return OrderPage(
        order=order,
        customer=customer,
        reseller=reseller,
        lines=_live(session, actor, order, priced) if priced is not None else _kept(session, actor, order),
        events=session.scalars(
            select(OrderEvent).where(OrderEvent.order_id == order.id).order_by(OrderEvent.id.desc())
        ).all(),
        approvals=session.scalars(
            select(OrderApproval).where(OrderApproval.order_id == order.id).order_by(OrderApproval.id)
        ).all(),
        quotes=session.scalars(
            select(Quote).where(Quote.order_id == order.id).order_by(Quote.version.desc())
        ).all(),
    )


def _live(session: Session, actor: Actor, order: Order, priced: Sequence[PricedLine]) -> list[ShownOrderLine]:
    """Give lines at the prices of today."""
    vendors = {one.prices.quoted.offer.vendor for one in priced if one.prices}
    others = {
        vendor: other_terms(session, customer_id=order.customer_id, vendor=vendor) for vendor in vendors
    }
    lines = []
    for one in priced:
        line = one.line
        if one.prices is None:
            lines.append(_shown(line, {}))
            continue
        seen, offer = one.prices.seen_by(actor), one.prices.quoted.offer
        prices = {
            hop: ShownPrice(price.unit, price.charge, price.commitment)
            for hop, price in (("wholesale", seen.wholesale), ("retail", seen.retail))
            if price is not None
        }
        lines.append(
            ShownOrderLine(
                id=line.public_id,
                number=line.number,
                product=offer.product,
                sku=offer.sku,
                unit=offer.unit,
                term=offer.term.value,
                billing_cycle=offer.billing_cycle.value,
                quantity=line.quantity,
                term_end=seen.term_end,
                vendor=None,
                wholesale=prices.get("wholesale"),
                retail=prices.get("retail"),
                change=None,
                subscription=None,
                promotion=seen.promotion,
                ends=allowed_ends(offer, seen.term_start, others[offer.vendor]),
                custom_end=line.custom_end,
                missing_rate=seen.missing_rate,
            )
        )
    return lines


def _kept(session: Session, actor: Actor, order: Order) -> list[ShownOrderLine]:
    """Give lines at the prices they were ordered at."""
    rows = session.execute(
        select(OrderLine, Subscription.public_id, Promotion)
        .outerjoin(
            Subscription,
            Subscription.id == OrderLine.became_id,
        )
        .outerjoin(Promotion, Promotion.id == OrderLine.promotion_id)
        .where(OrderLine.order_id == order.id)
        .order_by(OrderLine.number)
    ).all()
    prices: dict[int, dict[str, ShownPrice]] = {}
    for price in session.scalars(
        select(OrderPrice).where(OrderPrice.line_id.in_([line.id for line, *_ in rows]))
    ):
        if price.hop in _hops(actor):
            prices.setdefault(price.line_id, {})[price.hop] = ShownPrice(
                price.unit,
                Money(price.charge_minor, price.currency),
                Money(price.commitment_minor, price.currency),
            )
    return [
        _shown(line, prices.get(line.id, {}), subscription, promotion)
        for line, subscription, promotion in rows
    ]


def _hops(actor: Actor) -> set[str]:
    """Give the hops an actor may see by role; by party, row-level security has chosen already."""
    if actor.audience is Audience.CUSTOMER:
        return {PriceHop.RETAIL.value}
    if actor.audience is Audience.WHOLESALER:
        return {hop.value for hop in PriceHop}
    may = actor.may(Permission.RESELLER_MARGINS_VIEW)
    return {PriceHop.RETAIL.value, *([PriceHop.WHOLESALE.value] if may else [])}


def _shown(
    line: OrderLine,
    prices: dict[str, ShownPrice],
    subscription: UUID | None = None,
    promotion: Promotion | None = None,
) -> ShownOrderLine:
    return ShownOrderLine(
        id=line.public_id,
        number=line.number,
        product=line.product,
        sku=line.sku,
        unit=line.unit,
        term=line.term,
        billing_cycle=line.billing_cycle,
        quantity=line.quantity,
        term_end=line.term_end,
        vendor=prices.get("vendor"),
        wholesale=prices.get("wholesale"),
        retail=prices.get("retail"),
        change=change_words(line.change) if line.change else None,
        subscription=subscription,
        promotion=terms_of(promotion) if promotion else None,
    )
