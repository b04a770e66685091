"""A question goes to whoever made the amount, and the answer comes back to where it was asked."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.journeys.browser import Person

CARLAS = "Why did this cost more than in October?"
RASHIDS = "Is the new discount in this amount?"


def _asks_about_the_first_line(person: Person, question: str) -> None:
    person.page.locator("main tbody").get_by_role("link", name="why this amount").first.click()
    person.page.locator("#text").fill(question)
    person.presses("Send the question")
    person.reads("Your question was sent.", within="#toasts")


def test_carla_asks_rashid_and_reads_his_answer(sits_down: Callable[..., Person]) -> None:
    carla = sits_down("carla@demo.example")
    carla.opens("October 2025")
    _asks_about_the_first_line(carla, CARLAS)

    rashid = sits_down("rashid@demo.example")
    rashid.reads("for your answer")
    rashid.opens("Questions", within="nav")
    rashid.opens(CARLAS)
    rashid.page.locator("#text").fill("A disk was added on the 12th.")
    rashid.presses("Send the answer")

    carla.opens("Questions", within="nav")
    expect(carla.row(CARLAS)).to_contain_text("Answered")
    carla.opens(CARLAS)
    carla.reads("A disk was added on the 12th.")


def test_rashid_asks_the_wholesaler_and_carla_hears_nothing_of_it(sits_down: Callable[..., Person]) -> None:
    rashid = sits_down("rashid@demo.example")
    rashid.goes_to("/owed?by=line&period=2025-10")
    _asks_about_the_first_line(rashid, RASHIDS)

    wanda = sits_down("wanda@demo.example")
    wanda.opens("Questions", within="nav")
    wanda.opens(RASHIDS)
    wanda.page.locator("#text").fill("Yes, from the 15th on.")
    wanda.presses("Send the answer")

    rashid.page.reload()
    rashid.reads("Yes, from the 15th on.")
    carla = sits_down("carla@demo.example")
    carla.opens("Questions", within="nav")
    expect(carla.page.locator("main")).not_to_contain_text(RASHIDS)


def test_the_wholesaler_is_not_asked_what_a_reseller_charges(sits_down: Callable[..., Person]) -> None:
    carla = sits_down("carla@demo.example")
    carla.opens("September 2025")
    _asks_about_the_first_line(carla, "Can this be cheaper?")

    wanda = sits_down("wanda@demo.example")
    wanda.opens("Questions", within="nav")

    expect(wanda.page.locator("main")).not_to_contain_text("Can this be cheaper?")
