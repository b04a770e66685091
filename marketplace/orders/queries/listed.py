"""Orders and quotes as lists show them. What may be seen of each, row-level security says once more."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.money import Money
from marketplace.orders.models import Order, OrderApproval, OrderLine, OrderPrice, Quote
from marketplace.orders.operations.cart import cart_of
from marketplace.orders.queries.visible import narrowed
from marketplace.orders.rules.states import OPEN
from marketplace.orders.words import PriceHop
from resellers.models import Customer, Reseller


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order in a list."""

    id: UUID
    name: str
    kind: str
    state: str
    customer: str
    reseller: str
    po_number: str
    lines: int
    # What the first terms come to at the hop the list is told in; None while it is a draft.
    commitment: Money | None
    by: str
    audience: str
    at: datetime
    starts_on: date | None


def list_orders(actor: Actor) -> Select[*tuple[Any, ...]]:
    """Select `order_row`'s columns of the orders an actor may see, carts apart."""
    hop = hop_of(actor)
    lines = select(func.count()).where(OrderLine.order_id == Order.id).correlate(Order).scalar_subquery()
    total = (
        select(func.sum(OrderPrice.commitment_minor))
        .join(OrderLine, OrderLine.id == OrderPrice.line_id)
        .where(OrderLine.order_id == Order.id, OrderPrice.hop == hop.value)
        .correlate(Order)
        .scalar_subquery()
    )
    currency = (
        select(func.min(OrderPrice.currency))
        .join(OrderLine, OrderLine.id == OrderPrice.line_id)
        .where(OrderLine.order_id == Order.id, OrderPrice.hop == hop.value)
        .correlate(Order)
        .scalar_subquery()
    )
    statement = (
        select(Order, Customer.legal_name, Reseller.legal_name, lines, total, currency)
        .join(Customer, Customer.id == Order.customer_id)
        .join(Reseller, Reseller.id == Order.reseller_id)
        # Another person's cart is nobody's order yet.
        .where(Order.state != "draft")
    )
    return narrowed(statement, actor)


def hop_of(actor: Actor) -> PriceHop:
    """Give the hop whose amounts an actor's lists are told in."""
    if actor.audience is Audience.CUSTOMER:
        return PriceHop.RETAIL
    if actor.audience is Audience.RESELLER and not actor.may(Permission.RESELLER_MARGINS_VIEW):
        return PriceHop.RETAIL
    return PriceHop.WHOLESALE


def order_row(found: Any) -> OrderRow:
    """Make the row of a list from what `list_orders` gives."""
    order, customer, reseller, lines, total, currency = found
    return OrderRow(
        id=order.public_id,
        name=order.name,
        kind=order.kind,
        state=order.state,
        customer=customer,
        reseller=reseller,
        po_number=order.po_number,
        lines=lines,
        commitment=Money(int(total), currency) if total is not None and currency else None,
        by=order.submitted_by or order.created_by,
        audience=order.audience,
        at=order.submitted_at or order.created_at,
        starts_on=order.starts_on,
    )


@dataclass(frozen=True, slots=True)
class CartRow:
    """A cart, or a quote that became a draft again."""

    id: UUID
    customer: str
    customer_id: UUID
    lines: int


def carts(session: Session, actor: Actor) -> Sequence[CartRow]:
    """Give what an actor's audience is putting together, by customer."""
    lines = select(func.count()).where(OrderLine.order_id == Order.id).correlate(Order).scalar_subquery()
    statement = (
        select(Order.public_id, Customer.legal_name, Customer.public_id, lines)
        .join(Customer, Customer.id == Order.customer_id)
        .where(Order.state == "draft", Order.kind == "purchase", lines > 0)
        .order_by(Customer.legal_name, Order.id)
    )
    return [CartRow(*row) for row in session.execute(narrowed(statement, actor))]


def cart_id(session: Session, actor: Actor, customer_id: int) -> UUID | None:
    """Give the customer's cart of the actor's audience; None where it has none."""
    return session.scalar(
        narrowed(cart_of(customer_id, actor.audience), actor).with_only_columns(Order.public_id)
    )


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """An approval that somebody must decide."""

    approval: OrderApproval
    order: Order
    customer: str
    reseller: str


def waiting_for(session: Session, actor: Actor) -> Sequence[WaitingRow]:
    """Give what waits for the actor's party, the oldest first."""
    party = "wholesaler" if actor.audience is Audience.WHOLESALER else "reseller"
    statement = (
        select(OrderApproval, Order, Customer.legal_name, Reseller.legal_name)
        .join(Order, Order.id == OrderApproval.order_id)
        .join(Customer, Customer.id == Order.customer_id)
        .join(Reseller, Reseller.id == Order.reseller_id)
        .where(
            OrderApproval.decided_at.is_(None),
            OrderApproval.party == party,
            Order.state == "awaiting_approval",
        )
        .order_by(OrderApproval.id)
    )
    return [WaitingRow(*row) for row in session.execute(narrowed(statement, actor))]


def is_open(order: Order) -> bool:
    """Whether it can still be put together."""
    return order.state in OPEN


def open_quotes(session: Session, actor: Actor) -> Sequence[tuple[Quote, Order]]:
    """Give the quotes of a customer that wait for its answer."""
    statement = (
        select(Quote, Order)
        .join(Order, Order.id == Quote.order_id)
        .where(Quote.accepted_at.is_(None), Quote.declined_at.is_(None), Quote.withdrawn_at.is_(None))
        .order_by(Quote.valid_until)
    )
    return [(row[0], row[1]) for row in session.execute(narrowed(statement, actor))]


def states_of_orders(session: Session, ids: Collection[UUID]) -> dict[UUID, tuple[str, str]]:
    """Give the name and the state of some orders by their public id. The caller says who may know of them."""
    rows = session.scalars(select(Order).where(Order.public_id.in_(ids))) if ids else ()
    return {order.public_id: (order.name, order.state) for order in rows}
