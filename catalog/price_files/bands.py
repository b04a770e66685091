"""Bands of quantities: two prices of a plan for the same quantity at the same time would leave the price open."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

from catalog.price_files.rows import MeterRow, PlanRow, PriceFile
from marketplace.core.errors import N_, FaultyRow, Phrase

_NEVER = datetime(9999, 1, 1, tzinfo=UTC)
_ENDLESS = Decimal("Infinity")
R = TypeVar("R", PlanRow, MeterRow)


def reject_overlaps(read: PriceFile, *, file: str) -> None:
    """Reject rows that overlap an earlier one: the same band from the same instant, or bands that only partly agree.

    Rows of the same band that start at different instants may overlap: the older one holds until it ends.
    """
    read.plans = _kept(read, read.plans, file)
    read.meters = _kept(read, read.meters, file)


def _kept(read: PriceFile, rows: Sequence[R], file: str) -> list[R]:
    standing: dict[Hashable, list[R]] = defaultdict(list)
    kept = []
    for row in rows:
        others = standing[_subject(row)]
        clash = next((other for other in others if _clash(row, other)), None)
        if clash is None:
            others.append(row)
            kept.append(row)
            continue
        column = "PricingTierRangeMin" if _band(row) != _band(clash) else "EffectiveStartDate"
        reason = Phrase.of(
            N_("overlaps row %(row)s, which has another price for the same time and quantity"),
            row=clash.number,
        )
        value = str(row.quantity_from) if column == "PricingTierRangeMin" else row.valid_from.isoformat()
        read.rejects.append(FaultyRow(file, row.number, column, value, reason))
    return kept


def _subject(row: PlanRow | MeterRow) -> Hashable:
    if isinstance(row, PlanRow):
        return row.plan, row.market, row.currency
    return row.words.product, row.words.sku, row.meter, row.market, row.currency


def _band(row: PlanRow | MeterRow) -> tuple[Decimal, Decimal]:
    """Give the band from its least quantity to where the next may begin."""
    least = Decimal(row.quantity_from)
    if row.quantity_until is None:
        return least, _ENDLESS
    return least, Decimal(row.quantity_until) + (1 if isinstance(row, PlanRow) else 0)


def _clash(row: PlanRow | MeterRow, other: PlanRow | MeterRow) -> bool:
    if row.valid_from >= (other.valid_until or _NEVER) or other.valid_from >= (row.valid_until or _NEVER):
        return False
    band, other_band = _band(row), _band(other)
    if band == other_band:
        return row.valid_from == other.valid_from
    return band[0] < other_band[1] and other_band[0] < band[1]
