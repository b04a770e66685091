"""Getting in, getting back in, and having the pages in one's own language and light."""

from collections.abc import Callable

from playwright.sync_api import expect

from marketplace.core.actor import Audience
from tests.journeys.browser import Person
from tests.journeys.conftest import Server
from tests.journeys.mails import mailed_link
from tests.journeys.world import ARMOR, add_person

NEW_PASSWORD = "eleven quiet tram stops"


def test_a_wrong_password_is_said_and_keeps_the_e_mail(sits_down: Callable[..., Person]) -> None:
    somebody = sits_down()
    somebody.goes_to("/statements")
    somebody.is_at("Sign in")
    somebody.page.get_by_label("E-mail").fill("rosa@demo.example")
    somebody.page.get_by_label("Password").fill("not it")
    somebody.expects_refusal()
    somebody.presses("Sign in")

    somebody.reads("That e-mail and password do not go together.")
    expect(somebody.page.get_by_label("E-mail")).to_have_value("rosa@demo.example")


def test_whoever_was_on_the_way_somewhere_gets_there_after_signing_in(
    sits_down: Callable[..., Person],
) -> None:
    rashid = sits_down()
    rashid.goes_to("/statements?period=2025-11")

    rashid.page.get_by_label("E-mail").fill("rashid@demo.example")
    rashid.page.get_by_label("Password").fill("a clear sky over Brest")
    rashid.presses("Sign in")

    rashid.is_at("Statements")
    assert rashid.path == "/statements?period=2025-11"


def test_a_forgotten_password_is_set_anew_by_the_link_in_the_mail(
    sits_down: Callable[..., Person], server: Server
) -> None:
    email = "oubli@demo.example"
    with server.database.owner_transaction() as session:
        add_person(session, email, "Odile Oubli", Audience.RESELLER, "finance", ARMOR)
    odile = sits_down()
    odile.goes_to("/sign-in")
    odile.opens("I have forgotten my password")
    odile.page.get_by_label("E-mail").fill(email)
    odile.presses("Mail me a link")
    odile.reads("a link is on its way")

    odile.goes_to(mailed_link(server, email))
    odile.page.get_by_label("New password").fill(NEW_PASSWORD)
    odile.page.get_by_label("The same again").fill(NEW_PASSWORD)
    odile.presses("Set the password")

    odile.is_at("Armor IT")
    sits_down().signs_in(email, NEW_PASSWORD)


def test_the_language_is_switched_in_place_and_stays(sits_down: Callable[..., Person]) -> None:
    carla = sits_down("carla@demo.example")
    carla.opens("Consumption", within="nav")

    carla.opens("Français", within="header")

    carla.is_at("Consommation")
    carla.goes_to("/portal/statements")
    carla.is_at("Relevés")


def test_the_theme_is_switched_without_loading_the_page_and_stays(sits_down: Callable[..., Person]) -> None:
    carla = sits_down("carla@demo.example")
    root = carla.page.locator("html")
    switch = carla.page.locator("[data-theme-switch]")
    expect(switch).to_have_accessible_name("Theme: as the device")

    switch.click()
    switch.click()

    expect(switch).to_have_accessible_name("Theme: dark")
    expect(root).to_have_attribute("data-bs-theme", "dark")
    carla.page.reload()
    expect(root).to_have_attribute("data-bs-theme", "dark")
