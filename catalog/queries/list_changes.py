"""What a version of a price list changes against the one before it, and what that means for what customers have."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import CTE, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from catalog.models import MeterPrice, Plan, PlanCost, PlanPrice, PriceList, Product, Sku
from catalog.price_files.rows import PlanKey
from catalog.rules.differences import BandKey, Difference, Kind, Price, differences
from catalog.words import BillingCycle, PriceListStatus, Segment, Term
from marketplace.core.rounding import EXACT

#: Of a plan, the quantities that customers have: one for each subscription.
Live = Mapping[int, Sequence[int]]
_HELD = (PriceListStatus.ACTIVE.value, PriceListStatus.SUPERSEDED.value)
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Change:
    """A price before and after, and what it makes for live customers in a whole term at their renewal."""

    difference: Difference
    # Units that customers have at this price.
    units: int
    effect: Decimal


@dataclass(frozen=True, slots=True)
class ListChanges:
    """A version against another, the one it follows or would replace; None where it is the first."""

    against: PriceList | None
    changes: Sequence[Change]
    unchanged: int
    effect: Decimal

    def counted(self, kind: Kind) -> int:
        """How many prices became so."""
        return Counter(change.difference.kind for change in self.changes)[kind]


def changes_of(session: Session, price_list: PriceList, *, live: Live) -> ListChanges:
    """Compare a version with the one it follows. Only what differs leaves the database: a list has 100,000 prices."""
    against = _version_before(session, price_list)
    others_id = against.id if against else 0
    before: dict[BandKey, Price] = {}
    after: dict[BandKey, Price] = {}
    titles: dict[BandKey, str] = {}
    for key, title, was, becomes in (
        *_changed_plans(session, others_id, price_list.id),
        *_changed_steps(session, others_id, price_list.id),
    ):
        titles[key] = title
        if was is not None:
            before[key] = was
        if becomes is not None:
            after[key] = becomes
    had = _units_by_band(session, others_id, live)
    changes = [_change(one, had) for one in differences(before, after, titles)]
    return ListChanges(
        against=against,
        changes=changes,
        unchanged=_prices(session, price_list.id) - sum(one.difference.after is not None for one in changes),
        effect=sum((one.effect for one in changes), _ZERO),
    )


def _change(difference: Difference, had: Mapping[BandKey, int]) -> Change:
    units = had.get(difference.key, 0)
    was = difference.before.leading if difference.before else None
    becomes = difference.after.leading if difference.after else None
    if was is None or becomes is None:
        return Change(difference, units, _ZERO)
    return Change(difference, units, EXACT.multiply(EXACT.subtract(becomes, was), Decimal(units)))


def _version_before(session: Session, price_list: PriceList) -> PriceList | None:
    """Give the version in force while this one is open, else the one it followed."""
    same = select(PriceList).where(
        PriceList.vendor == price_list.vendor,
        PriceList.kind == price_list.kind,
        PriceList.market == price_list.market,
        PriceList.currency == price_list.currency,
        PriceList.id != price_list.id,
        PriceList.status.in_(_HELD),
    )
    if price_list.status in _HELD:
        same = same.where(PriceList.active_from <= price_list.active_from)
    newest_first = same.order_by(PriceList.active_from.desc(), PriceList.version.desc()).limit(1)
    return session.scalars(newest_first).one_or_none()


_Row = tuple[BandKey, str, Price | None, Price | None]


def _bands(price_list_id: int, name: str) -> CTE:
    """Give the prices of a version: of rows of one band, the last to begin."""
    return (
        select(PlanPrice.plan_id, PlanPrice.quantity_from, PlanCost.unit_cost, PlanPrice.unit_list)
        .outerjoin(PlanCost, PlanCost.plan_price_id == PlanPrice.id)
        .where(PlanPrice.price_list_id == price_list_id)
        .ext(distinct_on(PlanPrice.plan_id, PlanPrice.quantity_from))
        .order_by(PlanPrice.plan_id, PlanPrice.quantity_from, PlanPrice.valid_from.desc())
        .cte(name)
    )


def _steps(price_list_id: int, name: str) -> CTE:
    """Give the steps of a version, likewise."""
    return (
        select(MeterPrice.sku_id, MeterPrice.meter, MeterPrice.quantity_from, MeterPrice.unit_list)
        .where(MeterPrice.price_list_id == price_list_id)
        .ext(distinct_on(MeterPrice.sku_id, MeterPrice.meter, MeterPrice.quantity_from))
        .order_by(MeterPrice.sku_id, MeterPrice.meter, MeterPrice.quantity_from, MeterPrice.valid_from.desc())
        .cte(name)
    )


def _changed_plans(session: Session, before_id: int, after_id: int) -> Iterator[_Row]:
    was, becomes = _bands(before_id, "was"), _bands(after_id, "becomes")
    both = (was.c.plan_id == becomes.c.plan_id) & (was.c.quantity_from == becomes.c.quantity_from)
    rows = session.execute(
        select(
            Product.reference,
            Sku.reference,
            Sku.title,
            Plan.term,
            Plan.billing_cycle,
            Plan.segment,
            func.coalesce(becomes.c.quantity_from, was.c.quantity_from),
            was.c.plan_id.is_not(None),
            was.c.unit_cost,
            was.c.unit_list,
            becomes.c.plan_id.is_not(None),
            becomes.c.unit_cost,
            becomes.c.unit_list,
        )
        .select_from(was)
        .join(becomes, both, full=True)
        .join(Plan, Plan.id == func.coalesce(becomes.c.plan_id, was.c.plan_id))
        .join(Sku, Sku.id == Plan.sku_id)
        .join(Product, Product.id == Sku.product_id)
        .where(
            was.c.plan_id.is_(None)
            | becomes.c.plan_id.is_(None)
            | was.c.unit_cost.is_distinct_from(becomes.c.unit_cost)
            | was.c.unit_list.is_distinct_from(becomes.c.unit_list)
        )
    )
    for product, sku, title, term, cycle, segment, least, is_old, cost, listed, is_new, *now in rows:
        plan = PlanKey(product, sku, Term(term), BillingCycle(cycle), Segment(segment))
        old = Price(cost, listed) if is_old else None
        yield BandKey(plan, Decimal(least)), title, old, Price(*now) if is_new else None


def _changed_steps(session: Session, before_id: int, after_id: int) -> Iterator[_Row]:
    was, becomes = _steps(before_id, "was"), _steps(after_id, "becomes")
    both = (
        (was.c.sku_id == becomes.c.sku_id)
        & (was.c.meter == becomes.c.meter)
        & (was.c.quantity_from == becomes.c.quantity_from)
    )
    rows = session.execute(
        select(
            Product.reference,
            Sku.reference,
            Sku.title,
            func.coalesce(becomes.c.meter, was.c.meter),
            func.coalesce(becomes.c.quantity_from, was.c.quantity_from),
            was.c.unit_list,
            becomes.c.unit_list,
        )
        .select_from(was)
        .join(becomes, both, full=True)
        .join(Sku, Sku.id == func.coalesce(becomes.c.sku_id, was.c.sku_id))
        .join(Product, Product.id == Sku.product_id)
        .where(was.c.unit_list.is_distinct_from(becomes.c.unit_list))
    )
    for product, sku, title, meter, begins, old, new in rows:
        plan = PlanKey(product, sku, Term.P1M, BillingCycle.NONE, Segment.COMMERCIAL)
        yield (
            BandKey(plan, begins, meter),
            title,
            None if old is None else Price(None, old),
            None if new is None else Price(None, new),
        )


def _prices(session: Session, price_list_id: int) -> int:
    """Count the prices of a version."""
    bands = select(func.count()).select_from(_bands(price_list_id, "bands"))
    steps = select(func.count()).select_from(_steps(price_list_id, "steps"))
    return (session.scalar(bands) or 0) + (session.scalar(steps) or 0)


def _units_by_band(session: Session, price_list_id: int, live: Live) -> Mapping[BandKey, int]:
    """Count units at the band of a version that their subscription's quantity lies in."""
    rows = session.execute(
        select(
            Plan.id,
            Product.reference,
            Sku.reference,
            Plan.term,
            Plan.billing_cycle,
            Plan.segment,
            PlanPrice.quantity_from,
        )
        .distinct()
        .join(Sku, Sku.id == Plan.sku_id)
        .join(Product, Product.id == Sku.product_id)
        .join(PlanPrice, PlanPrice.plan_id == Plan.id)
        .where(PlanPrice.price_list_id == price_list_id, Plan.id.in_(live))
    )
    starts: defaultdict[tuple[int, PlanKey], list[int]] = defaultdict(list)
    for plan_id, product, sku, term, cycle, segment, least in rows:
        plan = PlanKey(product, sku, Term(term), BillingCycle(cycle), Segment(segment))
        starts[plan_id, plan].append(least)
    units: Counter[BandKey] = Counter()
    for (plan_id, plan), begins in starts.items():
        for quantity in live[plan_id]:
            if reached := [start for start in begins if start <= quantity]:
                units[BandKey(plan, Decimal(max(reached)))] += quantity
    return units
