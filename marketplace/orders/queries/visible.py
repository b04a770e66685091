"""Which orders an actor may see. Row-level security says the same once more."""

from typing import TypeVarTuple
from uuid import UUID

from sqlalchemy import Select, and_, false, or_, select
from sqlalchemy.orm import Session

from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.errors import NotFound
from marketplace.orders.models import Order
from marketplace.orders.words import OrderState
from resellers.models import Customer

Columns = TypeVarTuple("Columns")
_NEEDED = {
    Audience.WHOLESALER: Permission.WHOLESALER_ORDERS_VIEW,
    Audience.RESELLER: Permission.RESELLER_ORDERS_VIEW,
    Audience.CUSTOMER: Permission.CUSTOMER_ORDERS_VIEW,
}
PLACES = {
    Audience.WHOLESALER: Permission.WHOLESALER_ORDERS_PLACE,
    Audience.RESELLER: Permission.RESELLER_ORDERS_PLACE,
    Audience.CUSTOMER: Permission.CUSTOMER_ORDERS_PLACE,
}


def narrowed(statement: Select[*Columns], actor: Actor) -> Select[*Columns]:
    """Narrow a selection that has the order in it to what an actor may see: carts are their own audience's."""
    if not actor.may(_NEEDED[actor.audience]):
        return statement.where(false())
    theirs = or_(Order.state != OrderState.DRAFT.value, Order.audience == actor.audience.value)
    match actor.audience:
        case Audience.WHOLESALER:
            return statement.where(theirs)
        case Audience.RESELLER:
            return statement.where(and_(theirs, Order.reseller_id == actor.party_id))
        case Audience.CUSTOMER:
            return statement.where(and_(theirs, Order.customer_id == actor.party_id))


def visible_to(actor: Actor) -> Select[Order]:
    """Select the orders an actor may see."""
    return narrowed(select(Order), actor)


def locked(session: Session, *, actor: Actor, order_id: UUID) -> Order:
    """Give an order an actor may see, locked against everybody else. Raises `NotFound`."""
    order = session.scalar(
        visible_to(actor)
        .where(Order.public_id == order_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if order is None:
        raise NotFound
    return order


def customers_of(actor: Actor) -> Select[Customer]:
    """Select the customers an actor may order for."""
    statement = select(Customer)
    if not actor.may(PLACES[actor.audience]):
        return statement.where(false())
    match actor.audience:
        case Audience.WHOLESALER:
            return statement
        case Audience.RESELLER:
            return statement.where(Customer.reseller_id == actor.party_id)
        case Audience.CUSTOMER:
            return statement.where(Customer.id == actor.party_id)


def customer_or_refuse(session: Session, *, actor: Actor, customer_id: UUID) -> Customer:
    """Give a customer an actor may order for. Raises `NotFound`."""
    found = session.scalar(customers_of(actor).where(Customer.public_id == customer_id))
    if found is None:
        raise NotFound
    return found
