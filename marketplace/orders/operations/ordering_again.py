"""Putting what was not carried out into the cart again: the same lines, at the prices of today."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from catalog.models import Plan
from marketplace.core import audit
from marketplace.core.actor import Actor
from marketplace.core.errors import N_, Phrase
from marketplace.core.permit import require
from marketplace.orders.models import Order
from marketplace.orders.operations.asking import stop
from marketplace.orders.operations.cart import CartItem, fill_cart, plans_on_sale
from marketplace.orders.operations.history import turn
from marketplace.orders.operations.pricing import lines_of
from marketplace.orders.queries.visible import PLACES, customer_or_refuse, locked
from marketplace.orders.rules.states import OrderHasMovedOn, may_be_put_again, state_words
from marketplace.orders.words import OrderState
from resellers.models import Customer

_AGAIN = N_("Put into the cart again by %(name)s.")


def put_in_cart_again(session: Session, *, actor: Actor, order_id: UUID, now: datetime) -> Order:
    """Add the lines of an order that became nothing to the customer's cart, and give the cart.

    One that failed is withdrawn with it, so that nobody has it carried out beside the new one. Raises
    `OrderHasMovedOn`, and whatever the cart does not take.
    """
    require(actor, PLACES[actor.audience])
    order = locked(session, actor=actor, order_id=order_id)
    if not may_be_put_again(order.kind, order.state):
        raise OrderHasMovedOn(state=state_words(order.state))
    whose = session.get_one(Customer, order.customer_id).public_id
    customer = customer_or_refuse(session, actor=actor, customer_id=whose)
    lines = [line for line in lines_of(session, [order]) if line.became_id is None]
    plans = {one.id: one for one in plans_on_sale(session, Plan.id.in_({line.plan_id for line in lines}))}
    items = []
    for line in lines:
        # An end that was chosen and has come meanwhile is none any more.
        end = line.custom_end if line.custom_end and line.custom_end > now.date() else None
        items.append(CartItem(plans[line.plan_id], line.quantity, end))
    cart = fill_cart(session, actor=actor, customer=customer, items=items)
    audit.record(
        session,
        actor=actor,
        action="sales_order.put_again",
        subject="sales_order",
        subject_id=order.public_id,
        after={"name": order.name, "cart": cart.name},
    )
    if order.state == OrderState.FAILED:
        words = Phrase.of(_AGAIN, name=actor.name)
        turn(session, order, OrderState.CANCELLED, actor=actor, now=now, words=words)
        stop(session, order)
    return cart
