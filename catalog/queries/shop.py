"""What the shop sells, as its pages search it: by offer, or by each way to buy one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, literal_column, select
from sqlalchemy.orm import Session

from catalog.models import Plan, PlanPrice, PriceList, Product, Publisher, Sku, SkuRelation
from catalog.words import PlanStatus, PriceListStatus, ProductKind, RelationKind

#: What can be put into a cart. Consumption has no price a unit: it is billed as it is used.
COUNTED = (ProductKind.LICENCE.value, ProductKind.SOFTWARE.value, ProductKind.SERVICE.value)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class OfferRow:
    """A SKU, with the plans by which it can be bought."""

    sku_id: UUID
    title: str
    about: str
    publisher: str
    category: str
    unit: str
    # The least that can be bought.
    least: int
    is_addon: bool
    plan_ids: Sequence[int]
    terms: Sequence[str]


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A way to buy a SKU."""

    title: str
    vendor: str
    category: str
    term: str


def offers_on_sale() -> Select[*tuple[Any, ...]]:
    """Select `offer_row`'s columns of everything on sale that can be counted; conditions may be about its plans."""
    return _on_sale(
        select(Sku, Product, Publisher.name, func.array_agg(Plan.id), func.array_agg(Plan.term.distinct()))
    ).group_by(Sku.id, Product.id, Publisher.id)


def plans_on_sale() -> Select[*tuple[Any, ...]]:
    """Select `plan_row`'s columns of everything on sale that can be counted."""
    return _on_sale(select(Plan, Sku, Product))


def _on_sale(selected: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return (
        selected.select_from(Plan)
        .join(Sku, Sku.id == Plan.sku_id)
        .join(Product, Product.id == Sku.product_id)
        .join(Publisher, Publisher.id == Product.publisher_id)
        .where(
            Plan.status == PlanStatus.ON_SALE.value,
            Product.is_listed,
            Product.kind.in_(COUNTED),
        )
    )


def offer_row(found: Any) -> OfferRow:
    """Make the row of a list from what `offers_on_sale` gives."""
    sku, product, publisher, plan_ids, terms = found
    return OfferRow(
        sku_id=sku.public_id,
        title=title_of(product, sku),
        about=sku.description or product.description,
        publisher=publisher,
        category=product.own_category or product.category,
        unit=sku.unit,
        least=sku.minimum_quantity,
        is_addon=sku.is_addon,
        plan_ids=plan_ids,
        terms=terms,
    )


def plan_row(found: Any) -> PlanRow:
    """Make the row of a file from what `plans_on_sale` gives."""
    plan, sku, product = found
    return PlanRow(
        title=title_of(product, sku),
        vendor=product.vendor,
        category=product.own_category or product.category,
        term=plan.term,
    )


def title_of(product: Product, sku: Sku) -> str:
    """Give what people call a SKU: the wholesaler's own words for the product where there are any."""
    return product.own_title or sku.title or product.title


def has_words(text: str) -> ColumnElement[bool]:
    """Narrow to products that have all words, or beginnings of words, of a text."""
    words = [f"{word}:*" for word in _WORD.findall(text.casefold())]
    if not words:
        return literal_column("true")
    return Product.words.op("@@")(func.to_tsquery("simple", " & ".join(words)))


def listed_below(amount: Decimal, *, market: str, currency: str, at: datetime) -> ColumnElement[bool]:
    """Narrow to plans one unit of which is listed at no more than an amount for its whole term."""
    return (
        select(PlanPrice.id)
        .join(PriceList, PriceList.id == PlanPrice.price_list_id)
        .where(
            PlanPrice.plan_id == Plan.id,
            PlanPrice.unit_list <= amount,
            PriceList.market == market,
            PriceList.currency == currency,
            PriceList.status == PriceListStatus.ACTIVE.value,
            PlanPrice.valid_from <= at,
            (PlanPrice.valid_until.is_(None)) | (PlanPrice.valid_until > at),
        )
        .exists()
    )


def vendors_on_sale(session: Session) -> Sequence[str]:
    """Give the vendors the shop has something of."""
    return session.scalars(
        select(Product.vendor).where(Product.is_listed).distinct().order_by(Product.vendor)
    ).all()


def categories_on_sale(session: Session) -> Sequence[str]:
    """Give the categories of what is on sale."""
    category = func.coalesce(func.nullif(Product.own_category, ""), Product.category)
    return session.scalars(
        select(category).where(Product.is_listed, category != "").distinct().order_by(category)
    ).all()


@dataclass(frozen=True, slots=True)
class ShopOffer:
    """A SKU with every way to buy it, and what it needs or can become."""

    sku: Sku
    product: Product
    publisher: str
    plans: Sequence[Plan]
    # (kind of relation, public id, title)
    relations: Sequence[tuple[str, UUID, str]]

    @property
    def title(self) -> str:
        """What people call it."""
        return title_of(self.product, self.sku)

    def related(self, kind: RelationKind) -> list[tuple[UUID, str]]:
        """Give the SKUs that are something to it."""
        return [(id_, title) for its, id_, title in self.relations if its == kind]


def find_offer(session: Session, sku_id: UUID) -> ShopOffer | None:
    """Give a SKU on sale that can be counted; None where there is none."""
    found = session.execute(
        select(Sku, Product, Publisher.name)
        .join(Product, Product.id == Sku.product_id)
        .join(Publisher, Publisher.id == Product.publisher_id)
        .where(Sku.public_id == sku_id, Product.is_listed, Product.kind.in_(COUNTED))
    ).one_or_none()
    if found is None:
        return None
    sku, product, publisher = found
    plans = session.scalars(
        select(Plan)
        .where(Plan.sku_id == sku.id, Plan.status == PlanStatus.ON_SALE.value)
        .order_by(Plan.segment, Plan.term, Plan.billing_cycle)
    ).all()
    relations = session.execute(
        select(SkuRelation.kind, Sku.public_id, Product.title)
        .join(Sku, Sku.id == SkuRelation.target_sku_id)
        .join(Product, Product.id == Sku.product_id)
        .where(SkuRelation.sku_id == sku.id)
        .order_by(Product.title)
    )
    return ShopOffer(sku, product, publisher, plans, [(row[0], row[1], row[2]) for row in relations])
