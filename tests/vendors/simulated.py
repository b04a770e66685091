"""The simulator as a service on loopback, and our connector to it, for tests."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx

from catalog.words import BillingCycle, Term
from marketplace.vendors.partner_center.client import Account, Client
from marketplace.vendors.partner_center.connector import PartnerCenter
from marketplace.vendors.simulator.server import open_server
from marketplace.vendors.values import (
    Address,
    Attestation,
    Contact,
    NewCustomer,
    OrderLine,
    Purchase,
    VendorCustomer,
    VendorOrder,
    VendorSubscription,
)

BASIC = ("CFQ7TTC0LH18", "0001")
STANDARD = ("CFQ7TTC0LDPB", "0001")
PREMIUM = ("CFQ7TTC0LCHC", "0002")
COMMUNICATIONS = ("CFQ7TTC0HDK0", "0001")
AZURE = ("DZH318Z0BPS6", "0001")
RESELLER = "4847383"
CAMILLE = Contact("Camille", "Le Bihan", "camille@carnac.example", "0297000000")


@dataclass
class Simulator:
    """A running simulator."""

    address: str
    pauses: list[float] = field(default_factory=list)

    def tell(self, place: str, /, **body: Any) -> Any:
        """Ask the simulator itself for something."""
        answer = httpx.post(f"{self.address}/simulator/{place}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def overview(self) -> dict[str, Any]:
        """Give what the simulator holds."""
        found: dict[str, Any] = httpx.get(f"{self.address}/simulator").json()
        return found

    def at(self, instant: str) -> None:
        """Stop its clock at an instant."""
        self.tell("clock", at=instant)

    def disturb(self, kind: str, /, **more: Any) -> None:
        """Have something go wrong."""
        self.tell("disturbances", kind=kind, **more)

    def connector(self) -> PartnerCenter:
        """Connect as the product does, without really pausing between tries."""
        account = Account(self.address, self.address, self.address, "tenant", "marketplace", "secret")
        return PartnerCenter(Client(account, pause=self.pauses.append))


@contextmanager
def running_simulator(folder: Path | None = None, *, port: int = 0) -> Iterator[Simulator]:
    """Serve a simulator in a thread of this process."""
    server, close_books = open_server(port, folder)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        simulator = Simulator(f"http://127.0.0.1:{server.server_port}")
        simulator.tell("resellers", partner_id=RESELLER)
        yield simulator
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        close_books()


def firm(
    domain: str = "carnac.onmicrosoft.com", *, country: str = "FR", postal_code: str = "56340"
) -> NewCustomer:
    """Describe a customer."""
    return NewCustomer(
        name="Conserverie de Carnac",
        domain=domain,
        address=Address(country, "Carnac", "1 rue des Alignements", postal_code),
        contact=CAMILLE,
        partner_id=RESELLER,
    )


def open_account(connector: PartnerCenter, domain: str = "carnac.onmicrosoft.com") -> VendorCustomer:
    """Open a customer's account that may order."""
    customer = connector.create_customer(firm(domain), key=uuid4())
    attestation = Attestation(CAMILLE, date(2021, 1, 1), "117a77b0-9360-443b-8795-c6dedc750cf9")
    connector.attest(customer.account, attestation, key=uuid4())
    return customer


def line(
    sku: tuple[str, str] = PREMIUM,
    quantity: int = 10,
    *,
    number: int = 0,
    term: Term = Term.P1Y,
    cycle: BillingCycle = BillingCycle.MONTHLY,
    partner_id: str = RESELLER,
    ends_on: date | None = None,
    promotion: str = "",
) -> OrderLine:
    """Describe an order line."""
    return OrderLine(
        number, *sku, term, cycle, quantity, partner_id=partner_id, ends_on=ends_on, promotion=promotion
    )


def azure_plan(*, number: int = 0, partner_id: str = RESELLER) -> OrderLine:
    """Describe the order line of what is billed as it is used."""
    return line(AZURE, 1, number=number, term=Term.ONE_TIME, cycle=BillingCycle.NONE, partner_id=partner_id)


def buy(
    connector: PartnerCenter, account: str, *lines: OrderLine, key: UUID | None = None
) -> list[VendorOrder]:
    """Order."""
    return list(connector.order(Purchase(account, lines or (line(),)), key=key or uuid4()))


def bought(connector: PartnerCenter, account: str, *lines: OrderLine) -> VendorSubscription:
    """Order, and give the first line's subscription."""
    (order, *_others) = buy(connector, account, *lines)
    return connector.subscription(account, order.lines[0].subscription)
