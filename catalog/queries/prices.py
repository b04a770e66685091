"""Prices in force: of plans at an instant, in a market and a currency."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from catalog.models import PlanCost, PlanPrice, PriceList
from catalog.words import PriceListStatus

#: Lists that hold or held: which of them is told by their dates, so that a scheduled one holds on the second.
PUBLISHED = (
    PriceListStatus.ACTIVE.value,
    PriceListStatus.SUPERSEDED.value,
    PriceListStatus.SCHEDULED.value,
)


@dataclass(frozen=True, slots=True)
class PriceBand:
    """What one unit of a plan costs for its whole term, for a band of quantities (both ends inclusive).

    The cost is None for a session that may not read it, as for an offer that has none.
    """

    plan_id: int
    price_list_id: int
    quantity_from: int
    quantity_until: int | None
    unit_cost: Decimal | None
    unit_list: Decimal | None

    def __contains__(self, quantity: int) -> bool:
        return self.quantity_from <= quantity and (
            self.quantity_until is None or quantity <= self.quantity_until
        )


def prices_in_force(
    session: Session, *, plan_ids: Collection[int], market: str, currency: str, at: datetime
) -> Mapping[int, list[PriceBand]]:
    """Give the bands of plans at an instant, by plan, the least quantities first. One query.

    The list is the latest that has become active by then. In it, of rows of one band that overlap in time the older
    one holds until it ends (Partner Center, "Pricing and offers": the purchase of 2 November has October's price
    where that row ends on the 3rd).
    """
    bands: dict[int, list[PriceBand]] = {}
    for row in session.execute(_in_force(market=market, currency=currency, at=at, plan_ids=plan_ids)):
        bands.setdefault(row.plan_id, []).append(PriceBand(*row))
    return bands


def _in_force(
    *, market: str, currency: str, at: datetime, plan_ids: Collection[int]
) -> Select[*tuple[Any, ...]]:
    lists = (
        select(PriceList.id)
        .where(
            PriceList.market == market,
            PriceList.currency == currency,
            PriceList.status.in_(PUBLISHED),
            PriceList.active_from <= at,
        )
        .ext(distinct_on(PriceList.vendor, PriceList.kind))
        .order_by(PriceList.vendor, PriceList.kind, PriceList.active_from.desc(), PriceList.version.desc())
    )
    return (
        select(
            PlanPrice.plan_id,
            PlanPrice.price_list_id,
            PlanPrice.quantity_from,
            PlanPrice.quantity_until,
            PlanCost.unit_cost,
            PlanPrice.unit_list,
        )
        .outerjoin(PlanCost, PlanCost.plan_price_id == PlanPrice.id)
        .where(
            PlanPrice.plan_id.in_(plan_ids),
            PlanPrice.price_list_id.in_(lists),
            PlanPrice.valid_from <= at,
            (PlanPrice.valid_until.is_(None)) | (PlanPrice.valid_until > at),
        )
        .ext(distinct_on(PlanPrice.plan_id, PlanPrice.quantity_from))
        .order_by(PlanPrice.plan_id, PlanPrice.quantity_from, PlanPrice.valid_from)
    )
