"""Graduated prices: each step's units have the step's own price, whatever the whole quantity.

Source: Microsoft, Partner Center, "Azure plan price list" (October 2023): 101 units at 1 up to 100 and 0.80 beyond
cost 100.80.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from marketplace.core.rounding import EXACT


@dataclass(frozen=True, slots=True)
class Step:
    """Units from a quantity on, up to another (None is without end), at a price each."""

    begins: Decimal
    ends: Decimal | None
    unit_price: Decimal


def graduated(quantity: Decimal, steps: Sequence[Step]) -> Decimal:
    """Give the exact price of a quantity.

    Raises `ValueError` where steps leave a gap, overlap, do not begin at nothing, or end before the quantity does:
    units nobody priced must not be free.
    """
    total = Decimal(0)
    reached = Decimal(0)
    for step in sorted(steps, key=lambda one: one.begins):
        if step.begins != reached:
            raise ValueError(f"steps do not meet at {reached}: the next begins at {step.begins}")
        within = quantity if step.ends is None else min(quantity, step.ends)
        if within > step.begins:
            units = EXACT.subtract(within, step.begins)
            total = EXACT.add(total, EXACT.multiply(units, step.unit_price))
        if step.ends is None:
            return total
        reached = step.ends
    if quantity > reached:
        raise ValueError(f"no step prices units beyond {reached}")
    return total
