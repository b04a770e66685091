"""What staff decide about a reseller on its tabs."""

from uuid import UUID

import pytest
from sqlalchemy import select

from marketplace.core.clock import utc_now
from marketplace.core.db import Database
from marketplace.settings import Settings
from marketplace.vendors.connector import Connector
from marketplace.vendors.values import PartnerStanding
from marketplace.web.admin import reseller_standing
from resellers.models import Enrolment
from resellers.rules.moves import next_first
from tests.conftest import World
from tests.page import Visitor
from tests.personas import PeopledSite, customer_called, everybody, reseller_called


class Vendor(Connector):
    """A vendor that knows one partner id, which has not signed."""

    vendor = "microsoft"

    def partner_standing(self, partner_id: str) -> PartnerStanding:
        """Answer."""
        return PartnerStanding(partner_id, "Nord Cloud", is_known=partner_id == "4847383", has_signed=False)


@pytest.fixture
def world() -> World:
    return everybody


@pytest.fixture
def site(settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch) -> PeopledSite:
    monkeypatch.setattr(reseller_standing, "connector_for", lambda *_: Vendor())
    return PeopledSite(settings, database)


@pytest.fixture
def wanda(site: PeopledSite) -> Visitor:
    return site.browser_of("wanda")


@pytest.fixture
def nord(site: PeopledSite) -> str:
    with site.database.owner_transaction() as session:
        return f"/admin/resellers/{reseller_called(session, 'nord').public_id}"


def enrolment_of(site: PeopledSite) -> UUID:
    with site.database.owner_transaction() as session:
        return session.scalars(select(Enrolment.public_id)).one()


def enrol(wanda: Visitor, nord: str, programme: str = "indirect_reseller") -> None:
    typed = {"vendor": "microsoft", "programme": programme, "partner_id": "4847383"}
    wanda.post(f"{nord}/enrolments", typed)


def change(id_: UUID, **typed: str) -> dict[str, str]:
    values = {"programme": "indirect_reseller", "status": "active", "partner_id": "4847383", **typed}
    return {f"{id_}-{name}": value for name, value in values.items()}


def test_a_reseller_is_enrolled_made_active_and_looked_up_at_the_vendor(
    site: PeopledSite, wanda: Visitor, nord: str
) -> None:
    assert "enrolled with no vendor yet" in wanda.get(f"{nord}/enrolments").main
    enrol(wanda, nord)
    id_ = enrolment_of(site)
    assert "Its enrolment with this vendor is “Pending”." in wanda.get(f"{nord}/enrolments").main
    wanda.post(f"/admin/enrolments/{id_}", change(id_))
    assert "It may sell" in wanda.get(f"{nord}/enrolments").main

    wanda.post(f"/admin/enrolments/{id_}/check", {})

    page = wanda.get(f"{nord}/enrolments").main
    assert "It has not signed the vendor's partner agreement." in page
    assert "Nord Cloud" in page
    again = {"vendor": "Microsoft", "programme": "advisor", "partner_id": ""}
    assert "enrolled with Microsoft already" in wanda.post(f"{nord}/enrolments", again, status=422).main


def test_a_direct_partner_shows_what_is_recorded(site: PeopledSite, wanda: Visitor, nord: str) -> None:
    enrol(wanda, nord, "direct_partner")
    id_ = enrolment_of(site)
    refused = wanda.post(f"/admin/enrolments/{id_}", change(id_, programme="direct_partner"), status=422)
    assert "prerequisites of a direct partner are not recorded" in refused.main

    met = {f"{id_}-met-kind": "own_billing", f"{id_}-met-met_on": "2026-01-05"}
    wanda.post(f"/admin/enrolments/{id_}/prerequisite", met)

    assert "1/8" in wanda.get(f"{nord}/enrolments").main


def test_a_suspension_needs_its_reason(wanda: Visitor, nord: str) -> None:
    wanda.post(f"{nord}/status", {"status": "suspended", "reason": ""}, status=422)
    wanda.post(f"{nord}/status", {"status": "suspended", "reason": "Unpaid since March"})

    assert "Suspended" in wanda.get(nord).main
    wanda.post(f"{nord}/status", {"status": "suspended", "reason": "Unpaid since March"}, status=422)


def test_terms_are_a_resellers_or_one_customers(wanda: Visitor, nord: str) -> None:
    mode = {"mode": "agent", "valid_from": "2025-01-01", "customer": ""}
    wanda.post(f"{nord}/billing-mode", mode)
    wanda.post(f"{nord}/billing-mode", {**mode, "mode": "direct", "customer": "carla-works"})
    wanda.post(f"{nord}/credit", {"credit_limit": "5000,50", "payment_days": "45", "customer": ""})

    page = wanda.get(f"{nord}/terms").main
    assert "we; the reseller earns a commission" in page
    assert "5,000.50" in page
    refused = wanda.post(f"{nord}/billing-mode", {**mode, "customer": "stella-mills"}, status=422)
    assert "There is no such thing here." in refused.main


def test_an_agreement_is_published_once_a_version(site: PeopledSite, wanda: Visitor, nord: str) -> None:
    walter = site.browser_of("walter")
    typed = {"version": "2026-1", "title": "Reseller terms", "text": "You sell what we sell, and pay for it."}
    walter.post("/admin/agreements", typed)

    assert "Awaited" in wanda.get(f"{nord}/agreements").main
    refused = walter.post("/admin/agreements", typed, status=422)
    assert "There is a version 2026-1 already" in refused.main


def test_a_customer_is_moved_after_both_sides_were_seen(site: PeopledSite, wanda: Visitor) -> None:
    today = utc_now().date()
    with site.database.owner_transaction() as session:
        path = f"/admin/customers/{customer_called(session, 'carla-works').public_id}/move"
    wanda.get(path)
    typed = {"reseller": "sud", "moves_on": next_first(today).isoformat(), "reason": "They asked us to"}
    seen = wanda.post(path, {**typed, "step": "effect"}, status=200)
    assert "With Nord Cloud SARL until then" in seen.main
    refused = wanda.post(path, {**typed, "reseller": "nord", "step": "effect"}, status=422)
    assert "is with that reseller already" in refused.main

    wanda.post(path, {**typed, "step": "save"})

    assert "It moves to Sud Cloud SARL" in wanda.get(path).main
    told = site.browser_of("pavel").get("/account/notifications").main
    assert "becomes your customer" in told
    wanda.post(f"{path}/cancel", {})
    wanda.post(f"{path}/cancel", {}, status=404)


def test_the_brand_shows_what_its_pages_and_mails_wear(site: PeopledSite, wanda: Visitor, nord: str) -> None:
    assert "wears the marketplace" in wanda.get(f"{nord}/brand").main
    site.browser_of("rashid").post(
        "/firm/brand",
        {"name": "Nord Cloud", "accent": "#8a1538", "path": "nord", "support_email": "help@nord.example"},
    )

    page = wanda.get(f"{nord}/brand").main

    for words in ("Nord Cloud", "#8a1538", "On dark pages", "/at/nord", "help@nord.example"):
        assert words in page


def test_the_trail_of_a_reseller_is_its_own(site: PeopledSite, wanda: Visitor, nord: str) -> None:
    site.browser_of("rashid").post("/firm/brand", {"name": "Nord Cloud"})
    site.browser_of("pavel").post("/firm/brand", {"name": "Sud Cloud"})
    wanda.post(f"{nord}/status", {"status": "suspended", "reason": "Unpaid since March"})

    page = wanda.get(f"{nord}/audit").main

    assert "Rashid" in page
    assert "Wanda" in page
    assert "Unpaid since March" in page
    assert "Pavel" not in page
    # The tab is there for those who may see it.
    assert "Who did what" in wanda.get(nord).main
