"""Plans of the catalogue as subscriptions know them, and what they cost on a day."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from catalog.models import Plan, Product, Sku, SkuRelation
from catalog.queries.meters import metered_in_force
from catalog.queries.prices import prices_in_force
from catalog.words import BillingCycle, PlanStatus, RelationKind, Segment, Term
from marketplace.subscriptions.queries.promotions import Asked, held_promotions
from marketplace.subscriptions.rules.history import Offer, Quoted, midnight
from marketplace.subscriptions.rules.promotions import reduced


def offers_of(session: Session, plan_ids: Iterable[int]) -> dict[int, Offer]:
    """Give plans by id, in two queries."""
    rows = session.execute(
        select(Plan, Sku, Product)
        .join(Sku, Sku.id == Plan.sku_id)
        .join(Product, Product.id == Sku.product_id)
        .where(Plan.id.in_(set(plan_ids)))
    ).all()
    targets = _targets(session, {sku.id for _, sku, _ in rows})
    return {
        plan.id: Offer(
            plan_id=plan.id,
            vendor=product.vendor,
            product=product.title,
            sku=f"{product.reference}:{sku.reference}",
            unit=sku.unit,
            kind=product.kind,
            term=Term(plan.term),
            billing_cycle=BillingCycle(plan.billing_cycle),
            segment=Segment(plan.segment),
            minimum_quantity=sku.minimum_quantity,
            maximum_quantity=sku.maximum_quantity,
            customer_limit=sku.customer_limit,
            is_trial=sku.is_trial,
            may_increase=sku.may_increase,
            may_decrease=sku.may_decrease,
            may_cancel=sku.may_cancel,
            may_suspend=sku.may_suspend,
            upgrades_to=targets[sku.id, RelationKind.UPGRADE.value],
            converts_to=targets[sku.id, RelationKind.CONVERSION.value],
        )
        for plan, sku, product in rows
    }


def _targets(session: Session, sku_ids: set[int]) -> defaultdict[tuple[int, str], frozenset[str]]:
    target, product = aliased(Sku), aliased(Product)
    found: defaultdict[tuple[int, str], frozenset[str]] = defaultdict(frozenset)
    rows = session.execute(
        select(SkuRelation.sku_id, SkuRelation.kind, product.reference, target.reference)
        .join(target, target.id == SkuRelation.target_sku_id)
        .join(product, product.id == target.product_id)
        .where(SkuRelation.sku_id.in_(sku_ids))
    )
    for sku_id, kind, product_reference, reference in rows:
        found[sku_id, kind] |= {f"{product_reference}:{reference}"}
    return found


def quotes(session: Session, asked: Iterable[Asked]) -> Mapping[Asked, Quoted]:
    """Give prices after promotions; what is not sold then has none.

    What is billed as it is used is had for nothing, where something is sold under it. One query for the prices and two
    for the promotions of each market, currency and day (one more where something is metered), and three for all.
    """
    groups: dict[tuple[str, str, date], list[Asked]] = defaultdict(list)
    for one in asked:
        groups[one.market, one.currency, one.day].append(one)
    everything = [one for group in groups.values() for one in group]
    offers = offers_of(session, {one.plan_id for one in everything})
    promotions = held_promotions(session, everything, offers)
    found: dict[Asked, Quoted] = {}
    for (market, currency, day), group in groups.items():
        at, plan_ids = midnight(day), {one.plan_id for one in group}
        prices = prices_in_force(session, plan_ids=plan_ids, market=market, currency=currency, at=at)
        metered = {one for one in plan_ids if one in offers and offers[one].is_metered}
        sold = metered_in_force(session, metered, market=market, at=at) if metered else set()
        for one in group:
            if one.plan_id in sold:
                found[one] = Quoted(offers[one.plan_id], Decimal(0), Decimal(0), currency)
            for band in prices.get(one.plan_id, ()):
                if one.quantity in band and band.unit_cost is not None:
                    quoted = Quoted(offers[one.plan_id], band.unit_cost, band.unit_list, currency)
                    found[one] = reduced(quoted, promotions.get(one))
    return found


def monthly_plans(session: Session, plan_ids: Iterable[int]) -> Mapping[int, int]:
    """Give for plans the plan of the same SKU that is bought by the month, where there is one."""
    monthly = aliased(Plan)
    rows = session.execute(
        select(Plan.id, monthly.id)
        .join(
            monthly,
            (monthly.sku_id == Plan.sku_id)
            & (monthly.segment == Plan.segment)
            & (monthly.term == Term.P1M.value)
            & (monthly.billing_cycle == BillingCycle.MONTHLY.value)
            & (monthly.status != PlanStatus.ENDED.value),
        )
        .where(Plan.id.in_(set(plan_ids)))
    )
    return {plan_id: monthly_id for plan_id, monthly_id in rows}  # noqa: C416 - a row is a tuple to no type checker
