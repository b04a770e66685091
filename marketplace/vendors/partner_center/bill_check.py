"""What a line of Microsoft's bill should come to, by Microsoft's own arithmetic: cents are cut off, not rounded.

    seats up or down:     cut(effective unit price x quantity)
    any other licence:    cut(effective unit price x exchange rate) x quantity          (as documented)
    usage:                cut(cut(effective unit price x quantity) x exchange rate)     (as documented)

The documents know the second rule alone; every printed example of a seat change follows the first. This checks the
vendor's bill and never makes one of ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import MAX_EMAX, MIN_EMIN, ROUND_DOWN, Context, Decimal

from marketplace.core.currency import minor_units
from marketplace.core.rounding import EXACT, round_ratio
from marketplace.rating.exact import multiply

_CUTTING = Context(prec=400, Emax=MAX_EMAX, Emin=MIN_EMIN)
_PRICE_DECIMALS = 18
_USAGE_PRICE_DECIMALS = 15
_QUANTITY_FIRST = frozenset({"addquantity", "removequantity"})
_COUNT_STARTS = frozenset({"new", "renew", "cyclecharge"})
_CREDIT = "customercredit"


@dataclass(frozen=True, slots=True)
class LicenceLine:
    """What a licence line of a bill says about itself. The quantity is positive; what is taken back has a sign."""

    charge_type: str
    unit_price: Decimal
    quantity: Decimal
    cycle_days: int
    billed_days: int
    currency: str
    is_taken_back: bool = False
    discount_percent: Decimal = Decimal(0)
    fx_rate: Decimal = Decimal(1)


def cut(amount: Decimal, currency: str) -> Decimal:
    """Cut off what is smaller than a minor unit, towards zero."""
    unit = Decimal(1).scaleb(-minor_units(currency))
    return amount.quantize(unit, rounding=ROUND_DOWN, context=_CUTTING)


def effective_unit_price(line: LicenceLine) -> Decimal:
    """Give the price of a unit for the billed days, after promotions."""
    promoted = EXACT.scaleb(
        multiply(line.unit_price, EXACT.subtract(Decimal(100), line.discount_percent)), -2
    )
    price = round_ratio(multiply(promoted, Decimal(line.billed_days)), line.cycle_days, _PRICE_DECIMALS)
    return -price if line.is_taken_back else price


def licence_subtotal(line: LicenceLine) -> Decimal:
    """Give what a licence line should come to, before tax."""
    price = effective_unit_price(line)
    if line.charge_type.lower() in _QUANTITY_FIRST:
        return cut(multiply(multiply(price, line.quantity), line.fx_rate), line.currency)
    return multiply(cut(multiply(price, line.fx_rate), line.currency), line.quantity)


def usage_subtotal(unit_price: Decimal, quantity: Decimal, *, fx_rate: Decimal, currency: str) -> Decimal:
    """Give what a usage line should come to, before tax."""
    return cut(multiply(cut(multiply(unit_price, quantity), currency), fx_rate), currency)


def usage_effective_unit_price(
    units: Decimal, unit_price: Decimal, *, earned_credit_percent: Decimal, currency: str
) -> Decimal:
    """Give the price of a unit of a month's meter: its cost, with cents cut off, over its units."""
    factor = EXACT.scaleb(EXACT.subtract(Decimal(100), earned_credit_percent), -2)
    cost = cut(multiply(multiply(units, unit_price), factor), currency)
    shift = -int(units.as_tuple().exponent)
    return round_ratio(EXACT.scaleb(cost, shift), int(EXACT.scaleb(units, shift)), _USAGE_PRICE_DECIMALS)


@dataclass(frozen=True, slots=True)
class CountedLine:
    """A line of a subscription, as counting its seats needs it: signed, taken back below zero."""

    charge_type: str
    starts_on: date
    quantity: int


def seats_after(lines: Sequence[CountedLine]) -> int:
    """Give how many seats stand after a bill's lines of one subscription, credits aside.

    Counting starts anew with each line that charges a whole cycle; what follows adds and takes away, so that several
    changes on one day may come in any order.
    """
    counted = [line for line in lines if line.charge_type.lower() != _CREDIT]
    starts = [line for line in counted if line.charge_type.lower() in _COUNT_STARTS]
    if not starts:
        return sum(line.quantity for line in counted)
    base = max(starts, key=lambda line: line.starts_on)
    later = [line for line in counted if line not in starts and line.starts_on >= base.starts_on]
    return base.quantity + sum(line.quantity for line in later)
