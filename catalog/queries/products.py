"""Products for pages: a list to search and filter, and all there is to know about one."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session, aliased

from catalog.models import (
    MeterPrice,
    Plan,
    PlanCost,
    PlanPrice,
    PriceList,
    Product,
    Publisher,
    Sku,
    SkuRelation,
)
from catalog.queries.prices import PUBLISHED
from catalog.words import PlanStatus

#: The wholesaler's own words where there are some, else the vendor's.
SHOWN_TITLE = func.coalesce(func.nullif(Product.own_title, ""), Product.title)
SHOWN_CATEGORY = func.coalesce(func.nullif(Product.own_category, ""), Product.category)
#: Of consumption, so many steps are read for a page.
MOST_STEPS = 200


def product_list() -> Select[*tuple[Any, ...]]:
    """Give products with their publisher and the numbers of their SKUs and plans, to filter, sort and page."""
    skus = select(func.count()).where(Sku.product_id == Product.id).correlate(Product).scalar_subquery()
    plans = (
        select(func.count())
        .select_from(Plan)
        .join(Sku, Sku.id == Plan.sku_id)
        .where(Sku.product_id == Product.id, Plan.status != PlanStatus.ENDED.value)
        .correlate(Product)
        .scalar_subquery()
    )
    return select(
        Product.public_id.label("id"),
        Product.vendor,
        Product.reference,
        SHOWN_TITLE.label("title"),
        SHOWN_CATEGORY.label("category"),
        Product.kind,
        Publisher.name.label("publisher"),
        Product.is_listed,
        skus.label("skus"),
        plans.label("plans"),
    ).join(Publisher, Publisher.id == Product.publisher_id)


def has_plan(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Say that a product has a plan of some kind."""
    return (
        select(Plan.id).join(Sku, Sku.id == Plan.sku_id).where(Sku.product_id == Product.id, *conditions)
    ).exists()


def vendors_of_products(session: Session) -> Sequence[str]:
    """Give the vendors there are products of."""
    return session.scalars(select(Product.vendor).distinct().order_by(Product.vendor)).all()


def categories(session: Session) -> Sequence[str]:
    """Give the categories in use."""
    return session.scalars(
        select(SHOWN_CATEGORY).where(SHOWN_CATEGORY != "").distinct().order_by(SHOWN_CATEGORY)
    ).all()


@dataclass(frozen=True, slots=True)
class Related:
    """Another SKU, and what it is to this one."""

    kind: str
    product_id: UUID
    title: str
    reference: str
    # Whether this SKU is what the other one names, and not the other way round.
    is_target: bool


@dataclass(frozen=True, slots=True)
class PricePoint:
    """What a plan's first band cost from an instant on."""

    version: int
    since: datetime
    cost: Decimal | None
    listed: Decimal | None


@dataclass(frozen=True, slots=True)
class ProductPage:
    """A product with its SKUs, their plans and what they are to others."""

    product: Product
    publisher: str
    skus: Sequence[Sku]
    plans: Mapping[int, Sequence[Plan]]
    relations: Mapping[int, Sequence[Related]]
    # The markets and currencies it has prices in.
    markets: Sequence[tuple[str, str]]

    @property
    def plan_ids(self) -> list[int]:
        """The plans of all its SKUs."""
        return [plan.id for plans in self.plans.values() for plan in plans]


def find_product(session: Session, product_id: UUID) -> ProductPage | None:
    """Give a product with everything below it, in a handful of queries."""
    found = session.execute(
        select(Product, Publisher.name)
        .join(Publisher, Publisher.id == Product.publisher_id)
        .where(Product.public_id == product_id)
    ).one_or_none()
    if found is None:
        return None
    product, publisher = found
    skus = session.scalars(select(Sku).where(Sku.product_id == product.id).order_by(Sku.reference)).all()
    plans: defaultdict[int, list[Plan]] = defaultdict(list)
    for plan in session.scalars(
        select(Plan)
        .join(Sku, Sku.id == Plan.sku_id)
        .where(Sku.product_id == product.id)
        .order_by(Plan.segment, Plan.term, Plan.billing_cycle)
    ):
        plans[plan.sku_id].append(plan)
    return ProductPage(
        product=product,
        publisher=publisher,
        skus=skus,
        plans=plans,
        relations=_relations(session, product.id),
        markets=_markets(session, product.id),
    )


def _relations(session: Session, product_id: int) -> Mapping[int, Sequence[Related]]:
    own, other, others_product = aliased(Sku), aliased(Sku), aliased(Product)
    relations: defaultdict[int, list[Related]] = defaultdict(list)
    for is_target, (own_id, other_id) in enumerate(
        (
            (SkuRelation.sku_id, SkuRelation.target_sku_id),
            (SkuRelation.target_sku_id, SkuRelation.sku_id),
        )
    ):
        rows = session.execute(
            select(
                own.id,
                SkuRelation.kind,
                others_product.public_id,
                other.title,
                others_product.reference,
                other.reference,
            )
            .select_from(SkuRelation)
            .join(own, own.id == own_id)
            .join(other, other.id == other_id)
            .join(others_product, others_product.id == other.product_id)
            .where(own.product_id == product_id)
            .order_by(SkuRelation.kind, other.title, other.id)
        )
        for sku_id, kind, public_id, title, product, sku in rows:
            relations[sku_id].append(Related(kind, public_id, title, f"{product}:{sku}", bool(is_target)))
    return relations


def _markets(session: Session, product_id: int) -> Sequence[tuple[str, str]]:
    of_plans = (
        select(PriceList.market, PriceList.currency)
        .join(PlanPrice, PlanPrice.price_list_id == PriceList.id)
        .join(Plan, Plan.id == PlanPrice.plan_id)
        .join(Sku, Sku.id == Plan.sku_id)
        .where(Sku.product_id == product_id, PriceList.status.in_(PUBLISHED))
    )
    of_meters = (
        select(PriceList.market, PriceList.currency)
        .join(MeterPrice, MeterPrice.price_list_id == PriceList.id)
        .join(Sku, Sku.id == MeterPrice.sku_id)
        .where(Sku.product_id == product_id, PriceList.status.in_(PUBLISHED))
    )
    found = session.execute(of_plans.union(of_meters)).all()
    return sorted((market, currency) for market, currency in found)


def price_history(
    session: Session, *, plan_ids: Sequence[int], market: str, currency: str, until: datetime
) -> Mapping[int, Sequence[PricePoint]]:
    """Give what plans cost in each version of the price list that held or holds, for the smallest quantity."""
    rows = session.execute(
        select(
            PlanPrice.plan_id,
            PriceList.version,
            PriceList.active_from,
            PlanPrice.valid_from,
            PlanCost.unit_cost,
            PlanPrice.unit_list,
        )
        .join(PriceList, PriceList.id == PlanPrice.price_list_id)
        .outerjoin(PlanCost, PlanCost.plan_price_id == PlanPrice.id)
        .where(
            PlanPrice.plan_id.in_(plan_ids),
            PriceList.market == market,
            PriceList.currency == currency,
            PriceList.status.in_(PUBLISHED),
            PriceList.active_from <= until,
        )
        .order_by(PlanPrice.plan_id, PriceList.active_from, PriceList.version, PlanPrice.quantity_from)
    )
    history: defaultdict[int, list[PricePoint]] = defaultdict(list)
    for plan_id, version, active_from, valid_from, cost, listed in rows:
        points = history[plan_id]
        if points and points[-1].version == version:
            continue  # a larger band of the same version
        points.append(PricePoint(version, max(active_from or valid_from, valid_from), cost, listed))
    return history


def meter_steps(
    session: Session, *, product_id: int, market: str, currency: str, at: datetime
) -> Sequence[tuple[MeterPrice, Sku]]:
    """Give the steps of consumption of a product that hold at an instant, the first of them."""
    rows = session.execute(
        select(MeterPrice, Sku)
        .join(Sku, Sku.id == MeterPrice.sku_id)
        .join(PriceList, PriceList.id == MeterPrice.price_list_id)
        .where(
            Sku.product_id == product_id,
            PriceList.market == market,
            PriceList.currency == currency,
            PriceList.status.in_(PUBLISHED),
            PriceList.active_from <= at,
            func.coalesce(PriceList.active_until > at, True),
            MeterPrice.valid_from <= at,
            func.coalesce(MeterPrice.valid_until > at, True),
        )
        .order_by(Sku.reference, MeterPrice.meter, MeterPrice.quantity_from)
        .limit(MOST_STEPS)
    )
    return [(step, sku) for step, sku in rows]
