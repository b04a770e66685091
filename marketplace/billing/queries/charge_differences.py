"""The queue of differences between vendors' licence lines and our charges."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from marketplace.billing.models import ChargeDifference
from marketplace.core.money import Money
from marketplace.core.period import Period
from marketplace.subscriptions.models import Subscription
from resellers.models import Customer

#: What is at stake: whatever the vendor has more or less than we.
AT_STAKE = func.abs(ChargeDifference.billed - ChargeDifference.own)


def list_charge_differences(period: Period | None) -> Select[*tuple[Any, ...]]:
    """Select differences with the customer's name and the subscription's address, the dearest first."""
    statement = (
        select(ChargeDifference, Customer.legal_name, Subscription.public_id)
        .outerjoin(Customer, Customer.id == ChargeDifference.customer_id)
        .outerjoin(Subscription, Subscription.id == ChargeDifference.subscription_id)
        .order_by(AT_STAKE.desc(), ChargeDifference.id)
    )
    return statement if period is None else statement.where(ChargeDifference.period == period.number)


def at_stake(session: Session, period: Period) -> list[tuple[str, int, Money]]:
    """Give for each kind and currency how many unsettled differences a month has and what is at stake."""
    rows = session.execute(
        select(ChargeDifference.kind, ChargeDifference.currency, func.count(), func.sum(AT_STAKE))
        .where(ChargeDifference.period == period.number, ChargeDifference.settled_at.is_(None))
        .group_by(ChargeDifference.kind, ChargeDifference.currency)
        .order_by(ChargeDifference.kind, ChargeDifference.currency)
    )
    return [(kind, count, Money.rounded(amount, currency)) for kind, currency, count, amount in rows]


def periods_with_differences(session: Session) -> list[Period]:
    """Give the months that have any, the newest first."""
    numbers = session.scalars(
        select(ChargeDifference.period).distinct().order_by(ChargeDifference.period.desc())
    )
    return [Period.from_number(number) for number in numbers]


def find_charge_difference(session: Session, identity: UUID) -> ChargeDifference | None:
    """Give one difference."""
    return session.scalar(select(ChargeDifference).where(ChargeDifference.public_id == identity))
