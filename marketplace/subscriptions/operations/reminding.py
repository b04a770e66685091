"""Telling people in time that a term ends, and keeping what the customer says to it."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as insert_or_not
from sqlalchemy.orm import Session

from marketplace.accounts.operations.notifying import notify_party
from marketplace.core import audit
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.errors import N_, NotFound, Phrase, Refusal
from marketplace.core.permit import require
from marketplace.subscriptions.models import RenewalAnswer, RenewalReminder, Subscription
from marketplace.subscriptions.queries.listed import LATEST
from marketplace.subscriptions.queries.visible import visible_to
from marketplace.subscriptions.words import STANDING, AtTermEnd
from resellers.models import Customer

#: How many days before a term ends people are told.
DAYS_BEFORE = (60, 30, 7)

_WORDS = {
    AtTermEnd.RENEW: N_("%(seats)s × %(product)s of %(customer)s renew on %(day)s."),
    AtTermEnd.END: N_("%(seats)s × %(product)s of %(customer)s end on %(day)s."),
    AtTermEnd.EXTEND: N_("%(seats)s × %(product)s of %(customer)s go on by the month from %(day)s, dearer."),
}


class NothingRenews(Refusal):
    """The subscription has no term that ends."""

    sentence = N_("This subscription has no renewal to answer for.")


def remind(session: Session, *, actor: Actor, day: date) -> int:
    """Tell resellers and customers of terms that end soon, once for each distance; give how many were reminded of.

    Who was told 30 days before is not told 60 days before any more: a run that was missed makes up for the nearest.
    """
    require(actor, Permission.WHOLESALER_SUBSCRIPTIONS_MANAGE)
    reminded = 0
    for row in _ending(session, day):
        subscription, product, customer = row
        left = (subscription.term_end - day).days
        distance = min(days for days in DAYS_BEFORE if left <= days)
        fresh = session.execute(
            insert_or_not(RenewalReminder)
            .values(subscription_id=subscription.id, term_end=subscription.term_end, days_before=distance)
            .on_conflict_do_nothing()
            .returning(RenewalReminder.id)
        ).scalar()
        if fresh is None:
            continue
        _tell(session, subscription, product, customer)
        reminded += 1
    return reminded


def _ending(session: Session, day: date) -> Sequence[Any]:
    """Give what ends within the longest distance and is no monthly term, which ends all the time."""
    return session.execute(
        select(Subscription, LATEST.c.product, Customer)
        .join(LATEST, LATEST.c.subscription_id == Subscription.id)
        .join(Customer, Customer.id == Subscription.customer_id)
        .where(
            Subscription.status.in_(STANDING),
            Subscription.term_end > day,
            Subscription.term_end <= day + timedelta(days=max(DAYS_BEFORE)),
            LATEST.c.term != "P1M",
        )
        .order_by(Subscription.term_end, Subscription.id)
    ).all()


def _tell(session: Session, subscription: Subscription, product: str, customer: Customer) -> None:
    phrase = Phrase.of(
        _WORDS[AtTermEnd(subscription.at_term_end)],
        seats=subscription.quantity,
        product=subscription.friendly_name or product,
        customer=customer.legal_name,
        day=subscription.term_end.isoformat() if subscription.term_end else "",
    )
    for audience, party_id, permission, shell in (
        (Audience.RESELLER, customer.reseller_id, Permission.RESELLER_SUBSCRIPTIONS_VIEW, ""),
        (Audience.CUSTOMER, customer.id, Permission.CUSTOMER_SUBSCRIPTIONS_VIEW, "/portal"),
    ):
        notify_party(
            session,
            audience=audience,
            party_id=party_id,
            permission=permission,
            phrase=phrase,
            link=f"{shell}/subscriptions/{subscription.public_id}",
        )


def answer_renewal(
    session: Session, *, actor: Actor, subscription_id: UUID, choice: AtTermEnd, now: datetime
) -> RenewalAnswer:
    """Keep what the customer says to the renewal, with the moment and the name. Raises `NotFound`, `NothingRenews`.

    It decides nothing by itself: the reseller sees it, and orders what is to be changed.
    """
    require(actor, Permission.CUSTOMER_SUBSCRIPTIONS_MANAGE)
    subscription = session.scalar(visible_to(actor).where(Subscription.public_id == subscription_id))
    if subscription is None:
        raise NotFound
    if subscription.term_end is None or subscription.status not in STANDING:
        raise NothingRenews
    answer = session.scalars(
        insert(RenewalAnswer).returning(RenewalAnswer),
        {
            "subscription_id": subscription.id,
            "term_end": subscription.term_end,
            "choice": choice.value,
            "answered_at": now,
            "answered_by": actor.name,
        },
    ).one()
    audit.record(
        session,
        actor=actor,
        action="subscription.answer_renewal",
        subject="subscription",
        subject_id=subscription.public_id,
        after={"at_term_end": choice.value, "term_end": subscription.term_end.isoformat()},
    )
    return answer
