"""Staff look through a reseller's or a customer's eyes: named on every page, and unable to change a thing."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.journeys.browser import Person

REASON = "They asked about the November statement"


def _views_as(staff: Person, place: str, name: str) -> None:
    staff.opens(place, within="nav")
    staff.opens(name)
    staff.opens("View as")
    staff.page.locator("#reason").fill(REASON)
    staff.presses(f"View as {name}")


def test_walter_views_as_a_reseller_and_can_only_look(sits_down: Callable[..., Person]) -> None:
    walter = sits_down("walter@demo.example")
    _views_as(walter, "Resellers", "Armor IT")

    walter.is_at("Armor IT")
    banner = walter.page.get_by_role("region", name="Viewing as somebody else")
    expect(banner).to_contain_text("Walter Kern, you are viewing as Armor IT")
    walter.goes_to("/owed?by=line&period=2025-11")
    walter.page.locator("main tbody").get_by_role("link", name="why this amount").first.click()
    expect(walter.page.get_by_role("button", name="Send the question")).to_have_count(0)
    expect(banner).to_be_visible()

    banner.get_by_role("button", name="Stop").click()
    walter.page.wait_for_url("**/admin/")
    rashid = sits_down("rashid@demo.example")
    rashid.goes_to("/audit")
    rashid.reads("Walter Kern")
    rashid.reads(REASON)


def test_walter_views_as_a_customer_and_its_forms_are_refused(sits_down: Callable[..., Person]) -> None:
    walter = sits_down("walter@demo.example")
    _views_as(walter, "Customers", "Conserverie de Carnac")
    walter.is_at("Conserverie de Carnac")
    walter.opens("November 2025")
    line = walter.page.locator("main tbody").get_by_role("link", name="why this amount").first
    address = line.get_attribute("href")

    answer = walter.page.request.post(
        f"{walter.address}{address}/ask",
        form={"text": "I may not ask this"},
        headers={"X-CSRFToken": walter.csrf_token()},
    )

    assert answer.status == 403
