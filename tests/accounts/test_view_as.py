"""Staff who look at what a reseller or customer sees: with a reason, under a banner, changing nothing."""

import pytest
from sqlalchemy import select, text

from marketplace.core.audit import AuditEntry
from tests.page import Page, Visitor
from tests.personas import PeopledSite, customer_called, reseller_called, user_called

REASON = "They asked about October"


def view_as(
    site: PeopledSite, browser: Visitor, party: str = "nord", *, status: int = 303, reason: str = REASON
) -> Page:
    with site.database.owner_transaction() as session:
        if party in {"nord", "sud"}:
            path = f"/admin/view-as/reseller/{reseller_called(session, party).public_id}"
        else:
            path = f"/admin/view-as/customer/{customer_called(session, party).public_id}"
    return browser.post(path, {"reason": reason}, status=status)


@pytest.mark.parametrize(("party", "home"), [("nord", "/"), ("carla-works", "/portal/")])
def test_staff_see_the_partys_pages_under_a_banner_that_names_both(
    site: PeopledSite, party: str, home: str
) -> None:
    simon = site.browser_of("simon")

    assert view_as(site, simon, party).response.location == home

    page = simon.get(home)
    assert "Simon, you are viewing as" in page.text
    simon.get("/admin/", status=404)


@pytest.mark.parametrize("reason", ["", "   ", "why"])
def test_without_a_reason_nobody_looks(site: PeopledSite, reason: str) -> None:
    simon = site.browser_of("simon")

    view_as(site, simon, status=422, reason=reason)

    simon.get("/admin/")


@pytest.mark.parametrize("persona", ["clara"])
def test_who_lacks_the_permission_does_not_look(site: PeopledSite, persona: str) -> None:
    view_as(site, site.browser_of(persona), status=403)


def test_no_reseller_looks_as_its_customer(site: PeopledSite) -> None:
    view_as(site, site.browser_of("rashid"), "carla-works", status=404)


def test_both_names_and_the_reason_are_in_the_log_the_party_reads(site: PeopledSite) -> None:
    simon = site.browser_of("simon")

    view_as(site, simon)
    simon.post("/view-as/stop")

    with site.database.owner_transaction() as session:
        entries = session.scalars(
            select(AuditEntry).where(AuditEntry.action.like("view_as.%")).order_by(AuditEntry.id)
        ).all()
        simon_id = user_called(session, "simon").id
    assert [
        (entry.action, entry.name, entry.staff_name, entry.staff_id, entry.reason) for entry in entries
    ] == [
        ("view_as.begin", "Nord Cloud SARL", "Simon", simon_id, REASON),
        ("view_as.end", "Nord Cloud SARL", "Simon", simon_id, REASON),
    ]
    main = site.browser_of("rashid").get("/audit").main
    assert "Simon, viewing as Nord Cloud SARL" in main
    assert REASON in main
    assert REASON not in site.browser_of("pavel").get("/audit").main


def test_looking_ends_after_an_hour(site: PeopledSite) -> None:
    simon = site.browser_of("simon")
    view_as(site, simon)

    with site.database.owner_transaction() as session:
        life = session.scalar(text("SELECT max(view_as_until) - now() FROM user_session"))
        assert life is not None
        assert 3500 < life.total_seconds() <= 3600
        session.execute(text("UPDATE user_session SET view_as_until = now() WHERE view_as_until IS NOT NULL"))

    simon.get("/admin/")


def test_looking_ends_with_the_role_that_allows_it(site: PeopledSite) -> None:
    simon = site.browser_of("simon")
    view_as(site, simon)

    with site.database.owner_transaction() as session:
        session.execute(
            text("UPDATE membership SET role = 'catalogue' WHERE user_id = :id"),
            {"id": user_called(session, "simon").id},
        )

    simon.get("/", status=302)
    simon.get("/admin/")


def test_who_looks_does_not_see_anybodys_own_pages(site: PeopledSite) -> None:
    simon = site.browser_of("simon")
    view_as(site, simon)

    for path in ("/account/profile", "/account/sessions", "/account/password", "/account/notifications"):
        simon.get(path, status=403)


def test_after_stopping_one_is_oneself(site: PeopledSite) -> None:
    simon = site.browser_of("simon")
    view_as(site, simon)

    assert simon.post("/view-as/stop").response.location == "/admin/"

    simon.get("/admin/")
    simon.get("/", status=302)


def test_a_visitor_stops_nothing(site: PeopledSite) -> None:
    site.visitor().post("/view-as/stop", status=404)
