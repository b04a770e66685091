"""Everybody's browser, on a site that sells something: Rashid's firm to Carla's, Pavel's to Stella's."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.models import Plan, Sku
from catalog.words import BillingCycle
from marketplace.core.db import Database
from marketplace.orders.models import Order
from marketplace.settings import Settings
from resellers.models import Customer, Hop, Reseller
from resellers.models.standing import Enrolment
from resellers.words import EnrolmentStatus, Programme
from tests.conftest import World
from tests.factories import make_mapping, make_rule
from tests.offer_factories import make_plan, make_promotion, make_sku
from tests.page import Visitor
from tests.personas import PeopledSite, customer_called, everybody, reseller_called

#: A seat costs 13.3713 a month, Nord pays 10.77 % more and Carla 20 % more than that: found nowhere else.
COST = ("13.3713", "160.4556", "13.37")


@dataclass
class Goods:
    """The ids the tests ask for."""

    sku: UUID
    plan: UUID
    yearly: UUID
    carla: UUID
    stella: UUID


def enrol(session: Session, reseller: Reseller) -> None:
    """Let a reseller sell Microsoft's products."""
    session.add(
        Enrolment(
            reseller_id=reseller.id,
            vendor="microsoft",
            programme=Programme.INDIRECT_RESELLER.value,
            status=EnrolmentStatus.ACTIVE.value,
            partner_id="4847383",
            is_known=True,
            has_signed=True,
            checked_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
    )


def something_to_buy(settings: Settings, database: Database) -> Goods:
    """Begin with everybody, terms and goods."""
    everybody(settings, database)
    with database.owner_transaction() as session:
        nord, sud = (reseller_called(session, name) for name in ("nord", "sud"))
        carla, stella = (customer_called(session, name) for name in ("carla-works", "stella-mills"))
        for reseller in (nord, sud):
            enrol(session, reseller)
        for customer in (carla, stella):
            make_mapping(session, customer=customer, account=f"tenant-{customer.reference}")
        make_rule(session, Hop.WHOLESALE, percent="10.77")
        make_rule(session, Hop.RETAIL, percent="20")
        sku = make_sku(session, "Microsoft 365 Business Premium", reference="CFQ7TTC0LCHC")
        monthly = make_plan(session, sku, cost="160.4556", listed="240")
        yearly = make_plan_by_the_year(session, sku)
        make_plan(session, make_sku(session, "Dynamics 365 Sales", category="Business"), cost="600")
        return Goods(sku.public_id, monthly.public_id, yearly.public_id, carla.public_id, stella.public_id)


@dataclass(kw_only=True)
class SellingSite(PeopledSite):
    """The application with everybody, and something to buy."""

    goods: Goods

    def promote(self, **facts: Any) -> None:
        """Have the vendor promote what is sold by the month."""
        with self.database.owner_transaction() as session:
            plan = session.scalars(select(Plan).where(Plan.public_id == self.goods.plan)).one()
            make_promotion(session, plan, **facts)

    def orders(self) -> list[Order]:
        """Give all orders."""
        with self.database.owner_transaction() as session:
            return list(session.scalars(select(Order).order_by(Order.id)))

    def customer(self, name: str) -> Customer:
        """Find a customer."""
        with self.database.owner_transaction() as session:
            return customer_called(session, name)


def make_plan_by_the_year(session: Session, sku: Sku) -> Plan:
    """Make the plan that is paid by the year."""
    return make_plan(session, sku, billing_cycle=BillingCycle.ANNUAL, cost="150", listed="228")


@pytest.fixture
def world() -> World:
    return something_to_buy


@pytest.fixture
def site(settings: Settings, database: Database, facts: Any) -> SellingSite:
    return SellingSite(settings, database, goods=facts)


@pytest.fixture
def rashid(site: SellingSite) -> Visitor:
    return site.browser_of("rashid")


@pytest.fixture
def rosa(site: SellingSite) -> Visitor:
    return site.browser_of("rosa")


@pytest.fixture
def carla(site: SellingSite) -> Visitor:
    return site.browser_of("carla")


@pytest.fixture
def wanda(site: SellingSite) -> Visitor:
    return site.browser_of("wanda")


@pytest.fixture
def pavel(site: SellingSite) -> Visitor:
    return site.browser_of("pavel")
