"""Promotions: those that may hold for plans, and lists for pages."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from catalog.models import Plan, Product, Promotion, PromotionPlan, Sku
from catalog.rules.promotions import Offered, Promoted, PromotionTerms
from catalog.words import Segment


def promotions_for(session: Session, *, plan_ids: Iterable[int], day: date) -> list[Offered]:
    """Give the promotions that hold on a day for any of some plans, in one query."""
    rows = session.execute(
        select(Promotion, PromotionPlan.plan_id)
        .join(PromotionPlan, PromotionPlan.promotion_id == Promotion.id)
        .where(
            PromotionPlan.plan_id.in_(set(plan_ids)),
            Promotion.starts_on <= day,
            Promotion.ends_on > day,
        )
        .order_by(Promotion.id)
    )
    promotions: dict[int, Promotion] = {}
    plans: defaultdict[int, set[int]] = defaultdict(set)
    for promotion, plan_id in rows:
        promotions[promotion.id] = promotion
        plans[promotion.id].add(plan_id)
    return [Offered(id_, terms_of(one), frozenset(plans[id_])) for id_, one in promotions.items()]


def promoted_by(session: Session, promotion_id: int | None) -> Promoted | None:
    """Give the promotion a price was ordered with."""
    if promotion_id is None:
        return None
    return Promoted(promotion_id, terms_of(session.get_one(Promotion, promotion_id)))


def terms_of(promotion: Promotion) -> PromotionTerms:
    """Give the terms of a promotion that stands."""
    return PromotionTerms(
        reference=promotion.reference,
        title=promotion.title,
        percent=promotion.percent,
        starts_on=promotion.starts_on,
        ends_on=promotion.ends_on,
        segment=Segment(promotion.segment) if promotion.segment else None,
        minimum_quantity=promotion.minimum_quantity,
        maximum_quantity=promotion.maximum_quantity,
        is_first_purchase_only=promotion.is_first_purchase_only,
    )


def promotion_list() -> Select[*tuple[Any, ...]]:
    """Give promotions with the number of their plans, for a list to filter, sort and page."""
    plans = (
        select(func.count())
        .where(PromotionPlan.promotion_id == Promotion.id)
        .correlate(Promotion)
        .scalar_subquery()
    )
    return select(Promotion, plans.label("plans"))


def plans_of_promotion(promotion_id: int) -> Select[*tuple[Any, ...]]:
    """Give the plans a promotion is for, with their SKUs and products."""
    return (
        select(Plan, Sku, Product)
        .join(PromotionPlan, PromotionPlan.plan_id == Plan.id)
        .join(Sku, Sku.id == Plan.sku_id)
        .join(Product, Product.id == Sku.product_id)
        .where(PromotionPlan.promotion_id == promotion_id)
        .order_by(Product.title, Sku.reference, Plan.term, Plan.billing_cycle, Plan.segment)
    )
