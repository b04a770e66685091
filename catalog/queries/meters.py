"""What is billed as it is used: the SKUs with graduated prices, and the steps of their meters."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, tuple_
from sqlalchemy.orm import Session

from catalog.models import MeterPrice, Plan, PriceList, Product, Publisher, Sku
from catalog.queries.prices import PUBLISHED
from catalog.queries.shop import title_of
from catalog.rules.metered import BOUGHT_AS, METERED, bought
from catalog.words import PlanStatus

_MOST = 200


@dataclass(frozen=True, slots=True)
class MeteredOffer:
    """A SKU that is billed as it is used."""

    sku_id: UUID
    title: str
    vendor: str
    publisher: str
    category: str
    # As statements and price rules name them.
    product: str
    sku: str


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter of a SKU with its steps, the lowest first, in the currency of its price list."""

    name: str
    unit: str
    currency: str
    steps: Sequence[MeterPrice]


def metered_offers(session: Session, *, market: str, at: datetime) -> Sequence[MeteredOffer]:
    """Give what is billed as it is used in a market, the first of it by title."""
    rows = session.execute(
        select(Sku, Product, Publisher.name)
        .join(Product, Product.id == Sku.product_id)
        .join(Publisher, Publisher.id == Product.publisher_id)
        .where(
            Product.is_listed,
            select(MeterPrice.id)
            .join(PriceList, PriceList.id == MeterPrice.price_list_id)
            .where(MeterPrice.sku_id == Sku.id, _in_force(market, at))
            .exists(),
        )
        .order_by(Sku.title, Sku.id)
        .limit(_MOST)
    )
    return [_offer(sku, product, publisher) for sku, product, publisher in rows]


def find_metered(
    session: Session, sku_id: UUID, *, market: str, at: datetime
) -> tuple[MeteredOffer, Sequence[Meter]] | None:
    """Give one with the meters that hold at an instant; None where it has none in the market, or is not shown."""
    found = session.execute(
        select(Sku, Product, Publisher.name)
        .join(Product, Product.id == Sku.product_id)
        .join(Publisher, Publisher.id == Product.publisher_id)
        .where(Sku.public_id == sku_id, Product.is_listed)
    ).one_or_none()
    if found is None:
        return None
    meters: dict[tuple[str, str, str], list[MeterPrice]] = {}
    for step, currency in session.execute(
        select(MeterPrice, PriceList.currency)
        .join(PriceList, PriceList.id == MeterPrice.price_list_id)
        .where(MeterPrice.sku_id == found[0].id, _in_force(market, at))
        .order_by(PriceList.currency, MeterPrice.meter, MeterPrice.quantity_from, MeterPrice.valid_from)
    ):
        steps = meters.setdefault((step.meter, step.unit, currency), [])
        # Of steps that begin alike the older one holds until it ends.
        if not steps or steps[-1].quantity_from != step.quantity_from:
            steps.append(step)
    if not meters:
        return None
    return _offer(*found), [Meter(*key, steps) for key, steps in meters.items()]


@dataclass(frozen=True, slots=True)
class OrderedPlan:
    """What is put into a cart to use a metered offer."""

    plan_id: UUID
    title: str


def ordered_plan(session: Session, offer: MeteredOffer) -> OrderedPlan | None:
    """Give the plan by which an offer is bought; None where everybody cannot have it."""
    product, _, sku = offer.sku.rpartition(":")
    found = session.execute(
        select(Plan.public_id, Product, Sku)
        .join(Sku, Sku.id == Plan.sku_id)
        .join(Product, Product.id == Sku.product_id)
        .where(
            Product.vendor == offer.vendor,
            tuple_(Product.reference, Sku.reference).in_(bought(offer.vendor, [(product, sku)])),
            tuple_(Plan.term, Plan.billing_cycle) == tuple_(*METERED),
            Plan.status == PlanStatus.ON_SALE.value,
            Product.is_listed,
        )
    ).first()
    return None if found is None else OrderedPlan(found[0], title_of(found[1], found[2]))


def metered_in_force(session: Session, plan_ids: Collection[int], *, market: str, at: datetime) -> set[int]:
    """Give those of some metered plans under which something is sold in a market at an instant."""
    whole = [(vendor, one.product, one.sku) for vendor, one in BOUGHT_AS.items()]
    is_whole = tuple_(Product.vendor, Product.reference, Sku.reference).in_(whole)
    meters = (
        select(MeterPrice.id)
        .join(PriceList, PriceList.id == MeterPrice.price_list_id)
        .where(
            _in_force(market, at),
            or_(MeterPrice.sku_id == Sku.id, and_(is_whole, PriceList.vendor == Product.vendor)),
        )
        .exists()
    )
    return set(
        session.scalars(
            select(Plan.id)
            .join(Sku, Sku.id == Plan.sku_id)
            .join(Product, Product.id == Sku.product_id)
            .where(Plan.id.in_(plan_ids), meters)
        )
    )


def _offer(sku: Sku, product: Product, publisher: str) -> MeteredOffer:
    return MeteredOffer(
        sku_id=sku.public_id,
        title=title_of(product, sku),
        vendor=product.vendor,
        publisher=publisher,
        category=product.own_category or product.category,
        product=product.title,
        sku=f"{product.reference}:{sku.reference}",
    )


def _in_force(market: str, at: datetime) -> ColumnElement[bool]:
    return and_(
        PriceList.market == market,
        PriceList.status.in_(PUBLISHED),
        PriceList.active_from <= at,
        func.coalesce(PriceList.active_until > at, True),
        MeterPrice.valid_from <= at,
        func.coalesce(MeterPrice.valid_until > at, True),
    )
