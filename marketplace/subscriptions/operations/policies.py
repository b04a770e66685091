"""Saying what is to happen when terms end: for all customers of a reseller, or for one of them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import jobs
from marketplace.core import audit
from marketplace.core.actor import Actor
from marketplace.core.errors import NotFound
from marketplace.core.permit import require
from marketplace.subscriptions.models import RenewalPolicy
from marketplace.subscriptions.queries.policies import policy_of
from marketplace.subscriptions.queries.visible import MANAGES
from marketplace.subscriptions.words import Policy
from resellers.models import Customer, Reseller

#: The job that lets subscriptions follow, enqueued by whoever sets a policy and done by itself every day.
FOLLOW_POLICIES = "orders.follow_policies"


def set_default_policy(
    session: Session, *, actor: Actor, reseller_id: UUID, choice: Policy | None, now: datetime
) -> None:
    """Say what holds for all customers of a reseller without a policy of their own; None: the vendor's default.

    The session must be the owner's. Raises `NotFound`.
    """
    require(actor, MANAGES[actor.audience])
    reseller = session.scalar(select(Reseller).where(Reseller.public_id == reseller_id))
    if reseller is None or actor.reseller_id not in (None, reseller.id) or actor.customer_id is not None:
        raise NotFound
    _set(session, reseller.id, None, choice, actor=actor, now=now)
    _record(session, actor, "reseller", reseller.public_id, reseller.legal_name, choice)


def set_policy(
    session: Session, *, actor: Actor, customer_id: UUID, choice: Policy | None, now: datetime
) -> None:
    """Say what holds for one customer; None: what its reseller says for all. Raises `NotFound`."""
    require(actor, MANAGES[actor.audience])
    customer = session.scalar(select(Customer).where(Customer.public_id == customer_id))
    if (
        customer is None
        or actor.reseller_id not in (None, customer.reseller_id)
        or actor.customer_id is not None
    ):
        raise NotFound
    _set(session, customer.reseller_id, customer.id, choice, actor=actor, now=now)
    _record(session, actor, "customer", customer.public_id, customer.legal_name, choice)


def _set(
    session: Session,
    reseller_id: int,
    customer_id: int | None,
    choice: Policy | None,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    standing = policy_of(session, reseller_id=reseller_id, customer_id=customer_id)
    if standing is not None:
        if standing.choice == choice:
            return
        standing.ended_at = now
        session.flush()  # one stands at a time
    if choice is not None:
        session.add(
            RenewalPolicy(
                reseller_id=reseller_id,
                customer_id=customer_id,
                choice=choice.value,
                set_at=now,
                set_by=actor.name,
            )
        )
        session.flush()  # the job must find it
    jobs.defer(session, FOLLOW_POLICIES, queueing_lock=FOLLOW_POLICIES)


def _record(
    session: Session, actor: Actor, subject: str, subject_id: UUID, name: str, choice: Policy | None
) -> None:
    audit.record(
        session,
        actor=actor,
        action="renewal_policy.set",
        subject=subject,
        subject_id=subject_id,
        after={"name": name, "renewal_policy": choice.value if choice else ""},
    )
