"""Floors that stand, and what the catalogue says things cost, to measure prices at."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.models import Plan, PlanCost, PlanPrice, PriceList, Product, Sku
from catalog.rules.plans import CYCLE_MONTHS, TERM_MONTHS
from catalog.words import BillingCycle, PriceListStatus, Term
from resellers.models import MarginFloor
from resellers.rules import floors as rules
from resellers.rules.floors import Floor

Scope = tuple[str, ...]


def floors(session: Session, *, reseller_id: int | None = None) -> Mapping[str, Floor]:
    """Give the floors that stand, by vendor: a reseller's, or the wholesaler's own."""
    rows = session.execute(
        select(MarginFloor.vendor, MarginFloor.soft_percent, MarginFloor.hard_percent).where(
            MarginFloor.reseller_id.is_not_distinct_from(reseller_id)
        )
    )
    return {vendor: Floor(soft, hard) for vendor, soft, hard in rows}


def costs_by_scope(session: Session) -> Mapping[Scope, Sequence[rules.PlanCost]]:
    """Give what plans in force cost, by vendor, by vendor and product, and by vendor, product and SKU, in one query.

    Prices of nothing are left out: there is no margin on them. The empty scope has them all.
    """
    rows = session.execute(
        select(
            Product.vendor,
            Product.title,
            Product.reference,
            Sku.reference,
            PriceList.currency,
            PlanCost.unit_cost,
            PlanPrice.unit_list,
            Plan.term,
            Plan.billing_cycle,
        )
        .select_from(PlanPrice)
        .join(PriceList, PriceList.id == PlanPrice.price_list_id)
        .join(PlanCost, PlanCost.plan_price_id == PlanPrice.id)
        .join(Plan, Plan.id == PlanPrice.plan_id)
        .join(Sku, Sku.id == Plan.sku_id)
        .join(Product, Product.id == Sku.product_id)
        .where(PriceList.status == PriceListStatus.ACTIVE.value, PlanCost.unit_cost > 0)
        .distinct()
    )
    found: defaultdict[Scope, list[rules.PlanCost]] = defaultdict(list)
    for vendor, title, product, sku, currency, cost, listed, term, cycle in rows:
        name = f"{product}:{sku}"
        months = TERM_MONTHS.get(Term(term), 1)
        charges = months // CYCLE_MONTHS.get(BillingCycle(cycle), months)
        one = rules.PlanCost(name, currency, cost, listed, charges)
        for scope in ((), (vendor,), (vendor, title), (vendor, title, name)):
            found[scope].append(one)
    return found
