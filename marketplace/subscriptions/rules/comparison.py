"""What a vendor billed for a subscription beside what it is charged here: the same, or a difference with a name."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum

from catalog.rules.promotions import undiscounted
from marketplace.core.currency import minor_units
from marketplace.core.rounding import EXACT, round_ratio
from marketplace.rating.exact import add, multiply, subtract
from marketplace.rating.proration import Charge, UnitPrice
from marketplace.rating.terms import cycles_in_term
from marketplace.vendors.partner_center.bill_check import LicenceLine, licence_subtotal

_PRICE_DECIMALS = 18
#: How near to a whole percentage a reduced price must be to be taken for a promotion.
_NEAR = Decimal("0.05")
_HUNDRED = Decimal(100)


class DifferenceKind(StrEnum):
    """Why the two sides differ."""

    # Charged by one side alone in this month, or from another day on.
    TIMING = "timing"
    QUANTITY = "quantity"
    PRICE = "price"
    # One side takes a promotion off and the other does not, or another one.
    PROMOTION = "promotion"
    CURRENCY = "currency"
    # The vendor bills a subscription that is not known here; it is billed from the vendor's lines.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Line:
    """A charge of one side. The quantity is below nought where seats are taken back.

    `expected` is what the vendor should bill by its own cutting of cents; on the vendor's side it is the cost. `in_full`
    is the same without the promotion.
    """

    charge_type: str
    start: date
    quantity: Decimal
    cost: Decimal
    expected: Decimal
    in_full: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: what each side has, exact."""

    kind: DifferenceKind
    charge_type: str
    start: date | None
    billed: Decimal
    own: Decimal
    billed_quantity: Decimal
    own_quantity: Decimal
    currency: str


@dataclass(slots=True)
class _Side:
    quantity: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)
    expected: Decimal = Decimal(0)
    in_full: Decimal = Decimal(0)

    def take(self, line: Line) -> None:
        self.quantity = add(self.quantity, line.quantity)
        self.cost = add(self.cost, line.cost)
        self.expected = add(self.expected, line.expected)
        self.in_full = add(self.in_full, line.in_full)


_Key = tuple[str, date, bool]


def own_line(charge: Charge, price: UnitPrice, currency: str, *, percent_off: Decimal = Decimal(0)) -> Line:
    """Give a charge of ours, with what the vendor should bill for it. The price is after `percent_off`."""
    cycles = cycles_in_term(price.term, price.billing_cycle)
    full = undiscounted(price.cost, percent_off)
    bill = LicenceLine(
        charge_type=charge.kind.value,
        unit_price=round_ratio(price.cost, cycles, _PRICE_DECIMALS),
        quantity=Decimal(abs(charge.quantity)),
        cycle_days=charge.whole_days,
        billed_days=(charge.end - charge.start).days,
        currency=currency,
        is_taken_back=charge.quantity < 0,
    )
    return Line(
        charge.kind.value.lower(),
        charge.start,
        Decimal(charge.quantity),
        charge.cost,
        licence_subtotal(bill),
        licence_subtotal(replace(bill, unit_price=round_ratio(full, cycles, _PRICE_DECIMALS))),
        currency,
    )


def billed_line(charge_type: str, start: date, quantity: Decimal, cost: Decimal, currency: str) -> Line:
    """Give a line of the vendor's bill, whose quantities have no sign but whose amounts do."""
    signed = -abs(quantity) if cost < 0 else abs(quantity)
    return Line(charge_type.lower(), start, signed, cost, cost, cost, currency)


def compare(billed: Sequence[Line], own: Sequence[Line]) -> list[Difference]:
    """Give what differs for one subscription in one month, by kind of charge and day."""
    if {line.currency for line in billed} != {line.currency for line in own} and billed and own:
        return [_whole(DifferenceKind.CURRENCY, billed, own)]
    theirs, ours = _by_key(billed), _by_key(own)
    currency = (billed or own)[0].currency
    differences = [
        found
        for key in sorted(theirs.keys() & ours.keys())
        if (found := _differing(key, theirs.pop(key), ours.pop(key), currency)) is not None
    ]
    return differences + _unpaired(theirs, ours, currency)


def unknown(billed: Sequence[Line]) -> Difference:
    """Give what the vendor bills for a subscription that is not known here."""
    return _whole(DifferenceKind.UNKNOWN, billed, ())


def _by_key(lines: Iterable[Line]) -> dict[_Key, _Side]:
    sides: dict[_Key, _Side] = defaultdict(_Side)
    for line in lines:
        sides[line.charge_type, line.start, line.quantity < 0].take(line)
    return dict(sides)


def _differing(key: _Key, billed: _Side, own: _Side, currency: str) -> Difference | None:
    unit = Decimal(1).scaleb(-minor_units(currency))
    same_money = billed.cost == own.expected or abs(subtract(billed.cost, own.cost)) < unit
    if billed.quantity == own.quantity and same_money:
        return None
    if billed.quantity != own.quantity:
        kind = DifferenceKind.QUANTITY
    else:
        kind = DifferenceKind.PROMOTION if _is_promotion(billed, own, unit) else DifferenceKind.PRICE
    return _difference(kind, key, billed, own, currency)


def _unpaired(theirs: dict[_Key, _Side], ours: dict[_Key, _Side], currency: str) -> list[Difference]:
    """Pair what is charged alike from another day on; what is left is charged by one side alone."""
    differences = []
    for key in sorted(theirs):
        same = [
            other
            for other in sorted(ours)
            if (other[0], other[2]) == (key[0], key[2]) and ours[other].quantity == theirs[key].quantity
        ]
        own = ours.pop(same[0]) if same else _Side()
        differences.append(_difference(DifferenceKind.TIMING, key, theirs[key], own, currency))
    differences += [
        _difference(DifferenceKind.TIMING, key, _Side(), ours[key], currency) for key in sorted(ours)
    ]
    return differences


def _difference(kind: DifferenceKind, key: _Key, billed: _Side, own: _Side, currency: str) -> Difference:
    charge_type, start, _ = key
    return Difference(
        kind, charge_type, start, billed.cost, own.cost, billed.quantity, own.quantity, currency
    )


def _whole(kind: DifferenceKind, billed: Sequence[Line], own: Sequence[Line]) -> Difference:
    theirs, ours = _Side(), _Side()
    for line in billed:
        theirs.take(line)
    for line in own:
        ours.take(line)
    currency = (billed or own)[0].currency
    return Difference(kind, "", None, theirs.cost, ours.cost, theirs.quantity, ours.quantity, currency)


def _is_promotion(billed: _Side, own: _Side, unit: Decimal) -> bool:
    """Whether the vendor takes a promotion off that we do not, or not the one that we do."""
    if _is_reduced(billed.cost, own.cost):
        return True
    if own.in_full == own.expected:
        return False
    return abs(subtract(billed.cost, own.in_full)) < unit or _is_reduced(billed.cost, own.in_full)


def _is_reduced(billed: Decimal, own: Decimal) -> bool:
    """Whether what was billed is lower by a whole percentage, as promotions are."""
    if not own or not 0 < billed / own < 1:
        return False
    percent = multiply(_HUNDRED, subtract(Decimal(1), _share(billed, own)))
    nearest = percent.to_integral_value()
    return nearest >= 1 and abs(subtract(percent, nearest)) <= _NEAR


def _share(part: Decimal, whole: Decimal) -> Decimal:
    """Give what share one amount is of another, to six decimals: enough to tell a percentage."""
    shift = max(0, -int(whole.as_tuple().exponent))
    return round_ratio(EXACT.scaleb(part, shift), int(EXACT.scaleb(whole, shift)), 6)
