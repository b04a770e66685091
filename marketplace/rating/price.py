"""From a sum of usage to an exact price, for one hop.

    cost, list:  basis amount x (100 + percent) / 100 x exchange rate
    fixed:       quantity x unit price x exchange rate

Nothing is rounded here. Arithmetic that would lose a digit raises `decimal.Inexact`.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum
from typing import NamedTuple

from marketplace.rating.exact import plus_percent

COST = "cost"
LIST = "list"
FIXED = "fixed"

NO_RULE = "no_rule"
NO_LIST_PRICE = "no_list_price"
NOT_LIST_PRICED = "not_list_priced"


class Listing(IntEnum):
    """Whether a list price applies to rows: only Usage and Purchase, not covered by a commitment, have one."""

    PRICED = 0
    WITHOUT_PRICE = 1
    NOT_PRICED = 2


class Effective(NamedTuple):
    """What a rule comes down to for some rows: the basis it uses, what it multiplies by, and why it fell back."""

    basis: str
    percent: Decimal | None
    unit_price: Decimal | None
    factor: Decimal
    gap: str


@dataclass(frozen=True, slots=True)
class Terms:
    """A price rule as pricing needs it. `words` (its scope and start) put equal lines in a stable order."""

    rule_id: int | None
    words: str
    basis: str
    percent: Decimal | None = None
    unit_price: Decimal | None = None
    currency: str = ""
    # What the rule comes down to for rows of each `Listing`, worked out once.
    effective: tuple[Effective, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Work out the fall-backs."""
        object.__setattr__(self, "effective", tuple(_effective(self, listing) for listing in Listing))

    @property
    def price(self) -> tuple[str, Decimal | None, Decimal | None, str]:
        """What rules that price alike have in common."""
        return self.basis, self.percent, self.unit_price, self.currency


def effective(terms: Terms, listing: Listing) -> Effective:
    """Say what a rule comes down to for rows with, without or beyond a list price."""
    return terms.effective[listing]


def _effective(terms: Terms, listing: Listing) -> Effective:
    """Apply the fall-backs: no rule, or a list rule on rows that have no list price, means cost with 0 %."""
    if terms.rule_id is None:
        return Effective(COST, Decimal(0), None, Decimal(1), NO_RULE)
    if terms.basis == LIST and listing is not Listing.PRICED:
        gap = NO_LIST_PRICE if listing is Listing.WITHOUT_PRICE else NOT_LIST_PRICED
        return Effective(COST, Decimal(0), None, Decimal(1), gap)
    if terms.basis == FIXED:
        if terms.unit_price is None:
            raise ValueError("a fixed rule needs a unit price")
        return Effective(FIXED, None, terms.unit_price, terms.unit_price, "")
    if terms.percent is None:
        raise ValueError("a cost or list rule needs a percentage")
    return Effective(terms.basis, terms.percent, None, plus_percent(terms.percent), "")


#: Where no rule matches: at cost, flagged for the review.
AT_COST = Terms(rule_id=None, words="", basis=COST, percent=Decimal(0))
