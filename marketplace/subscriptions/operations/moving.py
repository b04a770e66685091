"""A single subscription goes to a customer of another reseller, from any day on; the rest of its customer stays.

What it is and what it costs are its own and go with it: its history, and the price its term holds. The rules of the
reseller it leaves do not. Usage and charges follow from the move: see `marketplace.billing.terms`. On pages it becomes
the other customer's on the day.
"""

from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Text, and_, cast, func, select
from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.actor import Actor, Permission
from marketplace.core.errors import NotFound
from marketplace.core.permit import require
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.words import STANDING
from resellers.conflicts import conflicts_in_words
from resellers.models import Customer, Reseller, SubscriptionMove
from resellers.rules import moves as rules
from resellers.rules.applications import check_reason
from resellers.rules.identity import CUSTOMER_COLUMNS
from resellers.words import ResellerStatus


def move_subscription(
    session: Session,
    *,
    actor: Actor,
    subscription_id: UUID,
    customer: str,
    moves_on: date,
    reason: str,
    now: datetime,
    reseller: str = "",
) -> SubscriptionMove:
    """Move a subscription to a customer, by its reference, from a day on; at once where the day has come.

    Where nobody has the reference and `reseller` is named, the firm is added there under it. Raises `NotFound` and the
    refusals of the rules.
    """
    require(actor, Permission.WHOLESALER_PARTIES_MANAGE)
    reason = check_reason(reason)
    rules.check_day(moves_on, today=now.date())
    subscription = _locked(session, subscription_id)
    if subscription is None:
        raise NotFound
    if subscription.status not in STANDING:
        raise rules.NothingToMove
    leaves = session.get_one(Customer, subscription.customer_id)
    target = session.scalars(select(Customer).where(Customer.reference == customer)).one_or_none()
    if target is None:
        target = _added(session, actor, leaves, reference=customer, reseller=reseller)
    if target.reseller_id == leaves.reseller_id:
        raise rules.StaysWithItsReseller(customer=target.legal_name)
    seller = session.get_one(Reseller, target.reseller_id)
    if seller.status != ResellerStatus.ACTIVE.value:
        raise rules.NotASeller(reseller=seller.legal_name)
    waiting = waiting_subscription_move(session, subscription)
    if waiting is not None:
        raise rules.SubscriptionMovesAlready(day=waiting.moves_on)
    move = SubscriptionMove(
        public_id=uuid4(),
        vendor=subscription.vendor,
        subscription=subscription.statement_id,
        from_customer_id=leaves.id,
        to_customer_id=target.id,
        moves_on=moves_on,
        done_at=None,
        reason=reason,
        created_by=actor.name,
    )
    session.add(move)
    if moves_on <= now.date():
        _carry_out(move, subscription, now=now)
    with conflicts_in_words():
        session.flush()
    audit.record(
        session,
        actor=actor,
        action="subscription.move",
        subject="subscription",
        subject_id=subscription.public_id,
        before={"customer": leaves.reference},
        after={"customer": target.reference, "moves_on": moves_on.isoformat()},
        reason=reason,
    )
    return move


def cancel_subscription_move(session: Session, *, actor: Actor, subscription_id: UUID) -> None:
    """Take a move back that waits for its day. Raises `NotFound`."""
    require(actor, Permission.WHOLESALER_PARTIES_MANAGE)
    subscription = _locked(session, subscription_id)
    move = waiting_subscription_move(session, subscription) if subscription else None
    if subscription is None or move is None:
        raise NotFound
    audit.record(
        session,
        actor=actor,
        action="subscription.cancel_move",
        subject="subscription",
        subject_id=subscription.public_id,
        before={"moves_on": move.moves_on.isoformat()},
    )
    session.delete(move)


def carry_out_subscription_moves(session: Session, *, now: datetime) -> int:
    """Give subscriptions whose day has come to their new customer; give how many. For a job; again changes nothing."""
    due = session.execute(
        select(SubscriptionMove, Subscription)
        .join(Subscription, _is_moved())
        .where(SubscriptionMove.done_at.is_(None), SubscriptionMove.moves_on <= now.date())
        .order_by(SubscriptionMove.moves_on, SubscriptionMove.id)
        .with_for_update(of=SubscriptionMove, skip_locked=True)
    ).all()
    for move, subscription in due:
        _carry_out(move, subscription, now=now)
    return len(due)


def waiting_subscription_move(session: Session, subscription: Subscription) -> SubscriptionMove | None:
    """Give the move of a subscription that waits for its day."""
    return session.scalars(
        select(SubscriptionMove).where(
            SubscriptionMove.vendor == subscription.vendor,
            SubscriptionMove.subscription == subscription.statement_id,
            SubscriptionMove.done_at.is_(None),
        )
    ).one_or_none()


def as_customer_of(leaves: Customer, seller: Reseller, *, reference: str) -> Customer:
    """Give the same firm as a customer of another reseller; it is in no session yet."""
    kept = {name: getattr(leaves, name) for name in CUSTOMER_COLUMNS if name not in {"reference", "reseller"}}
    return Customer(public_id=uuid4(), reference=reference, reseller_id=seller.id, **kept)


def _added(session: Session, actor: Actor, leaves: Customer, *, reference: str, reseller: str) -> Customer:
    """Add the firm at the reseller that takes over. Raises `NoSuchCustomer` where none is named."""
    seller = session.scalars(select(Reseller).where(Reseller.reference == reseller)).one_or_none()
    if seller is None:
        raise rules.NoSuchCustomer(customer=reference)
    if seller.id == leaves.reseller_id:
        raise rules.StaysWithItsReseller(customer=leaves.legal_name)
    added = as_customer_of(leaves, seller, reference=reference)
    session.add(added)
    with conflicts_in_words():
        session.flush()
    audit.record(
        session,
        actor=actor,
        action="customer.add",
        subject="customer",
        subject_id=added.public_id,
        after={"reference": added.reference, "legal_name": added.legal_name, "reseller": seller.reference},
    )
    return added


def _is_moved() -> ColumnElement[bool]:
    """Pair moves with subscriptions by the name statements know them by."""
    name = func.coalesce(
        func.nullif(Subscription.vendor_subscription_id, ""), cast(Subscription.public_id, Text)
    )
    return and_(SubscriptionMove.vendor == Subscription.vendor, SubscriptionMove.subscription == name)


def _locked(session: Session, subscription_id: UUID) -> Subscription | None:
    return session.scalars(
        select(Subscription).where(Subscription.public_id == subscription_id).with_for_update()
    ).one_or_none()


def _carry_out(move: SubscriptionMove, subscription: Subscription, *, now: datetime) -> None:
    subscription.customer_id, move.done_at = move.to_customer_id, now
