"""Approving and refusing orders, cancelling them, and letting those go on whose credit reaches again."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.operations.notifying import notify_party, notify_user
from marketplace.core import audit
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.errors import N_, NotFound, Phrase, Refusal
from marketplace.core.permit import require
from marketplace.orders.models import Order, OrderApproval
from marketplace.orders.operations.asking import stop
from marketplace.orders.operations.checking import (
    credit_check,
    go_on_if_nothing_is_open,
    lock_credit,
    open_approvals,
)
from marketplace.orders.operations.history import note, turn
from marketplace.orders.queries.exposure import Debtor, debtor_of
from marketplace.orders.queries.visible import PLACES, locked
from marketplace.orders.rules.approvals import check_decider
from marketplace.orders.rules.states import OrderHasMovedOn, state_words
from marketplace.orders.words import ApprovalKind, Decision, OrderState, Party
from resellers.models import Customer

_MOST_LETTERS = 1000
_APPROVED = N_("Approved: %(why)s")
_WAIVED = N_("Let pass although credit does not reach: %(reason)s")
_REFUSED = N_("Refused by %(name)s: %(reason)s")
_REJECTED = N_("%(order)s for %(customer)s was refused: %(reason)s")
_REACHES = N_("Credit reaches again.")
_WITHDRAWN = N_("Withdrawn by %(name)s.")


class AlreadyDecided(Refusal):
    """Somebody else was quicker."""

    sentence = N_("%(name)s has decided this already: the order is %(state)s.")


class ReasonMissing(Refusal):
    """A refusal, or passing a limit, without words."""

    sentence = N_("Write why, in a few words: whoever ordered reads it.")


def approve(session: Session, *, actor: Actor, approval_id: UUID, now: datetime, reason: str = "") -> Order:
    """Approve what an order waits for; after the last approval it goes on. Of two at once, one wins.

    Passing a credit limit needs a reason. Raises `AlreadyDecided`, `NotYourOwn`, `SomebodyElseDecides`.
    """
    order, approval = _to_decide(session, actor=actor, approval_id=approval_id)
    said = reason.strip()[:_MOST_LETTERS]
    if approval.kind == ApprovalKind.CREDIT:
        require(actor, Permission.WHOLESALER_CREDIT_MANAGE)
        if not said:
            raise ReasonMissing
        words = Phrase.of(_WAIVED, reason=said)
    else:
        words = Phrase.of(_APPROVED, why=approval.words)
    _decide(session, order, approval, Decision.APPROVED, actor=actor, now=now, note=said)
    note(session, order, actor=actor, now=now, words=words)
    session.flush()  # what is still open is looked up
    go_on_if_nothing_is_open(session, order, actor=actor, now=now)
    return order


def refuse(session: Session, *, actor: Actor, approval_id: UUID, reason: str, now: datetime) -> Order:
    """Refuse an order, with the reason, which whoever ordered is told."""
    order, approval = _to_decide(session, actor=actor, approval_id=approval_id)
    said = reason.strip()[:_MOST_LETTERS]
    if not said:
        raise ReasonMissing
    _decide(session, order, approval, Decision.REFUSED, actor=actor, now=now, note=said)
    _lapse(session, order, actor=actor, now=now)
    words = Phrase.of(_REFUSED, name=actor.name, reason=said)
    turn(session, order, OrderState.REJECTED, actor=actor, now=now, words=words)
    customer = session.get_one(Customer, order.customer_id)
    _tell_rejected(session, order, customer, said)
    return order


def cancel(session: Session, *, actor: Actor, order_id: UUID, now: datetime) -> Order:
    """Withdraw an order that no vendor was asked for yet, or one that failed. Raises `OrderHasMovedOn`."""
    require(actor, PLACES[actor.audience])
    order = locked(session, actor=actor, order_id=order_id)
    words = Phrase.of(_WITHDRAWN, name=actor.name)
    turn(session, order, OrderState.CANCELLED, actor=actor, now=now, words=words)
    stop(session, order)
    _lapse(session, order, actor=actor, now=now)
    return order


def go_on_where_credit_reaches(session: Session, *, actor: Actor, debtor: Debtor, now: datetime) -> int:
    """Let orders of a debtor go on that credit held back and no longer does, the oldest first; give how many."""
    lock_credit(session, debtor)
    held = session.scalars(
        select(Order)
        .join(OrderApproval, OrderApproval.order_id == Order.id)
        .where(
            OrderApproval.kind == ApprovalKind.CREDIT.value,
            OrderApproval.decided_at.is_(None),
            Order.state == OrderState.AWAITING_APPROVAL.value,
            Order.reseller_id == debtor.reseller_id,
        )
        .order_by(Order.id)
        .with_for_update(of=Order)
    ).all()
    released = 0
    for order in held:
        customer = session.get_one(Customer, order.customer_id)
        if debtor_of(session, customer, day=now.date()) != debtor:
            continue
        found = credit_check(session, order, today=now.date())
        if found is not None and not found.is_within:
            continue
        for approval in open_approvals(session, order):
            if approval.kind == ApprovalKind.CREDIT:
                _decide(session, order, approval, Decision.LAPSED, actor=actor, now=now)
        note(session, order, actor=actor, now=now, words=Phrase.of(_REACHES))
        session.flush()  # what is still open is looked up
        go_on_if_nothing_is_open(session, order, actor=actor, now=now)
        released += 1
    return released


def look_at_credit_again(session: Session, *, actor: Actor, now: datetime) -> int:
    """Let every held order go on that credit reaches by now: limits are raised elsewhere too, and what is owed shrinks."""
    customers = session.scalars(
        select(Customer)
        .join(Order, Order.customer_id == Customer.id)
        .join(OrderApproval, OrderApproval.order_id == Order.id)
        .where(
            OrderApproval.kind == ApprovalKind.CREDIT.value,
            OrderApproval.decided_at.is_(None),
            Order.state == OrderState.AWAITING_APPROVAL.value,
        )
        .distinct()
    ).all()
    debtors = {debtor_of(session, customer, day=now.date()) for customer in customers}
    return sum(
        go_on_where_credit_reaches(session, actor=actor, debtor=debtor, now=now)
        for debtor in sorted(debtors, key=lambda one: one.key)
    )


def _to_decide(session: Session, *, actor: Actor, approval_id: UUID) -> tuple[Order, OrderApproval]:
    """Give an approval with its order, both locked, if the actor may decide it and nobody has."""
    found = session.scalar(select(OrderApproval).where(OrderApproval.public_id == approval_id))
    if found is None:
        raise NotFound
    order_id = session.scalars(select(Order.public_id).where(Order.id == found.order_id)).one()
    order = locked(session, actor=actor, order_id=order_id)
    approval = session.get_one(OrderApproval, found.id, with_for_update=True, populate_existing=True)
    check_decider(actor, Party(approval.party), placed_by_id=order.submitted_by_id)
    if approval.decided_at is not None:
        raise AlreadyDecided(name=approval.decided_by, state=state_words(order.state))
    if order.state != OrderState.AWAITING_APPROVAL:
        raise OrderHasMovedOn(state=state_words(order.state))
    return order, approval


def _decide(
    session: Session,
    order: Order,
    approval: OrderApproval,
    decision: Decision,
    *,
    actor: Actor,
    now: datetime,
    note: str = "",
) -> None:
    approval.decided_at, approval.decision, approval.decided_by = now, decision.value, actor.name
    approval.note = note
    audit.record(
        session,
        actor=actor,
        action="order_approval.decide",
        subject="sales_order",
        subject_id=order.public_id,
        after={"name": order.name, "kind": approval.kind, "decision": decision.value},
        reason=note,
    )


def _lapse(session: Session, order: Order, *, actor: Actor, now: datetime) -> None:
    """Nobody has to decide about the rest any more."""
    session.flush()  # what was decided is not open
    for approval in open_approvals(session, order):
        approval.decided_at, approval.decision, approval.decided_by = (
            now,
            Decision.LAPSED.value,
            actor.name,
        )


def _tell_rejected(session: Session, order: Order, customer: Customer, reason: str) -> None:
    """Tell who ordered why it was refused, and the reseller where that was a customer of its."""
    phrase = Phrase.of(_REJECTED, order=order.name, customer=customer.legal_name, reason=reason)
    audience = Audience(order.audience)
    if order.submitted_by_id is not None:
        party = {Audience.RESELLER: order.reseller_id, Audience.CUSTOMER: order.customer_id}.get(audience)
        shell = {Audience.WHOLESALER: "/admin", Audience.CUSTOMER: "/portal"}.get(audience, "")
        notify_user(
            session,
            user_id=order.submitted_by_id,
            audience=audience,
            party_id=party,
            phrase=phrase,
            link=f"{shell}/orders/{order.public_id}",
        )
    if audience is not Audience.RESELLER or order.submitted_by_id is None:
        notify_party(
            session,
            audience=Audience.RESELLER,
            party_id=order.reseller_id,
            permission=Permission.RESELLER_ORDERS_PLACE,
            phrase=phrase,
            link=f"/orders/{order.public_id}",
        )
