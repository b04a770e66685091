"""What each shell owes: the right people, the reader's language and theme, and failures told in its own frame."""

from http import HTTPStatus

import pytest
from flask import abort

from marketplace.app import create_app
from marketplace.core.actor import Audience, Permission
from marketplace.core.db import Database
from marketplace.core.errors import N_, FaultyRow, Refusal
from marketplace.settings import Settings
from marketplace.web.guards import accepts_upload, public
from tests.page import Site, Visitor, for_tests
from tests.web.kit.conftest import actor_of

pytestmark = pytest.mark.only_reads


@pytest.fixture
def site(settings: Settings, database: Database) -> Site:
    """The kit on an application of its own: tests add addresses to it."""
    site = Site(settings, database)
    site.app = for_tests(create_app(settings, database, actor_for_session=site._actor))
    return site


class TooFew(Refusal):
    sentence = N_("%(given)s were given and %(needed)s are needed.")


def test_a_visitor_is_sent_to_sign_in_and_comes_back_after(site: Site) -> None:
    response = site.visitor().client.get("/admin/gallery?sort=day")

    assert response.status_code == HTTPStatus.FOUND
    assert response.headers["Location"] == "/sign-in?next=%2Fadmin%2Fgallery%3Fsort%3Dday"


def test_a_fragment_asked_by_a_visitor_sends_the_whole_window_to_sign_in(site: Site) -> None:
    response = site.visitor().client.get("/admin/gallery", headers={"HX-Request": "true"})

    assert response.headers["HX-Redirect"] == "/sign-in"


@pytest.mark.parametrize("path", ["/admin/gallery", "/admin/palette", "/portal/palette"])
def test_other_audiences_find_nothing(rashid: Visitor, path: str) -> None:
    page = rashid.get(path, status=404)

    assert page.title == "There is no such page"


def test_a_missing_permission_is_said_in_the_own_shell(site: Site) -> None:
    wanda = site.visitor(
        actor_of(Audience.WHOLESALER, permissions=frozenset({Permission.WHOLESALER_AUDIT_VIEW}))
    )

    page = wanda.get("/admin/gallery", status=403)

    assert "Your role does not include this page" in page.main


def test_every_view_says_who_may_see_it(site: Site) -> None:
    unguarded = [
        rule.rule
        for rule in site.app.url_map.iter_rules()
        if not getattr(site.app.view_functions[rule.endpoint], "required_permission", None)
        and not getattr(site.app.view_functions[rule.endpoint], "is_public", False)
    ]

    assert unguarded == []


@pytest.mark.parametrize("status", [400, 403, 404, 405, 413, 422, 429, 500])
@pytest.mark.parametrize("audience", [None, *Audience])
def test_each_failure_has_its_page_in_every_shell(site: Site, audience: Audience | None, status: int) -> None:
    view = public(lambda: abort(status))
    site.app.add_url_rule("/fails", endpoint="fails", view_func=view)

    page = site.visitor(actor_of(audience) if audience else None).get("/fails", status=status)

    assert page.title
    shells = {
        None: "plain",
        Audience.WHOLESALER: "admin",
        Audience.RESELLER: "storefront",
        Audience.CUSTOMER: "portal",
    }
    assert page.one("body").get("class") == f"shell-{shells[audience]}"


def test_a_refusal_is_said_with_its_facts_and_faulty_rows(site: Site) -> None:
    def refuse() -> str:
        raise TooFew(rows=[FaultyRow("fx.csv", 3, "rate", "0,9x", "is not a number")], given=1, needed=12_000)

    site.app.add_url_rule("/refused", endpoint="refused", view_func=public(refuse))

    page = site.visitor(actor_of(Audience.CUSTOMER), language="fr").get("/refused", status=422)

    assert "1 were given and 12\u202f000 are needed." in page.main
    assert page.rows() == [["fx.csv", "3", "rate", "0,9x", "is not a number"]]


@pytest.mark.writes
def test_a_bug_shows_a_page_even_when_nobody_can_be_asked_who_is_there(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object) -> None:
        raise ConnectionError("no database")

    visitor = site.visitor(actor_of(Audience.CUSTOMER))
    site.app.testing = False
    monkeypatch.setattr(site.database, "owner_transaction", unreachable)

    response = visitor.client.get("/portal/palette")

    assert response.status_code == 500
    assert b"Something broke on our side" in response.data


def test_a_form_without_its_token_is_refused(wanda: Visitor) -> None:
    page = wanda.post("/admin/gallery", {"csrf_token": ""}, status=400)

    assert page.title == "This form has expired"


def test_staff_who_view_as_a_customer_see_the_banner_and_change_nothing(site: Site) -> None:
    looking = site.visitor(actor_of(Audience.CUSTOMER, staff_id=7, staff_name="Wanda", is_read_only=True))
    site.app.add_url_rule("/change", endpoint="change", view_func=public(lambda: "changed"), methods=["POST"])

    page = looking.post("/change", status=403)

    assert "can look but not change anything" in page.main
    assert "Wanda, you are viewing as Carla" in page.text


def test_a_language_is_remembered_and_the_page_kept(wanda: Visitor) -> None:
    french = wanda.get("/admin/gallery?status=open&lang=fr")

    assert french.one("html").get("lang") == "fr"
    assert french.link("English") == "/admin/gallery?status=open&lang=en"
    assert wanda.get("/admin/gallery").one("html").get("lang") == "fr"


def test_a_page_in_one_language_leaves_the_next_in_its_own(site: Site) -> None:
    wholesaler = actor_of(Audience.WHOLESALER)
    site.visitor(wholesaler, language="fr").get("/admin/gallery")

    page = site.visitor(wholesaler, language="en").get("/admin/gallery").main

    assert "Parked" in page
    assert "En attente" not in page


def test_a_theme_is_remembered_without_javascript(wanda: Visitor) -> None:
    wanda.get("/admin/gallery?theme=dark")

    assert wanda.get("/admin/gallery").one("html").get("data-bs-theme") == "dark"


def test_every_answer_carries_the_protective_headers(wanda: Visitor) -> None:
    headers = wanda.get("/admin/gallery").response.headers

    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert len(headers["X-Request-ID"]) == 32


def test_big_files_are_taken_only_where_meant(site: Site) -> None:
    def view() -> str:
        from flask import request

        return str(len(request.get_data()))

    site.app.config["WTF_CSRF_ENABLED"] = False
    site.app.config["MAX_CONTENT_LENGTH"] = 100
    site.app.add_url_rule("/small", endpoint="small", view_func=public(lambda: view()), methods=["POST"])  # noqa: PLW0108 - marked apart from the other
    site.app.add_url_rule(
        "/big", endpoint="big", view_func=accepts_upload(most_bytes=5000)(public(view)), methods=["POST"]
    )
    client = site.visitor().client

    assert client.post("/small", data=b"x" * 2000).status_code == 413
    assert client.post("/big", data=b"x" * 2000).data == b"2000"
    assert client.post("/big", data=b"x" * 6000).status_code == 413


def test_ctrl_k_finds_pages_in_the_own_shell_by_letters(wanda: Visitor) -> None:
    hits = wanda.json("/admin/palette?q=galle")["hits"]

    assert [(hit["label"], hit["href"]) for hit in hits] == [("Component gallery", "/admin/gallery")]


def test_ctrl_k_shows_nothing_of_another_shell(carla: Visitor) -> None:
    assert all(hit["href"].startswith("/portal") for hit in carla.json("/portal/palette")["hits"])


def test_static_files_are_compressed_and_kept_for_a_year(site: Site) -> None:
    response = site.visitor().client.get(
        "/static/css/tokens.css?v=1", headers={"Accept-Encoding": "br"}, buffered=True
    )

    assert response.headers["Content-Encoding"] == "br"
    assert "max-age=31536000" in response.headers["Cache-Control"]


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("audience", [None, *Audience])
def test_help_is_there_for_everybody(site: Site, audience: Audience | None, language: str) -> None:
    page = site.visitor(actor_of(audience) if audience else None, language=language).get("/help")

    assert page.all("li")
