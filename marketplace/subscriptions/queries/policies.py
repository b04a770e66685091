"""What resellers want done when terms end."""

from typing import Any, TypeVarTuple

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session, aliased

from marketplace.core.actor import Actor, Audience
from marketplace.subscriptions.models import RenewalPolicy, Subscription
from marketplace.subscriptions.words import STANDING, AtTermEnd, DecidedBy
from resellers.models import Customer, Reseller

Columns = TypeVarTuple("Columns")
OWN, DEFAULT = aliased(RenewalPolicy, name="own_policy"), aliased(RenewalPolicy, name="default_policy")
#: What holds for the customer of a row: its own policy, else its reseller's for all. Joined by `with_policies`.
CHOICE = func.coalesce(OWN.choice, DEFAULT.choice, "")


def with_policies(statement: Select[*Columns]) -> Select[*Columns]:
    """Join the policies to a selection that has the customer in it."""
    return statement.outerjoin(
        OWN,
        (OWN.reseller_id == Customer.reseller_id) & (OWN.customer_id == Customer.id) & OWN.ended_at.is_(None),
    ).outerjoin(
        DEFAULT,
        (DEFAULT.reseller_id == Customer.reseller_id)
        & DEFAULT.customer_id.is_(None)
        & DEFAULT.ended_at.is_(None),
    )


def holds(choice: str) -> ColumnElement[bool]:
    """Choose the rows whose customer a policy holds for."""
    return CHOICE.in_([choice])


def policy_of(session: Session, *, reseller_id: int, customer_id: int | None) -> RenewalPolicy | None:
    """Give the policy that stands for a customer itself, or for all of a reseller's."""
    return session.scalar(
        select(RenewalPolicy).where(
            RenewalPolicy.reseller_id == reseller_id,
            RenewalPolicy.customer_id.is_not_distinct_from(customer_id),
            RenewalPolicy.ended_at.is_(None),
        )
    )


def undecided_under_policies() -> Select[Subscription, str]:
    """Select what stands, with what its policy says, where nobody decided and the policy does not leave it to be asked."""
    return with_policies(
        select(Subscription, CHOICE).join(Customer, Customer.id == Subscription.customer_id)
    ).where(
        Subscription.status.in_(STANDING),
        Subscription.decided_by == DecidedBy.NOBODY.value,
        Subscription.term_end.is_not(None),
        CHOICE.in_([choice.value for choice in AtTermEnd]),
    )


def customers_with_policies(actor: Actor) -> Select[*tuple[Any, ...]]:
    """Select the customers a seller says what renews for: customer, reseller, its own policy and its reseller's for all."""
    statement = with_policies(
        select(Customer, Reseller, OWN, DEFAULT).join(Reseller, Reseller.id == Customer.reseller_id)
    )
    if actor.audience is Audience.WHOLESALER:
        return statement
    return statement.where(Customer.reseller_id == (actor.reseller_id or 0))
