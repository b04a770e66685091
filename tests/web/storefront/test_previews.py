"""Effects of a reseller's prices that take longer than a page may: its own alone, and found again."""

from uuid import UUID

import pytest
from sqlalchemy import select

from marketplace import jobs
from marketplace.billing import previews
from marketplace.billing.models import Preview
from marketplace.core.db import Database
from marketplace.settings import Settings
from tests.conftest import World
from tests.page import Visitor
from tests.personas import PeopledSite
from tests.web.storefront.test_real_month import thirds_of_cents

RULE = {"customer": "*", "basis": "cost", "percent": "40", "valid_from": "2024-09-01", "vendor": "cloud"}


@pytest.fixture
def world() -> World:
    return thirds_of_cents


@pytest.fixture
def site(settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch) -> PeopledSite:
    """A month that was really rated, of which nothing is little enough for a page to wait for it."""
    monkeypatch.setattr(previews, "MOST_ROWS_AT_ONCE", 0)
    return PeopledSite(settings, database)


@pytest.fixture
def rashid(site: PeopledSite) -> Visitor:
    return site.browser_of("rashid")


def work(site: PeopledSite) -> None:
    """Let the worker do what waits."""
    jobs.run_worker(site.database, site.settings, jobs=jobs.load_jobs().values(), is_waiting=False)


def kept(site: PeopledSite) -> UUID:
    with site.database.owner_transaction() as session:
        return session.scalars(select(Preview.public_id)).one()


def test_a_long_effect_is_worked_out_by_the_worker_and_its_page_found_again(
    site: PeopledSite, rashid: Visitor
) -> None:
    asked = rashid.post("/rules/new", {**RULE, "step": "effect"}, status=200)
    assert "Waiting for the worker" in asked.main
    assert "being worked out" in rashid.get("/rules/new").main

    work(site)

    page = rashid.get(f"/rules/new?preview={kept(site)}")
    assert "Customer carla-works" in page.main
    assert "Your margin now" in page.main
    assert page.one("input", id="percent").get("value") == "40"
    assert page.one("input", id="vendor").get("value") == "cloud"
    assert "What would change" in rashid.client.get(f"/previews/{kept(site)}").text


def test_ends_and_changes_of_prices_are_worked_out_too(site: PeopledSite, rashid: Visitor) -> None:
    rashid.post("/rules/new", {**RULE, "step": "save"})
    for label, typed in (
        ("Change", {"basis": "cost", "percent": "15", "start": "2024-09-10"}),
        ("End", {"end": "2024-09-10"}),
    ):
        address = rashid.get("/rules").link(label)
        rashid.post(address, {**typed, "step": "effect"}, status=200)
        work(site)
        with site.database.owner_transaction() as session:
            latest = session.scalars(select(Preview).where(Preview.link == address)).one()
        page = rashid.get(f"{address}?preview={latest.public_id}")
        assert (latest.status, latest.error) == ("done", None)
        assert "Customer carla-works" in page.main
        assert page.one("input", id="start" if label == "Change" else "end").get("value") == "2024-09-10"


def test_another_reseller_finds_neither_the_effect_nor_what_it_is_about(
    site: PeopledSite, rashid: Visitor
) -> None:
    rashid.post("/rules/new", {**RULE, "step": "effect"}, status=200)
    work(site)
    pavel = site.browser_of("pavel")

    assert pavel.client.get(f"/previews/{kept(site)}").status_code == 404
    page = pavel.get(f"/rules/new?preview={kept(site)}").main
    assert "carla-works" not in page
    assert "What would change" not in page
