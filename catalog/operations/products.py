"""What the wholesaler itself says of products and plans: no import ever touches it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.models import Plan, Product, Sku
from catalog.words import PlanStatus
from marketplace.core import audit
from marketplace.core.actor import Actor, Permission
from marketplace.core.errors import NotFound
from marketplace.core.permit import require


@dataclass(frozen=True, kw_only=True)
class OwnWords:
    """The wholesaler's title and category (blank: the vendor's), and what it sells to whom.

    `statuses` are of plans, by public id.
    """

    own_title: str
    own_category: str
    is_listed: bool
    statuses: Mapping[UUID, PlanStatus] = field(default_factory=dict)


def change_product(session: Session, *, actor: Actor, product_id: UUID, words: OwnWords) -> Product:
    """Say something of a product. Plans of other products are left alone. Raises `NotFound`."""
    require(actor, Permission.WHOLESALER_CATALOGUE_MANAGE)
    product = session.scalars(
        select(Product).where(Product.public_id == product_id).with_for_update()
    ).one_or_none()
    if product is None:
        raise NotFound
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}

    def change(thing: Product | Plan, name: str, value: object, fact: str) -> None:
        standing = getattr(thing, name)
        if standing != value:
            before[fact], after[fact] = standing, value
            setattr(thing, name, value)

    change(product, "own_title", words.own_title.strip(), "own_title")
    change(product, "own_category", words.own_category.strip(), "own_category")
    change(product, "is_listed", words.is_listed, "is_listed")
    for plan, reference in session.execute(
        select(Plan, Sku.reference)
        .join(Sku, Sku.id == Plan.sku_id)
        .where(Sku.product_id == product.id, Plan.public_id.in_(words.statuses))
    ):
        name = f"status {reference} {plan.term} {plan.billing_cycle} {plan.segment}"
        change(plan, "status", words.statuses[plan.public_id].value, name)
    if after:
        audit.record(
            session,
            actor=actor,
            action="product.change",
            subject="product",
            subject_id=product.public_id,
            before={"product": product.title, **before},
            after={"product": product.title, **after},
        )
    return product
