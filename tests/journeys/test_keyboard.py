"""Everything by keyboard: no mouse is needed to get anywhere."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.journeys.browser import Person


def _focused(person: Person) -> str:
    """Give the words or the label of what has the focus."""
    return str(
        person.page.evaluate(
            "(document.activeElement.getAttribute('aria-label') || document.activeElement.labels?.[0]?.innerText"
            " || document.activeElement.innerText || '').trim().split('\\n')[0]"
        )
    )


def test_the_tab_key_walks_the_sign_in_page_in_reading_order(sits_down: Callable[..., Person]) -> None:
    somebody = sits_down()
    somebody.goes_to("/sign-in")

    walked = []
    for _ in range(9):
        somebody.page.keyboard.press("Tab")
        walked.append(_focused(somebody))

    assert walked == [
        "Skip to content",
        "Marketplace",
        "Français",
        "Theme: as the device",
        "Help",
        "E-mail",
        "Password",
        "Sign in",
        "I have forgotten my password",
    ]


def test_the_first_tab_skips_to_the_content(sits_down: Callable[..., Person]) -> None:
    rashid = sits_down("rashid@demo.example")
    rashid.goes_to("/owed?period=2025-11")

    rashid.page.keyboard.press("Tab")
    expect(rashid.page.locator(".skip-link")).to_be_in_viewport()
    rashid.page.keyboard.press("Enter")

    expect(rashid.page.locator("#main")).to_be_focused()
    rashid.page.keyboard.press("Tab")
    assert _focused(rashid) == "Home"


def test_ctrl_k_goes_to_a_customer_by_a_few_letters(sits_down: Callable[..., Person]) -> None:
    rashid = sits_down("rashid@demo.example")
    rashid.page.keyboard.press("Control+k")
    expect(rashid.page.locator("#palette")).to_be_visible()

    rashid.page.keyboard.type("clin")
    expect(rashid.page.get_by_role("option", name="Clinique du Port").first).to_have_attribute(
        "aria-selected", "true"
    )
    rashid.page.keyboard.press("Enter")

    rashid.is_at("Clinique du Port")


def test_escape_closes_the_palette_and_gives_the_focus_back(sits_down: Callable[..., Person]) -> None:
    rashid = sits_down("rashid@demo.example")
    link = rashid.page.locator("nav").get_by_role("link", name="Orders", exact=True)
    link.focus()
    rashid.page.keyboard.press("Control+k")
    expect(rashid.page.locator("#palette-input")).to_be_focused()

    rashid.page.keyboard.press("Escape")

    expect(rashid.page.locator("#palette")).to_be_hidden()
    expect(link).to_be_focused()


def test_escape_closes_a_menu_and_gives_the_focus_back(sits_down: Callable[..., Person]) -> None:
    rashid = sits_down("rashid@demo.example")
    summary = rashid.page.locator(".user-menu > summary")
    summary.focus()
    rashid.page.keyboard.press("Enter")
    expect(rashid.page.get_by_role("link", name="Your profile")).to_be_visible()
    rashid.page.keyboard.press("Tab")

    rashid.page.keyboard.press("Escape")

    expect(rashid.page.get_by_role("link", name="Your profile")).to_be_hidden()
    expect(summary).to_be_focused()


def test_escape_closes_a_dialog_and_gives_the_focus_back(sits_down: Callable[..., Person]) -> None:
    walter = sits_down("walter@demo.example")
    walter.goes_to("/admin/gallery")
    opener = walter.page.get_by_role("link", name="Open a dialog")
    opener.focus()
    walter.page.keyboard.press("Enter")
    expect(walter.page.get_by_role("dialog")).to_be_visible()

    walter.page.keyboard.press("Escape")

    expect(walter.page.get_by_role("dialog")).to_be_hidden()
    expect(opener).to_be_focused()


def test_a_list_is_filtered_without_a_mouse_and_its_count_is_announced(
    sits_down: Callable[..., Person],
) -> None:
    rashid = sits_down("rashid@demo.example")
    rashid.goes_to("/statements")
    rashid.page.get_by_label("Search customer").focus()

    rashid.page.keyboard.type("kerbrat")

    expect(rashid.page.locator("#announcer")).to_have_text("4 results")
    assert "q=kerbrat" in rashid.page.evaluate("location.search")
    expect(rashid.page.get_by_label("Search customer")).to_be_focused()
