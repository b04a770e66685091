"""Filling a cart: the draft of a customer, one for each audience that orders for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from catalog.models import Plan, Product, Sku
from catalog.rules.metered import is_metered
from catalog.words import PlanStatus, ProductKind
from marketplace.core import audit
from marketplace.core.actor import Actor, Audience
from marketplace.core.errors import N_, NotFound, Phrase, Refusal
from marketplace.core.permit import require
from marketplace.orders.models import CustomerBuying, Order, OrderLine
from marketplace.orders.operations.history import turn, withdraw_quotes
from marketplace.orders.operations.pricing import starts_at
from marketplace.orders.queries.visible import PLACES, customer_or_refuse, locked
from marketplace.orders.rules.states import OPEN, OrderHasMovedOn, state_words
from marketplace.orders.words import OrderKind, OrderState
from marketplace.subscriptions.queries.offers import offers_of
from marketplace.subscriptions.queries.standing import other_terms, seats_of
from marketplace.subscriptions.rules.ends import end_fault
from marketplace.subscriptions.rules.history import Offer
from marketplace.subscriptions.rules.limits import quantity_fault
from resellers.models import Customer

MOST_LINES = 100
#: What has a price a unit and can be counted; of consumption a plan is had once, and billed as it is used.
BUYABLE = frozenset({ProductKind.LICENCE, ProductKind.SOFTWARE, ProductKind.SERVICE})


class NotForSale(Refusal):
    """The plan is not sold any more, or not to everybody."""

    sentence = N_("This is not on sale. Choose another plan in the shop.")


class QuantityNotPossible(Refusal):
    """There cannot be so many."""

    sentence = N_("This quantity cannot be ordered. %(why)s")


class EndNotPossible(Refusal):
    """The first term cannot end then."""

    sentence = N_("It cannot be ordered until that day. %(why)s")


class BuyingNotAllowed(Refusal):
    """The customer's reseller does not let it buy for itself."""

    sentence = N_("Your reseller places orders for you: ask there for what you need.")


class CartFull(Refusal):
    """An order has an end."""

    sentence = N_("An order has at most %(most)s lines: order these first.")


@dataclass(frozen=True, slots=True)
class CartItem:
    """So many units of a plan, and the end of the first term where it is not its own."""

    plan: Plan
    quantity: int
    custom_end: date | None = None


def put_in_cart(
    session: Session,
    *,
    actor: Actor,
    customer_id: UUID,
    plan_id: UUID,
    quantity: int,
    custom_end: date | None = None,
) -> Order:
    """Add a plan to a customer's cart; what is in it already gets so many more. Give the cart."""
    require(actor, PLACES[actor.audience])
    customer = customer_or_refuse(session, actor=actor, customer_id=customer_id)
    plan = plan_on_sale(session, plan_id=plan_id)
    return fill_cart(session, actor=actor, customer=customer, items=[CartItem(plan, quantity, custom_end)])


def fill_cart(session: Session, *, actor: Actor, customer: Customer, items: Sequence[CartItem]) -> Order:
    """Add plans that are on sale to the cart of a customer the actor may order for."""
    check_buying(session, actor=actor, customer=customer)
    cart = _cart(session, actor=actor, customer=customer)
    lines = _lines(session, cart)
    offers = offers_of(session, {item.plan.id for item in items})
    for item in items:
        line = next(
            (one for one in lines if one.plan_id == item.plan.id and one.custom_end == item.custom_end), None
        )
        wanted = item.quantity + (line.quantity if line else 0)
        _check_quantity(session, customer.id, offers[item.plan.id], wanted)
        if line is not None:
            line.quantity = wanted
        elif len(lines) >= MOST_LINES:
            raise CartFull(most=MOST_LINES)
        else:
            line = OrderLine(
                order_id=cart.id,
                number=max((one.number for one in lines), default=0) + 1,
                plan_id=item.plan.id,
                quantity=item.quantity,
                custom_end=item.custom_end,
            )
            session.add(line)
            lines.append(line)
        plan = str(item.plan.public_id)
        _record(session, actor, cart, "sales_order.add_line", plan=plan, quantity=wanted)
    session.flush()
    return cart


def change_line(
    session: Session,
    *,
    actor: Actor,
    order_id: UUID,
    line_id: UUID,
    quantity: int,
    now: datetime,
    custom_end: date | None = None,
) -> Order:
    """Order another quantity of a line, or with another end of its first term; nought takes it out.

    A quoted order becomes a draft again. Raises `QuantityNotPossible`, `EndNotPossible`.
    """
    order, line = _line_of(session, actor=actor, order_id=order_id, line_id=line_id)
    if quantity:
        offer = offers_of(session, [line.plan_id])[line.plan_id]
        _check_quantity(session, order.customer_id, offer, quantity)
        _check_end(session, order, offer, custom_end, day=starts_at(order, now).date())
        line.quantity, line.custom_end = quantity, custom_end
        ends = custom_end.isoformat() if custom_end else ""
        _record(
            session, actor, order, "sales_order.change_line", quantity=quantity, ends=ends, line=line.number
        )
    else:
        session.delete(line)
        _record(session, actor, order, "sales_order.remove_line", line=line.number)
    session.flush()
    if order.state == OrderState.QUOTED:
        withdraw_quotes(session, order, now=now)
        turn(session, order, OrderState.DRAFT, actor=actor, now=now)
    return order


def discard(session: Session, *, actor: Actor, order_id: UUID, now: datetime) -> Order:
    """Do away with a cart or a quote."""
    require(actor, PLACES[actor.audience])
    order = locked(session, actor=actor, order_id=order_id)
    _check_open(order)
    withdraw_quotes(session, order, now=now)
    turn(session, order, OrderState.CANCELLED, actor=actor, now=now, words=Phrase.of(_DISCARDED))
    return order


_DISCARDED = N_("Discarded before it was ordered.")


def new_draft(session: Session, *, actor: Actor, customer: Customer, po_number: str = "") -> Order:
    """Begin an order beside the cart, such as one of a file."""
    order = Order(
        kind=OrderKind.PURCHASE.value,
        customer_id=customer.id,
        reseller_id=customer.reseller_id,
        audience=actor.audience.value,
        is_apart=True,
        po_number=po_number,
        created_by=actor.name,
    )
    session.add(order)
    session.flush()
    return order


def check_buying(session: Session, *, actor: Actor, customer: Customer) -> None:
    """Refuse a customer whose reseller does not let it buy for itself. Raises `BuyingNotAllowed`."""
    if actor.audience is not Audience.CUSTOMER:
        return
    allowed = session.get(CustomerBuying, customer.id)
    if allowed is None or not allowed.may_buy:
        raise BuyingNotAllowed


def plan_on_sale(session: Session, *, plan_id: UUID) -> Plan:
    """Give a plan that everybody can buy. Raises `NotFound`, `NotForSale`."""
    found = plans_on_sale(session, Plan.public_id == plan_id)
    if not found:
        raise NotFound
    return found[0]


def plans_on_sale(session: Session, which: ColumnElement[bool]) -> list[Plan]:
    """Give plans that everybody can buy. Raises `NotForSale` where one is not sold any more."""
    found = session.execute(
        select(Plan, Product.is_listed, Product.kind)
        .join(Sku, Sku.id == Plan.sku_id)
        .join(Product, Product.id == Sku.product_id)
        .where(which)
    ).all()
    for plan, is_listed, kind in found:
        is_bought = kind in BUYABLE or is_metered(plan.term, plan.billing_cycle)
        if plan.status != PlanStatus.ON_SALE or not is_listed or not is_bought:
            raise NotForSale
    return [plan for plan, *_ in found]


def _cart(session: Session, *, actor: Actor, customer: Customer) -> Order:
    """Give the customer's cart, locked; make it where there is none. Two at once get the same one."""
    session.execute(
        insert(Order)
        .values(
            kind=OrderKind.PURCHASE.value,
            state=OrderState.DRAFT.value,
            customer_id=customer.id,
            reseller_id=customer.reseller_id,
            audience=actor.audience.value,
            is_apart=False,
            created_by=actor.name,
        )
        .on_conflict_do_nothing()
    )
    cart: Order = session.scalars(
        cart_of(customer.id, actor.audience).with_for_update().execution_options(populate_existing=True)
    ).one()
    # A customer that moved is sold to by its new reseller.
    cart.reseller_id = customer.reseller_id
    return cart


def cart_of(customer_id: int, audience: Audience) -> Select[Order]:
    """Select a customer's cart of an audience."""
    return select(Order).where(
        Order.customer_id == customer_id,
        Order.audience == audience.value,
        Order.state == OrderState.DRAFT.value,
        Order.kind == OrderKind.PURCHASE.value,
        Order.is_apart.is_(False),
    )


def _line_of(session: Session, *, actor: Actor, order_id: UUID, line_id: UUID) -> tuple[Order, OrderLine]:
    require(actor, PLACES[actor.audience])
    order = locked(session, actor=actor, order_id=order_id)
    _check_open(order)
    line = session.scalar(
        select(OrderLine).where(OrderLine.order_id == order.id, OrderLine.public_id == line_id)
    )
    if line is None:
        raise NotFound
    return order, line


def _check_open(order: Order) -> None:
    if OrderState(order.state) not in OPEN:
        raise OrderHasMovedOn(state=state_words(order.state))


def _check_quantity(session: Session, customer_id: int, offer: Offer, quantity: int) -> None:
    # What a customer has once is not put into a cart in vain.
    has = seats_of(session, customer_id=customer_id, sku=offer.sku) if offer.is_metered else 0
    if fault := quantity_fault(offer, quantity, elsewhere=has):
        raise QuantityNotPossible(why=fault)


def _check_end(session: Session, order: Order, offer: Offer, custom_end: date | None, *, day: date) -> None:
    if custom_end is None:
        return
    others = other_terms(session, customer_id=order.customer_id, vendor=offer.vendor)
    if fault := end_fault(offer, day, custom_end, others):
        raise EndNotPossible(why=fault)


def _lines(session: Session, order: Order) -> list[OrderLine]:
    return list(
        session.scalars(select(OrderLine).where(OrderLine.order_id == order.id).order_by(OrderLine.number))
    )


def _record(session: Session, actor: Actor, order: Order, action: str, **facts: str | int) -> None:
    audit.record(
        session,
        actor=actor,
        action=action,
        subject="sales_order",
        subject_id=order.public_id,
        after={"name": order.name, **facts},
    )
