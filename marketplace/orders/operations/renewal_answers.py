"""What customers say to renewals: kept with name and moment, and ordered in their name, late answers refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from marketplace.accounts.operations.notifying import notify_party
from marketplace.core import audit
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.errors import N_, NotFound, Phrase, Refusal
from marketplace.core.permit import require
from marketplace.orders.models import Order, OrderLine
from marketplace.orders.operations.changing import order_change
from marketplace.orders.operations.deciding import cancel
from marketplace.orders.words import OrderState
from marketplace.subscriptions.models import RenewalAnswer, Subscription
from marketplace.subscriptions.operations.saving import Decided, note_decision
from marketplace.subscriptions.queries.offers import offers_of
from marketplace.subscriptions.queries.standing import standings
from marketplace.subscriptions.queries.visible import visible_to
from marketplace.subscriptions.rules.answers import Answer, change_wanted, check_in_time
from marketplace.subscriptions.rules.changes import Change
from marketplace.subscriptions.words import AtTermEnd, DecidedBy
from resellers.models import Customer

#: What a person needs who signs off an answer behind a link: to see and decide on the firm's subscriptions.
SIGNS = frozenset(
    {
        Permission.CUSTOMER_SUBSCRIPTIONS_VIEW,
        Permission.CUSTOMER_SUBSCRIPTIONS_MANAGE,
        Permission.CUSTOMER_ORDERS_VIEW,
        Permission.CUSTOMER_ORDERS_PLACE,
    }
)
_LONGEST_NAME = 120
_TOLD = {
    AtTermEnd.RENEW: N_("%(name)s of %(customer)s: renew %(subscription)s."),
    AtTermEnd.END: N_("%(name)s of %(customer)s: let %(subscription)s end."),
    AtTermEnd.EXTEND: N_("%(name)s of %(customer)s: let %(subscription)s go on by the month."),
}
_TOLD_SEATS = N_("%(name)s of %(customer)s: renew %(subscription)s with %(seats)s.")


class SignatureMissing(Refusal):
    """Nobody signed."""

    sentence = N_("Write your name: renewals are answered in it.")


class NothingAnswered(Refusal):
    """The form was sent without any answer."""

    sentence = N_("Choose an answer for one renewal at least.")


class NothingRenews(Refusal):
    """The subscription has no term that ends."""

    sentence = N_("%(subscription)s has no renewal to answer for.")


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer as it is kept, and the order it made, if anything was to be changed."""

    answer: RenewalAnswer
    order: Order | None


def signer(session: Session, *, customer_id: int, name: str) -> Actor:
    """Give whoever signs with a name for a customer, behind a link that was sent to it. Raises `SignatureMissing`."""
    signed = " ".join(name.split())[:_LONGEST_NAME]
    if not signed:
        raise SignatureMissing
    customer = session.get_one(Customer, customer_id)
    return Actor(signed, Audience.CUSTOMER, customer.id, permissions=SIGNS, party_name=customer.legal_name)


def answer_renewals(
    session: Session, *, actor: Actor, answers: Sequence[Answer], now: datetime, sent_to: str = ""
) -> list[Answered]:
    """Take a customer's answers, all or none. `sent_to` is the address of the link they came through.

    What an answer changes is ordered in the customer's name: its reseller approves it where it wants to. An answer
    given before and not carried out yet is withdrawn; the same once more changes nothing. The session must be the
    owner's. Raises `NotFound`, `NothingRenews`, `AnswerTooLate`, `ChangeNotPossible` and what orders raise.
    """
    require(actor, Permission.CUSTOMER_SUBSCRIPTIONS_MANAGE)
    if not answers:
        raise NothingAnswered
    found = {
        one.public_id: one
        for one in session.scalars(
            visible_to(actor)
            .where(Subscription.public_id.in_({answer.subscription_id for answer in answers}))
            .order_by(Subscription.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    }
    if len(found) < len({answer.subscription_id for answer in answers}):
        raise NotFound
    return [
        _answer(session, found[answer.subscription_id], answer, actor=actor, now=now, sent_to=sent_to)
        for answer in answers
    ]


def _answer(
    session: Session, subscription: Subscription, answer: Answer, *, actor: Actor, now: datetime, sent_to: str
) -> Answered:
    offers = offers_of(session, [subscription.plan_id])
    standing = standings(session, [subscription], offers=offers)[subscription.id]
    name = subscription.friendly_name or standing.offer.product
    if subscription.term_end is None or not standing.is_standing:
        raise NothingRenews(subscription=name)
    check_in_time(subscription.term_end, now, name=name)
    last = _last_answer(session, subscription)
    if last is not None and (last.choice, last.quantity) == (answer.choice.value, answer.quantity):
        order = (
            session.scalar(select(Order).where(Order.public_id == last.order_id)) if last.order_id else None
        )
        return Answered(last, order)
    _withdraw_earlier(session, subscription, actor=actor, now=now)
    wanted = change_wanted(answer, standing)
    order = _ordered(session, subscription, wanted, actor=actor, now=now) if wanted is not None else None
    if order is None:
        note_decision(subscription, Decided(DecidedBy.CUSTOMER, actor.name, now))
    kept = session.scalars(
        insert(RenewalAnswer).returning(RenewalAnswer),
        {
            "subscription_id": subscription.id,
            "term_end": subscription.term_end,
            "choice": answer.choice.value,
            "quantity": answer.quantity,
            "answered_at": now,
            "answered_by": actor.name,
            "sent_to": sent_to,
            "order_id": order.public_id if order else None,
        },
    ).one()
    _record(session, subscription, answer, actor=actor, name=name)
    _tell(session, subscription, answer, actor=actor, name=name)
    return Answered(kept, order)


def _last_answer(session: Session, subscription: Subscription) -> RenewalAnswer | None:
    return session.scalar(
        select(RenewalAnswer)
        .where(
            RenewalAnswer.subscription_id == subscription.id,
            RenewalAnswer.term_end == subscription.term_end,
        )
        .order_by(RenewalAnswer.id.desc())
        .limit(1)
    )


def _withdraw_earlier(session: Session, subscription: Subscription, *, actor: Actor, now: datetime) -> None:
    """Withdraw what the customer answered before and its supplier has not approved yet."""
    answered = select(RenewalAnswer.order_id).where(RenewalAnswer.subscription_id == subscription.id)
    waiting = session.scalars(
        select(Order)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .where(
            OrderLine.subscription_id == subscription.id,
            Order.state == OrderState.AWAITING_APPROVAL.value,
            Order.public_id.in_(answered),
        )
    ).all()
    for order in waiting:
        cancel(session, actor=actor, order_id=order.public_id, now=now)
    session.flush()  # what is on its way is looked up


def _ordered(
    session: Session, subscription: Subscription, wanted: Change, *, actor: Actor, now: datetime
) -> Order:
    return order_change(
        session,
        actor=actor,
        subscription_id=subscription.public_id,
        change=wanted,
        key=uuid4(),
        now=now,
        is_answer=True,
    )


def _record(session: Session, subscription: Subscription, answer: Answer, *, actor: Actor, name: str) -> None:
    audit.record(
        session,
        actor=actor,
        action="subscription.answer_renewal",
        subject="subscription",
        subject_id=subscription.public_id,
        after={
            "name": name,
            "at_term_end": answer.choice.value,
            "quantity": answer.quantity,
            "term_end": subscription.term_end.isoformat() if subscription.term_end else "",
        },
    )


def _tell(session: Session, subscription: Subscription, answer: Answer, *, actor: Actor, name: str) -> None:
    """Tell the reseller what its customer said."""
    customer = session.get_one(Customer, subscription.customer_id)
    facts = {
        "name": actor.name,
        "customer": customer.legal_name,
        "subscription": name,
    }
    phrase = (
        Phrase.of(_TOLD_SEATS, seats=answer.quantity, **facts)
        if answer.quantity
        else Phrase.of(_TOLD[answer.choice], **facts)
    )
    notify_party(
        session,
        audience=Audience.RESELLER,
        party_id=customer.reseller_id,
        permission=Permission.RESELLER_SUBSCRIPTIONS_MANAGE,
        phrase=phrase,
        link=f"/subscriptions/{subscription.public_id}",
    )
