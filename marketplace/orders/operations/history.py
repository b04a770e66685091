"""Taking an order from state to state, with its history for everybody and the audit trail."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.actor import Actor
from marketplace.core.errors import Phrase
from marketplace.orders.models import Order, OrderEvent, Quote
from marketplace.orders.rules.states import ENDED, check_turn
from marketplace.orders.words import OrderState


def turn(
    session: Session,
    order: Order,
    into: OrderState,
    *,
    actor: Actor,
    now: datetime,
    words: Phrase | None = None,
) -> None:
    """Put an order into another state and write it down. Raises `OrderHasMovedOn`."""
    check_turn(order.state, into)
    order.state = into.value
    order.ended_at = now if into in ENDED else None
    if into in {OrderState.REJECTED, OrderState.FAILED, OrderState.CANCELLED}:
        order.reason = words
    elif into is OrderState.PROVISIONING:
        order.reason = None
    note(session, order, actor=actor, now=now, words=words)
    audit.record(
        session,
        actor=actor,
        action=f"sales_order.{ACTS[into]}",
        subject="sales_order",
        subject_id=order.public_id,
        after={"name": order.name},
        reason=str(words) if words else "",
    )


def note(session: Session, order: Order, *, actor: Actor, now: datetime, words: Phrase | None = None) -> None:
    """Add to the history of an order without changing its state."""
    session.add(
        OrderEvent(
            order_id=order.id,
            at=now,
            state=order.state,
            by=actor.name,
            audience=actor.audience.value,
            words=words,
        )
    )


def withdraw_quotes(session: Session, order: Order, *, now: datetime) -> None:
    """Take back whatever version is open: its link says so."""
    session.execute(
        update(Quote)
        .where(
            Quote.order_id == order.id,
            Quote.withdrawn_at.is_(None),
            Quote.accepted_at.is_(None),
            Quote.declined_at.is_(None),
        )
        .values(withdrawn_at=now)
    )


#: What the audit trail calls each turn.
ACTS = {
    OrderState.DRAFT: "reopen",
    OrderState.QUOTED: "quote",
    OrderState.SUBMITTED: "submit",
    OrderState.AWAITING_APPROVAL: "hold",
    OrderState.SCHEDULED: "schedule",
    OrderState.PROVISIONING: "provision",
    OrderState.COMPLETED: "complete",
    OrderState.REJECTED: "reject",
    OrderState.FAILED: "fail",
    OrderState.CANCELLED: "cancel",
}
