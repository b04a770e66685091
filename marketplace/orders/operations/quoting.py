"""Offering an order to the customer: a version behind a link, until a day."""

import secrets
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.core.actor import Actor
from marketplace.core.cells import Unusable, email_or_blank
from marketplace.core.errors import N_, Phrase, Refusal
from marketplace.core.permit import require
from marketplace.core.stored_files import keep
from marketplace.orders.models import Quote
from marketplace.orders.operations.history import turn, withdraw_quotes
from marketplace.orders.operations.margins import check_margins
from marketplace.orders.operations.placing import priced_and_possible
from marketplace.orders.operations.pricing import PricedLine, keep_prices
from marketplace.orders.queries.visible import PLACES, locked
from marketplace.orders.rules.quotes import MOST_DAYS, QuotedLine, total
from marketplace.orders.words import OrderState

_MOST_LETTERS = 2000
_FOLDER = "quotes"
_QUOTED = N_("Version %(version)s of the quote, for %(total)s, holds until %(until)s.")


class QuoteDayNotPossible(Refusal):
    """A quote that ends before it is read, or hardly ever."""

    sentence = N_("A quote holds until a day within the next %(days)s days: choose another day.")


class AddressUnusable(Refusal):
    """The quote has nowhere to go."""

    sentence = N_("%(address)s is not an e-mail address: write the one the quote is sent to.")


@dataclass(frozen=True, slots=True)
class Sent:
    """A quote that was made, and the token of its link, which is kept nowhere else."""

    quote: Quote
    token: str


def make_quote(
    session: Session,
    *,
    actor: Actor,
    order_id: UUID,
    valid_until: date,
    sent_to: str,
    words: str,
    language: str,
    now: datetime,
) -> Sent:
    """Offer what is in a cart, or another version of what was offered. Raises `CannotBeOrdered` and others."""
    require(actor, PLACES[actor.audience])
    order = locked(session, actor=actor, order_id=order_id)
    if not 0 <= (valid_until - now.date()).days <= MOST_DAYS:
        raise QuoteDayNotPossible(days=MOST_DAYS)
    try:
        address = email_or_blank(sent_to.strip())
    except Unusable:
        raise AddressUnusable(address=sent_to) from None
    priced = priced_and_possible(session, order, now=now)
    check_margins(session, order, priced, actor=actor)
    keep_prices(session, priced)
    lines = [quoted_line(one) for one in priced]
    withdraw_quotes(session, order, now=now)
    # The customer gets another cart beside it.
    order.is_apart = True
    version = (session.scalar(select(func.max(Quote.version)).where(Quote.order_id == order.id)) or 0) + 1
    token = secrets.token_urlsafe(32)
    whole = total(lines)
    quote = Quote(
        order_id=order.id,
        version=version,
        token_hash=hash_of(token),
        valid_until=valid_until,
        sent_to=address,
        language=language,
        words=words.strip()[:_MOST_LETTERS],
        lines=[line.as_data() for line in lines],
        currency=whole.currency,
        commitment_minor=whole.minor,
        created_at=now,
        created_by=actor.name,
        created_by_id=actor.user_id,
    )
    session.add(quote)
    said = Phrase.of(_QUOTED, version=version, total=whole, until=valid_until)
    turn(session, order, OrderState.QUOTED, actor=actor, now=now, words=said)
    session.flush()  # the page that follows shows it
    return Sent(quote, token)


def keep_paper(quote: Quote, content: bytes, *, files: Path) -> None:
    """Keep the PDF of a version, once: what was sent never changes."""
    if quote.paper:
        raise ValueError("the paper of a version is made once")
    quote.paper = keep(files, _FOLDER, content)


def quoted_line(one: PricedLine) -> QuotedLine:
    """Give a priced line as the customer is offered it. It must have a retail price."""
    prices = one.prices
    if prices is None or prices.retail is None:
        raise ValueError("a line without a retail price cannot be offered")
    offer, promotion = prices.quoted.offer, prices.quoted.promotion
    return QuotedLine(
        product=offer.product,
        term=offer.term.value,
        billing_cycle=offer.billing_cycle.value,
        unit=offer.unit,
        quantity=one.line.quantity,
        unit_price=prices.retail.unit,
        charge=prices.retail.charge,
        commitment=prices.retail.commitment,
        term_end=prices.term_end,
        promotion=promotion.terms.title if promotion else "",
        percent_off=promotion.terms.percent if promotion else Decimal(0),
    )


def hash_of(token: str) -> str:
    """Hash a link's token as it is stored."""
    return sha256(token.encode()).hexdigest()
