"""The vendor's promotions: what it takes off a new subscription's price, for whom, until the term ends.

`promotions.csv` in the state folder: reference,percent,starts_on,ends_on,terms,maximum_quantity,first_purchase. The
reference begins with product and SKU; `terms` are those it is for, such as `P1Y P3Y`; the last two may be blank. One
that is not named in an order is taken off by itself, the highest of several.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from catalog.rules.promotions import Offered, PromotionTerms, Purchase, best, judge
from catalog.words import Segment, Term
from marketplace.vendors.simulator.documents import Subscription
from marketplace.vendors.simulator.refusals import Refused

PROMOTIONS = "promotions.csv"
_STANDING = frozenset({"active", "suspended", "pending"})


@dataclass(frozen=True)
class Promotion:
    """A promotion for some terms of a SKU."""

    offered: Offered
    sku: str
    terms: frozenset[Term]


def load(folder: Path | None) -> Sequence[Promotion]:
    """Read the promotions in the state folder; without the file there are none."""
    file = None if folder is None else folder / PROMOTIONS
    if file is None or not file.exists():
        return ()
    return [_promotion(row) for row in csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig")))]


def _promotion(row: dict[str, str]) -> Promotion:
    terms = PromotionTerms(
        reference=row["reference"],
        title=row["reference"],
        percent=Decimal(row["percent"]),
        starts_on=date.fromisoformat(row["starts_on"]),
        ends_on=date.fromisoformat(row["ends_on"]),
        maximum_quantity=int(row["maximum_quantity"]) if row["maximum_quantity"] else None,
        is_first_purchase_only=bool(row["first_purchase"]),
    )
    sku = row["reference"].rpartition(":")[0]
    # Which plans it is for is told by SKU and term: the rules need no more than that it is this one.
    return Promotion(
        Offered(0, terms, frozenset({0})), sku, frozenset(Term(one) for one in row["terms"].split())
    )


def taken_off(
    promotions: Sequence[Promotion],
    one: Subscription,
    others: Sequence[Subscription],
    *,
    day: date,
    is_renewal: bool = False,
    wanted: str = "",
) -> Offered | None:
    """Give the promotion that holds for a term that begins on a day; `others` are all the customer has.

    Refuses the one that was named where it does not hold.
    """
    fitting = [
        promotion.offered
        for promotion in promotions
        if promotion.sku == f"{one.product}:{one.sku}" and one.term in promotion.terms
    ]
    purchase = purchase_of(
        f"{one.product}:{one.sku}",
        one.segment,
        one.quantity,
        [other for other in others if other.id != one.id],
        day=day,
        is_renewal=is_renewal,
    )
    if not wanted:
        return best(fitting, purchase)
    named = next((promotion for promotion in fitting if promotion.terms.reference == wanted), None)
    if named is None or not judge(named, purchase).is_eligible:
        raise Refused("10010", f"The promotion {wanted} does not apply to this purchase.")
    return named


def purchase_of(
    sku: str,
    segment: str,
    quantity: int,
    others: Sequence[Subscription],
    *,
    day: date,
    is_renewal: bool = False,
) -> Purchase:
    """Describe a purchase beside what the customer has."""
    same = [other for other in others if f"{other.product}:{other.sku}" == sku]
    return Purchase(
        plan_id=0,
        segment=Segment(segment),
        day=day,
        quantity=quantity,
        held=sum(other.quantity for other in same if other.status in _STANDING),
        has_bought_before=bool(same) or is_renewal,
    )


def eligibility(
    promotions: Sequence[Promotion], name: str, *, sku: str, term: Term, purchase: Purchase
) -> dict[str, Any]:
    """Say whether a purchase may have a promotion, as the vendor does."""
    named = next((one for one in promotions if one.offered.terms.reference == name), None)
    error = _error(named, sku=sku, term=term, purchase=purchase)
    return {"promotionId": name, "isEligible": error is None, "errors": [error] if error else []}


def _error(named: Promotion | None, *, sku: str, term: Term, purchase: Purchase) -> Mapping[str, Any] | None:
    if named is None or named.sku != sku:
        return {"type": "InvalidPromotion"}
    if term not in named.terms:
        return {"type": "Term", "eligibleTerms": [{"duration": one.value} for one in sorted(named.terms)]}
    verdict, terms = judge(named.offered, purchase), named.offered.terms
    if verdict.is_eligible:
        return None
    if not terms.starts_on <= purchase.day < terms.ends_on:
        return {"type": "InvalidPromotion"}
    if terms.is_first_purchase_only and purchase.has_bought_before:
        return {"type": "OfferPurchasedPreviously"}
    most = {} if verdict.available is None else {"maxRequiredSeats": verdict.available}
    return {"type": "SeatCount", "minRequiredSeats": terms.minimum_quantity, **most}
