"""Promotions: who is eligible, and what is taken off. A promotion's terms never change; another one begins instead.

Seats are counted over all of a customer's subscriptions of the SKU, whoever sold them. A purchase that would go over
the limit has no part of the promotion. Of several promotions the one that takes most off holds; they never add up.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from catalog.words import Segment
from marketplace.core.cells import Entry, Unusable, decimal_number, filled, with_decimal_comma
from marketplace.core.errors import N_, Phrase
from marketplace.core.rounding import EXACT

COLUMNS = (
    *("reference", "title", "percent", "starts_on", "ends_on", "segment"),
    *("minimum_quantity", "maximum_quantity", "is_first_purchase_only"),
)
_HUNDRED = Decimal(100)
_MOST_SEATS = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionTerms:
    """What a promotion gives, from a day until a day (exclusive), to whom. A blank segment is any."""

    reference: str
    title: str
    percent: Decimal
    starts_on: date
    ends_on: date
    segment: Segment | None = None
    minimum_quantity: int = 1
    maximum_quantity: int | None = None
    is_first_purchase_only: bool = False


@dataclass(frozen=True, slots=True)
class Promoted:
    """A promotion that has been taken off a price: it holds for the term the price holds for."""

    id: int
    terms: PromotionTerms


@dataclass(frozen=True, slots=True)
class Offered:
    """A promotion and the plans it is for."""

    id: int
    terms: PromotionTerms
    plan_ids: frozenset[int]

    @property
    def promoted(self) -> Promoted:
        """What is kept with a price it was taken off."""
        return Promoted(self.id, self.terms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """What somebody wants to buy, and what they have: `held` are the customer's seats of the SKU altogether.

    `refused` are the promotions, by id, that the vendor has said no to for this customer, and why.
    """

    plan_id: int
    segment: Segment
    day: date
    quantity: int
    held: int = 0
    has_bought_before: bool = False
    is_trial_conversion: bool = False
    refused: Mapping[int, Phrase] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a promotion holds for a purchase; if not, why, and how many seats could still have it."""

    promotion: Offered
    reason: Phrase | None = None
    available: int | None = None

    @property
    def is_eligible(self) -> bool:
        """Whether it holds."""
        return self.reason is None


def judge(promotion: Offered, purchase: Purchase) -> Verdict:
    """Say whether a promotion holds for a purchase."""
    terms = promotion.terms
    available = None
    if terms.maximum_quantity is not None:
        available = max(terms.maximum_quantity - purchase.held, 0)
    reason: Phrase | None = None
    if purchase.plan_id not in promotion.plan_ids:
        reason = Phrase.of(N_("It is for other plans."))
    elif promotion.id in purchase.refused:
        # The vendor knows what others sold the customer; what our books say does not count beside its word.
        reason = purchase.refused[promotion.id]
    elif purchase.is_trial_conversion:
        reason = Phrase.of(N_("A trial that becomes a purchase has no promotion."))
    elif not terms.starts_on <= purchase.day < terms.ends_on:
        reason = Phrase.of(N_("It does not hold on that day."))
    elif terms.segment not in (None, purchase.segment):
        reason = Phrase.of(N_("It is for another segment."))
    elif terms.is_first_purchase_only and purchase.has_bought_before:
        reason = Phrase.of(N_("It is for a customer's first purchase; trials count as one."))
    elif purchase.held + purchase.quantity < terms.minimum_quantity:
        reason = Phrase.of(
            N_("It begins at %(least)s seats; with these the customer would have %(seats)s."),
            least=terms.minimum_quantity,
            seats=purchase.held + purchase.quantity,
        )
    elif available is not None and purchase.quantity > available:
        reason = Phrase.of(
            N_("It is for at most %(most)s seats of a customer; %(available)s more can have it."),
            most=terms.maximum_quantity,
            available=available,
        )
    return Verdict(promotion, reason, available)


def best(promotions: Iterable[Offered], purchase: Purchase) -> Offered | None:
    """Give the promotion that holds: of those the customer is eligible for, the highest percentage.

    Of equal ones the one that ends last holds, then the one whose reference comes first.
    """
    eligible = [one for one in promotions if judge(one, purchase).is_eligible]
    return min(
        eligible,
        key=lambda one: (-one.terms.percent, -one.terms.ends_on.toordinal(), one.terms.reference),
        default=None,
    )


def discounted(cost: Decimal, percent: Decimal) -> Decimal:
    """Take a percentage off, keeping every decimal."""
    return EXACT.divide(EXACT.multiply(cost, _HUNDRED - percent), _HUNDRED)


def undiscounted(price: Decimal, percent: Decimal) -> Decimal:
    """Give the price a percentage was taken off, exactly; what was given away for nothing stays nothing."""
    if percent == _HUNDRED:
        return price
    return EXACT.divide(EXACT.multiply(price, _HUNDRED), _HUNDRED - percent)


def read_promotion(cells: Mapping[str, str]) -> PromotionTerms:
    """Read the fields of the form. Raises `FaultyEntry` naming every faulty one."""
    entry = Entry(cells)
    start = entry.take("starts_on", _day, date.min)
    end = entry.take("ends_on", _day, date.max)
    least = entry.take("minimum_quantity", _seats, None) or 1
    most = entry.take("maximum_quantity", _seats, None)
    if end <= start:
        entry.fault("ends_on", Phrase.of(N_("must be later than the first day")))
    if most is not None and most < least:
        entry.fault("maximum_quantity", Phrase.of(N_("must not be less than the smallest number of seats")))
    terms = PromotionTerms(
        reference=entry.take("reference", filled, ""),
        title=entry.take("title", filled, ""),
        percent=entry.take("percent", _discount, Decimal(1)),
        starts_on=start,
        ends_on=end,
        segment=entry.take("segment", _segment, None),
        minimum_quantity=least,
        maximum_quantity=most,
        is_first_purchase_only=bool(entry.text("is_first_purchase_only")),
    )
    entry.check()
    return terms


def promotion_as_json(terms: PromotionTerms) -> dict[str, str]:
    """Give the terms as the audit trail keeps them."""
    return {
        "reference": terms.reference,
        "title": terms.title,
        "percent": f"{terms.percent:f}",
        "starts_on": terms.starts_on.isoformat(),
        "ends_on": terms.ends_on.isoformat(),
        "segment": terms.segment.value if terms.segment else "",
        "minimum_quantity": str(terms.minimum_quantity),
        "maximum_quantity": "" if terms.maximum_quantity is None else str(terms.maximum_quantity),
        "is_first_purchase_only": "yes" if terms.is_first_purchase_only else "no",
    }


def _discount(text: str) -> Decimal:
    percent = decimal_number(with_decimal_comma(text))
    if not 0 < percent <= _HUNDRED:
        raise Unusable(Phrase.of(N_("must be more than 0 and at most 100")))
    return percent


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Unusable(Phrase.of(N_("is not a day: write 2024-09-01"))) from None


def _seats(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= _MOST_SEATS:
        raise Unusable(
            Phrase.of(N_("is not a number of seats: write 1 or more, at most %(most)s"), most=_MOST_SEATS)
        )
    return int(text)


def _segment(text: str) -> Segment | None:
    try:
        return Segment(text) if text else None
    except ValueError:
        raise Unusable(Phrase.of(N_("is not a segment"))) from None
