"""What every address answers: protected, kept by no cache, and in one piece whatever is asked of it."""

import re
from http import HTTPStatus

import pytest

from marketplace.web.headers import HEADERS
from tests.architecture.routes import Route, routes
from tests.personas import PERSONAS, PeopledSite, sign_in

pytestmark = pytest.mark.only_reads

SHELLS = ("walter", "rashid", "carla")
#: What people and robots put into addresses. Each is sent under every name that any list knows.
ODD = {
    "no text": "%00",
    "no UTF-8": "%ff%fe",
    "a number out of range": "99999999999999999999",
    "less than nothing": "-1",
    "a month before the calendar": "0000-01",
    "a month after it": "9999-12",
    "no month": "2024-13",
    "a quote": "'%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
    "a sign of patterns": "%25_%5C",
}
NAMES = (
    *("q", "page", "size", "sort", "format", "period", "day", "by", "of", "status", "vendor", "account"),
    *(
        "product",
        "customer",
        "reseller",
        "person",
        "subject",
        "audience",
        "month",
        "hop",
        "next",
        "lang",
        "theme",
    ),
)


def pages_of(site: PeopledSite, persona: str) -> list[Route]:
    """List the pages of a persona's shell, and everybody's, that need no id."""
    return [
        route
        for route in routes(site.app)
        if route.method == "GET"
        and not route.variables
        and route.audience in {None, PERSONAS[persona].audience}
    ]


@pytest.mark.parametrize("persona", SHELLS)
def test_every_answer_is_protected_and_kept_by_no_cache(site: PeopledSite, persona: str) -> None:
    client = site.app.test_client()
    sign_in(client, site.database, persona)
    addresses = [route.rule for route in pages_of(site, persona)]
    addresses += [f"{address}?format=csv" for address in addresses] + ["/no-such-page", "/sign-in?next=//x"]
    bare = {}
    for address in addresses:
        answer = client.get(address, buffered=True)
        wanted = HEADERS | {"Cache-Control": "no-store"}
        missing = [name for name, value in wanted.items() if answer.headers.get(name) != value]
        if missing or "Cookie" not in answer.vary:
            bare[address] = missing

    assert bare == {}


@pytest.mark.parametrize("what", list(ODD))
@pytest.mark.parametrize("persona", SHELLS)
def test_nothing_breaks_on_what_an_address_may_hold(site: PeopledSite, persona: str, what: str) -> None:
    client = site.app.test_client()
    sign_in(client, site.database, persona)
    site.app.testing = False  # a failure is answered, as it would be outside
    broken = {}
    for route in pages_of(site, persona):
        names = NAMES if what == "no text" else [name for name in NAMES if name != "format"]
        query = "&".join(f"{name}={ODD[what]}" for name in names)
        answer = client.get(f"{route.rule}?{query}", buffered=True)
        if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR or b"<script>alert" in answer.data:
            broken[route.rule] = answer.status_code

    assert broken == {}


@pytest.mark.long
@pytest.mark.parametrize("name", ["period", "page"])
@pytest.mark.parametrize("persona", SHELLS)
def test_nothing_breaks_on_one_odd_name_alone(site: PeopledSite, persona: str, name: str) -> None:
    """All at once, one that is refused hides the others."""
    client = site.app.test_client()
    sign_in(client, site.database, persona)
    site.app.testing = False
    broken = {}
    for route in pages_of(site, persona):
        for value in ("0000-01", "9999-12", "-1", "99999999999999999999"):
            status = client.get(f"{route.rule}?{name}={value}", buffered=True).status_code
            if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                broken[f"{route.rule}?{name}={value}"] = status

    assert broken == {}


@pytest.mark.parametrize("address", ["/sign-in", "/forgotten-password", "/no-such-page", "/admin/"])
def test_a_foreign_host_name_is_repeated_nowhere(site: PeopledSite, address: str) -> None:
    answer = site.app.test_client().get(
        address, headers={"Host": "evil.example", "Referer": "//evil.example"}
    )

    assert "evil.example" not in f"{answer.headers}{answer.get_data(as_text=True)}"


@pytest.mark.parametrize(
    "path", ["/%5Cevil.example", "//evil.example/x", "/%2Fevil.example", "/%09/evil.example"]
)
def test_no_link_of_an_error_page_leads_to_another_site(site: PeopledSite, path: str) -> None:
    answer = site.app.test_client().get(path)

    hrefs = re.findall(r'href="([^"]*)"', answer.get_data(as_text=True))
    assert answer.status_code == HTTPStatus.NOT_FOUND
    assert any("lang=fr" in href for href in hrefs)
    assert [href for href in hrefs if href.startswith(("//", "/\\", "/\t"))] == []


def test_a_failure_shows_nothing_of_its_cause(site: PeopledSite, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> str:
        raise RuntimeError("secret detail of postgresql://owner:password@host")

    site.app.testing = False
    monkeypatch.setitem(site.app.view_functions, "sign_in.forgotten_password", fail)
    fail.is_public = True  # type: ignore[attr-defined]

    answer = site.app.test_client().get("/forgotten-password")

    text = answer.get_data(as_text=True)
    assert answer.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
    assert "secret" not in text
    assert "Traceback" not in text
    assert answer.headers["Cache-Control"] == "no-store"
