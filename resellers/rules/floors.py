"""Floors under margins: how low a wholesale price may be entered, and by whom.

A margin is told in percent of the cost. A rule on cost says its margin itself; one on list price, and a fixed price,
are measured at what the catalogue says things cost: every plan of the scope must leave the margin.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from marketplace.core.cells import Entry, Unusable, decimal_number, with_decimal_comma
from marketplace.core.errors import N_, Phrase
from marketplace.core.rounding import EXACT
from resellers.rules.prices import Price, plain
from resellers.words import Basis

COLUMNS = ("vendor", "soft_percent", "hard_percent")
_HUNDRED = Decimal(100)
_LOWEST = Decimal(-100)


@dataclass(frozen=True, slots=True)
class Floor:
    """What is to be earned at least, in percent of the cost: below soft by some roles alone, below hard by nobody."""

    soft: Decimal
    hard: Decimal


@dataclass(frozen=True, slots=True)
class PlanCost:
    """What the catalogue says of the plan of a SKU: cost and list price of a unit for the term, paid in so many charges."""

    sku: str
    currency: str
    cost: Decimal
    listed: Decimal | None
    charges: int


def floor_for(floors: Mapping[str, Floor], vendor: str) -> Floor | None:
    """Give the floor of a scope: of its vendor, else of all others. A rule for every vendor keeps every floor."""
    if vendor:
        return floors.get(vendor, floors.get(""))
    if not floors:
        return None
    return Floor(max(floor.soft for floor in floors.values()), max(floor.hard for floor in floors.values()))


class BelowFloor(Enum):
    """Which floor a price lies below."""

    SOFT = "soft"
    HARD = "hard"


def below_floor(sold: Decimal, bought: Decimal, floor: Floor, *, may_go_below: bool) -> BelowFloor | None:
    """Say which floor keeps somebody from selling at a price, given what the seller pays itself, in one currency."""
    earned = EXACT.multiply(sold, _HUNDRED)
    if earned < EXACT.multiply(bought, EXACT.add(_HUNDRED, floor.hard)):
        return BelowFloor.HARD
    if not may_go_below and earned < EXACT.multiply(bought, EXACT.add(_HUNDRED, floor.soft)):
        return BelowFloor.SOFT
    return None


def floor_fault(
    price: Price, floor: Floor, costs: Iterable[PlanCost], *, may_go_below: bool
) -> tuple[str, Phrase] | None:
    """Say why somebody may not enter a price, as (column, reason); None where they may."""
    column = "unit_price" if price.basis is Basis.FIXED else "percent"
    measured = list(costs) if price.basis is not Basis.COST else []
    if not (found := _below(price, floor.hard, measured)):
        if may_go_below or not (found := _below(price, floor.soft, measured)):
            return None
        if found.sku:
            sentence = N_(
                "leaves less than %(floor)s %% on the cost of %(sku)s: an administrator or finance must enter it"
            )
        else:
            sentence = N_(
                "is below the floor of %(floor)s %% on cost: an administrator or finance must enter it"
            )
        return column, Phrase.of(sentence, floor=plain(floor.soft), sku=found.sku)
    if found.sku:
        sentence = N_("leaves less than %(floor)s %% on the cost of %(sku)s, which nobody may go below")
    else:
        sentence = N_("is below the hard floor of %(floor)s %% on cost, which nobody may go below")
    return column, Phrase.of(sentence, floor=plain(floor.hard), sku=found.sku)


@dataclass(frozen=True, slots=True)
class _Below:
    sku: str = ""


def _below(price: Price, percent: Decimal, costs: Iterable[PlanCost]) -> _Below | None:
    """Find what would leave less than a percentage. Multiplied out, since quotients would have to be rounded."""
    if price.basis is Basis.COST:
        return _Below() if (price.percent or Decimal(0)) < percent else None
    for one in costs:
        least = EXACT.multiply(one.cost, EXACT.add(_HUNDRED, percent))
        if price.basis is Basis.LIST:
            if one.listed is None:
                continue  # priced at cost, as a gap
            sold = EXACT.multiply(one.listed, EXACT.add(_HUNDRED, price.percent or Decimal(0)))
        elif price.currency == one.currency:
            of_term = EXACT.multiply(price.unit_price or Decimal(0), Decimal(one.charges))
            sold = EXACT.multiply(of_term, _HUNDRED)
        else:
            continue
        if sold < least:
            return _Below(one.sku)
    return None


def read_floor(cells: Mapping[str, str]) -> tuple[str, Floor]:
    """Read a vendor and its floor from the form. Raises `FaultyEntry` naming every faulty field."""
    entry = Entry(cells)
    soft = entry.take("soft_percent", _percent, Decimal(0))
    hard = entry.take("hard_percent", _percent, _LOWEST)
    if hard > soft:
        entry.fault("hard_percent", Phrase.of(N_("must not be above the soft floor")))
    entry.check()
    return entry.text("vendor"), Floor(soft, hard)


def _percent(text: str) -> Decimal:
    percent = decimal_number(with_decimal_comma(text))
    if percent < _LOWEST:
        raise Unusable(Phrase.of(N_("must not be below -100: that much is lost at a price of nothing")))
    return percent
