"""What the wholesaler does on its pages: rating, approving, closing, reopening, importing, mapping, answering."""

import io

from sqlalchemy import select

from marketplace import jobs
from marketplace.billing import questions as asking
from marketplace.billing.models import BillingPeriod, CloseRun, StatementLine
from marketplace.billing.queries.unmapped import list_unmapped
from marketplace.usage.models import Delivery
from resellers.models import Wholesaler
from tests.page import Visitor
from tests.personas import actor_called
from tests.web.admin.conftest import WholesalersSite

MONTH = "/admin/periods/2024-09"


def work(site: WholesalersSite) -> None:
    """Let the worker do what was asked for."""
    jobs.run_worker(site.database, site.settings, jobs=jobs.load_jobs().values(), is_waiting=False)


def status_of(site: WholesalersSite) -> str:
    with site.database.owner_transaction() as session:
        return session.get_one(BillingPeriod, 202409).status


def test_a_month_is_rated_approved_closed_and_reopened(site: WholesalersSite, walter: Visitor) -> None:
    walter.post(f"{MONTH}/rate", {})
    page = walter.get(MONTH)
    assert "The close is running" in page.main
    assert walter.client.get(f"{MONTH}/run").status_code == 200
    work(site)
    assert walter.client.get(f"{MONTH}/run").headers["HX-Refresh"] == "true"

    walter.post(f"{MONTH}/approve", {})
    assert status_of(site) == "reviewed"
    refused = walter.post(f"{MONTH}/close", {"typed": "yes"}, status=422)
    assert "Type" in refused.main
    walter.post(f"{MONTH}/close", {"typed": "2024-09"})
    assert status_of(site) == "closed"
    walter.get(MONTH)
    walter.get(f"{MONTH}/differences")
    walter.post(f"{MONTH}/reopen", {"reason": ""}, status=422)
    walter.post(f"{MONTH}/reopen", {"reason": "A price was wrong."})
    assert status_of(site) == "rated"


def test_closing_for_good_is_offered_for_an_approved_month_alone(walter: Visitor) -> None:
    before = walter.get(f"{MONTH}/close")
    walter.post(f"{MONTH}/approve", {})

    after = walter.get(f"{MONTH}/close")

    assert "It cannot be closed now" in before.main
    assert after.one("input", id="typed").get("required") is not None


def test_reopening_is_offered_for_what_is_approved_or_closed_alone(walter: Visitor) -> None:
    assert "There is nothing to reopen" in walter.get(f"{MONTH}/reopen").main


def test_a_run_that_waits_is_cancelled(site: WholesalersSite, walter: Visitor) -> None:
    walter.post(f"{MONTH}/rate", {})
    walter.post(f"{MONTH}/rate", {}, changes=False)  # a second click starts no second run
    walter.post(f"{MONTH}/cancel", {})
    work(site)

    with site.database.owner_transaction() as session:
        runs = session.scalars(select(CloseRun).order_by(CloseRun.id)).all()
    assert [run.status for run in runs] == ["done", "cancelled"]
    assert "The last close was cancelled" in walter.get(MONTH).main


def test_four_eyes_are_asked_for(site: WholesalersSite, walter: Visitor) -> None:
    with site.database.owner_transaction() as session:
        session.get_one(Wholesaler, 1).four_eyes = True
    walter.post(f"{MONTH}/rate", {})
    work(site)

    assert "Another person approves" in walter.get(MONTH).main
    walter.post(f"{MONTH}/approve", {}, status=422)
    site.browser_of("wanda").post(f"{MONTH}/approve", {})
    assert status_of(site) == "reviewed"


def test_an_account_is_mapped_and_billed_next_time(site: WholesalersSite, wanda: Visitor) -> None:
    assert "€7.77" in wanda.get("/admin/unmapped").main
    fields = {"vendor": "cloud", "account": "orphan", "customer": "carla-works"}
    effect = wanda.post("/admin/unmapped/account", {**fields, "step": "effect"}, status=200)
    assert "1 customer changes" in effect.main
    wanda.post("/admin/unmapped/map", fields)
    assert "rate again" in wanda.get("/admin/unmapped").main
    assert "out of date" in wanda.get(MONTH).main

    site.rate()

    with site.database.owner_transaction() as session:
        assert list_unmapped(session) == []


def test_usage_of_a_closed_month_stays_in_the_queue_until_mapped(
    site: WholesalersSite, wanda: Visitor
) -> None:
    site.rate(approve=True)

    assert "orphan" in wanda.get("/admin/unmapped").main


def test_files_are_sent_read_and_undone(site: WholesalersSite, wanda: Visitor) -> None:
    text = (
        "account,product,sku,meter,usage_date,quantity,unit,list_unit_price,cost,currency\n"
        "a1,Compute,D2,hours,2024-10-02,3,Hours,,4.5,EUR\n"
        "a1,Compute,D2,hours,never,3,Hours,,4.5,EUR\n"
    )
    file = (io.BytesIO(text.encode()), "usage.csv")
    wanda.post("/admin/imports/new", {"vendor": "cloud", "mode": "replace", "files": file})
    with site.database.owner_transaction() as session:
        found = session.scalars(select(Delivery).order_by(Delivery.id.desc())).first()
        assert found is not None
        address = f"/admin/imports/{found.public_id}"
    assert "Being read" in wanda.get(address).main
    assert wanda.client.get(f"{address}/progress").status_code == 200
    work(site)

    page = wanda.get(address)
    assert "never" in page.main
    assert "€4.50" in page.main
    assert b"never" in wanda.download(f"{address}/rejects.csv")
    wanda.get("/admin/periods/2024-10")
    wanda.post(f"{address}/undo", {"reason": "The wrong month."})
    assert "Undone" in wanda.get(address).main


def test_a_file_without_a_header_is_refused_with_the_form(wanda: Visitor) -> None:
    file = (io.BytesIO(b"nothing\n1\n"), "usage.csv")

    page = wanda.post("/admin/imports/new", {"vendor": "cloud", "mode": "replace", "files": file}, status=422)

    assert page.one("input", id="vendor").get("value") == "cloud"


def test_a_question_is_answered(site: WholesalersSite, wanda: Visitor) -> None:
    rashid = actor_called(site.database, "rashid")
    with site.database.owner_transaction() as session:
        line = session.scalars(select(StatementLine).where(StatementLine.hop == "wholesale")).first()
        assert line is not None
        line_id = line.id
    with site.database.transaction(rashid) as session:
        asked = asking.ask(session, actor=rashid, line_id=line_id, text="Why so much?").public_id
    assert "Why so much?" in wanda.get("/admin/questions").main
    wanda.post(f"/admin/questions/{asked}", {"text": "You used more."})

    assert "You used more." in wanda.get(f"/admin/questions/{asked}").main
    wanda.get(f"/admin/lines/{line_id}")


def test_settings_are_changed(site: WholesalersSite, walter: Visitor, wanda: Visitor) -> None:
    assert wanda.client.get("/admin/settings").status_code == 403
    walter.get("/admin/settings")
    fields = {"legal_name": "Nuage SA", "country": "FR", "currency": "EUR", "four_eyes": "y"}
    walter.post("/admin/settings", {**fields, "vat_number": "FR00"}, status=422)
    walter.post("/admin/settings", fields)

    with site.database.owner_transaction() as session:
        assert session.get_one(Wholesaler, 1).four_eyes
