"""Staff see what is on its way to vendors, help where it is stuck, and settle what was changed outside."""

import html
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from catalog.words import BillingCycle, Term
from marketplace.core.clock import utc_now
from marketplace.core.errors import Phrase
from marketplace.usage.models import VendorFetch
from marketplace.vendors.models import OutsideChange, ProvisioningRequest
from marketplace.vendors.provisioning.requests import SubscriptionUpgrade, asked_as_data
from marketplace.vendors.values import Upgrade
from tests.page import Visitor
from tests.personas import customer_called
from tests.vendor_factories import make_inquiry, make_outside_change, make_request
from tests.web.buyers import BuyersSite


@pytest.fixture
def wanda(site: BuyersSite) -> Visitor:
    return site.browser_of("wanda")


def made(site: BuyersSite, state: str, **facts: str) -> UUID:
    """Make a request for Carla's works in a state; give its id."""
    with site.database.owner_transaction() as session:
        carla = customer_called(session, "carla-works")
        if state == "inquiry":
            return make_inquiry(session, carla, **facts).public_id
        return make_request(session, carla, state, **facts).public_id


def state_of(site: BuyersSite, request_id: UUID) -> str:
    def read(session: Session) -> str:
        return session.scalars(
            select(ProvisioningRequest.state).where(ProvisioningRequest.public_id == request_id)
        ).one()

    with site.database.owner_transaction() as session:
        return read(session)


def test_the_queue_shows_what_needs_somebody(site: BuyersSite, wanda: Visitor) -> None:
    made(site, "done", about="3 × Power BI Pro")
    made(site, "failed", about="7 × Office 365 E3", error="The credit limit is exceeded.")
    made(site, "inquiry")
    made(site, "queued", about="9 × Visio Plan 2")
    forgotten = made(site, "waiting", about="2 × Project Plan 3")
    with site.database.owner_transaction() as session:
        session.execute(
            update(ProvisioningRequest)
            .where(ProvisioningRequest.public_id == forgotten)
            .values(created_at=utc_now() - timedelta(hours=2))
        )

    everything = wanda.get("/admin/provisioning")
    stuck = wanda.get("/admin/provisioning?state=stuck")

    assert len(everything.rows()) == 5
    assert "9 × Visio Plan 2" not in stuck.main
    assert "2 × Project Plan 3" in stuck.main
    assert "3 × Power BI Pro" not in stuck.main
    assert "7 × Office 365 E3" in stuck.main


def test_without_requests_the_page_says_where_they_come_from(wanda: Visitor) -> None:
    assert "Orders that were approved come here" in wanda.get("/admin/provisioning").main


def test_what_failed_is_tried_again(site: BuyersSite, wanda: Visitor) -> None:
    request = made(site, "failed", error="The credit limit is exceeded.")

    page = wanda.get(f"/admin/provisioning/{request}")
    wanda.post(f"/admin/provisioning/{request}/retry", {})

    assert "The credit limit is exceeded." in page.main
    assert "customer of" in page.text
    assert state_of(site, request) == "queued"


def test_staff_answer_what_the_vendor_asks(site: BuyersSite, wanda: Visitor) -> None:
    request = made(site, "inquiry")

    empty = wanda.post(f"/admin/provisioning/{request}/answer", {"answer": ""}, status=422)
    wanda.post(f"/admin/provisioning/{request}/answer", {"answer": "No, a cannery."})

    assert "Write what the vendor wants to know." in empty.main
    assert state_of(site, request) == "queued"
    assert "Wanda answered: No, a cannery." in wanda.get(f"/admin/provisioning/{request}").main


def test_a_task_is_taken_and_done_by_hand(site: BuyersSite, wanda: Visitor) -> None:
    request = made(site, "by_hand", vendor="backup-house")

    wanda.post(f"/admin/provisioning/{request}/take-on", {})
    mine = wanda.get(f"/admin/provisioning/{request}")
    missing = wanda.post(
        f"/admin/provisioning/{request}/complete", {"order": "PO-7", "line-1": ""}, status=422
    )
    wanda.post(f"/admin/provisioning/{request}/complete", {"order": "PO-7", "line-1": "BH-881"})

    assert "Wanda" in mine.main
    assert "Give the vendor's reference of each subscription" in " ".join(missing.main.split())
    assert "BH-881" in wanda.get(f"/admin/provisioning/{request}").main
    assert state_of(site, request) == "done"


def test_some_seats_upgraded_by_hand_need_the_reference_of_the_subscription_they_went_to(
    site: BuyersSite, wanda: Visitor
) -> None:
    request = made(site, "by_hand", vendor="backup-house")
    upgrade = Upgrade("COFFRE", "0002", 4, Term.P1Y, BillingCycle.MONTHLY)
    with site.database.owner_transaction() as session:
        asked = session.scalars(select(ProvisioningRequest)).one()
        asked.kind = "upgrade"
        asked.asked = asked_as_data(SubscriptionUpgrade("own", upgrade, makes_another=True))

    page = wanda.get(f"/admin/provisioning/{request}")
    wanda.post(f"/admin/provisioning/{request}/complete", {"order": "PO-7"}, status=422)
    wanda.post(f"/admin/provisioning/{request}/complete", {"order": "PO-7", "line-1": "CF-12"})

    assert "The vendor's reference of 4 × COFFRE:0002" in html.unescape(page.main)
    assert "CF-12" in wanda.get(f"/admin/provisioning/{request}").main


def test_giving_up_needs_a_reason(site: BuyersSite, wanda: Visitor) -> None:
    request = made(site, "waiting")

    wanda.post(f"/admin/provisioning/{request}/give-up", {"reason": ""}, status=422)
    still = state_of(site, request)
    wanda.post(f"/admin/provisioning/{request}/give-up", {"reason": "Ordered twice"})

    assert (still, state_of(site, request)) == ("waiting", "failed")
    assert "Given up by Wanda: Ordered twice" in wanda.get(f"/admin/provisioning/{request}").main


def test_a_request_that_moved_on_is_said_to_have(site: BuyersSite, wanda: Visitor) -> None:
    request = made(site, "done")

    page = wanda.post(f"/admin/provisioning/{request}/give-up", {"reason": "Too late"}, status=422)

    assert "This request is done by now" in page.text


def test_vendors_are_listed_with_how_they_are_served(site: BuyersSite, wanda: Visitor) -> None:
    made(site, "by_hand", vendor="backup-house")

    rows = {row[0]: row[1:] for row in wanda.get("/admin/vendors").rows()}

    assert rows["Microsoft"][0] == "Simulator"
    assert rows["backup-house"] == ["By hand", "0", "1", "0"]


def test_a_vendor_shows_its_settings_and_no_secret(wanda: Visitor) -> None:
    page = wanda.get("/admin/vendors/microsoft")

    assert "MARKETPLACE_MICROSOFT_CLIENT_SECRET" in page.main
    assert "Orders go to the simulator" in page.main
    wanda.get("/admin/vendors/nobody", status=404)


def test_changes_made_outside_are_shown_and_settled(site: BuyersSite, wanda: Visitor) -> None:
    with site.database.owner_transaction() as session:
        change = make_outside_change(session, customer_called(session, "carla-works")).public_id

    page = wanda.get("/admin/outside-changes")
    wanda.post(f"/admin/outside-changes/{change}/settle", {"note": "Agreed by phone"})

    assert "Other number of seats" in page.main
    assert len(wanda.get("/admin/outside-changes?status=open").rows()) == 0
    with site.database.owner_transaction() as session:
        settled = session.scalars(select(OutsideChange)).one()
        assert (settled.settled_by, settled.note) == ("Wanda", "Agreed by phone")


class TestResellers:
    def test_a_reseller_answers_what_a_vendor_asks(self, site: BuyersSite, rosa: Visitor) -> None:
        request = made(site, "inquiry")

        listed = rosa.get("/vendor-questions")
        rosa.post(f"/vendor-questions/{request}", {"answer": ""}, status=422)
        rosa.post(f"/vendor-questions/{request}", {"answer": "No, a cannery."})

        assert "Is this a school?" in listed.main
        assert state_of(site, request) == "queued"
        assert "No, a cannery." in rosa.get(f"/vendor-questions/{request}").main

    def test_another_reseller_sees_none_of_it(self, site: BuyersSite, pavel: Visitor) -> None:
        request = made(site, "inquiry")

        assert "No vendor has asked anything" in pavel.get("/vendor-questions").main
        pavel.get(f"/vendor-questions/{request}", status=404)

    def test_what_nobody_asked_about_is_no_question(self, site: BuyersSite, rosa: Visitor) -> None:
        rosa.get(f"/vendor-questions/{made(site, 'failed')}", status=404)


def test_a_months_files_are_fetched_on_request(site: BuyersSite, wanda: Visitor) -> None:
    wrong = wanda.post("/admin/vendors/microsoft/fetch", {"month": "soon"}, status=422)
    wanda.post("/admin/vendors/microsoft/fetch", {"month": "2026-03"})

    assert "2024-09" in wrong.main or "month" in wrong.main
    with site.database.owner_transaction() as session:
        waiting = session.execute(text("SELECT task_name, args ->> 'period' FROM procrastinate_jobs")).all()
    assert [tuple(row) for row in waiting] == [("usage.fetch", "2026-03")]


def test_what_is_fetched_every_night_is_told_and_can_be_fetched_now(site: BuyersSite, wanda: Visitor) -> None:
    page = wanda.get("/admin/vendors/microsoft")
    assert "Nothing was fetched yet" in page.main
    with site.database.owner_transaction() as session:
        session.add(
            VendorFetch(
                id=uuid4(),
                vendor="microsoft",
                period=202603,
                outcome="refused",
                words=Phrase.verbatim("It has no files of the month."),
                started_at=datetime(2026, 4, 1, 4, 20, tzinfo=UTC),
                started_by="Marketplace",
            )
        )

    wanda.post("/admin/vendors/microsoft/fetch-now", {})

    shown = wanda.get("/admin/vendors/microsoft").main
    assert "It has no files of the month." in shown
    assert "Marketplace" in shown
    with site.database.owner_transaction() as session:
        counted = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'usage.fetch'"
        assert session.scalar(text(counted)) == 2
