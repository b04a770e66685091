"""Submitting an order: once, at the price that was shown, if the vendor's rules, approvals and credit allow it."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from catalog.models import Plan, Product, Sku, SkuRelation
from catalog.words import RelationKind
from marketplace.accounts.models import Membership
from marketplace.core.actor import Actor, Audience
from marketplace.core.errors import N_, FaultyRow, Phrase, Refusal
from marketplace.core.permit import require
from marketplace.orders.models import Order, OrderLine
from marketplace.orders.operations.cart import check_buying
from marketplace.orders.operations.checking import route
from marketplace.orders.operations.history import turn, withdraw_quotes
from marketplace.orders.operations.margins import check_margins
from marketplace.orders.operations.pricing import (
    PricedLine,
    keep_prices,
    lines_of,
    price_lines,
    shown_to,
    starts_at,
)
from marketplace.orders.queries.visible import PLACES, locked
from marketplace.orders.rules.seen import Shown, check_unchanged
from marketplace.orders.rules.states import ON_ITS_WAY, OPEN
from marketplace.orders.words import OrderKind, OrderState
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.operations.buying import CannotBeBought, Purchase, check_purchase
from marketplace.subscriptions.words import STANDING
from resellers.models import Customer
from resellers.queries.accounts import account_at
from resellers.queries.standing import selling_state

_LONGEST_PO = 60
_FURTHEST_DAYS = 366


class OrderEmpty(Refusal):
    """Nothing is in it."""

    sentence = N_("There is nothing in this order: add something from the shop first.")


class CannotBeOrdered(Refusal):
    """Some lines cannot be ordered as they are; `rows` name each with the reason."""

    sentence = N_("Nothing was ordered. %(product)s: %(why)s")


class DayNotPossible(Refusal):
    """The day an order is for lies in the past, or too far ahead."""

    sentence = N_("An order can be for today or a day within a year: choose another day.")


def submit(
    session: Session,
    *,
    actor: Actor,
    order_id: UUID,
    now: datetime,
    seen: Shown | None = None,
    po_number: str | None = None,
    starts_on: date | None = None,
) -> Order:
    """Order what is in a cart or a quote. Asked again, it gives the order as it is: nothing is ordered twice.

    `seen` is what the buyer was shown. Raises `PriceChanged`, `CannotBeOrdered`, `OrderEmpty`, `DayNotPossible`.
    """
    require(actor, PLACES[actor.audience])
    order = locked(session, actor=actor, order_id=order_id)
    if OrderState(order.state) not in OPEN:
        return order
    customer = session.get_one(Customer, order.customer_id)
    check_buying(session, actor=actor, customer=customer)
    if po_number is not None:
        order.po_number = po_number.strip()[:_LONGEST_PO]
    order.starts_on = checked_day(starts_on, today=now.date()) if starts_on else order.starts_on
    priced = priced_and_possible(session, order, now=now)
    check_margins(session, order, priced, actor=actor)
    if seen is not None:
        names = {one.line.public_id: one.prices.quoted.offer.product for one in priced if one.prices}
        check_unchanged(seen, shown_to(actor, priced), names=names)
    return place(session, order, priced, actor=actor, now=now)


def place(
    session: Session, order: Order, priced: Sequence[PricedLine], *, actor: Actor, now: datetime
) -> Order:
    """Keep the prices of what is bought, and let the order go as far as it may."""
    keep_prices(session, priced)
    return send(session, order, actor=actor, now=now)


def send(session: Session, order: Order, *, actor: Actor, now: datetime) -> Order:
    """Say who ordered, and let an order whose prices are kept go as far as it may."""
    withdraw_quotes(session, order, now=now)
    order.submitted_role = role_of(session, actor)
    order.submitted_at, order.submitted_by, order.submitted_by_id = now, actor.name, actor.user_id
    order.audience = actor.audience.value
    turn(session, order, OrderState.SUBMITTED, actor=actor, now=now)
    session.flush()  # credit counts the order by what is written
    route(session, order, actor=actor, now=now)
    return order


def priced_and_possible(session: Session, order: Order, *, now: datetime) -> list[PricedLine]:
    """Price an order and check each line against the vendor's rules. Raises `OrderEmpty`, `CannotBeOrdered`."""
    lines = lines_of(session, [order])
    if not lines:
        raise OrderEmpty
    priced = price_lines(session, order, lines, now=now)
    faults: list[FaultyRow] = []
    for one in priced:
        if fault := _fault(session, order, one, lines, at=starts_at(order, now)):
            name = one.prices.quoted.offer.product if one.prices else ""
            faults.append(
                FaultyRow(
                    file="", row=one.line.number, column=name, value=str(one.line.quantity), reason=fault
                )
            )
    if faults:
        first = faults[0]
        raise CannotBeOrdered(faults, product=first.column or f"#{first.row}", why=first.reason)
    return priced


def checked_day(day: date, *, today: date) -> date:
    """Give a day an order can be for. Raises `DayNotPossible`."""
    if not 0 <= (day - today).days <= _FURTHEST_DAYS:
        raise DayNotPossible
    return day


def _fault(
    session: Session, order: Order, one: PricedLine, lines: Sequence[OrderLine], *, at: datetime
) -> Phrase | None:
    """Say why a line cannot be ordered; None where it can."""
    prices = one.prices
    if prices is None:
        return Phrase.of(N_("has no price in this customer's country today: choose another plan"))
    if prices.wholesale is None or prices.retail is None:
        return Phrase.of(
            N_("needs the exchange rate %(pair)s of this month, which is missing: ask the wholesaler"),
            pair=prices.missing_rate,
        )
    selling = selling_state(session, order.reseller_id, prices.quoted.offer.vendor, now=at)
    if not selling.may_sell:
        return Phrase.of(N_("cannot be sold by this reseller: %(why)s"), why=selling.reasons[0])
    offer = prices.quoted.offer
    account = account_at(session, customer_id=order.customer_id, vendor=offer.vendor, day=at.date())
    if account is None and not offer.commitments(at.date()).account_comes_with_purchase:
        return Phrase.of(
            N_("needs an account of the customer at %(vendor)s: open one, or link the one it has"),
            vendor=offer.vendor,
        )
    if offer.is_metered and _is_on_its_way(session, order, one.line):
        return Phrase.of(N_("is on its way by another order already, and a customer has it once"))
    purchase = Purchase(
        customer_id=order.customer_id,
        vendor_account=account or "",
        quoted=prices.quoted,
        quantity=one.line.quantity,
        custom_end=one.line.custom_end,
    )
    try:
        check_purchase(session, purchase, day=at.date())
    except CannotBeBought as refusal:
        return refusal.phrase
    return _lacks_base(session, order, one.line, lines)


def _is_on_its_way(session: Session, order: Order, line: OrderLine) -> bool:
    """Whether another order of the customer's, or another line, buys the same plan and is not carried out yet."""
    found = session.scalar(
        select(OrderLine.id)
        .join(Order, Order.id == OrderLine.order_id)
        .where(
            Order.customer_id == order.customer_id,
            Order.kind == OrderKind.PURCHASE.value,
            or_(Order.id == order.id, Order.state.in_(ON_ITS_WAY)),
            OrderLine.plan_id == line.plan_id,
            OrderLine.id != line.id,
        )
        .limit(1)
    )
    return found is not None


def _lacks_base(session: Session, order: Order, line: OrderLine, lines: Sequence[OrderLine]) -> Phrase | None:
    """Say what an add-on needs beside it that the customer neither has nor orders."""
    sku_id = select(Plan.sku_id).where(Plan.id == line.plan_id).scalar_subquery()
    needed = session.execute(
        select(Sku.id, Product.title)
        .join(SkuRelation, SkuRelation.target_sku_id == Sku.id)
        .join(Product, Product.id == Sku.product_id)
        .where(SkuRelation.sku_id == sku_id, SkuRelation.kind == RelationKind.PREREQUISITE.value)
    ).all()
    if not needed:
        return None
    others = [other.plan_id for other in lines if other.id != line.id]
    has = session.scalar(
        select(Plan.id)
        .outerjoin(Subscription, Subscription.plan_id == Plan.id)
        .where(
            Plan.sku_id.in_([row[0] for row in needed]),
            or_(
                Plan.id.in_(others),
                (Subscription.customer_id == order.customer_id) & Subscription.status.in_(STANDING),
            ),
        )
        .limit(1)
    )
    if has is not None:
        return None
    names = ", ".join(sorted({title for _, title in needed}))
    return Phrase.of(N_("needs one of these beside it: %(products)s"), products=names)


def role_of(session: Session, actor: Actor) -> str:
    """Give the role in which a person orders; blank for machines."""
    if actor.user_id is None:
        return ""
    party = Membership.reseller_id if actor.audience is Audience.RESELLER else Membership.customer_id
    return (
        session.scalar(
            select(Membership.role).where(
                Membership.user_id == actor.user_id,
                Membership.audience == actor.audience.value,
                party.is_not_distinct_from(actor.party_id),
                Membership.ended_at.is_(None),
            )
        )
        or ""
    )
