"""Exact arithmetic on decimals: short names for operations that never lose a digit."""

from decimal import Decimal

from marketplace.core.rounding import EXACT

multiply = EXACT.multiply
add = EXACT.add
subtract = EXACT.subtract


def plus_percent(percent: Decimal) -> Decimal:
    """Give (100 + percent) / 100: 12.5 becomes 1.125."""
    return EXACT.scaleb(EXACT.add(Decimal(100), percent), -2)


def plain(value: Decimal) -> str:
    """Write a decimal without exponent and without trailing noughts, every digit kept."""
    if not value:
        return "0"
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
