"""The only place where amounts are rounded.

Two questions are answered here: what an exact amount is in whole minor units (half away from zero), and how a
total in whole minor units is shared among exact parts (largest remainder). Nothing else in the product rounds.
"""

from collections.abc import Iterable, Sequence
from decimal import (
    MAX_EMAX,
    MIN_EMIN,
    ROUND_HALF_UP,
    Context,
    Decimal,
    Inexact,
    InvalidOperation,
)

from marketplace.core.currency import minor_units

#: Arithmetic on amounts is exact: any operation that would lose a digit raises `decimal.Inexact`.
EXACT = Context(prec=400, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[Inexact, InvalidOperation])
_ROUNDING = Context(prec=400, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[InvalidOperation])


def round_half_away(exact: Decimal, decimals: int) -> Decimal:
    """Round to a number of decimals, halves away from zero (Python's ROUND_HALF_UP means just that)."""
    return exact.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP, context=_ROUNDING)


def round_ratio(amount: Decimal, divisor: int, decimals: int) -> Decimal:
    """Divide by a whole number and round to a number of decimals, halves away from zero.

    The quotient is first cut at 400 digits, which no half survives: a fraction that does not end repeats sooner.
    """
    return round_half_away(_ROUNDING.divide(amount, divisor), decimals)


def to_minor(exact: Decimal, currency: str) -> int:
    """Round an exact amount to whole minor units of its currency (cents for EUR, yen for JPY)."""
    return int(round_half_away(EXACT.scaleb(exact, minor_units(currency)), 0))


def whole_numbers(values: Iterable[Decimal]) -> tuple[list[int], int]:
    """Give decimals as whole numbers of one scale, and the number of decimals they have: value = number / 10**decimals.

    Whole numbers are multiplied and added exactly, and several times as fast as decimals.
    """
    values = list(values)
    decimals = max((-int(value.as_tuple().exponent) for value in values), default=0)
    decimals = max(decimals, 0)
    return [int(EXACT.scaleb(value, decimals)) for value in values], decimals


def allot(exacts: Sequence[Decimal], total: int) -> list[int]:
    """Share `total` whole units among exact amounts (in units), so that the parts add up to it: see `share`."""
    numbers, decimals = whole_numbers(exacts)
    return share(numbers, 10**decimals, total)


def whole_units(number: int, unit: int) -> int:
    """Round a number of parts to whole units of `unit` parts each, halves away from zero."""
    units, rest = divmod(abs(number), unit)
    units += 2 * rest >= unit
    return units if number >= 0 else -units


def share(parts: Sequence[int], unit: int, total: int) -> list[int]:
    """Share `total` whole units among amounts that are whole numbers of parts, `unit` of which make a unit.

    Largest remainder: each amount is floored, then those with the largest fractions get one unit more until the
    total is reached. Ties go to the one that comes first, so callers pass them in the order of their business
    fields. What the fractions cannot take (a later delta may leave a unit more or less than they hold) goes to the
    one that is largest in absolute value. Shapes: n amounts in, n integers out, their sum is `total`.
    """
    if not parts:
        if total:
            raise ValueError("nothing to share a total among")
        return []
    units = [part // unit for part in parts]
    missing = total - sum(units)
    if not missing:
        return units
    if missing > 0:
        fractions = [part % unit for part in parts]
        by_fraction = sorted(range(len(parts)), key=fractions.__getitem__, reverse=True)
        for i in by_fraction[:missing]:
            if not fractions[i]:
                break
            units[i] += 1
            missing -= 1
    if missing:
        largest = max(range(len(parts)), key=lambda i: (abs(parts[i]), -i))
        units[largest] += missing
    return units
