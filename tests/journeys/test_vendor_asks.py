"""An order on its way to the vendor, over HTTP: the vendor asks, the reseller answers, the vendor goes on."""

from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Locator, expect
from sqlalchemy import select

from marketplace.core.actor import Actor
from marketplace.core.errors import Phrase
from marketplace.demo import firms
from marketplace.vendors.provisioning.operations import ask
from marketplace.vendors.provisioning.requests import NewRequest
from marketplace.vendors.values import Purchase
from resellers.models import Customer
from tests.journeys.browser import Person
from tests.journeys.conftest import Server
from tests.journeys.world import CARNAC
from tests.vendor_factories import PREMIUM


def ordered(server: Server, about: str, quantity: int) -> None:
    """Ask the vendor for seats for the customer in Carnac, as an approved order does."""
    account = firms.tenant(next(one for one in firms.CUSTOMERS if one.reference == CARNAC))
    with server.world.database.owner_transaction() as session:
        customer = session.scalars(select(Customer).where(Customer.reference == CARNAC)).one()
        request = NewRequest(
            key=uuid4(),
            vendor="microsoft",
            account=account,
            reseller_id=customer.reseller_id,
            customer_id=customer.id,
            asked=Purchase(account, (replace(PREMIUM, quantity=quantity),)),
            about=Phrase.verbatim(about),
        )
        ask(session, actor=Actor.system("Rashid Benali"), request=request)


def comes(person: Person, what: Locator) -> None:
    """Look again and again until something is on the page: the worker and the vendor take their time."""
    for _ in range(150):
        if what.count():
            return
        person.page.wait_for_timeout(200)
        person.page.reload()
    said = " ".join(person.page.locator("main").inner_text().split())
    pytest.fail(f"{what} did not come on {person.path}: {said[:2000]}", pytrace=False)


def test_the_vendor_asks_and_the_reseller_answers(server: Server, sits_down: Callable[..., Person]) -> None:
    question = "Which of the two firms of this name is it?"
    httpx.post(
        f"{server.settings.simulator_url}/simulator/disturbances", json={"kind": "ask", "words": question}
    ).raise_for_status()
    ordered(server, "11 × Microsoft 365 Business Premium", 11)

    rashid = sits_down("rashid@demo.example")
    rashid.goes_to("/vendor-questions")
    comes(rashid, rashid.page.get_by_role("link", name=question))
    rashid.opens(question)
    rashid.page.get_by_label("Your answer").fill("The cannery, not the restaurant.")
    rashid.presses("Send the answer")
    rashid.reads("The answer is on its way to the vendor.", within="#toasts")

    walter = sits_down("walter@demo.example")
    walter.goes_to("/admin/provisioning")
    comes(walter, walter.row("11 × Microsoft 365 Business Premium").get_by_text("Done"))
    walter.opens("11 × Microsoft 365 Business Premium")
    walter.reads("Rashid Benali answered: The cannery, not the restaurant.")
    walter.reads("What it became")


def test_what_the_vendor_refuses_is_tried_again_once_the_reason_is_gone(
    server: Server, sits_down: Callable[..., Person]
) -> None:
    httpx.post(
        f"{server.settings.simulator_url}/simulator/disturbances",
        json={"kind": "refuse", "path": "/carts", "code": "800025", "words": "The credit limit is exceeded."},
    ).raise_for_status()
    ordered(server, "12 × Microsoft 365 Business Premium", 12)

    walter = sits_down("walter@demo.example")
    walter.goes_to("/admin/provisioning?state=failed")
    comes(walter, walter.page.get_by_role("link", name="12 × Microsoft 365 Business Premium"))
    walter.opens("12 × Microsoft 365 Business Premium")
    walter.reads("The credit limit is exceeded.")
    walter.reads("pay open invoices or ask for more")
    walter.presses("Try again now")
    walter.reads("It is tried again now.", within="#toasts")
    comes(walter, walter.page.get_by_role("heading", name="What it became"))

    expect(walter.page.locator("main")).to_contain_text("The vendor has done it.")
