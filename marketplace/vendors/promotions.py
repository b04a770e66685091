"""Promotions that vendors do not give to customers: said at the moment of buying, and kept for some days.

Our books know what we sold; vendors know what everybody sold, and count seats of a customer over all partners.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import reduce

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from catalog.models import Promotion, PromotionPlan
from marketplace.core.errors import N_, Phrase
from marketplace.core.period import DateRange
from marketplace.vendors.models import PromotionRefusal
from marketplace.vendors.values import Ineligibility, Purchase, RefusedPromotion

#: A vendor's word may change: after so many days it is asked again.
REMEMBERED = timedelta(days=7)

_WHY = {
    Ineligibility.BOUGHT_BEFORE: N_("bought before"),
    Ineligibility.SEATS: N_("the number of seats does not fit"),
    Ineligibility.TERM: N_("the term does not fit"),
    Ineligibility.NEEDS_PRODUCT: N_("a product that it needs is missing"),
    Ineligibility.USED_UP: N_("taken up as often as may be"),
    Ineligibility.OTHER_PRODUCT: N_("it is for another product"),
    Ineligibility.NOT_KNOWN: N_("it is not on offer there"),
    Ineligibility.NOT_SAID: N_("without a reason"),
}
_NOT_FOR_THEM = N_("%(vendor)s: not for this customer, %(why)s.")
_ONE = N_("the promotion %(promotion)s (%(why)s)")
_AND = N_("%(first)s and %(next)s")
_REFUSED = N_(
    "%(vendor)s does not give the customer %(promotions)s. Nothing was bought. Put it into the cart again and "
    "order: what was refused is left out of the price."
)


#: What may be otherwise with another number of seats.
_OF_SEATS = frozenset({Ineligibility.SEATS, Ineligibility.NOT_SAID})


@dataclass(frozen=True, slots=True)
class Refused:
    """A promotion that a vendor refused a customer, for a number of seats or, with 0, for any."""

    promotion_id: int
    seats: int
    words: Phrase

    def counts_for(self, seats: int) -> bool:
        """Whether it is about so many seats."""
        return self.seats in {0, seats}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A promotion that is left out of a customer's prices."""

    title: str
    words: Phrase


def refused_words(vendor: str, purchase: Purchase, refused: Iterable[RefusedPromotion]) -> Phrase:
    """Say that nothing was bought, for which promotions, why, and what to do."""
    titles = purchase.promotions
    said = [Phrase.of(_ONE, promotion=titles[one.promotion], why=Phrase.of(_WHY[one.why])) for one in refused]
    promotions = reduce(lambda first, second: Phrase.of(_AND, first=first, next=second), said)
    return Phrase.of(_REFUSED, vendor=vendor, promotions=promotions)


def is_remembered(refused_on: date, day: date) -> bool:
    """Whether a refusal of a day still counts on another."""
    return day in DateRange(refused_on, refused_on + REMEMBERED)


def keep_refused(
    session: Session,
    *,
    customer_id: int,
    vendor: str,
    purchase: Purchase,
    refused: Iterable[RefusedPromotion],
    now: datetime,
) -> None:
    """Keep what a vendor refused of a purchase, in place of what it said before of the same."""
    why = {one.promotion: one.why for one in refused}
    if not why:
        return
    rows = session.execute(
        select(Promotion.id, Promotion.reference).where(
            Promotion.vendor == vendor, Promotion.reference.in_(why)
        )
    )
    for promotion_id, reference in rows.all():
        word = {"why": why[reference].value, "refused_on": now.date()}
        for seats in purchase.seats_for(reference) if why[reference] in _OF_SEATS else {0}:
            session.execute(
                insert(PromotionRefusal)
                .values(customer_id=customer_id, promotion_id=promotion_id, seats=seats, **word)
                .on_conflict_do_update(index_elements=["customer_id", "promotion_id", "seats"], set_=word)
            )


def refusals(session: Session, customer_ids: Collection[int], *, day: date) -> dict[int, list[Refused]]:
    """Give what vendors refused customers and still counts on a day, by customer, in one query."""
    found: dict[int, list[Refused]] = defaultdict(list)
    rows = session.execute(
        select(PromotionRefusal, Promotion.vendor)
        .join(Promotion, Promotion.id == PromotionRefusal.promotion_id)
        .where(PromotionRefusal.customer_id.in_(customer_ids))
        .order_by(PromotionRefusal.promotion_id, PromotionRefusal.seats)
    )
    for one, vendor in rows:
        if is_remembered(one.refused_on, day):
            found[one.customer_id].append(Refused(one.promotion_id, one.seats, _words(vendor, one.why)))
    return found


def left_out(
    session: Session, *, customer_id: int, seats: Collection[tuple[int, int]], day: date
) -> list[LeftOut]:
    """Give the promotions that a customer's prices are without since the vendor refused them.

    `seats` are the plans that are wanted, each with the seats a promotion would count.
    """
    rows = session.execute(
        select(Promotion, PromotionRefusal, PromotionPlan.plan_id)
        .join(PromotionRefusal, PromotionRefusal.promotion_id == Promotion.id)
        .join(PromotionPlan, PromotionPlan.promotion_id == Promotion.id)
        .where(
            PromotionRefusal.customer_id == customer_id,
            Promotion.starts_on <= day,
            Promotion.ends_on > day,
            PromotionPlan.plan_id.in_({plan for plan, _ in seats}),
        )
        .order_by(Promotion.title, PromotionRefusal.seats)
    )
    return list(
        dict.fromkeys(
            LeftOut(promotion.title, _words(promotion.vendor, one.why))
            for promotion, one, plan_id in rows
            if is_remembered(one.refused_on, day) and (one.seats == 0 or (plan_id, one.seats) in seats)
        )
    )


def _words(vendor: str, why: str) -> Phrase:
    return Phrase.of(_NOT_FOR_THEM, vendor=vendor, why=Phrase.of(_WHY[Ineligibility(why)]))
