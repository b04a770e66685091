"""Links with which customers answer for renewals without signing in: made, mailed in their language, and followed."""

import secrets
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from babel import Locale
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import jobs
from marketplace.accounts.models import Membership, User
from marketplace.accounts.operations.mailing import SEND_MAILS, write_mail
from marketplace.core import audit, written
from marketplace.core.actor import Actor, Audience
from marketplace.core.errors import N_, NotFound, Refusal
from marketplace.core.languages import SPOKEN, catalogue, language_of_country
from marketplace.core.look import Letterhead
from marketplace.core.period import Period
from marketplace.core.permit import require
from marketplace.subscriptions.models import RenewalLink, Subscription
from marketplace.subscriptions.queries.listed import LATEST
from marketplace.subscriptions.queries.visible import MANAGES, narrowed
from marketplace.subscriptions.rules.history import midnight
from marketplace.subscriptions.words import STANDING, AtTermEnd
from resellers.models import Customer, Reseller
from resellers.queries.brands import letterheads

_SUBJECT = N_("What shall renew at %(customer)s?")
_HEAD = N_("Hello,")
_ABOUT = N_("these subscriptions of %(customer)s come to the end of their term:")
_LINES = {
    AtTermEnd.RENEW: N_("%(day)s: %(seats)s × %(product)s. Without an answer it renews."),
    AtTermEnd.END: N_("%(day)s: %(seats)s × %(product)s. Without an answer it ends."),
    AtTermEnd.EXTEND: N_(
        "%(day)s: %(seats)s × %(product)s. Without an answer it goes on by the month, dearer."
    ),
}
_ASK = N_("See the prices and say what you want. You need not sign in:")
_CLOSE = N_("Each can be decided until the day before. Whoever has this link can answer for your firm.")


class NobodyToAsk(Refusal):
    """None of the customers has an address."""

    sentence = N_("Nobody was asked: write the e-mail address of %(customers)s first.")


@dataclass(frozen=True, slots=True)
class Ending:
    """A subscription whose term ends, with what it is called and who has it."""

    subscription: Subscription
    product: str
    customer: Customer

    @property
    def name(self) -> str:
        """What the customer calls it."""
        return self.subscription.friendly_name or self.product


@dataclass(frozen=True, slots=True)
class Asked:
    """How many renewals were asked about, and the customers that have no address to ask."""

    renewals: int
    unreachable: tuple[str, ...]


def hash_of(token: str) -> str:
    """Hash a link's token as it is stored."""
    return sha256(token.encode()).hexdigest()


def link_of(session: Session, token: str) -> RenewalLink:
    """Give what a link is about. It still shows how things went when its time is over. Raises `NotFound`."""
    found = session.scalar(select(RenewalLink).where(RenewalLink.token_hash == hash_of(token)))
    if found is None:
        raise NotFound
    return found


def subscriptions_of(session: Session, link: RenewalLink) -> list[Subscription]:
    """Give the subscriptions a link is about, those that end first first: what still ends in its month."""
    period = Period.from_number(link.period)
    one_alone = (Subscription.id == link.subscription_id,) if link.subscription_id is not None else ()
    return list(
        session.scalars(
            select(Subscription)
            .where(
                Subscription.customer_id == link.customer_id,
                Subscription.status.in_(STANDING),
                # A term that was renewed ends another time: the link is about this one.
                Subscription.term_end >= period.start,
                Subscription.term_end < period.end,
                *one_alone,
            )
            .order_by(Subscription.term_end, Subscription.id)
        )
    )


def ask_customers(
    session: Session, *, actor: Actor, subscription_ids: Sequence[UUID], site_url: str, now: datetime
) -> Asked:
    """Mail customers the links with which they answer for some renewals, now. The session must be the owner's.

    Those of a customer that end in one month are one mail. Raises `NotFound`, `NobodyToAsk`.
    """
    require(actor, MANAGES[actor.audience])
    rows = session.execute(
        narrowed(
            select(Subscription, LATEST.c.product, Customer)
            .join(LATEST, LATEST.c.subscription_id == Subscription.id)
            .join(Customer, Customer.id == Subscription.customer_id),
            actor,
        )
        .where(
            Subscription.public_id.in_(set(subscription_ids)),
            Subscription.status.in_(STANDING),
            Subscription.term_end > now.date(),
        )
        .order_by(Subscription.term_end, Subscription.id)
    ).all()
    ending = [Ending(*row) for row in rows]
    if not ending or actor.audience is Audience.CUSTOMER:
        raise NotFound
    reachable = [one for one in ending if one.customer.email]
    unreachable = tuple(sorted({one.customer.legal_name for one in ending if not one.customer.email}))
    if not reachable:
        raise NobodyToAsk(customers=", ".join(unreachable))
    mail_links(session, reachable, actor=actor, site_url=site_url, now=now, is_whole_month=False)
    return Asked(len(reachable), unreachable)


def mail_links(
    session: Session,
    ending: Sequence[Ending],
    *,
    actor: Actor,
    site_url: str,
    now: datetime,
    is_whole_month: bool = True,
) -> None:
    """Mail each customer one link for each month in which terms of its end; who has no address gets none.

    A link for one renewal alone is one; else the page behind it shows all that end in the month.
    """
    groups: dict[tuple[int, Period], list[Ending]] = defaultdict(list)
    for one in ending:
        if one.customer.email and one.subscription.term_end is not None:
            groups[one.customer.id, Period.of(one.subscription.term_end)].append(one)
    if not groups:
        return
    languages = _languages(session, [group[0].customer for group in groups.values()])
    resellers = {group[0].customer.reseller_id for group in groups.values()}
    names = _names(session, resellers)
    worn = letterheads(session, resellers, site_url=site_url)
    for (customer_id, period), group in groups.items():
        customer = group[0].customer
        token = secrets.token_urlsafe(32)
        is_one = len(group) == 1 and not is_whole_month
        session.add(
            RenewalLink(
                customer_id=customer_id,
                subscription_id=group[0].subscription.id if is_one else None,
                period=period.number,
                token_hash=hash_of(token),
                expires_at=midnight(max(one.subscription.term_end or period.start for one in group)),
                sent_to=customer.email,
                created_at=now,
                created_by=actor.name,
            )
        )
        letterhead = worn.get(customer.reseller_id)
        _mail(
            session,
            group,
            language=languages[customer_id],
            seller=names[customer.reseller_id],
            letterhead=letterhead,
            link=f"{letterhead.address if letterhead else site_url}/renew/{token}",
            now=now,
        )
        audit.record(
            session,
            actor=actor,
            action="renewal.ask",
            subject="customer",
            subject_id=customer.public_id,
            after={"name": customer.legal_name, "month": str(period), "address": customer.email},
        )
    session.flush()  # the job must not be there without the mails
    jobs.defer(session, SEND_MAILS, queueing_lock=SEND_MAILS)


def _mail(
    session: Session,
    group: Sequence[Ending],
    *,
    language: str,
    seller: str,
    letterhead: Letterhead | None,
    link: str,
    now: datetime,
) -> None:
    say = catalogue(language).gettext
    customer = group[0].customer
    lines = [
        say(_LINES[AtTermEnd(one.subscription.at_term_end)])
        % {
            "day": written.day(one.subscription.term_end or now.date(), Locale.parse(language)),
            "seats": one.subscription.quantity,
            "product": one.name,
        }
        for one in group
    ]
    about = say(_ABOUT) % {"customer": customer.legal_name}
    body = "\n\n".join([say(_HEAD), about, "\n".join(lines), say(_ASK), "{link}", say(_CLOSE), seller])
    write_mail(
        session,
        to_address=customer.email,
        subject=say(_SUBJECT) % {"customer": customer.legal_name},
        body=f"{body}\n",
        link=link,
        language=language,
        letterhead=letterhead,
        now=now,
    )


def _languages(session: Session, customers: Sequence[Customer]) -> dict[int, str]:
    """Give the language of each customer: chosen by whom it is written to, else by who came first, else its country's."""
    rows = session.execute(
        select(Customer.id, User.locale)
        .join(Membership, Membership.customer_id == Customer.id)
        .join(User, User.id == Membership.user_id)
        .where(
            Customer.id.in_({one.id for one in customers}),
            Membership.ended_at.is_(None),
            User.is_active,
            User.locale != "",
        )
        .order_by((func.lower(User.email) == func.lower(Customer.email)).desc(), Membership.id)
    )
    chosen: dict[int, str] = {}
    for identity, locale in rows:
        chosen.setdefault(identity, locale)
    return {
        one.id: chosen.get(one.id) or language_of_country(one.country, known=SPOKEN, otherwise="en")
        for one in customers
    }


def _names(session: Session, reseller_ids: set[int]) -> dict[int, str]:
    """Give the names that stand under resellers' mails."""
    rows = session.execute(select(Reseller.id, Reseller.legal_name).where(Reseller.id.in_(reseller_ids)))
    return {identity: name for identity, name in rows}  # noqa: C416 - a row is a tuple to no type checker
