"""What is billed as it is used: the SKUs with graduated prices, and the steps of their meters."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from catalog.models import MeterPrice, PriceList, Product, Publisher, Sku
from catalog.queries.prices import PUBLISHED
from catalog.queries.shop import title_of

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
