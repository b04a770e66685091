"""Versions of price lists: the newest of one, and what it says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from catalog.models import MeterPrice, Plan, PlanCost, PlanPrice, PriceList, PriceListReject, Product, Sku
from catalog.price_files.rows import PlanKey
from catalog.rules.differences import BandKey, Price
from catalog.words import BillingCycle, PriceListKind, PriceListStatus, Segment, Term
from marketplace.core.errors import N_, FaultyRow, NotFound


class NoSuchPriceList(NotFound):
    """The id is nobody's."""

    sentence = N_("There is no such price list.")


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest version of a list that was not given up (0 before there is one), and which one is in force."""

    version: int
    public_id: UUID | None
    status: str
    sha256: str
    in_force_id: int | None


def newest_version(
    session: Session, *, vendor: str, kind: PriceListKind, market: str, currency: str
) -> Newest:
    """Look a list up by what it is for."""
    rows = session.scalars(
        select(PriceList)
        .where(
            PriceList.vendor == vendor,
            PriceList.kind == kind.value,
            PriceList.market == market,
            PriceList.currency == currency,
        )
        .order_by(PriceList.version.desc())
    ).all()
    version = rows[0].version if rows else 0
    kept = next((row for row in rows if row.status != PriceListStatus.DISCARDED.value), None)
    in_force = next((row for row in rows if row.status == PriceListStatus.ACTIVE.value), None)
    return Newest(
        version=version,
        public_id=kept.public_id if kept else None,
        status=kept.status if kept else "",
        sha256=kept.sha256 if kept else "",
        in_force_id=in_force.id if in_force else None,
    )


def find_price_list(session: Session, price_list_id: UUID, *, is_locked: bool = False) -> PriceList:
    """Give a version. Raises `NoSuchPriceList`."""
    query = select(PriceList).where(PriceList.public_id == price_list_id)
    found = session.scalars(query.with_for_update() if is_locked else query).one_or_none()
    if found is None:
        raise NoSuchPriceList
    return found


def bands_of(session: Session, price_list_id: int) -> dict[BandKey, Price]:
    """Give all a version says, by plan and band: of rows of one band, the last to begin."""
    found = {}
    plans = session.execute(
        select(
            Product.reference,
            Sku.reference,
            Plan.term,
            Plan.billing_cycle,
            Plan.segment,
            PlanPrice.quantity_from,
            PlanCost.unit_cost,
            PlanPrice.unit_list,
        )
        .select_from(PlanPrice)
        .join(Plan, Plan.id == PlanPrice.plan_id)
        .join(Sku, Sku.id == Plan.sku_id)
        .join(Product, Product.id == Sku.product_id)
        .outerjoin(PlanCost, PlanCost.plan_price_id == PlanPrice.id)
        .where(PlanPrice.price_list_id == price_list_id)
        .order_by(PlanPrice.valid_from)
    )
    for product, sku, term, cycle, segment, least, cost, listed in plans:
        plan = PlanKey(product, sku, Term(term), BillingCycle(cycle), Segment(segment))
        found[BandKey(plan, Decimal(least))] = Price(cost, listed)
    steps = session.execute(
        select(
            Product.reference, Sku.reference, MeterPrice.meter, MeterPrice.quantity_from, MeterPrice.unit_list
        )
        .select_from(MeterPrice)
        .join(Sku, Sku.id == MeterPrice.sku_id)
        .join(Product, Product.id == Sku.product_id)
        .where(MeterPrice.price_list_id == price_list_id)
        .order_by(MeterPrice.valid_from)
    )
    for product, sku, meter, begins, listed in steps:
        plan = PlanKey(product, sku, Term.P1M, BillingCycle.NONE, Segment.COMMERCIAL)
        found[BandKey(plan, begins, meter)] = Price(None, listed)
    return found


@dataclass(frozen=True, slots=True)
class Rejects:
    """The first values of a version's file that could not be used, and how many rows they left out."""

    first: Sequence[FaultyRow]
    rows: int


def rejects_of(session: Session, price_list: PriceList, *, most: int | None = None) -> Rejects:
    """Give what could not be used of a version's file, in its order."""
    of_list = PriceListReject.price_list_id == price_list.id
    rows = session.scalar(select(func.count(PriceListReject.row.distinct())).where(of_list)) or 0
    if not rows:
        return Rejects((), 0)
    found = session.scalars(
        select(PriceListReject).where(of_list).order_by(PriceListReject.row, PriceListReject.id).limit(most)
    )
    return Rejects(
        [FaultyRow(price_list.file, one.row, one.column_name, one.value, one.reason) for one in found], rows
    )


@dataclass(frozen=True, slots=True)
class Rename:
    """A product that its vendor calls otherwise than rules and statements do."""

    product: str
    title: str
    new_title: str


def renames(session: Session, *, vendor: str, titles: Mapping[str, str]) -> list[Rename]:
    """Give the products, by reference, whose given titles are not those they are known by here."""
    known = session.execute(
        select(Product.reference, Product.title).where(Product.vendor == vendor).order_by(Product.title)
    )
    return [
        Rename(reference, title, titles[reference])
        for reference, title in known
        if titles.get(reference, "") not in {"", title}
    ]


def renamed_in(session: Session, price_list: PriceList) -> Sequence[Product]:
    """Give the products of a version that the vendor calls otherwise than rules and statements do."""
    sold = select(Sku.product_id).where(
        or_(
            select(PlanPrice.id)
            .join(Plan, Plan.id == PlanPrice.plan_id)
            .where(Plan.sku_id == Sku.id, PlanPrice.price_list_id == price_list.id)
            .exists(),
            select(MeterPrice.id)
            .where(MeterPrice.sku_id == Sku.id, MeterPrice.price_list_id == price_list.id)
            .exists(),
        )
    )
    return session.scalars(
        select(Product)
        .where(
            Product.vendor == price_list.vendor,
            Product.vendor_title.not_in(("", Product.title)),
            Product.id.in_(sold),
        )
        .order_by(Product.title)
    ).all()


def price_list_list() -> Select[*tuple[Any, ...]]:
    """Give versions of price lists, for a list to filter, sort and page."""
    return select(
        PriceList.public_id.label("id"),
        PriceList.vendor,
        PriceList.kind,
        PriceList.market,
        PriceList.currency,
        PriceList.version,
        PriceList.status,
        PriceList.active_from,
        PriceList.active_until,
        PriceList.file,
        PriceList.rows,
        PriceList.accepted,
        PriceList.created_at,
        PriceList.created_by,
    )
