"""The orders of the demonstration: placed by resellers in the running month and carried out by the simulated vendor.

Licences for several customers, more seats for one, one given up within its window, and one that waits for credit.
"""

from datetime import datetime
from decimal import Decimal
from uuid import uuid4

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from catalog.models import Plan, Product, Sku
from catalog.words import BillingCycle, Term
from marketplace import jobs
from marketplace.accounts.roles import Role, permissions_of
from marketplace.core.actor import Actor, Audience
from marketplace.core.clock import utc_now
from marketplace.core.db import Database
from marketplace.demo import firms, price_lists, simulated_vendor
from marketplace.orders.models import Order
from marketplace.orders.operations.cart import put_in_cart
from marketplace.orders.operations.changing import order_change
from marketplace.orders.operations.placing import submit
from marketplace.orders.operations.ruling import set_credit
from marketplace.settings import Settings
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.rules.changes import Cancel, ChangeQuantity
from resellers.models import Customer, Reseller
from resellers.models.standing import Enrolment
from resellers.words import EnrolmentStatus, Programme

_WHOLESALER = Actor(
    "Walter Kern",
    Audience.WHOLESALER,
    permissions=permissions_of(Audience.WHOLESALER, Role.ADMINISTRATOR),
)
# Reseller, customer, SKU, term, billing cycle, seats.
_ORDERS = (
    ("armor-it", "carnac-conserves", "CFQ7TTC0LDPB:0001", Term.P1Y, BillingCycle.MONTHLY, 12),
    ("armor-it", "hotel-voyageurs", "CFQ7TTC0LH18:0001", Term.P1M, BillingCycle.MONTHLY, 8),
    ("rhone-cloud", "lyon-logistique", "CFQ7TTC0LF8R:0001", Term.P1Y, BillingCycle.ANNUAL, 40),
    ("rhone-cloud", "vignes-beaujolais", "CFQ7TTC0LH18:0001", Term.P1Y, BillingCycle.MONTHLY, 6),
)
_MORE_SEATS = ("carnac-conserves", 15)
_GIVEN_UP = "vignes-beaujolais"
# What goes beyond the limit.
_TOO_MUCH = ("atelier-reseau", "cabinet-duroc", "CFQ7TTC0LFLZ:0002", Term.P3Y, BillingCycle.ANNUAL, 90)
_LIMIT = Decimal(20_000)


def make(database: Database, settings: Settings) -> None:
    """Order. Where this was done already, nothing is."""
    with database.owner_transaction() as session:
        waiting = customer_called(session, _TOO_MUCH[1]).id
        if session.scalar(select(Order.id).where(Order.customer_id == waiting).limit(1)) is not None:
            return
    with simulated_vendor.running(settings) as reachable:
        for order in (*_ORDERS, _TOO_MUCH):
            with database.owner_transaction() as session:
                _order(session, *order)
        _work(database, reachable)
        customer, seats = _MORE_SEATS
        with database.owner_transaction() as session:
            _change(session, customer, ChangeQuantity(seats))
            _change(session, _GIVEN_UP, Cancel())
        _work(database, reachable)


def _work(database: Database, settings: Settings) -> None:
    jobs.run_worker(database, settings, jobs=jobs.load_jobs().values(), is_waiting=False)


def enrol(session: Session, *, now: datetime) -> None:
    """Let every reseller sell, up to a limit. Where they may already, nothing is done."""
    if session.scalar(select(exists(select(Enrolment.id)))):
        return
    for reseller in session.scalars(select(Reseller).order_by(Reseller.id)).all():
        session.add(
            Enrolment(
                reseller_id=reseller.id,
                vendor=firms.AZURE,
                programme=Programme.INDIRECT_RESELLER.value,
                status=EnrolmentStatus.ACTIVE.value,
                partner_id=reseller.partner_id,
                is_known=True,
                has_signed=True,
                known_as=reseller.legal_name,
                checked_at=now,
            )
        )
        # A vendor served by hand knows no partner ids.
        session.add(
            Enrolment(
                reseller_id=reseller.id,
                vendor=price_lists.BACKUP,
                programme=Programme.DIRECT_PARTNER.value,
                status=EnrolmentStatus.ACTIVE.value,
            )
        )
        session.flush()
        set_credit(
            session,
            actor=_WHOLESALER,
            reseller_id=reseller.public_id,
            limit=_LIMIT if reseller.reference == _TOO_MUCH[0] else None,
            payment_days=30,
            now=now,
        )


def _order(
    session: Session, reseller: str, customer: str, sku: str, term: Term, cycle: BillingCycle, seats: int
) -> None:
    actor = owner_of(session, reseller)
    cart = put_in_cart(
        session,
        actor=actor,
        customer_id=customer_called(session, customer).public_id,
        plan_id=plan_called(session, sku, term, cycle).public_id,
        quantity=seats,
    )
    submit(session, actor=actor, order_id=cart.public_id, now=utc_now())


def _change(session: Session, customer: str, change: ChangeQuantity | Cancel) -> None:
    subscription, reseller = session.execute(
        select(Subscription, Reseller.reference)
        .join(Customer, Customer.id == Subscription.customer_id)
        .join(Reseller, Reseller.id == Customer.reseller_id)
        .where(Customer.reference == customer)
        .order_by(Subscription.id.desc())  # what was bought last
        .limit(1)
    ).one()
    order_change(
        session,
        actor=owner_of(session, reseller),
        subscription_id=subscription.public_id,
        change=change,
        key=uuid4(),
        now=utc_now(),
    )


def owner_of(session: Session, reseller: str) -> Actor:
    """Give the owner of a reseller, as an actor."""
    party = session.scalars(select(Reseller.id).where(Reseller.reference == reseller)).one()
    return Actor(
        "Rashid Benali" if reseller == "armor-it" else "Pavel Novak",
        Audience.RESELLER,
        party_id=party,
        permissions=permissions_of(Audience.RESELLER, Role.OWNER),
    )


def customer_called(session: Session, reference: str) -> Customer:
    """Give a customer."""
    return session.scalars(select(Customer).where(Customer.reference == reference)).one()


def plan_called(session: Session, sku: str, term: Term, cycle: BillingCycle) -> Plan:
    """Give a plan by its SKU, term and way of paying."""
    product, _, edition = sku.partition(":")
    return session.scalars(
        select(Plan)
        .join(Sku, Sku.id == Plan.sku_id)
        .join(Product, Product.id == Sku.product_id)
        .where(
            Product.reference == product,
            Sku.reference == edition,
            Plan.term == term.value,
            Plan.billing_cycle == cycle.value,
        )
    ).one()
