"""The vendor's promotions: what it takes off a new subscription's price, for whom, until the term ends.

`promotions.csv` in the state folder: reference,percent,starts_on,ends_on,terms,maximum_quantity,first_purchase. The
reference begins with product and SKU; `terms` are those it is for, such as `P1Y P3Y`; the last two may be blank. One
that is not named in an order is taken off by itself, the highest of several.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

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
    same = [
        other
        for other in others
        if (other.product, other.sku) == (one.product, one.sku) and other.id != one.id
    ]
    purchase = Purchase(
        plan_id=0,
        segment=Segment(one.segment),
        day=day,
        quantity=one.quantity,
        held=sum(other.quantity for other in same if other.status in _STANDING),
        has_bought_before=bool(same) or is_renewal,
    )
    if not wanted:
        return best(fitting, purchase)
    named = next((promotion for promotion in fitting if promotion.terms.reference == wanted), None)
    if named is None or not judge(named, purchase).is_eligible:
        raise Refused("10010", f"The promotion {wanted} does not apply to this purchase.")
    return named
