"""The proof of a close: the vendor's bill equals its parts, to the minor unit.

vendor bill = cost on statements + vendor tax + unmapped + parked + licences + vendor rounding

Licences are what the vendor charged for subscriptions beyond what they are charged from their own histories.
"""

from dataclasses import dataclass
from decimal import Decimal

from marketplace.core.currency import minor_units
from marketplace.core.rounding import EXACT, allot, to_minor
from marketplace.rating.exact import add


@dataclass(frozen=True, slots=True)
class Parts:
    """What became of the vendor's rows of one bill, exact, in its currency."""

    cost: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    unmapped: Decimal = Decimal(0)
    parked: Decimal = Decimal(0)
    licences: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Balance:
    """The same in whole minor units, adding up to the bill."""

    bill: int
    detail: Decimal
    cost: int
    tax: int
    unmapped: int
    parked: int
    licences: int
    rounding: int


def balance(parts: Parts, *, bill: Decimal | None, currency: str) -> Balance:
    """Share the rows' rounded total among the parts; what it differs from the vendor's own bill is its rounding.

    `bill` is the exact total of the vendor's reconciliation file, None where the rows themselves are the bill.
    """
    exacts = [parts.cost, parts.tax, parts.unmapped, parts.parked]
    detail = Decimal(0)
    for exact in exacts:
        detail = add(detail, exact)
    total = to_minor(detail, currency)
    shift = minor_units(currency)
    cost, tax, unmapped, parked = allot([EXACT.scaleb(exact, shift) for exact in exacts], total)
    billed = total if bill is None else to_minor(bill, currency)
    licences = to_minor(parts.licences, currency)
    return Balance(billed, detail, cost, tax, unmapped, parked, licences, billed - total - licences)
