"""The only place where amounts are rounded.

Two questions are answered here: what an exact amount is in whole minor units (half away from zero), and how a
total in whole minor units is shared among exact parts (largest remainder). Nothing else in the product rounds.
"""

from collections.abc import Sequence
from decimal import (
    MAX_EMAX,
    MIN_EMIN,
    ROUND_FLOOR,
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


def allot(exacts: Sequence[Decimal], total: int) -> list[int]:
    """Share `total` whole units among exact amounts (in units), so that the parts add up to it.

    Largest remainder: each part is floored, then the parts with the largest fractions get one unit more until the
    total is reached. Ties go to the part that comes first, so callers pass parts in the order of their business
    fields. What the fractions cannot take (a later delta may leave a unit more or less than they hold) goes to the
    part that is largest in absolute value. Shapes: n amounts in, n integers out, their sum is `total`.
    """
    if not exacts:
        if total:
            raise ValueError("nothing to share a total among")
        return []
    floors = [int(exact.to_integral_value(rounding=ROUND_FLOOR, context=_ROUNDING)) for exact in exacts]
    missing = total - sum(floors)
    if not missing:
        return floors
    fractions = [EXACT.subtract(exact, Decimal(floor)) for exact, floor in zip(exacts, floors, strict=True)]
    by_fraction = sorted(
        (i for i, fraction in enumerate(fractions) if fraction), key=lambda i: (-fractions[i], i)
    )
    for i in by_fraction[: max(missing, 0)]:
        floors[i] += 1
        missing -= 1
    if missing:
        largest = max(range(len(exacts)), key=lambda i: (abs(exacts[i]), -i))
        floors[largest] += missing
    return floors
