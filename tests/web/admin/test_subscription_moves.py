"""Moving one subscription on its page: both sides are seen before anything is saved."""

from datetime import timedelta

import pytest

from marketplace.core.clock import utc_now
from marketplace.core.db import Database
from marketplace.settings import Settings
from tests.conftest import World
from tests.factories import make_subscription
from tests.page import Visitor
from tests.personas import PeopledSite, customer_called, everybody


@pytest.fixture
def world() -> World:
    return everybody


@pytest.fixture
def site(settings: Settings, database: Database) -> PeopledSite:
    return PeopledSite(settings, database)


@pytest.fixture
def wanda(site: PeopledSite) -> Visitor:
    return site.browser_of("wanda")


@pytest.fixture
def path(site: PeopledSite) -> str:
    with site.database.owner_transaction() as session:
        made = make_subscription(session, customer_called(session, "carla-works"))
        return f"/admin/subscriptions/{made.public_id}"


def typed(**facts: str) -> dict[str, str]:
    tomorrow = utc_now().date() + timedelta(days=1)
    return {
        "customer": "stella-mills",
        "moves_on": tomorrow.isoformat(),
        "reason": "They asked us to",
        **facts,
    }


def test_the_firm_is_added_where_it_is_no_customer_yet(site: PeopledSite, wanda: Visitor, path: str) -> None:
    move = wanda.get(path).link("Move to another reseller")
    new = typed(customer="carla-at-sud", reseller="sud")
    assert (
        "There is no customer carla-at-sud"
        in wanda.post(move, typed(customer="carla-at-sud"), status=422).main
    )
    seen = wanda.post(move, {**new, "step": "effect"}, status=200)
    assert "at Sud Cloud SARL" in seen.main
    assert "Wholesale" in seen.main

    wanda.post(move, {**new, "step": "save"})

    with site.database.owner_transaction() as session:
        added, known = customer_called(session, "carla-at-sud"), customer_called(session, "carla-works")
        assert (added.legal_name, added.currency, added.email) == (
            known.legal_name,
            known.currency,
            known.email,
        )
        assert added.reseller_id != known.reseller_id


def test_it_is_moved_after_both_sides_were_seen(site: PeopledSite, wanda: Visitor, path: str) -> None:
    move = wanda.get(path).link("Move to another reseller")
    wanda.get(move)
    seen = wanda.post(move, typed(step="effect"), status=200)
    assert "Final charges of" in seen.main
    assert "at Nord Cloud SARL" in seen.main
    assert "at Sud Cloud SARL" in seen.main

    wanda.post(move, typed(step="save"))

    assert "It moves to" in wanda.get(move).main
    assert "gets a subscription" in site.browser_of("pavel").get("/account/notifications").main
    assert "moves to another reseller" in site.browser_of("rashid").get("/account/notifications").main
    wanda.post(f"{move}/cancel", {})
    wanda.post(f"{move}/cancel", {}, status=404)


def test_from_today_on_it_is_the_other_customers(site: PeopledSite, wanda: Visitor, path: str) -> None:
    wanda.post(f"{path}/move", typed(step="save", moves_on=utc_now().date().isoformat()))

    own = path.removeprefix("/admin")
    site.browser_of("pavel").get(own)
    site.browser_of("rashid").get(own, status=404)


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"customer": ""}, "Name the customer"),
        ({"customer": "carla-works"}, "is a customer of the same reseller"),
        ({"moves_on": "2020-01-01"}, "is the first day it can still move on"),
        ({"customer": "nobody"}, "There is no customer nobody"),
    ],
)
def test_what_cannot_be_is_said(wanda: Visitor, path: str, facts: dict[str, str], says: str) -> None:
    page = wanda.post(f"{path}/move", typed(step="effect", **facts), status=422)

    assert says in page.main


def test_nobody_else_finds_it(site: PeopledSite, path: str) -> None:
    site.browser_of("rashid").get(f"{path}/move", status=404)
    site.browser_of("simon").get(f"{path}/move", status=403)
