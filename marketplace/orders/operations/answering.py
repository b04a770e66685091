"""What customers do with quotes: somebody signs with their name, and the order is placed, or the quote is declined."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Membership, User
from marketplace.accounts.operations.notifying import notify_party, notify_user
from marketplace.accounts.queries import actor_for_membership
from marketplace.core import audit
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.errors import N_, NotFound, Phrase, Refusal
from marketplace.core.permit import require
from marketplace.orders.models import Order, Quote
from marketplace.orders.operations.history import note
from marketplace.orders.operations.placing import place, priced_and_possible
from marketplace.orders.operations.quoting import hash_of, quoted_line
from marketplace.orders.queries.visible import PLACES
from marketplace.orders.rules.quotes import QuoteNotOpen, QuoteState, state_of
from resellers.models import Customer

_MOST_LETTERS = 2000
_LONGEST_NAME = 120
_ACCEPTED = N_("Accepted by %(name)s for %(customer)s.")
_DECLINED = N_("Declined by %(name)s for %(customer)s: %(reason)s")
_ACCEPTED_TOLD = N_("%(name)s of %(customer)s accepted your quote %(order)s.")
_DECLINED_TOLD = N_("%(name)s of %(customer)s declined your quote %(order)s: %(reason)s")
_NOT_ORDERED = N_("It was accepted, but not ordered by itself: %(why)s")


class NameMissing(Refusal):
    """Nobody signed."""

    sentence = N_("Write your name: the quote is answered in it.")


class PriceOfQuoteChanged(Refusal):
    """What was accepted is not what it costs now."""

    sentence = N_("the price is another by now. Look at the difference and order it, or send a new version.")


def quote_by_token(session: Session, token: str) -> int:
    """Give the quote a link leads to. Raises `NotFound`."""
    found = session.scalar(select(Quote.id).where(Quote.token_hash == hash_of(token)))
    if found is None:
        raise NotFound
    return found


def quote_of_customer(session: Session, *, actor: Actor, quote_id: UUID) -> int:
    """Give a quote of the customer somebody has signed in for. Raises `NotFound`."""
    require(actor, Permission.CUSTOMER_ORDERS_PLACE)
    found = session.scalar(
        select(Quote.id)
        .join(Order, Order.id == Quote.order_id)
        .where(Quote.public_id == quote_id, Order.customer_id == (actor.customer_id or 0))
    )
    if found is None:
        raise NotFound
    return found


def accept(session: Session, *, quote: int, name: str, now: datetime) -> Order:
    """Accept a quote in somebody's name; the order is placed for whoever offered it, who is named with them.

    Where it cannot be ordered by itself any more, the acceptance stands and whoever offered it is told why. Accepted
    again, it gives the order as it is. Raises `QuoteNotOpen`, `NameMissing`.
    """
    row, order, customer = _locked(session, quote)
    signer = _signer(name, customer)
    if row.accepted_at is not None:
        return order
    _check_open(row, today=now.date())
    row.accepted_at, row.accepted_by = now, signer.name
    words = Phrase.of(_ACCEPTED, name=signer.name, customer=customer.legal_name)
    note(session, order, actor=signer, now=now, words=words)
    _record(session, signer, order, "quote.accept", version=row.version)
    told = Phrase.of(_ACCEPTED_TOLD, name=signer.name, customer=customer.legal_name, order=order.name)
    _tell(session, row, order, told)
    session.flush()  # an acceptance stands, whatever becomes of the order
    try:
        with session.begin_nested():
            _order(session, row, order, now=now)
    except Refusal as refusal:
        session.refresh(order)
        why = Phrase.of(_NOT_ORDERED, why=refusal.phrase)
        note(session, order, actor=Actor.system(), now=now, words=why)
        _tell(session, row, order, why)
    return order


def decline(session: Session, *, quote: int, name: str, reason: str, now: datetime) -> Order:
    """Decline a quote in somebody's name. Raises `QuoteNotOpen`, `NameMissing`."""
    row, order, customer = _locked(session, quote)
    signer = _signer(name, customer)
    if row.declined_at is not None:
        return order
    _check_open(row, today=now.date())
    said = reason.strip()[:_MOST_LETTERS] or "–"
    row.declined_at, row.declined_by, row.answer = now, signer.name, said
    facts = {"name": signer.name, "customer": customer.legal_name, "reason": said}
    note(session, order, actor=signer, now=now, words=Phrase.of(_DECLINED, **facts))
    _record(session, signer, order, "quote.decline", version=row.version)
    _tell(session, row, order, Phrase.of(_DECLINED_TOLD, order=order.name, **facts))
    return order


def _order(session: Session, quote: Quote, order: Order, *, now: datetime) -> None:
    """Place what was accepted, in the name of whoever offered it, at the price that was accepted."""
    actor = _offerer(session, quote, order)
    priced = priced_and_possible(session, order, now=now)
    if [quoted_line(one).charge.minor for one in priced] != [line["charge"] for line in quote.lines]:
        raise PriceOfQuoteChanged
    place(session, order, priced, actor=actor, now=now)


def _offerer(session: Session, quote: Quote, order: Order) -> Actor:
    """Give who offered it as the actor they are today. Raises `NotFound` for who is there no more."""
    party = {Audience.RESELLER: order.reseller_id, Audience.CUSTOMER: order.customer_id}.get(
        Audience(order.audience)
    )
    mine = Membership.reseller_id if order.audience == Audience.RESELLER else Membership.customer_id
    found = session.execute(
        select(Membership, User)
        .join(User, User.id == Membership.user_id)
        .where(
            Membership.user_id == (quote.created_by_id or 0),
            Membership.audience == order.audience,
            mine.is_not_distinct_from(party),
            Membership.ended_at.is_(None),
            User.is_active,
        )
    ).one_or_none()
    if found is None:
        raise NotFound
    actor = actor_for_membership(found[0], user=found[1], party_name="")
    require(actor, PLACES[actor.audience])
    return actor


def _locked(session: Session, quote: int) -> tuple[Quote, Order, Customer]:
    row = session.get_one(Quote, quote)
    order = session.get_one(Order, row.order_id, with_for_update=True, populate_existing=True)
    session.refresh(row)
    return row, order, session.get_one(Customer, order.customer_id)


def _check_open(quote: Quote, *, today: date) -> None:
    state = state_of(
        accepted_at=quote.accepted_at,
        declined_at=quote.declined_at,
        withdrawn_at=quote.withdrawn_at,
        valid_until=quote.valid_until,
        today=today,
    )
    if state is not QuoteState.OPEN:
        raise QuoteNotOpen.of(state)


def _signer(name: str, customer: Customer) -> Actor:
    signed = " ".join(name.split())[:_LONGEST_NAME]
    if not signed:
        raise NameMissing
    return Actor(signed, Audience.CUSTOMER, customer.id, party_name=customer.legal_name)


def _tell(session: Session, quote: Quote, order: Order, phrase: Phrase) -> None:
    """Tell whoever offered it, or those who may at the same party."""
    is_staffs = order.audience == Audience.WHOLESALER
    audience = Audience.WHOLESALER if is_staffs else Audience.RESELLER
    party_id = None if is_staffs else order.reseller_id
    link = f"{'/admin' if is_staffs else ''}/orders/{order.public_id}"
    if quote.created_by_id is not None:
        notify_user(
            session,
            user_id=quote.created_by_id,
            audience=audience,
            party_id=party_id,
            phrase=phrase,
            link=link,
        )
    else:
        notify_party(
            session,
            audience=audience,
            party_id=party_id,
            permission=PLACES[audience],
            phrase=phrase,
            link=link,
        )


def _record(session: Session, actor: Actor, order: Order, action: str, *, version: int) -> None:
    audit.record(
        session,
        actor=actor,
        action=action,
        subject="sales_order",
        subject_id=order.public_id,
        after={"name": order.name, "version": version},
    )
