"""Saying which orders need approval, how much may be owed, and which customers may buy for themselves."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.errors import NotFound
from marketplace.core.money import Money
from marketplace.core.permit import require
from marketplace.orders.models import CustomerBuying, OrderRule
from marketplace.orders.operations.checking import as_rule
from marketplace.orders.operations.deciding import go_on_where_credit_reaches
from marketplace.orders.queries.exposure import Debtor, debtor_called
from marketplace.orders.rules.approvals import rule_words
from marketplace.orders.words import OrderKind
from resellers.models import Customer, Reseller
from resellers.operations.standing import change_credit


def add_rule(
    session: Session,
    *,
    actor: Actor,
    kind: OrderKind | None,
    role: str,
    above: Money | None,
    now: datetime,
) -> OrderRule:
    """Ask for approval of some orders from now on: the wholesaler of all, a reseller of its own."""
    require(actor, _APPROVES[actor.audience])
    rule = OrderRule(
        reseller_id=actor.reseller_id,
        kind=kind.value if kind else "",
        role=role,
        above_minor=above.minor if above else None,
        currency=above.currency if above else None,
        created_at=now,
        created_by=actor.name,
    )
    session.add(rule)
    session.flush()  # the trail needs its id
    _record(
        session, actor, "order_rule.add", "order_rule", rule.public_id, rule=str(rule_words(as_rule(rule)))
    )
    return rule


def end_rule(session: Session, *, actor: Actor, rule_id: UUID, now: datetime) -> OrderRule:
    """Ask no more. Orders that wait already go on waiting."""
    require(actor, _APPROVES[actor.audience])
    rule = session.scalar(
        select(OrderRule)
        .where(OrderRule.public_id == rule_id, OrderRule.reseller_id.is_not_distinct_from(actor.reseller_id))
        .with_for_update()
    )
    if rule is None:
        raise NotFound
    rule.ended_at = rule.ended_at or now
    _record(
        session, actor, "order_rule.end", "order_rule", rule.public_id, rule=str(rule_words(as_rule(rule)))
    )
    return rule


def set_credit(
    session: Session,
    *,
    actor: Actor,
    reseller_id: UUID,
    limit: Decimal | None,
    payment_days: int,
    now: datetime,
    customer: str = "",
) -> int:
    """Say how much a reseller, or a customer named by reference, may owe; orders that now fit go on. Give how many did.

    Raises `NotFound`, `UnusableTerms`.
    """
    require(actor, Permission.WHOLESALER_CREDIT_MANAGE)
    change_credit(
        session,
        actor=actor,
        reseller_id=reseller_id,
        customer=customer,
        credit_limit=limit,
        payment_days=payment_days,
    )
    session.flush()  # held orders are checked against it
    reseller = session.scalars(select(Reseller).where(Reseller.public_id == reseller_id)).one()
    debtor = debtor_called(reseller)
    if customer:
        owing = session.scalars(select(Customer).where(Customer.reference == customer)).one()
        debtor = Debtor(reseller.id, owing.id, owing.legal_name, owing.currency)
    return go_on_where_credit_reaches(session, actor=actor, debtor=debtor, now=now)


def set_buying(
    session: Session,
    *,
    actor: Actor,
    customer_id: UUID,
    may_buy: bool,
    needs_approval: bool,
    now: datetime,
) -> CustomerBuying:
    """Say whether a customer may buy for itself, and whether its reseller looks at each order first."""
    require(actor, Permission.RESELLER_ORDERS_APPROVE)
    customer = session.scalar(
        select(Customer).where(
            Customer.public_id == customer_id, Customer.reseller_id == (actor.reseller_id or 0)
        )
    )
    if customer is None:
        raise NotFound
    chosen = session.merge(
        CustomerBuying(
            customer_id=customer.id,
            may_buy=may_buy,
            needs_approval=needs_approval,
            set_at=now,
            set_by=actor.name,
        )
    )
    _record(
        session,
        actor,
        "customer.buying",
        "customer",
        customer.public_id,
        name=customer.legal_name,
        may_buy=may_buy,
        needs_approval=needs_approval,
    )
    return chosen


_APPROVES = {
    Audience.WHOLESALER: Permission.WHOLESALER_ORDERS_APPROVE,
    Audience.RESELLER: Permission.RESELLER_ORDERS_APPROVE,
    # Customers have no such rules: theirs is no permission of any customer's role.
    Audience.CUSTOMER: Permission.WHOLESALER_ORDERS_APPROVE,
}


def _record(
    session: Session, actor: Actor, action: str, subject: str, subject_id: object, **facts: object
) -> None:
    audit.record(session, actor=actor, action=action, subject=subject, subject_id=subject_id, after=facts)
