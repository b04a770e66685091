"""Closed statements, what is left to be paid of each, and what was paid lately. For the owner's session."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import cast
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from marketplace.billing.models import BillingPeriod, Statement, StatementPayment
from marketplace.billing.queries.paid import IS_CLOSED, LEFT
from marketplace.core.money import Money
from marketplace.core.period import Period
from resellers.models import Customer


@dataclass(frozen=True, slots=True)
class OpenStatement:
    """A closed statement that is not paid whole."""

    id: UUID
    period: Period
    customer: str
    total: Money
    left: Money
    due_on: date
    is_overdue: bool


def left_of(session: Session, wanted: ColumnElement[bool], *, today: date) -> tuple[int, int]:
    """Add up what is left of closed statements in minor units, and what of it should have been paid by now."""
    is_late = (Statement.due_on < today) & (LEFT > 0)
    left, overdue = session.execute(
        select(func.coalesce(func.sum(LEFT), 0), func.coalesce(func.sum(case((is_late, LEFT), else_=0)), 0))
        .select_from(Statement)
        .join(BillingPeriod, BillingPeriod.period == Statement.period)
        .where(wanted, IS_CLOSED)
    ).one()
    return int(left), int(overdue)


def open_statements(
    session: Session, wanted: ColumnElement[bool], *, today: date, limit: int
) -> Sequence[OpenStatement]:
    """Give closed statements that are not paid whole, the oldest first."""
    found = session.execute(
        select(Statement, Customer.legal_name, LEFT)
        .join(BillingPeriod, BillingPeriod.period == Statement.period)
        .join(Customer, Customer.id == Statement.customer_id)
        .where(wanted, IS_CLOSED, LEFT != 0)
        .order_by(Statement.period, Customer.legal_name)
        .limit(limit)
    )
    shown = []
    for statement, customer, left in found:
        due = cast("date", statement.due_on)  # whatever is closed has one
        shown.append(
            OpenStatement(
                statement.id,
                Period.from_number(statement.period),
                customer,
                Money(statement.total_minor or 0, statement.currency),
                Money(int(left), statement.currency),
                due,
                is_overdue=due < today and left > 0,
            )
        )
    return shown


@dataclass(frozen=True, slots=True)
class NotedPayment:
    """A payment among the latest that were noted."""

    statement_id: UUID
    period: Period
    customer: str
    amount: Money
    paid_on: date
    noted_by: str


def paid_lately(session: Session, wanted: ColumnElement[bool], *, limit: int) -> Sequence[NotedPayment]:
    """Give the payments that were noted last, the latest first."""
    found = session.execute(
        select(StatementPayment, Statement.period, Statement.currency, Customer.legal_name)
        .join(Statement, Statement.id == StatementPayment.statement_id)
        .join(Customer, Customer.id == Statement.customer_id)
        .where(wanted)
        .order_by(StatementPayment.id.desc())
        .limit(limit)
    )
    return [
        NotedPayment(
            one.statement_id,
            Period.from_number(period),
            customer,
            one.amount(currency),
            one.paid_on,
            one.noted_by,
        )
        for one, period, currency, customer in found
    ]


def locked_statements(session: Session, ids: Collection[UUID]) -> dict[UUID, tuple[Statement, str, int]]:
    """Give statements with their period's status and what is left of each, held until the transaction ends."""
    statements = session.scalars(
        select(Statement).where(Statement.id.in_(ids)).order_by(Statement.id).with_for_update()
    ).all()
    # Asked once the rows are held: somebody may have noted a payment meanwhile.
    facts = {
        id_: (status, int(left))
        for id_, status, left in session.execute(
            select(Statement.id, BillingPeriod.status, LEFT)
            .join(BillingPeriod, BillingPeriod.period == Statement.period)
            .where(Statement.id.in_(ids))
        )
    }
    return {one.id: (one, *facts[one.id]) for one in statements}
