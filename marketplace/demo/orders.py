"""The orders of the demonstration: placed by resellers in the running month and carried out by the simulated vendor.

Licences for several customers, more seats for one, one given up within its window, and one that waits for credit.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.models import Plan, Product, Sku
from catalog.words import BillingCycle, Term
from marketplace import jobs
from marketplace.accounts.roles import Role, permissions_of
from marketplace.core.actor import Actor, Audience
from marketplace.core.clock import utc_now
from marketplace.core.db import Database
from marketplace.demo import firms, simulated_vendor
from marketplace.orders.models import Order
from marketplace.orders.operations.cart import put_in_cart
from marketplace.orders.operations.changing import order_change
from marketplace.orders.operations.placing import submit
from marketplace.orders.operations.ruling import set_credit
from marketplace.settings import Settings
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.rules.changes import Cancel, ChangeQuantity
from marketplace.vendors.simulator.server import open_server
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
    """Enrol the resellers, and order. Where there are orders already, nothing is done."""
    with database.owner_transaction() as session:
        if session.scalar(select(Order.id).limit(1)) is not None:
            return
        _enrol(session, now=utc_now())
    with _vendor(settings) as reachable:
        for order in (*_ORDERS, _TOO_MUCH):
            with database.owner_transaction() as session:
                _order(session, *order)
        _work(database, reachable)
        customer, seats = _MORE_SEATS
        with database.owner_transaction() as session:
            _change(session, customer, ChangeQuantity(seats))
            _change(session, _GIVEN_UP, Cancel())
        _work(database, reachable)


@contextmanager
def _vendor(settings: Settings) -> Iterator[Settings]:
    """Run the simulator while the demonstration is made; give settings that reach it."""
    server, close = open_server(0, settings.home / simulated_vendor.FOLDER, provisioning_seconds=0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield settings.model_copy(update={"simulator_port": server.port})
    finally:
        server.shutdown()
        server.server_close()
        close()


def _work(database: Database, settings: Settings) -> None:
    jobs.run_worker(database, settings, jobs=jobs.load_jobs().values(), is_waiting=False)


def _enrol(session: Session, *, now: datetime) -> None:
    """Let every reseller sell, up to a limit."""
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
    actor = _owner_of(session, reseller)
    cart = put_in_cart(
        session,
        actor=actor,
        customer_id=_customer(session, customer).public_id,
        plan_id=_plan(session, sku, term, cycle).public_id,
        quantity=seats,
    )
    submit(session, actor=actor, order_id=cart.public_id, now=utc_now())


def _change(session: Session, customer: str, change: ChangeQuantity | Cancel) -> None:
    subscription, reseller = session.execute(
        select(Subscription, Reseller.reference)
        .join(Customer, Customer.id == Subscription.customer_id)
        .join(Reseller, Reseller.id == Customer.reseller_id)
        .where(Customer.reference == customer)
    ).one()
    order_change(
        session,
        actor=_owner_of(session, reseller),
        subscription_id=subscription.public_id,
        change=change,
        key=uuid4(),
        now=utc_now(),
    )


def _owner_of(session: Session, reseller: str) -> Actor:
    party = session.scalars(select(Reseller.id).where(Reseller.reference == reseller)).one()
    return Actor(
        "Rashid Benali" if reseller == "armor-it" else "Pavel Novak",
        Audience.RESELLER,
        party_id=party,
        permissions=permissions_of(Audience.RESELLER, Role.OWNER),
    )


def _customer(session: Session, reference: str) -> Customer:
    return session.scalars(select(Customer).where(Customer.reference == reference)).one()


def _plan(session: Session, sku: str, term: Term, cycle: BillingCycle) -> Plan:
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
