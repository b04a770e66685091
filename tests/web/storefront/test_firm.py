"""The reseller's own firm: its standing, the agreement, its brand as pages wear it."""

import io
from datetime import UTC, datetime

import pytest

from marketplace.core.actor import Actor
from marketplace.core.db import Database
from marketplace.settings import Settings
from resellers.operations.agreements import publish_agreement
from tests.conftest import World
from tests.page import Visitor
from tests.personas import PASSWORD, PERSONAS, PeopledSite, everybody
from tests.resellers.test_brand import png

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
TYPED = {"name": "Nord Cloud", "accent": "#7a3fd1", "host": "cloud.nord.example", "path": "nord"}


@pytest.fixture
def world() -> World:
    return everybody


@pytest.fixture
def site(settings: Settings, database: Database) -> PeopledSite:
    return PeopledSite(settings, database)


def publish(site: PeopledSite, version: str) -> None:
    staff = Actor.system()
    with site.database.transaction(staff) as session:
        publish_agreement(
            session,
            actor=staff,
            version=version,
            title="Reseller terms",
            text="You sell what we sell, and pay for it.",
            now=NOW,
        )


def sign_in(site: PeopledSite, persona: str) -> tuple[Visitor, str]:
    visitor = site.visitor()
    typed = {"email": PERSONAS[persona].email, "password": PASSWORD}
    return visitor, str(visitor.post("/sign-in", typed).response.location)


def test_pages_of_the_firm_and_of_its_customers_wear_its_brand(site: PeopledSite) -> None:
    rashid = site.browser_of("rashid")
    rashid.post("/firm/brand", {**TYPED, "logo": (io.BytesIO(png()), "logo.png")})

    for name, path in (("rashid", "/"), ("rosa", "/"), ("carla", "/portal/")):
        visitor = site.browser_of(name)
        page = visitor.get(path)
        assert "Nord Cloud" in page.text, name
        (sheet,) = (
            str(one.get("href")) for one in page.all("link") if str(one.get("href")).endswith("accent.css")
        )
        assert "--m-primary: #7a3fd1" in visitor.client.get(sheet).get_data(as_text=True)
        image = visitor.client.get(str(page.all("img", class_="brand-logo")[0].get("src")))
        assert (image.mimetype, image.data) == ("image/png", png())
    for name, path in (("pavel", "/"), ("wanda", "/admin/")):
        assert "Nord Cloud" not in str(site.browser_of(name).get(path).one("title").text)


def test_visitors_see_the_brand_of_the_address_they_came_by(site: PeopledSite) -> None:
    site.browser_of("rashid").post("/firm/brand", TYPED)
    visitor = site.visitor()
    assert "Nord Cloud" not in visitor.get("/sign-in").text

    assert "Nord Cloud" in visitor.get("/at/nord", follow=True).text
    assert "Nord Cloud" in site.visitor().get("/sign-in", base_url="https://cloud.nord.example").text
    visitor.get("/at/nobody", status=404)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"accent": "#ff8800"}, "The nearest that passes is"),
        ({"host": "not a host"}, "is not a host name of your own"),
        ({"logo": (io.BytesIO(b"<svg/>"), "logo.svg")}, "no whole PNG or WebP"),
    ],
)
def test_what_cannot_be_worn_is_refused_at_its_field(
    site: PeopledSite, changed: dict[str, object], said: str
) -> None:
    refused = site.browser_of("rashid").post("/firm/brand", {**TYPED, **changed}, status=422)

    assert said in refused.main


def test_a_colour_is_answered_while_it_is_typed(site: PeopledSite) -> None:
    rashid = site.browser_of("rashid")

    answer = rashid.client.get("/firm/brand/accent?accent=%23ff8800").get_data(as_text=True)

    assert "the least is 4.5:1" in answer
    assert "rect" not in rashid.client.get("/firm/brand/accent?accent=%22><script>").get_data(as_text=True)


def test_an_owner_is_led_over_each_new_agreement_and_nobody_else(site: PeopledSite) -> None:
    publish(site, "1")
    assert sign_in(site, "fatou")[1] == "/"
    rashid, address = sign_in(site, "rashid")
    assert address == "/firm/agreement?next=/"
    page = rashid.get(address)
    rashid.post(
        "/firm/agreement", {"agreement": page.hidden("agreement"), "next": "/", "accepts": ""}, status=422
    )
    done = rashid.post(
        "/firm/agreement", {"agreement": page.hidden("agreement"), "next": "/", "accepts": "y"}
    )
    assert done.response.location == "/"
    assert sign_in(site, "rashid")[1] == "/"
    assert "accepted by Rashid" in rashid.get("/firm").main

    publish(site, "2")
    assert sign_in(site, "rashid")[1] == "/firm/agreement?next=/"
    stale = {"agreement": page.hidden("agreement"), "next": "//evil.example", "accepts": "y"}
    assert rashid.post("/firm/agreement", stale, changes=False).response.location == "/firm"
    assert sign_in(site, "rashid")[1] == "/firm/agreement?next=/"
