"""What a version of a price list changes against the one before it, and what that means for what customers have."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.models import MeterPrice, Plan, PlanPrice, PriceList, Product, Sku
from catalog.price_files.rows import PlanKey
from catalog.queries.price_lists import bands_of
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
    """Compare a version with the one it follows."""
    against = _version_before(session, price_list)
    before = bands_of(session, against.id) if against else {}
    after = bands_of(session, price_list.id)
    ids = [price_list.id, *([against.id] if against else [])]
    found = differences(before, after, _titles(session, ids))
    had = _units_by_band(_plan_keys(session, price_list.vendor, live), before)
    changes = [_change(one, had) for one in found]
    return ListChanges(
        against=against,
        changes=changes,
        unchanged=len(after) - sum(one.after is not None for one in found),
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


def _titles(session: Session, price_list_ids: Sequence[int]) -> Mapping[BandKey, str]:
    """Give the titles of SKUs for every price of some versions."""
    titles: dict[BandKey, str] = {}
    names = (Product.reference, Sku.reference, Sku.title)
    plans = session.execute(
        select(*names, Plan.term, Plan.billing_cycle, Plan.segment, PlanPrice.quantity_from)
        .select_from(PlanPrice)
        .join(Plan, Plan.id == PlanPrice.plan_id)
        .join(Sku, Sku.id == Plan.sku_id)
        .join(Product, Product.id == Sku.product_id)
        .where(PlanPrice.price_list_id.in_(price_list_ids))
    )
    for product, sku, title, term, cycle, segment, least in plans:
        plan = PlanKey(product, sku, Term(term), BillingCycle(cycle), Segment(segment))
        titles[BandKey(plan, Decimal(least))] = title
    steps = session.execute(
        select(*names, MeterPrice.meter, MeterPrice.quantity_from)
        .select_from(MeterPrice)
        .join(Sku, Sku.id == MeterPrice.sku_id)
        .join(Product, Product.id == Sku.product_id)
        .where(MeterPrice.price_list_id.in_(price_list_ids))
    )
    for product, sku, title, meter, begins in steps:
        plan = PlanKey(product, sku, Term.P1M, BillingCycle.NONE, Segment.COMMERCIAL)
        titles[BandKey(plan, begins, meter)] = title
    return titles


def _plan_keys(session: Session, vendor: str, live: Live) -> Iterable[tuple[PlanKey, Sequence[int]]]:
    rows = session.execute(
        select(Plan.id, Product.reference, Sku.reference, Plan.term, Plan.billing_cycle, Plan.segment)
        .join(Sku, Sku.id == Plan.sku_id)
        .join(Product, Product.id == Sku.product_id)
        .where(Product.vendor == vendor, Plan.id.in_(live))
    )
    for plan_id, product, sku, term, cycle, segment in rows:
        yield PlanKey(product, sku, Term(term), BillingCycle(cycle), Segment(segment)), live[plan_id]


def _units_by_band(
    live: Iterable[tuple[PlanKey, Sequence[int]]], bands: Mapping[BandKey, Price]
) -> Mapping[BandKey, int]:
    """Count units at the band their subscription's quantity lies in."""
    starts: defaultdict[PlanKey, list[Decimal]] = defaultdict(list)
    for key in bands:
        if not key.meter:
            starts[key.plan].append(key.quantity_from)
    units: Counter[BandKey] = Counter()
    for plan, quantities in live:
        for quantity in quantities:
            reached = [start for start in starts.get(plan, ()) if start <= quantity]
            if reached:
                units[BandKey(plan, max(reached))] += quantity
    return units
