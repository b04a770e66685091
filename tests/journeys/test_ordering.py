"""From the shop to the vendor, in real browsers: approved by somebody else, accepted by the customer, held by credit."""

import re
from collections.abc import Callable

from playwright.sync_api import expect
from sqlalchemy import select

from marketplace.orders.models import Order
from tests.journeys.browser import Person
from tests.journeys.conftest import Server
from tests.journeys.test_vendor_asks import comes

PRODUCT = "Microsoft 365 Business Basic"


def chooses(person: Person, seats: int) -> None:
    """Find the product in the shop, say for whom and how many, and put it into the cart."""
    person.goes_to("/shop")
    person.page.get_by_label("Search", exact=True).fill("business basic")
    person.page.get_by_label("Search", exact=True).press("Enter")
    expect(person.row(PRODUCT)).to_be_visible()
    person.opens(PRODUCT)
    carnac = person.page.locator("#for-customer option").filter(has_text=re.compile("Carnac")).first
    person.page.locator("#for-customer").select_option(value=str(carnac.get_attribute("value")))
    person.page.locator("#how-many").fill(str(seats))
    # The prices follow what is typed, without a button.
    expect(person.page.locator("#plans")).to_contain_text("1 unit." if seats == 1 else f"{seats} units each")
    expect(person.page).to_have_url(re.compile(f"quantity={seats}"))
    person.presses("Add to the cart")
    person.is_at("Cart")


def orders(person: Person) -> str:
    """Send the cart off; give the order's number."""
    person.page.locator("main").get_by_role("button", name="Order", exact=True).click()
    person.reads("It is ordered.", within="#toasts")
    return person.page.get_by_role("heading", level=1).inner_text()


def is_well(person: Person) -> None:
    """Look whether everybody can use the page."""
    assert person.axe() == []
    assert person.overflow() == []
    assert person.refused_by_the_policy() == []


def test_an_order_is_approved_by_staff_and_carried_out_by_the_vendor(
    server: Server, sits_down: Callable[..., Person]
) -> None:
    wanda, walter = sits_down("wanda@demo.example"), sits_down("walter@demo.example")
    wanda.goes_to("/admin/order-rules")
    wanda.page.get_by_label("Above").fill("100")
    wanda.presses("Add the rule")
    wanda.reads("above €100.00")
    is_well(wanda)

    rashid = sits_down("rashid@demo.example")
    chooses(rashid, 21)
    is_well(rashid)
    name = orders(rashid)
    rashid.reads("Awaiting approval")
    is_well(rashid)

    for person in (wanda, walter):
        person.goes_to("/admin/orders")
        person.opens(name)
        person.reads("above €100.00")
    is_well(wanda)
    wanda.presses("Approve")
    wanda.reads("It is approved.", within="#toasts")
    # Walter had the page open too: of two who decide, one wins, and the other is told who.
    walter.expects_refusal()
    walter.presses("Approve")
    walter.reads("has decided this already")

    comes(rashid, rashid.page.locator(".page-actions").get_by_text("Completed"))
    seats = rashid.page.get_by_role("cell", name="21", exact=True)
    rashid.page.get_by_role("row").filter(has=seats).get_by_role("link", name=PRODUCT).click()
    rashid.reads("21 seats")
    with server.database.owner_transaction() as session:
        mine = session.scalars(select(Order).order_by(Order.id.desc()).limit(1)).one()
        assert (mine.name, mine.state) == (name, "completed")

    wanda.goes_to("/admin/order-rules")
    wanda.presses("End the rule")
    wanda.reads("The rule has ended.", within="#toasts")


def test_a_customer_signs_a_quote_off_and_it_is_ordered(
    server: Server, sits_down: Callable[..., Person]
) -> None:
    del server
    rashid = sits_down("rashid@demo.example")
    chooses(rashid, 3)
    rashid.opens("Make a quote")
    rashid.page.locator("#sent_to").fill("")
    rashid.presses("Make the quote")
    link = str(rashid.page.locator("#quote-link").input_value())

    somebody = sits_down(language="fr")
    somebody.page.goto(link)
    is_well(somebody)
    paper = somebody.downloads("Télécharger en PDF")
    assert paper.path().read_bytes() == rashid.downloads("Download as PDF").path().read_bytes()
    somebody.page.locator("#name").fill("Yann Le Goff")
    somebody.presses("Accepter et commander")
    somebody.reads("Par Yann Le Goff")

    rashid.opens("Back to the order")
    rashid.reads("Yann Le Goff, version 1")
    comes(rashid, rashid.page.locator(".page-actions").get_by_text("Completed"))


def test_an_order_that_credit_refuses_goes_on_when_the_limit_is_raised(
    server: Server, sits_down: Callable[..., Person]
) -> None:
    del server
    wanda = sits_down("wanda@demo.example")
    wanda.goes_to("/admin/credit")
    wanda.opens("Armor IT")
    wanda.page.locator("#limit").fill("1")
    wanda.presses("Set the limit")
    wanda.reads("It is noted.", within="#toasts")
    is_well(wanda)

    rashid = sits_down("rashid@demo.example")
    chooses(rashid, 2)
    rashid.reads("Credit does not reach")
    orders(rashid)
    rashid.reads("Awaiting approval")

    wanda.page.locator("#limit").fill("")
    wanda.presses("Set the limit")
    wanda.reads("Orders that go on now: 1", within="#toasts")
    comes(rashid, rashid.page.locator(".page-actions").get_by_text("Completed"))


def test_two_clicks_and_two_tabs_are_one_order(server: Server, sits_down: Callable[..., Person]) -> None:
    def count() -> int:
        with server.database.owner_transaction() as session:
            return len(session.scalars(select(Order.id).where(Order.state != "draft")).all())

    rashid, rosa = sits_down("rashid@demo.example"), sits_down("rashid@demo.example")
    chooses(rashid, 1)
    rosa.goes_to(rashid.path)
    before = count()

    rashid.page.locator("main").get_by_role("button", name="Order", exact=True).dblclick()
    rashid.reads("It is ordered.", within="#toasts")
    rosa.page.locator("main").get_by_role("button", name="Order", exact=True).click()
    rosa.page.wait_for_load_state()

    assert rosa.page.get_by_role("heading", level=1).inner_text() == (
        rashid.page.get_by_role("heading", level=1).inner_text()
    )
    assert count() == before + 1
