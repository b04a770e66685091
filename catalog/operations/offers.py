"""Keeping products, SKUs and plans up to date with what vendors publish, many at once.

Only the vendor's own words are written. What the wholesaler set (its own title and category, whether the shop shows
a product, whether a plan is on sale) is never touched.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, Boolean, Text, and_, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from catalog.models import Plan, Product, Publisher, Sku, SkuRelation
from catalog.price_files.rows import PlanKey, Relation, SkuLimits, SkuWords
from catalog.words import BillingModel
from marketplace.core.bulk import many_at_once, table_of

SkuKey = tuple[str, str]


def keep_skus(
    session: Session, vendor: str, words: Iterable[SkuWords], *, with_limits: bool
) -> dict[SkuKey, int]:
    """Add or update SKUs with their products and publishers; give their ids by (product, SKU).

    Where rows disagree the last one's words are kept. Price lists know no limits: those of known SKUs stay.
    """
    by_sku = {(one.product, one.sku): one for one in words}
    given = list(by_sku.values())
    with many_at_once(session, len(given)):
        products = _keep_products(session, vendor, given)
        rows = table_of(
            {
                "product_id": (BigInteger(), [products[one.product] for one in given]),
                "reference": (Text(), [one.sku for one in given]),
                "title": (Text(), [one.sku_title for one in given]),
                "description": (Text(), [one.description for one in given]),
                "unit": (Text(), [one.unit for one in given]),
                "minimum_quantity": (BigInteger(), [one.minimum_quantity for one in given]),
                "maximum_quantity": (BigInteger(), [one.maximum_quantity for one in given]),
                "is_addon": (Boolean(), [one.is_addon for one in given]),
                "is_trial": (Boolean(), [one.is_trial for one in given]),
                "may_cancel": (Boolean(), [one.may_cancel for one in given]),
                "may_renew": (Boolean(), [one.may_renew for one in given]),
            }
        )
        key = ("product_id", "reference")
        kept = (*_SKU_WORDS, *(_SKU_LIMITS if with_limits else ()))
        ids = _upsert(session, Sku, rows, key=key, kept=kept, fixed=_SKU_DEFAULTS)
    by_product = {id_: reference for reference, id_ in products.items()}
    return {(by_product[product_id], reference): id_ for id_, product_id, reference in ids}


def _keep_products(session: Session, vendor: str, given: Sequence[SkuWords]) -> dict[str, int]:
    words = {one.product: one for one in given}
    publishers = _keep_publishers(session, {one.publisher for one in given})
    rows = table_of(
        {
            "vendor": (Text(), [vendor] * len(words)),
            "reference": (Text(), list(words)),
            "publisher_id": (BigInteger(), [publishers[one.publisher] for one in words.values()]),
            "kind": (Text(), [one.kind.value for one in words.values()]),
            "title": (Text(), [one.product_title for one in words.values()]),
            "vendor_title": (Text(), [one.product_title for one in words.values()]),
            "category": (Text(), [one.category for one in words.values()]),
            "description": (Text(), [one.description for one in words.values()]),
        }
    )
    fixed = {"own_title": "", "own_category": "", "is_listed": True}
    ids = _upsert(session, Product, rows, key=("vendor", "reference"), kept=_PRODUCT_WORDS, fixed=fixed)
    return {reference: id_ for id_, _vendor, reference in ids}


def _keep_publishers(session: Session, names: set[str]) -> dict[str, int]:
    rows = table_of({"name": (Text(), sorted(names))})
    return {name: id_ for id_, name in _upsert(session, Publisher, rows, key=("name",))}


def keep_plans(
    session: Session, skus: Mapping[SkuKey, int], models: Mapping[PlanKey, BillingModel]
) -> dict[PlanKey, int]:
    """Add the plans that are not known yet, each with how it is billed; give the ids of all, by their names."""
    given = list(models)
    table = table_of(
        {
            "sku_id": (BigInteger(), [skus[one.product, one.sku] for one in given]),
            "term": (Text(), [one.term.value for one in given]),
            "billing_cycle": (Text(), [one.billing_cycle.value for one in given]),
            "segment": (Text(), [one.segment.value for one in given]),
            "billing_model": (Text(), [models[one].value for one in given]),
        }
    )
    with many_at_once(session, len(given)):
        key = ("sku_id", "term", "billing_cycle", "segment")
        ids = _upsert(session, Plan, table, key=key, fixed={"status": "on_sale"})
    found = {(sku_id, term, cycle, segment): id_ for id_, sku_id, term, cycle, segment in ids}
    return {
        one: found[skus[one.product, one.sku], one.term.value, one.billing_cycle.value, one.segment.value]
        for one in given
    }


def keep_limits(session: Session, vendor: str, limits: Sequence[SkuLimits]) -> dict[SkuKey, int]:
    """Set how many of a SKU may be bought and had; give the ids of the SKUs that are known."""
    given = table_of(
        {
            "product": (Text(), [one.sku[0] for one in limits]),
            "sku": (Text(), [one.sku[1] for one in limits]),
            "minimum_quantity": (BigInteger(), [one.minimum_quantity for one in limits]),
            "maximum_quantity": (BigInteger(), [one.maximum_quantity for one in limits]),
            "customer_limit": (BigInteger(), [one.customer_limit for one in limits]),
            "is_addon": (Boolean(), [one.is_addon for one in limits]),
        }
    )
    with many_at_once(session, len(limits)):
        known = session.execute(
            update(Sku)
            .where(
                Sku.product_id == Product.id,
                Product.vendor == vendor,
                Product.reference == given.c.product,
                Sku.reference == given.c.sku,
            )
            .values(
                minimum_quantity=given.c.minimum_quantity,
                maximum_quantity=given.c.maximum_quantity,
                customer_limit=given.c.customer_limit,
                is_addon=given.c.is_addon,
            )
            .returning(Sku.id, Product.reference, Sku.reference),
            execution_options={"synchronize_session": False},
        )
    return {(product, sku): id_ for id_, product, sku in known}


def keep_relations(session: Session, skus: Mapping[SkuKey, int], relations: Sequence[Relation]) -> None:
    """Add what SKUs are to each other."""
    table = table_of(
        {
            "sku_id": (BigInteger(), [skus[one.sku] for one in relations]),
            "kind": (Text(), [one.kind.value for one in relations]),
            "target_sku_id": (BigInteger(), [skus[one.target] for one in relations]),
        }
    )
    session.execute(
        insert(SkuRelation).from_select(list(table.c.keys()), select(*table.c)).on_conflict_do_nothing()
    )


# The title stays as first imported: rules know the product by it.
_PRODUCT_WORDS = ("publisher_id", "kind", "vendor_title", "category", "description")
_SKU_WORDS = ("title", "description", "unit", "is_trial")
_SKU_LIMITS = ("minimum_quantity", "maximum_quantity", "is_addon", "may_cancel", "may_renew")
_SKU_DEFAULTS: dict[str, Any] = {"may_increase": True, "may_decrease": True, "may_suspend": True}


def _upsert(
    session: Session,
    model: Any,
    rows: Any,
    *,
    key: Sequence[str],
    kept: Sequence[str] = (),
    fixed: Mapping[str, Any] | None = None,
) -> list[Any]:
    """Insert rows or, where their key is known, overwrite the columns `kept`; give (id, *key) of each.

    `fixed` are columns of new rows alone.
    """
    fixed = fixed or {}
    columns = list(rows.c.keys())
    same = and_(*(getattr(model, column) == rows.c[column] for column in key))
    given = select(*rows.c, *(literal(value) for value in fixed.values()), func.gen_random_uuid())
    # What stays as it is is not written anew: a month's list repeats nearly all of the month before.
    if not kept:
        given = given.where(~select(model.id).where(same).exists())
    adds = insert(model).from_select([*columns, *fixed, "public_id"], given)
    statement = (
        adds.on_conflict_do_update(
            index_elements=list(key),
            set_={column: adds.excluded[column] for column in kept},
            where=or_(*(adds.excluded[column].is_distinct_from(getattr(model, column)) for column in kept)),
        )
        if kept
        else adds.on_conflict_do_nothing(index_elements=list(key))
    )
    session.execute(statement, execution_options={"synchronize_session": False})
    return list(
        session.execute(select(model.id, *(getattr(model, column) for column in key)).join(rows, same))
    )
