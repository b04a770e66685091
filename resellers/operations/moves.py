"""A customer goes to another reseller from a day on: its accounts, prices and subscriptions go with it.

They are the customer's own, so nothing of them changes. What the month's documents say follows from the moves: see
`marketplace.billing.terms`. The customer's pages become the new reseller's on the day.
"""

from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.actor import Actor, Permission
from marketplace.core.errors import NotFound
from marketplace.core.permit import require
from resellers.conflicts import conflicts_in_words
from resellers.models import Customer, CustomerMove, Reseller
from resellers.rules import moves as rules
from resellers.rules.applications import check_reason
from resellers.words import ResellerStatus


def move_customer(
    session: Session,
    *,
    actor: Actor,
    customer_id: UUID,
    reseller: str,
    moves_on: date,
    reason: str,
    now: datetime,
) -> CustomerMove:
    """Move a customer to a reseller, by its reference, from a day on; at once where the day has come.

    Raises `NotFound` and the refusals of the rules.
    """
    require(actor, Permission.WHOLESALER_PARTIES_MANAGE)
    reason = check_reason(reason)
    rules.check_day(moves_on, today=now.date())
    customer = session.scalars(
        select(Customer).where(Customer.public_id == customer_id).with_for_update()
    ).one_or_none()
    target = session.scalars(select(Reseller).where(Reseller.reference == reseller)).one_or_none()
    if customer is None or target is None:
        raise NotFound
    if target.status != ResellerStatus.ACTIVE.value:
        raise rules.NotASeller(reseller=target.legal_name)
    if target.id == customer.reseller_id:
        raise rules.MovesNowhere(customer=customer.legal_name)
    waiting = waiting_move(session, customer.id)
    if waiting is not None:
        raise rules.MovesAlready(customer=customer.legal_name, day=waiting.moves_on)
    before = session.get_one(Reseller, customer.reseller_id)
    move = CustomerMove(
        public_id=uuid4(),
        customer_id=customer.id,
        from_reseller_id=before.id,
        to_reseller_id=target.id,
        moves_on=moves_on,
        done_at=None,
        reason=reason,
        created_by=actor.name,
    )
    session.add(move)
    if moves_on <= now.date():
        _carry_out(move, customer, now=now)
    with conflicts_in_words():
        session.flush()
    audit.record(
        session,
        actor=actor,
        action="customer.move",
        subject="customer",
        subject_id=customer.public_id,
        before={"legal_name": customer.legal_name, "reseller": before.reference},
        after={
            "legal_name": customer.legal_name,
            "reseller": target.reference,
            "moves_on": moves_on.isoformat(),
        },
        reason=reason,
    )
    return move


def cancel_move(session: Session, *, actor: Actor, customer_id: UUID) -> None:
    """Take a move back that waits for its day. Raises `NotFound`."""
    require(actor, Permission.WHOLESALER_PARTIES_MANAGE)
    customer = session.scalars(
        select(Customer).where(Customer.public_id == customer_id).with_for_update()
    ).one_or_none()
    move = waiting_move(session, customer.id) if customer else None
    if customer is None or move is None:
        raise NotFound
    audit.record(
        session,
        actor=actor,
        action="customer.cancel_move",
        subject="customer",
        subject_id=customer.public_id,
        before={"legal_name": customer.legal_name, "moves_on": move.moves_on.isoformat()},
    )
    session.delete(move)


def carry_out_moves(session: Session, *, now: datetime) -> int:
    """Give customers whose day has come to their new reseller; give how many. For a job; again changes nothing."""
    due = session.execute(
        select(CustomerMove, Customer)
        .join(Customer, Customer.id == CustomerMove.customer_id)
        .where(CustomerMove.done_at.is_(None), CustomerMove.moves_on <= now.date())
        .order_by(CustomerMove.moves_on, CustomerMove.id)
        .with_for_update(of=CustomerMove, skip_locked=True)
    ).all()
    for move, customer in due:
        _carry_out(move, customer, now=now)
    return len(due)


def waiting_move(session: Session, customer_id: int) -> CustomerMove | None:
    """Give the move of a customer that waits for its day."""
    return session.scalars(
        select(CustomerMove).where(CustomerMove.customer_id == customer_id, CustomerMove.done_at.is_(None))
    ).one_or_none()


def _carry_out(move: CustomerMove, customer: Customer, *, now: datetime) -> None:
    customer.reseller_id, move.done_at = move.to_reseller_id, now
