"""What was paid of closed statements, as parts of queries, and payment by payment."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from marketplace.billing.models import BillingPeriod, PeriodStatus, Statement, StatementPayment

_PAID = (
    select(func.coalesce(func.sum(StatementPayment.amount_minor), 0))
    .where(StatementPayment.statement_id == Statement.id)
    .correlate(Statement)
    .scalar_subquery()
)
#: What is left of a statement in minor units; below nought where a credit is to be paid out.
LEFT = func.coalesce(Statement.total_minor, 0) - _PAID
IS_CLOSED: ColumnElement[bool] = BillingPeriod.status == PeriodStatus.CLOSED.value


def payments_of(session: Session, statement_id: UUID) -> Sequence[StatementPayment]:
    """Give what was paid of a statement, in its order."""
    return session.scalars(
        select(StatementPayment)
        .where(StatementPayment.statement_id == statement_id)
        .order_by(StatementPayment.paid_on, StatementPayment.id)
    ).all()
