"""Adding promotions and ending them."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.models import Plan, Product, Promotion, PromotionPlan, Sku
from catalog.queries.promotions import terms_of
from catalog.rules.promotions import PromotionTerms, promotion_as_json
from marketplace.core import audit
from marketplace.core.actor import Actor, Permission
from marketplace.core.errors import N_, NotFound, Refusal
from marketplace.core.permit import require


class PromotionStands(Refusal):
    """The reference is taken."""

    sentence = N_(
        "%(vendor)s has a promotion %(reference)s already. End that one, and name the new one anew."
    )


class NoPlanChosen(Refusal):
    """A promotion for nothing."""

    sentence = N_("Choose the plans the promotion is for.")


class EndsOutside(Refusal):
    """The day is not within the promotion."""

    sentence = N_(
        "The promotion holds from %(start)s to %(end)s: choose a day after the first, and before it ends."
    )


def add_promotion(
    session: Session, *, actor: Actor, product_id: UUID, terms: PromotionTerms, plan_ids: Collection[UUID]
) -> Promotion:
    """Add a promotion for plans of a product. Raises `NotFound`, `NoPlanChosen`, `PromotionStands`."""
    require(actor, Permission.WHOLESALER_CATALOGUE_MANAGE)
    product = session.scalars(select(Product).where(Product.public_id == product_id)).one_or_none()
    if product is None:
        raise NotFound
    plans = session.scalars(
        select(Plan.id)
        .join(Sku, Sku.id == Plan.sku_id)
        .where(Sku.product_id == product.id, Plan.public_id.in_(plan_ids))
    ).all()
    if not plans:
        raise NoPlanChosen
    standing = select(Promotion.id).where(
        Promotion.vendor == product.vendor, Promotion.reference == terms.reference
    )
    if session.scalar(standing) is not None:
        raise PromotionStands(vendor=product.vendor, reference=terms.reference)
    promotion = Promotion(
        vendor=product.vendor,
        reference=terms.reference,
        title=terms.title,
        percent=terms.percent,
        starts_on=terms.starts_on,
        ends_on=terms.ends_on,
        segment=terms.segment.value if terms.segment else "",
        minimum_quantity=terms.minimum_quantity,
        maximum_quantity=terms.maximum_quantity,
        is_first_purchase_only=terms.is_first_purchase_only,
        plans=[PromotionPlan(plan_id=plan_id) for plan_id in plans],
    )
    session.add(promotion)
    session.flush()
    audit.record(
        session,
        actor=actor,
        action="promotion.add",
        subject="promotion",
        subject_id=promotion.public_id,
        after={**promotion_as_json(terms), "vendor": product.vendor, "product": product.title},
    )
    return promotion


def end_promotion(session: Session, *, actor: Actor, promotion_id: UUID, end: date) -> Promotion:
    """End a promotion earlier: `end` is the first day it no longer holds on. Raises `NotFound`, `EndsOutside`."""
    require(actor, Permission.WHOLESALER_CATALOGUE_MANAGE)
    promotion = session.scalars(
        select(Promotion).where(Promotion.public_id == promotion_id).with_for_update()
    ).one_or_none()
    if promotion is None:
        raise NotFound
    if not promotion.starts_on < end < promotion.ends_on:
        raise EndsOutside(start=promotion.starts_on, end=promotion.ends_on)
    before = promotion_as_json(terms_of(promotion))
    promotion.ends_on = end
    audit.record(
        session,
        actor=actor,
        action="promotion.end",
        subject="promotion",
        subject_id=promotion.public_id,
        before={"ends_on": before["ends_on"]},
        after={"ends_on": end.isoformat()},
    )
    return promotion
