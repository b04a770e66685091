"""A firm nobody knew becomes a reseller, gets its customer an account at the vendor, and sells: down to the statement."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from marketplace.core.clock import utc_now
from marketplace.core.period import Period
from tests.conftest import ThrowAwayPostgres
from tests.journeys.browser import PHONE, Person
from tests.journeys.conftest import Server, serving
from tests.journeys.test_applying import Firm, add_document, applies, comes_in, faults, is_approved
from tests.journeys.test_vendor_asks import comes
from tests.journeys.world import make_world_of_today

GROIX = Firm("Groix Numérique SARL", "732 829 320", "Gaëlle Tonnerre", "gaelle@groix.example", "groix")
PARTNER_ID = "5417730"
CUSTOMER = "Thonerie de Groix"
PRODUCT = "Microsoft 365 Business Basic"
SEATS, MORE_SEATS = 7, 9


@pytest.fixture(scope="module")
def server(postgres: ThrowAwayPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve the demonstration as of today: this story looks at the month that runs."""
    with serving(postgres, tmp_path_factory.mktemp("from_nothing"), make_world_of_today) as served:
        yield served


def becomes_a_reseller(walter: Person, applicant: Person) -> None:
    applies(applicant, GROIX)
    add_document(applicant, "bank")
    applicant.presses("Send the application")
    walter.goes_to("/admin/applications")
    walter.opens(GROIX.name)
    walter.presses("Take it up")
    is_approved(walter, GROIX)


def is_enrolled(walter: Person) -> None:
    """Put the partner id on record, have the vendor asked about it, and let the firm sell."""
    walter.opens("Enrolments")
    walter.page.locator("input[name$='-partner_id'], #partner_id").first.fill(PARTNER_ID)
    walter.presses("Save the enrolment")
    walter.presses("Ask Microsoft about the partner id")
    walter.reads(f"Partner {PARTNER_ID}")
    walter.page.locator("select[name$='-status']").first.select_option("active")
    walter.presses("Save the enrolment")
    walter.reads("It may sell")


def adds_its_customer(gaelle: Person) -> None:
    gaelle.goes_to("/customers/new")
    for name, text in {"reference": "thonerie", "legal_name": CUSTOMER}.items():
        gaelle.page.locator(f"#{name}").fill(text)
    for name, value in {"country": "FR", "currency": "EUR"}.items():
        gaelle.page.locator(f"#{name}").select_option(value)
    gaelle.presses("Save")
    gaelle.is_at(CUSTOMER)
    gaelle.opens("Record its agreement")
    for name, text in {
        "first_name": "Maël",
        "last_name": "Stéphant",
        "email": "mael@thonerie.example",
        "agreed_on": utc_now().date().isoformat(),
    }.items():
        gaelle.page.locator(f"#{name}").fill(text)
    gaelle.presses("Record it")
    gaelle.reads("Maël Stéphant on")


def fills_a_cart(gaelle: Person) -> None:
    gaelle.goes_to("/shop")
    gaelle.page.get_by_label("Search", exact=True).fill("business basic")
    gaelle.page.get_by_label("Search", exact=True).press("Enter")
    expect(gaelle.row(PRODUCT)).to_be_visible()
    gaelle.opens(PRODUCT)
    gaelle.page.locator("#how-many").fill(str(SEATS))
    expect(gaelle.page.locator("#plans")).to_contain_text(f"{SEATS} units each")
    gaelle.presses("Add to the cart")
    gaelle.is_at("Cart")


def opens_an_account(gaelle: Person) -> list[str]:
    """Follow the cart's link, open the account, and come back to a cart that can be ordered."""
    gaelle.reads(f"{CUSTOMER} has no account at Microsoft")
    gaelle.opens("Open an account")
    assert gaelle.page.locator("#domain").input_value() == "thonerie-de-groix"
    assert gaelle.page.locator("#first_name").input_value() == "Maël"
    gaelle.expects_refusal()
    gaelle.presses("Open the account")
    gaelle.reads("Write the street.")
    seen = faults(gaelle)
    for name, text in {"line": "3 quai de Port-Tudy", "postal_code": "5659", "city": "Groix"}.items():
        gaelle.page.locator(f"#{name}").fill(text)
    # The vendor's own rule, told before anything is sent.
    gaelle.expects_refusal()
    gaelle.presses("Open the account")
    gaelle.reads("is not a postal code of FR")
    gaelle.page.locator("#postal_code").fill("56590")
    gaelle.presses("Open the account")
    gaelle.is_at("Cart")
    comes_without(gaelle, "account at Microsoft")
    return seen + faults(gaelle)


def comes_without(person: Person, words: str) -> None:
    """Look again and again until words are gone: the worker and the vendor take their time."""
    for _ in range(150):
        if words not in person.page.locator("main").inner_text():
            return
        person.page.wait_for_timeout(200)
        person.page.reload()
    pytest.fail(f"{words} is still on {person.path}")


def orders_it(gaelle: Person) -> None:
    gaelle.page.locator("main").get_by_role("button", name="Order", exact=True).click()
    gaelle.reads("It is ordered.", within="#toasts")
    comes(gaelle, gaelle.page.locator(".page-actions").get_by_text("Completed"))


def adds_seats(gaelle: Person) -> None:
    gaelle.opens(PRODUCT)
    gaelle.reads(f"{SEATS} seats")
    gaelle.opens("One seat more")
    gaelle.page.get_by_label("Seats", exact=True).fill(str(MORE_SEATS))
    gaelle.reads(f"{SEATS} → {MORE_SEATS} seats")
    gaelle.page.locator("main").get_by_role("button", name="Order it").click()
    gaelle.reads("It is ordered.", within="#toasts")
    comes(gaelle, gaelle.page.locator(".page-actions").get_by_text("Completed"))


def rates_the_month(wanda: Person, month: Period) -> None:
    wanda.goes_to(f"/admin/periods/{month}")
    wanda.presses("Rate again")
    comes(wanda, wanda.page.get_by_role("link", name=GROIX.name))


def finds_the_charges(gaelle: Person, month: Period) -> None:
    """Read what the month comes to so far, and have the added seats explained."""
    gaelle.goes_to(f"/owed?period={month}&by=line")
    gaelle.reads("Bought")
    gaelle.row("Seats added").get_by_role("link").last.click()
    gaelle.reads("Charged from the subscription")
    gaelle.reads(f"{MORE_SEATS - SEATS} × 1 licence")
    for seats in (f"−{SEATS}", str(MORE_SEATS)):
        expect(gaelle.page.locator("main td").get_by_text(seats, exact=True)).to_have_count(1)


def test_from_the_application_to_the_statement(server: Server, sits_down: Callable[..., Person]) -> None:
    walter = sits_down("walter@demo.example")
    becomes_a_reseller(walter, sits_down(viewport=PHONE))
    is_enrolled(walter)

    gaelle = sits_down(viewport=PHONE)
    comes_in(gaelle, server, GROIX)
    adds_its_customer(gaelle)
    seen = faults(gaelle)
    fills_a_cart(gaelle)
    seen += opens_an_account(gaelle)
    orders_it(gaelle)
    adds_seats(gaelle)
    gaelle.goes_to("/customers")
    gaelle.opens(CUSTOMER)
    comes(gaelle, gaelle.page.get_by_text("on record at the vendor"))
    seen += faults(gaelle)
    month = Period.of(utc_now().date())
    rates_the_month(sits_down("wanda@demo.example"), month)
    finds_the_charges(gaelle, month)
    seen += faults(gaelle)
    assert not seen, "\n".join(seen)
