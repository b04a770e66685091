"""What a promotion makes of a price, and what it would be without it."""

from dataclasses import replace

from catalog.rules.promotions import Promoted, discounted, undiscounted
from marketplace.subscriptions.rules.history import Quoted


def reduced(quoted: Quoted, promotion: Promoted | None) -> Quoted:
    """Take a promotion off the full price."""
    if promotion is None:
        return quoted
    percent = promotion.terms.percent
    return replace(
        quoted,
        unit_cost=discounted(quoted.unit_cost, percent),
        unit_listed=None if quoted.unit_listed is None else discounted(quoted.unit_listed, percent),
        promotion=promotion,
    )


def in_full(quoted: Quoted) -> Quoted:
    """Give the price before its promotion."""
    if quoted.promotion is None:
        return quoted
    percent = quoted.promotion.terms.percent
    return replace(
        quoted,
        unit_cost=undiscounted(quoted.unit_cost, percent),
        unit_listed=None if quoted.unit_listed is None else undiscounted(quoted.unit_listed, percent),
        promotion=None,
    )
