"""Rows made directly, for tests that need a party or its terms. Each takes only what the test is about.

The session must be allowed to write: the owner's, or one opened as the wholesaler.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.models import FxRate
from marketplace.billing.models import ChargeDifference
from marketplace.core.actor import Actor
from marketplace.core.period import Period
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.operations.buying import Purchase, activate
from marketplace.subscriptions.rules.history import Quoted
from resellers.models import (
    AccountMapping,
    Basis,
    BillingMode,
    Customer,
    Hop,
    PriceRule,
    PriceRuleScope,
    Reseller,
    SubscriptionMove,
    VendorAccount,
    Wholesaler,
)
from tests.subscriptions.lives import quoted

_numbers = count(1)


def make_wholesaler(
    session: Session,
    *,
    legal_name: str = "Northwind Distribution SAS",
    currency: str = "EUR",
    four_eyes: bool = False,
) -> Wholesaler:
    """Give the one wholesaler its identity, or make it."""
    wholesaler = session.merge(
        Wholesaler(
            id=1,
            legal_name=legal_name,
            country="FR",
            vat_number="FR40303265045",
            registration_number="303265045",
            email="finance@northwind.example",
            currency=currency,
            four_eyes=four_eyes,
        )
    )
    session.flush()
    return wholesaler


def make_reseller(
    session: Session,
    reference: str | None = None,
    *,
    legal_name: str = "",
    country: str = "FR",
    currency: str = "EUR",
    billing_mode: BillingMode = BillingMode.RESALE,
    partner_id: str = "",
) -> Reseller:
    """Make a reseller; without a reference it gets one nobody has."""
    reference = reference or f"R-{next(_numbers)}"
    reseller = Reseller(
        public_id=uuid4(),
        reference=reference,
        legal_name=legal_name or f"Reseller {reference}",
        country=country,
        currency=currency,
        billing_mode=billing_mode.value,
        partner_id=partner_id,
        email=f"billing@{reference.lower()}.example",
    )
    session.add(reseller)
    session.flush()
    return reseller


def make_customer(
    session: Session,
    reference: str | None = None,
    *,
    reseller: Reseller | None = None,
    legal_name: str = "",
    country: str = "FR",
    currency: str = "EUR",
) -> Customer:
    """Make a customer, of a reseller made for it unless one is given."""
    reference = reference or f"C-{next(_numbers)}"
    customer = Customer(
        public_id=uuid4(),
        reference=reference,
        reseller_id=(reseller or make_reseller(session)).id,
        legal_name=legal_name or f"Customer {reference}",
        country=country,
        currency=currency,
        email=f"it@{reference.lower()}.example",
    )
    session.add(customer)
    session.flush()
    return customer


def make_mapping(
    session: Session,
    *,
    customer: Customer,
    account: str,
    vendor: str = "microsoft",
    valid_from: date | None = None,
    valid_until: date | None = None,
) -> AccountMapping:
    """Map a vendor account to a customer; without dates, since ever and for good."""
    vendor_account = session.scalar(
        select(VendorAccount).where(VendorAccount.vendor == vendor, VendorAccount.account == account)
    )
    if vendor_account is None:
        vendor_account = VendorAccount(vendor=vendor, account=account)
        session.add(vendor_account)
        session.flush()
    mapping = AccountMapping(
        public_id=uuid4(),
        vendor_account_id=vendor_account.id,
        customer_id=customer.id,
        valid_from=valid_from,
        valid_until=valid_until,
    )
    session.add(mapping)
    session.flush()
    return mapping


def make_rule(
    session: Session,
    hop: Hop = Hop.WHOLESALE,
    *,
    basis: Basis = Basis.COST,
    percent: Decimal | str | None = None,
    unit_price: Decimal | str | None = None,
    currency: str | None = None,
    reseller: Reseller | None = None,
    customer: Customer | None = None,
    subscription: str = "",
    vendor: str = "",
    product: str = "",
    sku: str = "",
    valid_from: date | None = None,
    valid_until: date | None = None,
) -> PriceRule:
    """Make a price rule: cost plus ten percent for everybody, unless told otherwise."""
    if basis is not Basis.FIXED and percent is None:
        percent = "10"
    scope = _scope(
        session,
        hop=hop.value,
        reseller_id=reseller.id if reseller else None,
        customer_id=customer.id if customer else None,
        subscription=subscription,
        vendor=vendor,
        product=product,
        sku=sku,
    )
    rule = PriceRule(
        public_id=uuid4(),
        scope_id=scope.id,
        basis=basis.value,
        percent=None if percent is None else Decimal(percent),
        unit_price=None if unit_price is None else Decimal(unit_price),
        currency=(currency or "EUR") if basis is Basis.FIXED else None,
        valid_from=valid_from,
        valid_until=valid_until,
        created_by="tests",
    )
    session.add(rule)
    session.flush()
    return rule


def make_fx(
    session: Session,
    rate: Decimal | str = "0.9",
    *,
    month: str = "2024-09",
    source: str = "USD",
    target: str = "EUR",
) -> FxRate:
    """Set the rate of a month: one unit of `source` is `rate` of `target`."""
    fx = FxRate(
        month=Period.parse(month).number, from_currency=source, to_currency=target, rate=Decimal(rate)
    )
    session.add(fx)
    session.flush()
    return fx


def _scope(
    session: Session,
    *,
    hop: str,
    reseller_id: int | None,
    customer_id: int | None,
    subscription: str,
    vendor: str,
    product: str,
    sku: str,
) -> PriceRuleScope:
    columns = {
        "hop": hop,
        "reseller_id": reseller_id,
        "customer_id": customer_id,
        "subscription": subscription,
        "vendor": vendor,
        "product": product,
        "sku": sku,
    }
    scope = session.scalar(select(PriceRuleScope).filter_by(**columns))
    if scope is None:
        scope = PriceRuleScope(**columns)
        session.add(scope)
        session.flush()
    return scope


def make_charge_difference(
    session: Session,
    *,
    period: Period,
    subscription: str = "a0b1c2d3",
    kind: str = "quantity",
    billed: str = "110.88",
    own: str = "100.80",
) -> ChargeDifference:
    """Make a difference between a vendor's licence line and our charge."""
    made = ChargeDifference(
        public_id=uuid4(),
        period=period.number,
        vendor="microsoft",
        account="tenant-1",
        subscription=subscription,
        product="Microsoft 365 E3",
        kind=kind,
        charge_type="new",
        charged_on=period.start,
        billed=Decimal(billed),
        own=Decimal(own),
        billed_quantity=Decimal(11),
        own_quantity=Decimal(10),
        currency="EUR",
    )
    session.add(made)
    session.flush()
    return made


def make_subscription(
    session: Session,
    customer: Customer,
    *,
    what: Quoted | None = None,
    quantity: int = 10,
    on: datetime | None = None,
    vendor_id: str = "",
) -> Subscription:
    """Make a subscription of a customer: ten seats for a year from now, unless told otherwise."""
    purchase = Purchase(
        customer_id=customer.id,
        vendor_account=f"tenant-{customer.reference}",
        quoted=what or quoted(),
        quantity=quantity,
        vendor_subscription_id=vendor_id,
    )
    return activate(session, actor=Actor.system(), purchase=purchase, now=on or datetime.now(UTC))


def make_subscription_move(
    session: Session, *, customer: Customer, vendor: str, subscription: str, moves_on: date
) -> SubscriptionMove:
    """Make a subscription another customer's from a day on; who had it is whoever is first."""
    others = select(Customer.id).where(Customer.id != customer.id).order_by(Customer.id).limit(1)
    move = SubscriptionMove(
        vendor=vendor,
        subscription=subscription,
        from_customer_id=session.scalars(others).one(),
        to_customer_id=customer.id,
        moves_on=moves_on,
        created_by="Wanda",
    )
    session.add(move)
    session.flush()
    return move
