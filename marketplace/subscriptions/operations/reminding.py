"""Telling people in time that a term ends: under the bell, and customers by a link with which they answer."""

from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as insert_or_not
from sqlalchemy.orm import Session

from marketplace.accounts.operations.notifying import notify_party
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.errors import N_, Phrase
from marketplace.core.permit import require
from marketplace.subscriptions.models import RenewalReminder, Subscription
from marketplace.subscriptions.operations.renewal_links import Ending, mail_links
from marketplace.subscriptions.queries.listed import LATEST
from marketplace.subscriptions.words import STANDING, AtTermEnd
from resellers.models import Customer

#: How many days before a term ends people are told.
DAYS_BEFORE = (60, 30, 7)

_WORDS = {
    AtTermEnd.RENEW: N_("%(seats)s × %(product)s of %(customer)s renew on %(day)s."),
    AtTermEnd.END: N_("%(seats)s × %(product)s of %(customer)s end on %(day)s."),
    AtTermEnd.EXTEND: N_("%(seats)s × %(product)s of %(customer)s go on by the month from %(day)s, dearer."),
}


def remind(session: Session, *, actor: Actor, site_url: str, day: date, now: datetime) -> int:
    """Tell resellers and customers of terms that end soon, once for each distance; give how many were reminded of.

    Who was told 30 days before is not told 60 days before any more: a run that was missed makes up for the nearest.
    """
    require(actor, Permission.WHOLESALER_SUBSCRIPTIONS_MANAGE)
    fresh = []
    for one in _ending(session, day):
        end = one.subscription.term_end or day
        distance = min(days for days in DAYS_BEFORE if (end - day).days <= days)
        added = session.execute(
            insert_or_not(RenewalReminder)
            .values(subscription_id=one.subscription.id, term_end=end, days_before=distance)
            .on_conflict_do_nothing()
            .returning(RenewalReminder.id)
        ).scalar()
        if added is not None:
            fresh.append(one)
            _tell(session, one)
    mail_links(session, fresh, actor=actor, site_url=site_url, now=now)
    return len(fresh)


def _ending(session: Session, day: date) -> list[Ending]:
    """Give what ends within the longest distance and is no monthly term, which ends all the time."""
    rows = session.execute(
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
    )
    return [Ending(*row) for row in rows]


def _tell(session: Session, one: Ending) -> None:
    subscription, customer = one.subscription, one.customer
    phrase = Phrase.of(
        _WORDS[AtTermEnd(subscription.at_term_end)],
        seats=subscription.quantity,
        product=one.name,
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
