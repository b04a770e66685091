"""Deliveries as pages show them: the list, one with its files and slices, and what was used by day."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, text
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session, selectinload

from marketplace.core.actor import Actor, Audience
from marketplace.core.errors import Phrase
from marketplace.core.period import Period
from marketplace.rating.exact import add, subtract
from marketplace.usage.models import Delivery, DeliveryFile, DeliverySlice, DeliveryStatus

RUNNING = frozenset({"queued", "reading"})

ExactTotals = tuple[tuple[str, Decimal], ...]


def deliveries_visible_to(actor: Actor) -> Select[Delivery]:
    """Select the deliveries an actor may see: they are the wholesaler's alone."""
    statement = select(Delivery).where(Delivery.status != DeliveryStatus.MADE.value)
    return statement if actor.audience is Audience.WHOLESALER else statement.where(text("false"))


@dataclass(frozen=True)
class DeliveryRow:
    """A delivery as lists show it."""

    id: UUID
    vendor: str
    billing_account: str
    files: str
    periods: tuple[Period, ...]
    status: str
    rows: int
    accepted: int
    rejected: int
    # Exact, by currency.
    cost: ExactTotals
    is_addition: bool
    error: Phrase | None
    created_by: str
    created_at: datetime

    @property
    def is_running(self) -> bool:
        """Whether it is still being read."""
        return self.status in RUNNING


_files = (
    select(func.string_agg(DeliveryFile.name, aggregate_order_by(text("', '"), DeliveryFile.number)))
    .where(DeliveryFile.delivery_id == Delivery.id)
    .correlate(Delivery)
    .scalar_subquery()
)
_slices = (
    select(
        func.jsonb_agg(func.jsonb_build_object("period", DeliverySlice.period, "cost", DeliverySlice.cost))
    )
    .where(DeliverySlice.delivery_id == Delivery.id)
    .correlate(Delivery)
    .scalar_subquery()
)
#: The names of a delivery's files, to search and sort by.
FILE_NAMES = _files


def list_deliveries(actor: Actor) -> Select[*tuple[Any, ...]]:
    """Select `delivery_row`'s columns of every delivery, the newest first."""
    return (
        deliveries_visible_to(actor)
        .with_only_columns(Delivery, _files, _slices)
        .order_by(Delivery.created_at.desc(), Delivery.id.desc())
    )


def delivery_row(found: Any) -> DeliveryRow:
    """Make the row of a list from what `list_deliveries` gives."""
    delivery, files, slices = found
    slices = slices or []
    numbers = {one["period"] for one in slices} or ({delivery.period} if delivery.period else set())
    return DeliveryRow(
        id=delivery.public_id,
        vendor=delivery.vendor,
        billing_account=delivery.billing_account,
        files=files or delivery.vendor,
        periods=tuple(Period.from_number(number) for number in sorted(numbers)),
        status=delivery.status,
        rows=delivery.rows,
        accepted=delivery.accepted,
        rejected=delivery.rejected,
        cost=added(one["cost"] for one in slices),
        is_addition=delivery.is_addition,
        error=delivery.error,
        created_by=delivery.created_by,
        created_at=delivery.created_at,
    )


def has_usage_of(period: Period) -> Any:
    """Select deliveries that say something about a month."""
    return Delivery.id.in_(select(DeliverySlice.delivery_id).where(DeliverySlice.period == period.number))


def vendors_known(session: Session) -> list[str]:
    """Give the vendors files have come from."""
    return list(session.scalars(select(Delivery.vendor).distinct().order_by(Delivery.vendor)))


def periods_delivered(session: Session) -> list[Period]:
    """Give the months that were delivered, the newest first."""
    numbers = session.scalars(select(DeliverySlice.period).distinct().order_by(DeliverySlice.period.desc()))
    return [Period.from_number(number) for number in numbers]


@dataclass(frozen=True)
class SliceChange:
    """What a delivery says of a billing account and month, against what it replaced."""

    billing_account: str
    period: Period
    file_kind: str
    is_current: bool
    rows: int
    rejected: int
    cost: ExactTotals
    # None where it replaced nothing.
    rows_before: int | None
    cost_before: ExactTotals

    @property
    def change(self) -> ExactTotals:
        """By how much the cost differs from what was replaced."""
        before = dict(self.cost_before)
        now = dict(self.cost)
        return tuple(
            (currency, subtract(now.get(currency, Decimal(0)), before.get(currency, Decimal(0))))
            for currency in sorted(now.keys() | before.keys())
        )


@dataclass(frozen=True)
class DeliveryPage:
    """One delivery with its files, its sums, and what it replaced."""

    delivery: Delivery
    files: Sequence[DeliveryFile]
    slices: Sequence[SliceChange]
    # Exact, by currency and day.
    by_day: Mapping[str, Mapping[date, Decimal]]
    replaces: DeliveryRow | None
    replaced_by: Sequence[DeliveryRow]

    @property
    def cost(self) -> ExactTotals:
        """The cost of the whole delivery."""
        return added(dict(one.cost) for one in self.slices)

    @property
    def is_running(self) -> bool:
        """Whether it is still being read."""
        return self.delivery.status in RUNNING

    @property
    def percent(self) -> int:
        """How far the stage of the reading is, in percent."""
        done, total = self.delivery.done, self.delivery.total
        return min(99, done * 100 // total) if total else 0


def find_delivery_page(session: Session, *, actor: Actor, delivery_id: UUID) -> DeliveryPage | None:
    """Give a delivery with everything its page shows, None where there is none."""
    delivery = session.scalars(
        deliveries_visible_to(actor)
        .where(Delivery.public_id == delivery_id)
        .options(selectinload(Delivery.files), selectinload(Delivery.slices))
    ).one_or_none()
    if delivery is None:
        return None
    replaced = session.scalars(select(DeliverySlice).where(DeliverySlice.replaced_by_id == delivery.id)).all()
    by_day: dict[str, dict[date, Decimal]] = {}
    for piece in delivery.slices:
        for day, costs in piece.cost_by_day.items():
            for currency, cost in costs.items():
                days = by_day.setdefault(currency, {})
                days[date.fromisoformat(day)] = add(
                    days.get(date.fromisoformat(day), Decimal(0)), Decimal(cost)
                )
    others = {piece.replaced_by_id for piece in delivery.slices if piece.replaced_by_id}
    wanted = others | ({delivery.replaces_id} if delivery.replaces_id else set())
    rows = {}
    if wanted:
        found = session.execute(list_deliveries(actor).where(Delivery.id.in_(wanted)))
        rows = {one[0].id: delivery_row(one) for one in found}
    return DeliveryPage(
        delivery=delivery,
        files=sorted(delivery.files, key=lambda file: file.number),
        slices=[
            _slice_change(piece, replaced)
            for piece in sorted(delivery.slices, key=lambda s: (s.period, s.billing_account, s.file_kind))
        ],
        by_day=by_day,
        replaces=rows.get(delivery.replaces_id) if delivery.replaces_id else None,
        replaced_by=[rows[number] for number in sorted(others) if number in rows],
    )


def _slice_change(piece: DeliverySlice, replaced: Sequence[DeliverySlice]) -> SliceChange:
    older = [
        other
        for other in replaced
        if (other.billing_account, other.period, other.file_kind)
        == (piece.billing_account, piece.period, piece.file_kind)
    ]
    return SliceChange(
        billing_account=piece.billing_account,
        period=Period.from_number(piece.period),
        file_kind=piece.file_kind,
        is_current=piece.is_current,
        rows=piece.accepted,
        rejected=piece.facts.get("rejected", 0),
        cost=added([piece.cost]),
        rows_before=sum(other.accepted for other in older) if older else None,
        cost_before=added(other.cost for other in older),
    )


def added(costs: Iterable[Mapping[str, str | Decimal] | None]) -> ExactTotals:
    """Add up costs by currency, exactly."""
    sums: dict[str, Decimal] = {}
    for cost in costs:
        for currency, amount in (cost or {}).items():
            sums[currency] = add(sums.get(currency, Decimal(0)), Decimal(amount))
    return tuple(sorted(sums.items()))


@dataclass(frozen=True)
class VendorDay:
    """What one vendor charges for a day's usage, exact."""

    vendor: str
    day: date
    currency: str
    cost: Decimal


# A vendor's bill that lists what its daily usage file lists too is left out, or both would count.
_VENDOR_DAYS = """
    SELECT s.vendor, CAST(d.key AS date), c.key, sum(CAST(c.value AS numeric))
    FROM delivery_slice s, jsonb_each(s.cost_by_day) d, jsonb_each_text(d.value) c
    WHERE s.is_current AND s.period = :period AND NOT (s.file_kind = 'reconciliation' AND EXISTS (
        SELECT FROM delivery_slice o WHERE o.is_current AND o.period = s.period AND o.vendor = s.vendor
            AND o.billing_account = s.billing_account AND o.file_kind = 'daily'))
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


def cost_by_vendor_and_day(session: Session, period: Period) -> list[VendorDay]:
    """Give what the vendors charge for a month, day by day."""
    return [VendorDay(*row) for row in session.execute(text(_VENDOR_DAYS), {"period": period.number})]
