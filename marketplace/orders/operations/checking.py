"""How far an order may go by itself: who must approve it, whether credit reaches, and when it is carried out."""

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import or_, select, text
from sqlalchemy.orm import Session

from marketplace.accounts.operations.notifying import notify_party
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.errors import N_, Phrase
from marketplace.core.money import Money
from marketplace.orders.models import CustomerBuying, Order, OrderApproval, OrderRule
from marketplace.orders.operations.asking import begin
from marketplace.orders.operations.history import turn
from marketplace.orders.operations.pricing import commitments
from marketplace.orders.queries.exposure import Debtor, debtor_of, limit_of, owed_by
from marketplace.orders.rules.approvals import ApprovalRule, OrderFacts, reasons
from marketplace.orders.rules.credit import CreditCheck, check
from marketplace.orders.words import ApprovalKind, Decision, OrderKind, OrderState, Party, PriceHop
from resellers.models import Customer

_WANTED = N_("%(order)s for %(customer)s waits for your approval: %(why)s")
_HELD = N_("%(order)s for %(customer)s is held back. %(why)s")
_CUSTOMER_BUYS = N_("Ordered by the customer itself")


def route(session: Session, order: Order, *, actor: Actor, now: datetime) -> None:
    """Ask for every approval a submitted order needs; without any, it goes on."""
    customer = session.get_one(Customer, order.customer_id)
    wanted = [
        *_by_rule(session, order, actor=actor, now=now),
        *_by_credit(session, order, customer, now=now),
    ]
    if not wanted:
        release(session, order, actor=actor, now=now)
        return
    session.add_all(wanted)
    why = wanted[0].words
    turn(session, order, OrderState.AWAITING_APPROVAL, actor=actor, now=now, words=why)
    session.flush()  # who is told must not be told of what is not there
    for one in wanted:
        tell_who_decides(session, order, one, customer=customer)


def release(session: Session, order: Order, *, actor: Actor, now: datetime) -> None:
    """Let an order that nothing holds back any more be carried out, now or on its day."""
    if order.starts_on is not None and order.starts_on > now.date():
        turn(session, order, OrderState.SCHEDULED, actor=actor, now=now)
        return
    turn(session, order, OrderState.PROVISIONING, actor=actor, now=now)
    begin(session, order, actor=actor, now=now)


def release_due(session: Session, *, actor: Actor, now: datetime) -> int:
    """Let the orders go whose day has come; give how many. Doing it again does nothing."""
    due = session.scalars(
        select(Order)
        .where(Order.state == OrderState.SCHEDULED.value, Order.starts_on <= now.date())
        .order_by(Order.id)
        .with_for_update(skip_locked=True)
    ).all()
    for order in due:
        release(session, order, actor=actor, now=now)
    return len(due)


def open_approvals(session: Session, order: Order) -> list[OrderApproval]:
    """Give what an order waits for."""
    return list(
        session.scalars(
            select(OrderApproval)
            .where(OrderApproval.order_id == order.id, OrderApproval.decided_at.is_(None))
            .order_by(OrderApproval.id)
        )
    )


def go_on_if_nothing_is_open(session: Session, order: Order, *, actor: Actor, now: datetime) -> None:
    """Release an order once its last approval is there. Credit is looked at again: others may have ordered since."""
    if open_approvals(session, order):
        return
    was_waived = session.scalar(
        select(OrderApproval.id).where(
            OrderApproval.order_id == order.id,
            OrderApproval.kind == ApprovalKind.CREDIT.value,
            OrderApproval.decision == Decision.APPROVED.value,
        )
    )
    if was_waived is None:
        customer = session.get_one(Customer, order.customer_id)
        held = _by_credit(session, order, customer, now=now)
        if held:
            session.add_all(held)
            session.flush()  # as above
            for one in held:
                tell_who_decides(session, order, one, customer=customer)
            return
    release(session, order, actor=actor, now=now)


def credit_check(session: Session, order: Order, *, today: date) -> CreditCheck | None:
    """Compare an order with the credit of whoever owes for it; None where what it commits to is not known."""
    debtor = debtor_of(session, session.get_one(Customer, order.customer_id), day=today)
    hop = PriceHop.RETAIL if debtor.customer_id is not None else PriceHop.WHOLESALE
    amount = commitments(session, [order.id]).get(order.id, {}).get(hop)
    if amount is None or amount.currency != debtor.currency:
        return None
    return check_for(session, debtor, amount, today=today, apart_from=order.id)


def check_for(
    session: Session, debtor: Debtor, amount: Money, *, today: date, apart_from: int | None = None
) -> CreditCheck:
    """Compare an amount with the credit of a debtor."""
    owed = owed_by(session, debtor, today=today, apart_from=apart_from)
    limit = limit_of(session, debtor)
    return check(owed.exposure, amount, limit=limit, today=today, renewals=owed.renewals, daily=owed.daily)


def lock_credit(session: Session, debtor: Debtor) -> None:
    """Let orders of one debtor be checked one after the other: two at once must not share what is left."""
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": debtor.key})


def tell_who_decides(session: Session, order: Order, approval: OrderApproval, *, customer: Customer) -> None:
    """Tell those who may decide; of a credit hold, the reseller too."""
    sentence = _HELD if approval.kind == ApprovalKind.CREDIT else _WANTED
    phrase = Phrase.of(sentence, order=order.name, customer=customer.legal_name, why=approval.words)
    if approval.party == Party.WHOLESALER:
        needed = (
            Permission.WHOLESALER_CREDIT_MANAGE
            if approval.kind == ApprovalKind.CREDIT
            else Permission.WHOLESALER_ORDERS_APPROVE
        )
        notify_party(
            session,
            audience=Audience.WHOLESALER,
            party_id=None,
            permission=needed,
            phrase=phrase,
            link=f"/admin/orders/{order.public_id}",
        )
    if approval.party == Party.RESELLER or approval.kind == ApprovalKind.CREDIT:
        notify_party(
            session,
            audience=Audience.RESELLER,
            party_id=order.reseller_id,
            permission=Permission.RESELLER_ORDERS_APPROVE,
            phrase=phrase,
            link=f"/orders/{order.public_id}",
        )


def _by_rule(session: Session, order: Order, *, actor: Actor, now: datetime) -> list[OrderApproval]:
    amounts = commitments(session, [order.id]).get(order.id, {})
    facts = OrderFacts(
        kind=OrderKind(order.kind),
        audience=actor.audience,
        role=order.submitted_role,
        wholesale=amounts.get(PriceHop.WHOLESALE),
        retail=amounts.get(PriceHop.RETAIL),
    )
    rules = session.scalars(
        select(OrderRule)
        .where(
            OrderRule.ended_at.is_(None),
            or_(OrderRule.reseller_id.is_(None), OrderRule.reseller_id == order.reseller_id),
        )
        .order_by(OrderRule.id)
    )
    wanted = [
        _approval(order, party, ApprovalKind.RULE, words, now=now)
        for party, words in reasons(map(as_rule, rules), facts).items()
    ]
    if actor.audience is Audience.CUSTOMER and not any(one.party == Party.RESELLER for one in wanted):
        allowed = session.get(CustomerBuying, order.customer_id)
        if allowed is None or not allowed.may_buy or allowed.needs_approval:
            words = Phrase.of(_CUSTOMER_BUYS)
            wanted.append(_approval(order, Party.RESELLER, ApprovalKind.CUSTOMER, words, now=now))
    return wanted


def as_rule(row: OrderRule) -> ApprovalRule:
    """Give a stored rule as rules know it."""
    return ApprovalRule(
        party=Party.WHOLESALER if row.reseller_id is None else Party.RESELLER,
        kind=OrderKind(row.kind) if row.kind else None,
        role=row.role,
        above=Money(row.above_minor, row.currency or "") if row.above_minor is not None else None,
    )


def _by_credit(
    session: Session, order: Order, customer: Customer, *, now: datetime
) -> Iterable[OrderApproval]:
    lock_credit(session, debtor_of(session, customer, day=now.date()))
    found = credit_check(session, order, today=now.date())
    if found is None or found.is_within:
        return []
    return [_approval(order, Party.WHOLESALER, ApprovalKind.CREDIT, found.words, now=now)]


def _approval(
    order: Order, party: Party, kind: ApprovalKind, words: Phrase, *, now: datetime
) -> OrderApproval:
    return OrderApproval(order_id=order.id, party=party.value, kind=kind.value, words=words, created_at=now)
