"""A quote: what a customer is offered, at its own prices alone, until a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from marketplace.core.errors import N_, Phrase, Refusal
from marketplace.core.money import Money
from marketplace.rating.exact import plain

#: How long a quote can hold, and holds unless somebody says otherwise.
MOST_DAYS = 90
USUAL_DAYS = 30


class QuoteState(StrEnum):
    """What became of a quote."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    # Another version took its place, or it was taken back.
    WITHDRAWN = "withdrawn"


_WORDS = {
    QuoteState.OPEN: N_("open"),
    QuoteState.ACCEPTED: N_("accepted"),
    QuoteState.DECLINED: N_("declined"),
    QuoteState.EXPIRED: N_("expired"),
    QuoteState.WITHDRAWN: N_("withdrawn"),
}


class QuoteNotOpen(Refusal):
    """It cannot be accepted or declined any more."""

    sentence = N_("This quote is %(state)s: ask whoever sent it for a new one.")

    @classmethod
    def of(cls, state: QuoteState) -> "QuoteNotOpen":
        """Say what it is instead."""
        return cls(state=Phrase.of(_WORDS[state]))


@dataclass(frozen=True, slots=True)
class QuotedLine:
    """A line as the customer is offered it."""

    product: str
    term: str
    billing_cycle: str
    unit: str
    quantity: int
    # Of one unit for a whole charge.
    unit_price: Decimal
    charge: Money
    commitment: Money
    term_end: date | None
    # The vendor's promotion its price is after, and how much less than the full price that is; blank is none.
    promotion: str = ""
    percent_off: Decimal = Decimal(0)

    def as_data(self) -> dict[str, Any]:
        """Write it."""
        return {
            "product": self.product,
            "term": self.term,
            "billing_cycle": self.billing_cycle,
            "unit": self.unit,
            "quantity": self.quantity,
            "unit_price": plain(self.unit_price),
            "charge": self.charge.minor,
            "commitment": self.commitment.minor,
            "currency": self.charge.currency,
            "term_end": self.term_end.isoformat() if self.term_end else "",
            "promotion": self.promotion,
            "percent_off": plain(self.percent_off),
        }

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> "QuotedLine":
        """Read it."""
        return cls(
            product=data["product"],
            term=data["term"],
            billing_cycle=data["billing_cycle"],
            unit=data["unit"],
            quantity=data["quantity"],
            unit_price=Decimal(data["unit_price"]),
            charge=Money(data["charge"], data["currency"]),
            commitment=Money(data["commitment"], data["currency"]),
            term_end=date.fromisoformat(data["term_end"]) if data["term_end"] else None,
            promotion=data["promotion"],
            percent_off=Decimal(data["percent_off"]),
        )


def by_cycle(lines: Sequence[QuotedLine]) -> list[tuple[str, Money]]:
    """Add up what a charge comes to by how often there is one, in the order of the lines."""
    sums: dict[str, Money] = {}
    for line in lines:
        sums[line.billing_cycle] = (
            sums.get(line.billing_cycle, Money.zero(line.charge.currency)) + line.charge
        )
    return list(sums.items())


def total(lines: Sequence[QuotedLine]) -> Money:
    """Add up what a quote commits to."""
    whole = Money.zero(lines[0].commitment.currency)
    for line in lines:
        whole += line.commitment
    return whole


def state_of(
    *,
    accepted_at: datetime | None,
    declined_at: datetime | None,
    withdrawn_at: datetime | None,
    valid_until: date,
    today: date,
) -> QuoteState:
    """Say what became of a quote. An answer stays an answer, whatever came after it."""
    if accepted_at is not None:
        return QuoteState.ACCEPTED
    if declined_at is not None:
        return QuoteState.DECLINED
    if withdrawn_at is not None:
        return QuoteState.WITHDRAWN
    return QuoteState.EXPIRED if valid_until < today else QuoteState.OPEN
