"""Plans with prices made directly, for tests that need something to buy. The session must be the owner's or staff's."""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.models import (
    MeterPrice,
    Plan,
    PlanCost,
    PlanPrice,
    PriceList,
    Product,
    Promotion,
    PromotionPlan,
    Publisher,
    Sku,
)
from catalog.rules.metered import BOUGHT_AS, METERED
from catalog.words import BillingCycle, PlanStatus, PriceListKind, PriceListStatus, ProductKind, Term
from marketplace.subscriptions.queries.offers import quotes
from marketplace.subscriptions.queries.promotions import Asked
from marketplace.subscriptions.rules.history import Quoted

_numbers = count(1)
SINCE = datetime(2020, 1, 1, tzinfo=UTC)


def make_sku(
    session: Session,
    title: str = "Microsoft 365 Business Premium",
    *,
    vendor: str = "microsoft",
    reference: str = "",
    kind: ProductKind = ProductKind.LICENCE,
    category: str = "Productivity",
    is_listed: bool = True,
    minimum_quantity: int = 1,
    maximum_quantity: int | None = 300,
    customer_limit: int | None = None,
) -> Sku:
    """Make a product with one SKU."""
    publisher = session.scalar(select(Publisher).where(Publisher.name == "Microsoft Corporation"))
    if publisher is None:
        publisher = Publisher(name="Microsoft Corporation")
        session.add(publisher)
        session.flush()
    product = Product(
        vendor=vendor,
        reference=reference or f"CFQ7TTC0{next(_numbers):04d}",
        publisher_id=publisher.id,
        kind=kind.value,
        title=title,
        category=category,
        is_listed=is_listed,
    )
    session.add(product)
    session.flush()
    sku = Sku(
        product_id=product.id,
        reference="0001",
        title=title,
        unit="1 licence",
        minimum_quantity=minimum_quantity,
        maximum_quantity=maximum_quantity,
        customer_limit=customer_limit,
    )
    session.add(sku)
    session.flush()
    return sku


def make_plan(
    session: Session,
    sku: Sku | None = None,
    *,
    term: Term = Term.P1Y,
    billing_cycle: BillingCycle = BillingCycle.MONTHLY,
    status: PlanStatus = PlanStatus.ON_SALE,
    cost: str = "180",
    listed: str | None = "240",
    quantity_from: int = 1,
    quantity_until: int | None = None,
    market: str = "FR",
    currency: str = "EUR",
    valid_from: datetime = SINCE,
    valid_until: datetime | None = None,
) -> Plan:
    """Make a plan with a price for the whole term, in the active list of its vendor."""
    sku = sku or make_sku(session)
    plan = Plan(sku_id=sku.id, term=term.value, billing_cycle=billing_cycle.value, status=status.value)
    session.add(plan)
    session.flush()
    make_price(
        session,
        plan,
        cost=cost,
        listed=listed,
        quantity_from=quantity_from,
        quantity_until=quantity_until,
        market=market,
        currency=currency,
        valid_from=valid_from,
        valid_until=valid_until,
    )
    return plan


def make_price(
    session: Session,
    plan: Plan,
    *,
    cost: str = "180",
    listed: str | None = "240",
    quantity_from: int = 1,
    quantity_until: int | None = None,
    market: str = "FR",
    currency: str = "EUR",
    valid_from: datetime = SINCE,
    valid_until: datetime | None = None,
) -> PlanPrice:
    """Add a band of quantities to the active price list."""
    vendor = session.scalars(
        select(Product.vendor).join(Sku, Sku.product_id == Product.id).where(Sku.id == plan.sku_id)
    ).one()
    price = PlanPrice(
        price_list_id=active_list(session, vendor=vendor, market=market, currency=currency).id,
        plan_id=plan.id,
        quantity_from=quantity_from,
        quantity_until=quantity_until,
        unit_list=None if listed is None else Decimal(listed),
        valid_from=valid_from,
        valid_until=valid_until,
    )
    session.add(price)
    session.flush()
    session.add(PlanCost(plan_price_id=price.id, unit_cost=Decimal(cost)))
    session.flush()
    return price


def make_promotion(
    session: Session,
    *plans: Plan,
    percent: str = "10",
    title: str = "Spring",
    starts_on: date = date(2020, 1, 1),
    ends_on: date = date(2040, 1, 1),
    segment: str = "",
    minimum_quantity: int = 1,
    maximum_quantity: int | None = None,
    is_first_purchase_only: bool = False,
) -> Promotion:
    """Make a promotion for plans: for everybody and always, unless told otherwise."""
    promotion = Promotion(
        vendor="microsoft",
        reference=f"39NFJQT1{next(_numbers):04d}:0001:39NFJQT1Q5KN",
        title=title,
        percent=Decimal(percent),
        starts_on=starts_on,
        ends_on=ends_on,
        segment=segment,
        minimum_quantity=minimum_quantity,
        maximum_quantity=maximum_quantity,
        is_first_purchase_only=is_first_purchase_only,
        plans=[PromotionPlan(plan_id=plan.id) for plan in plans],
    )
    session.add(promotion)
    session.flush()
    return promotion


def make_meter(
    session: Session,
    sku: Sku,
    *steps: tuple[str, str | None, str],
    meter: str = "Stored data",
    unit: str = "1 GB",
    currency: str = "EUR",
) -> None:
    """Give a SKU a meter with graduated steps: from, up to, and the price of a unit."""
    vendor = session.scalars(select(Product.vendor).where(Product.id == sku.product_id)).one()
    price_list = active_list(session, vendor=vendor, market="FR", currency=currency)
    session.add_all(
        MeterPrice(
            price_list_id=price_list.id,
            sku_id=sku.id,
            meter=meter,
            unit=unit,
            quantity_from=Decimal(begins),
            quantity_until=None if ends is None else Decimal(ends),
            unit_list=Decimal(price),
            valid_from=SINCE,
        )
        for begins, ends, price in steps
    )
    session.flush()


def make_metered(
    session: Session, title: str = "Backup by the gigabyte", *, vendor: str = "backup", reference: str = ""
) -> Plan:
    """Make something billed as it is used, 1 a gigabyte and 0.80 from the hundredth on, with the plan it is bought by."""
    sku = make_sku(session, title, vendor=vendor, reference=reference, kind=ProductKind.CONSUMPTION)
    make_meter(session, sku, ("0", "100", "1"), ("100", None, "0.80"))
    return make_metered_plan(session, sku)


def make_azure_plan(session: Session) -> Plan:
    """Make what everything is bought as that Microsoft bills as it is used."""
    reference = BOUGHT_AS["microsoft"].product
    sku = make_sku(session, "Azure plan", reference=reference, kind=ProductKind.CONSUMPTION)
    return make_metered_plan(session, sku)


def make_metered_plan(session: Session, sku: Sku) -> Plan:
    """Make the plan by which a SKU is had for nothing."""
    term, cycle = METERED
    plan = Plan(sku_id=sku.id, term=term.value, billing_cycle=cycle.value, status=PlanStatus.ON_SALE.value)
    session.add(plan)
    session.flush()
    return plan


def active_list(session: Session, *, vendor: str, market: str, currency: str) -> PriceList:
    """Give the price list that holds, or make it."""
    found = session.scalar(
        select(PriceList).where(
            PriceList.vendor == vendor,
            PriceList.market == market,
            PriceList.currency == currency,
            PriceList.status == PriceListStatus.ACTIVE.value,
        )
    )
    if found is None:
        found = PriceList(
            vendor=vendor,
            kind=PriceListKind.LICENCE.value,
            market=market,
            currency=currency,
            version=1,
            status=PriceListStatus.ACTIVE.value,
            active_from=SINCE,
        )
        session.add(found)
        session.flush()
    return found


def priced(session: Session, plan: Plan, *, quantity: int = 1, on: date | None = None) -> Quoted:
    """Give a plan at its price of the catalogue, as subscriptions know it."""
    asked = Asked(plan.id, quantity, "FR", "EUR", on or datetime.now(UTC).date())
    return quotes(session, [asked])[asked]


def noon(day: date) -> datetime:
    """Give the middle of a day, in UTC."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
