"""What plans cost at an instant, by quantity: the rows of the price list that is in force."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from catalog.models import PlanCost, PlanPrice, PriceList
from catalog.words import PriceListStatus


@dataclass(frozen=True, slots=True)
class PriceBand:
    """What one unit costs for the whole term where so many are bought (both ends included, blank is without end)."""

    quantity_from: int
    quantity_until: int | None
    # Nought where the session may not see costs.
    unit_cost: Decimal
    unit_list: Decimal | None
    price_list_id: int

    def __contains__(self, quantity: int) -> bool:
        return self.quantity_from <= quantity and (
            self.quantity_until is None or quantity <= self.quantity_until
        )


def prices_in_force(
    session: Session, *, plan_ids: Iterable[int], market: str, currency: str, at: datetime
) -> Mapping[int, Sequence[PriceBand]]:
    """Give the bands of plans at an instant, in one query. A plan without a price then is left out.

    Where rows of one list overlap in time, the older one holds as long as it runs. A list that has been followed by
    another holds for the instants before that.
    """
    found = session.execute(
        select(PlanPrice, PlanCost.unit_cost)
        .join(PriceList, PriceList.id == PlanPrice.price_list_id)
        .outerjoin(PlanCost, PlanCost.plan_price_id == PlanPrice.id)
        .where(
            PlanPrice.plan_id.in_(set(plan_ids)),
            PriceList.market == market,
            PriceList.currency == currency,
            PriceList.status.in_(
                [PriceListStatus.ACTIVE, PriceListStatus.SUPERSEDED, PriceListStatus.SCHEDULED]
            ),
            PriceList.active_from <= at,
            or_(PriceList.active_until.is_(None), PriceList.active_until > at),
            PlanPrice.valid_from <= at,
            or_(PlanPrice.valid_until.is_(None), PlanPrice.valid_until > at),
        )
        # The latest list first, and of its rows the oldest.
        .order_by(
            PlanPrice.plan_id,
            PriceList.active_from.desc(),
            PriceList.id.desc(),
            PlanPrice.valid_from,
            PlanPrice.quantity_from,
        )
    )
    bands: dict[int, list[PriceBand]] = {}
    chosen: dict[int, tuple[int, datetime]] = {}
    for row, cost in found:
        of = (row.price_list_id, row.valid_from)
        if chosen.setdefault(row.plan_id, of) != of:
            continue
        bands.setdefault(row.plan_id, []).append(
            PriceBand(
                row.quantity_from,
                row.quantity_until,
                cost if cost is not None else Decimal(0),
                row.unit_list,
                row.price_list_id,
            )
        )
    return bands
