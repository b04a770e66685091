"""Effects that take longer than a page may: the page fills itself, is found again, and saves by what it showed."""

import io

import pytest
from sqlalchemy import func, select

from marketplace import jobs
from marketplace.billing import previews
from marketplace.billing.models import Preview
from marketplace.core.clock import utc_now
from resellers.models import Customer, PriceRule
from tests.page import Page, Visitor
from tests.web.admin.conftest import WholesalersSite
from tests.web.admin.test_pages import MOST_STATEMENTS
from tests.web.buyers import Statements

RULE = {
    "hop": "wholesale",
    "reseller": "nord",
    "vendor": "cloud",
    "basis": "cost",
    "percent": "12.5",
    "valid_from": "2024-09-10",
}
FILE = (
    b"hop,reseller,customer,subscription,vendor,product,sku,basis,percent,unit_price,currency,valid_from,valid_until\n"
    b"wholesale,nord,,,cloud,,,cost,5,,,,\n"
)


@pytest.fixture(autouse=True)
def long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing be little enough for a page to wait for it."""
    monkeypatch.setattr(previews, "MOST_ROWS_AT_ONCE", 0)


def work(site: WholesalersSite) -> None:
    """Let the worker do what waits."""
    jobs.run_worker(site.database, site.settings, jobs=jobs.load_jobs().values(), is_waiting=False)


def rules_standing(site: WholesalersSite) -> int:
    with site.database.owner_transaction() as session:
        return session.scalar(select(func.count()).select_from(PriceRule)) or 0


def polled(visitor: Visitor, page: Page) -> str:
    """Give what the page is filled with, from the address it asks."""
    progress = page.one("div", id="effect")
    return str(visitor.client.get(progress.get("hx-get")).text)


def kept(site: WholesalersSite) -> Preview:
    with site.database.owner_transaction() as session:
        return session.scalars(select(Preview)).one()


def test_the_page_of_a_long_effect_fills_itself_and_is_found_again(
    site: WholesalersSite, walter: Visitor
) -> None:
    asked = walter.post("/admin/rules/new", {**RULE, "step": "effect"}, status=200)
    assert "Waiting for the worker" in asked.main
    assert "Waiting for the worker" in polled(walter, asked)
    left = walter.get("/admin/rules/new")
    assert "An effect you asked for here is being worked out" in left.main

    work(site)

    filled = polled(walter, asked)
    assert "customer changes" in filled
    assert "hx-get" not in filled
    again = walter.get(f"/admin/rules/new?preview={kept(site).public_id}")
    assert "customer changes" in again.main
    assert again.one("input", id="field-percent").get("value") == "12.5"
    assert "being worked out" not in walter.get("/admin/rules/new").main
    assert "The effect you asked for is worked out." in walter.get("/account/notifications").main


def test_saving_says_where_facts_have_changed_and_then_saves(site: WholesalersSite, walter: Visitor) -> None:
    standing = rules_standing(site)
    walter.post("/admin/rules/new", {**RULE, "step": "effect"}, status=200)
    work(site)
    by = {"preview": str(kept(site).public_id)}
    other = {"hop": "wholesale", "vendor": "cloud", "reseller": "sud", "basis": "cost", "percent": "3"}
    walter.post("/admin/rules/new", {**other, "step": "save"})

    refused = walter.post("/admin/rules/new", {**RULE, **by, "step": "save"}, status=422)
    assert "of September 2024 have changed since the effect was worked out" in refused.main
    assert rules_standing(site) == standing + 1
    work(site)

    walter.post("/admin/rules/new", {**RULE, **by, "step": "save"})
    assert rules_standing(site) == standing + 2


def test_a_cancelled_effect_is_said_to_be(site: WholesalersSite, walter: Visitor) -> None:
    asked = walter.post("/admin/rules/new", {**RULE, "step": "effect"}, status=200)
    preview_id = kept(site).public_id

    walter.post(f"/admin/previews/{preview_id}/cancel", {})
    work(site)

    assert "This was cancelled" in polled(walter, asked)
    assert "This was cancelled" in walter.get(f"/admin/rules/new?preview={preview_id}").main
    walter.post(f"/admin/previews/{preview_id}/cancel", {}, changes=False)


def test_a_file_that_was_tried_is_kept_and_imported_without_sending_it_again(
    site: WholesalersSite, walter: Visitor
) -> None:
    standing = rules_standing(site)
    sent = {"files": (io.BytesIO(FILE), "rules.csv"), "step": "try"}
    tried = walter.post("/admin/rules/import", sent, status=200, content_type="multipart/form-data")
    assert "would be added" in tried.main
    work(site)
    preview_id = kept(site).public_id

    page = walter.get(f"/admin/rules/import?preview={preview_id}")
    assert "rules.csv, which was tried, is kept" in page.main
    assert page.one("input", id="upload-files").get("required") is None
    walter.post("/admin/rules/import", {"preview": str(preview_id), "step": "save"})

    assert rules_standing(site) == standing + 1


def test_the_differences_of_a_closed_month_are_worked_out_once_and_shown_to_all(
    site: WholesalersSite, walter: Visitor, wanda: Visitor
) -> None:
    page = "/admin/periods/2024-09/differences"
    site.rate(approve=True)
    assert "Nothing differs" in walter.get(page).main
    walter.post("/admin/rules/new", {**RULE, "step": "save"})

    waiting = walter.get(page)
    assert "Waiting for the worker" in waiting.main
    wanda.get(page)
    address = waiting.one("div", id="pending").get("hx-get")
    work(site)

    assert "The differences of 2024-09 are worked out." in walter.get("/account/notifications").main
    assert "To be corrected" in wanda.client.get(address).text
    assert "€" in walter.get(page).main
    assert kept(site).status == "done"


def test_previews_of_others_are_not_there(site: WholesalersSite, walter: Visitor, wanda: Visitor) -> None:
    walter.post("/admin/rules/new", {**RULE, "step": "effect"}, status=200)
    preview_id = kept(site).public_id

    assert wanda.client.get(f"/admin/previews/{preview_id}").status_code == 404
    assert site.browser_of("rashid").client.get(f"/previews/{preview_id}").status_code == 404
    assert "Waiting" not in wanda.get(f"/admin/rules/new?preview={preview_id}").main


def test_a_long_effect_is_asked_for_found_and_shown_in_few_statements(
    site: WholesalersSite, walter: Visitor
) -> None:
    walter.get("/admin/rules/new")
    with Statements(site.database) as asking:
        walter.client.get("/admin/rules/new")
    walter.post("/admin/rules/new", {**RULE, "step": "effect"}, status=200)
    work(site)
    preview_id = kept(site).public_id
    with Statements(site.database) as showing:
        walter.client.get(f"/admin/rules/new?preview={preview_id}")
    with Statements(site.database) as polling:
        walter.client.get(f"/admin/previews/{preview_id}")

    assert max(len(one.sent) for one in (asking, showing, polling)) <= MOST_STATEMENTS


def test_moves_and_mappings_are_worked_out_by_the_worker_too(site: WholesalersSite, walter: Visitor) -> None:
    with site.database.owner_transaction() as session:
        customer = session.scalars(
            select(Customer.public_id).where(Customer.reference == "carla-works")
        ).one()
    first = utc_now().date().replace(day=1).isoformat()
    asked = {
        f"/admin/customers/{customer}/move": {"reseller": "sud", "moves_on": first, "reason": "They asked"},
        "/admin/unmapped/account": {"vendor": "cloud", "account": "orphan", "customer": "carla-works"},
        "/admin/exchange-rates/new": {"month": "2024-09", "from": "USD", "to": "EUR", "rate": "0.8"},
    }
    for address, typed in asked.items():
        walter.post(address, {**typed, "step": "effect"}, status=200)
    work(site)

    with site.database.owner_transaction() as session:
        found = session.scalars(select(Preview).order_by(Preview.id)).all()
    assert [(one.kind, one.status, one.error) for one in found] == [
        ("move_customer", "done", None),
        ("accounts", "done", None),
        ("fx", "done", None),
    ]
    for one in found:
        address = f"{one.link}{'&' if '?' in one.link else '?'}preview={one.public_id}"
        page = walter.get(address)
        assert page.one("input", name="preview").get("value") == str(one.public_id)
    assert "1 customer changes" in walter.get(f"{found[1].link}&preview={found[1].public_id}").main
