"""Requests to the simulated vendor, for tests of what becomes of them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import select, text

from marketplace.core.actor import Actor
from marketplace.core.db import Database
from marketplace.core.errors import Phrase
from marketplace.vendors.connector import Connector
from marketplace.vendors.manual.connector import ByHand
from marketplace.vendors.models import ProvisioningAttempt, ProvisioningRequest
from marketplace.vendors.provisioning.advancing import advance
from marketplace.vendors.provisioning.operations import ask
from marketplace.vendors.provisioning.requests import Asked, NewRequest, SubscriptionChange
from marketplace.vendors.values import Change, OrderLine, Purchase
from resellers.models import Customer
from resellers.models.standing import Enrolment
from resellers.words import EnrolmentStatus, Programme
from tests.factories import make_customer
from tests.vendors.simulated import RESELLER, Simulator, line

STAFF = Actor.system("Wanda")


@dataclass
class Desk:
    """Somebody who asks, and a worker whose clock goes only when it is moved."""

    database: Database
    simulator: Simulator
    now: datetime = datetime(2025, 3, 10, 9, tzinfo=UTC)

    def ask(
        self,
        asked: Asked,
        *,
        account: str = "",
        vendor: str = "microsoft",
        key: UUID | None = None,
        told_job: str = "",
        customer: str = "carnac",
        buys: bool = False,
    ) -> int:
        """Ask, and give the request's id."""
        with self.database.owner_transaction() as session:
            found = session.scalar(select(Customer).where(Customer.reference == customer))
            buyer = found or make_customer(session, customer)
            request = NewRequest(
                key=key or uuid4(),
                vendor=vendor,
                account=account,
                reseller_id=buyer.reseller_id,
                customer_id=buyer.id,
                asked=asked,
                about=Phrase.verbatim("10 × Microsoft 365 Business Premium"),
                buys=buys,
                told_job=told_job,
                origin="order 7",
            )
            return ask(session, actor=STAFF, request=request).id

    def buy(self, account: str, *lines: OrderLine, key: UUID | None = None, told_job: str = "") -> int:
        """Ask for a purchase."""
        return self.ask(Purchase(account, lines or (line(),)), account=account, key=key, told_job=told_job)

    def buy_for_a_partner(self, account: str, partner_id: str = RESELLER, *, told_job: str = "") -> int:
        """Ask for a purchase by a reseller the vendor has never been asked about."""
        self.enrol(partner_id)
        asked = Purchase(account, (line(partner_id=partner_id),))
        return self.ask(asked, account=account, told_job=told_job, customer="quiberon", buys=True)

    def enrol(self, partner_id: str) -> None:
        """Enrol a reseller of the customer Quiberon, whom the vendor has never been asked about."""
        with self.database.owner_transaction() as session:
            buyer = make_customer(session, "quiberon")
            session.add(
                Enrolment(
                    reseller_id=buyer.reseller_id,
                    vendor="microsoft",
                    programme=Programme.INDIRECT_RESELLER.value,
                    status=EnrolmentStatus.ACTIVE.value,
                    partner_id=partner_id,
                )
            )

    def change(
        self,
        account: str,
        subscription: str,
        change: Change,
        *,
        customer: str = "carnac",
        buys: bool = False,
    ) -> int:
        """Ask for a change."""
        asked = SubscriptionChange(subscription, change)
        return self.ask(asked, account=account, customer=customer, buys=buys)

    def connect(self, vendor: str) -> Connector:
        """Connect as the worker does."""
        return self.simulator.connector() if vendor == "microsoft" else ByHand(vendor)

    def work(self, request_id: int) -> None:
        """Take the request a step further."""
        advance(self.database, request_id=request_id, connect=self.connect, clock=lambda: self.now)

    def wait(self, **span: int) -> None:
        """Let time pass here, not at the vendor."""
        self.now += timedelta(**span)

    def request(self, request_id: int) -> ProvisioningRequest:
        """Give the request as it is."""
        with self.database.owner_transaction() as session:
            return session.get_one(ProvisioningRequest, request_id)

    def public_id(self, request_id: int) -> UUID:
        """Give what people know it by."""
        return self.request(request_id).public_id

    def steps(self, request_id: int) -> list[str]:
        """Give what each try did."""
        with self.database.owner_transaction() as session:
            return list(
                session.scalars(
                    select(ProvisioningAttempt.step)
                    .where(ProvisioningAttempt.request_id == request_id)
                    .order_by(ProvisioningAttempt.id)
                )
            )

    def outcomes(self, request_id: int) -> list[str]:
        """Give what each try led to."""
        with self.database.owner_transaction() as session:
            return list(
                session.scalars(
                    select(ProvisioningAttempt.outcome)
                    .where(ProvisioningAttempt.request_id == request_id)
                    .order_by(ProvisioningAttempt.id)
                )
            )


def jobs_waiting(database: Database) -> list[str]:
    """Give the jobs in the queue."""
    with database.owner_transaction() as session:
        return list(
            session.scalars(
                text("SELECT task_name FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id")
            )
        )
