"""A reseller asks for its customer's account at a vendor, from the customer's page and from the cart."""

from dataclasses import dataclass

import pytest
from sqlalchemy import select

from marketplace.accounts.models import Notification
from marketplace.core.actor import Actor
from marketplace.core.clock import utc_now
from marketplace.core.db import Database
from marketplace.core.errors import Phrase
from marketplace.settings import Settings
from marketplace.vendors.customer_accounts.following import follow_account
from marketplace.vendors.models import ProvisioningAttempt, ProvisioningRequest
from resellers.models import AccountMapping, Customer, VendorAccount
from tests.conftest import World
from tests.offer_factories import make_plan, make_sku
from tests.page import Visitor
from tests.personas import PeopledSite, customer_called, everybody, reseller_called
from tests.web.orders.conftest import enrol

TYPED = {
    "domain": "carla-works",
    "line": "1 rue des Alignements",
    "postal_code": "56340",
    "city": "Carnac",
    "first_name": "Carla",
    "last_name": "Roux",
    "email": "carla@carla-works.example",
    "phone": "",
}
AGREEMENT = {
    "vendor": "microsoft",
    "template": "117a77b0-9360-443b-8795-c6dedc750cf9",
    "first_name": "Carla",
    "last_name": "Roux",
    "email": "roux@carla-works.example",
    "agreed_on": "2024-05-02",
}


@dataclass(frozen=True)
class Goods:
    """What is sold."""

    plan: str


def world_of_goods(settings: Settings, database: Database) -> Goods:
    """Begin with everybody, a reseller that may sell, and something that needs an account."""
    everybody(settings, database)
    with database.owner_transaction() as session:
        enrol(session, reseller_called(session, "nord"))
        plan = make_plan(session, make_sku(session))
        session.flush()
        return Goods(str(plan.public_id))


@pytest.fixture
def world() -> World:
    return world_of_goods


@pytest.fixture
def site(settings: Settings, database: Database) -> PeopledSite:
    return PeopledSite(settings, database)


@pytest.fixture
def rosa(site: PeopledSite) -> Visitor:
    return site.browser_of("rosa")


@pytest.fixture
def path(site: PeopledSite) -> str:
    with site.database.owner_transaction() as session:
        return f"/customers/{customer_called(session, 'carla-works').public_id}"


def request_of(site: PeopledSite) -> ProvisioningRequest:
    with site.database.owner_transaction() as session:
        return session.scalars(select(ProvisioningRequest)).one()


def ends(site: PeopledSite, state: str, *, words: str = "", account: str = "tenant-77") -> None:
    """Have the vendor answer, and the worker take it in."""
    with site.database.owner_transaction() as session:
        request = session.scalars(select(ProvisioningRequest)).one()
        request.state, request.ended_at = state, utc_now()
        request.error = Phrase.verbatim(words) if words else None
        request.result = {"reference": account} if state == "done" else None
        request_id = request.public_id
    with site.database.owner_transaction() as session:
        follow_account(
            session, actor=Actor.system(), request_id=request_id, keeps_agreements=False, now=utc_now()
        )


def test_it_is_opened_from_the_customers_page(site: PeopledSite, rosa: Visitor, path: str) -> None:
    assert "No account at a vendor yet" in rosa.get(path).main
    form = rosa.get(rosa.get(path).link("Open an account at Microsoft"))
    assert form.one("input", id="domain").get("value") == "customer-carla-works"

    rosa.post(f"{path}/accounts/microsoft", TYPED)
    rosa.post(f"{path}/accounts/microsoft", TYPED)

    request = request_of(site)
    assert (request.kind, request.asked["domain"]) == ("customer", "carla-works.onmicrosoft.com")
    assert "It is asked of the vendor when its turn comes." in rosa.get(path).main
    assert "Open an account" not in rosa.get(path).main
    ends(site, "done")
    page = rosa.get(path).main
    assert "tenant-77" in page
    assert "Open an account" not in page
    assert "It has one" in rosa.get(f"{path}/accounts/microsoft").main


def test_what_failed_stands_there_with_the_vendors_words_and_is_corrected(
    site: PeopledSite, rosa: Visitor, path: str
) -> None:
    rosa.post(f"{path}/accounts/microsoft", TYPED)
    ends(site, "failed", words="The domain is not available.")

    page = rosa.get(path)
    assert "The domain is not available." in page.main
    form = rosa.get(page.link("Correct it and try again"))
    assert "The domain is not available." in form.main
    assert form.one("input", id="city").get("value") == "Carnac"
    rosa.post(f"{path}/accounts/microsoft", {**TYPED, "domain": "carla-works-2"})
    with site.database.owner_transaction() as session:
        states = session.scalars(select(ProvisioningRequest.state).order_by(ProvisioningRequest.id)).all()
        assert states == ["failed", "queued"]
        told = session.scalars(select(Notification.sentence)).all()
    assert any("failed at" in sentence for sentence in told)


def test_every_error_names_its_field(rosa: Visitor, path: str) -> None:
    blank = rosa.post(f"{path}/accounts/microsoft", {**TYPED, "city": ""}, status=422)
    assert "Write the city." in blank.main
    faulty = rosa.post(
        f"{path}/accounts/microsoft", {**TYPED, "domain": "carla.fr", "email": "carla"}, status=422
    )
    assert "is not a domain: write 1 to 27 letters" in faulty.main
    assert "is not an e-mail address" in faulty.main


def test_the_agreement_fills_the_form_in(rosa: Visitor, path: str) -> None:
    rosa.post(f"{path}/agreement", AGREEMENT)

    form = rosa.get(f"{path}/accounts/microsoft")

    assert form.one("input", id="last_name").get("value") == "Roux"
    assert form.one("input", id="email").get("value") == "roux@carla-works.example"


def test_the_cart_leads_there_and_back(site: PeopledSite, rosa: Visitor, path: str, facts: Goods) -> None:
    with site.database.owner_transaction() as session:
        customer = customer_called(session, "carla-works").public_id
    cart = rosa.post(
        "/cart/add", {"customer": str(customer), "plan": facts.plan, "quantity": "5"}
    ).response.location
    page = rosa.get(cart)
    assert "has no account at Microsoft" in page.main
    form = rosa.get(page.link("Open an account"))

    back = rosa.post(f"{path}/accounts/microsoft", {**TYPED, "order": form.hidden("order")}).response.location

    assert back == cart
    assert "is on its way" in rosa.get(cart).main
    ends(site, "done")
    assert "account at Microsoft" not in rosa.get(cart).main


def test_a_customer_that_buys_for_itself_is_sent_to_its_reseller(
    site: PeopledSite, path: str, facts: Goods
) -> None:
    site.browser_of("rashid").post(f"{path}/buying", {"may_buy": "yes"})
    carla = site.browser_of("carla")
    customer = path.rpartition("/")[2]
    cart = carla.post("/portal/cart/add", {"customer": customer, "plan": facts.plan, "quantity": "5"})

    page = carla.get(cart.response.location or "").main

    assert "Your reseller opens one for you" in page
    assert "Open an account" not in page


def test_an_account_it_has_is_linked_and_staff_accept_it_with_one_click(
    site: PeopledSite, rosa: Visitor, path: str
) -> None:
    rosa.post(f"{path}/accounts/microsoft/link", {"account": ""}, status=422)
    rosa.post(f"{path}/accounts/microsoft/link", {"account": "Tenant-78"})
    with site.database.owner_transaction() as session:
        request = session.scalars(select(ProvisioningRequest)).one()
        assert request.kind == "account"
        request.state = "by_hand"
        task = f"/admin/provisioning/{request.public_id}"
    assert "The wholesaler's staff look after it" in rosa.get(path).main

    walter = site.browser_of("walter")
    page = walter.get(task)
    account = page.one("input", id="order").get("value")
    walter.post(f"{task}/complete", {"order": ""}, status=422)
    walter.post(f"{task}/complete", {"order": account})

    ends(site, "done", account=account or "")
    with site.database.owner_transaction() as session:
        mapped = session.execute(
            select(VendorAccount.account, Customer.reference)
            .join(AccountMapping, AccountMapping.vendor_account_id == VendorAccount.id)
            .join(Customer, Customer.id == AccountMapping.customer_id)
        ).one()
    assert tuple(mapped) == ("tenant-78", "carla-works")


def test_staff_open_one_from_their_own_page_and_see_what_to_type(site: PeopledSite, path: str) -> None:
    walter = site.browser_of("walter")
    page = walter.get(f"/admin{path}")
    walter.get(page.link("Open an account at Microsoft"))
    walter.post(f"/admin{path}/accounts/microsoft", TYPED)

    task = walter.get(f"/admin/provisioning/{request_of(site).public_id}").main
    assert "1 rue des Alignements, 56340 Carnac, FR" in task
    assert "carla-works.onmicrosoft.com" in task


def test_staff_are_given_the_account_that_a_domain_was_found_to_be(
    site: PeopledSite, rosa: Visitor, path: str
) -> None:
    rosa.post(f"{path}/accounts/microsoft/link", {"account": "Carnac.onmicrosoft.com"})
    with site.database.owner_transaction() as session:
        request = session.scalars(select(ProvisioningRequest)).one()
        request.state, task = "by_hand", f"/admin/provisioning/{request.public_id}"
        request_id = request.id
    walter = site.browser_of("walter")
    assert walter.get(task).one("input", id="order").get("value") == "carnac.onmicrosoft.com"
    with site.database.owner_transaction() as session:
        found = {"account": "tenant-7", "name": "Conserverie de Carnac"}
        session.add(
            ProvisioningAttempt(request_id=request_id, started_at=utc_now(), step="ask", received=found)
        )

    assert walter.get(task).one("input", id="order").get("value") == "tenant-7"


def test_an_agreement_is_told_to_the_vendor_when_there_is_an_account(rosa: Visitor, path: str) -> None:
    refused = rosa.post(f"{path}/accounts/microsoft/agreement", {}, status=422)

    assert "needs an account at Microsoft and an agreement recorded here" in refused.main


def test_another_resellers_customer_is_not_there(site: PeopledSite, path: str) -> None:
    pavel = site.browser_of("pavel")
    pavel.get(f"{path}/accounts/microsoft", status=404)
    for act in ("", "/link", "/agreement"):
        pavel.post(f"{path}/accounts/microsoft{act}", {**TYPED, "account": "tenant-1"}, status=404)
    site.browser_of("rosa").get(f"{path}/accounts/nobody", status=404)
