"""The gallery shows every component, and is checked as every page is."""

import re
from pathlib import Path

import pytest

from marketplace.core.actor import Audience
from tests.page import Site, Visitor
from tests.web.kit.conftest import actor_of

pytestmark = pytest.mark.only_reads

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("shell", ["admin", "storefront", "portal"])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_gallery_is_sound_html_in_every_shell_and_language(site: Site, shell: str, language: str) -> None:
    wanda = site.visitor(actor_of(Audience.WHOLESALER), language=language)

    page = wanda.get(f"/admin/gallery?shell={shell}")

    assert page.one("html").get("lang") == language


def test_every_component_is_shown_in_the_gallery() -> None:
    used = {
        name
        for template in [
            *(ROOT / "templates/admin/gallery").iterdir(),
            *(ROOT / "templates/layouts").iterdir(),
            *(ROOT / "templates/components").glob("*.html"),
        ]
        for name in re.findall(r'"components/([a-z_]+\.html)"', template.read_text())
    }

    components = {path.name for path in (ROOT / "templates/components").glob("*.html")}

    # What explains a line is drawn with a real line, by the pages that show one.
    assert components - used == {"explain.html"}


def test_a_form_with_errors_keeps_what_was_typed_and_leads_to_each_fault(wanda: Visitor) -> None:
    page = wanda.post(
        "/admin/gallery", {"name": "Duroc", "percent": "1.234,50", "start": "2026-10-01"}, status=422
    )

    assert page.one("input", id="name").get("value") == "Duroc"
    assert page.one("input", id="percent").get("value") == "1.234,50"
    assert page.one("input", id="percent").get("aria-invalid") == "true"
    assert "#percent" in [link.get("href") for link in page.one("div", id="error-summary").iter("a")]


def test_a_form_that_is_right_says_so_once(wanda: Visitor) -> None:
    wanda.post(
        "/admin/gallery",
        {"name": "Duroc", "email": "a@b.example", "start": "2026-10-01", "basis": "cost", "hop": "retail"},
    )

    assert "Nothing was saved" in wanda.get("/admin/gallery").text
    assert "Nothing was saved" not in wanda.get("/admin/gallery").text
