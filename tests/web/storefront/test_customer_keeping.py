"""A reseller keeps its own customers: by hand, by file, with their agreement and their people."""

import io

import pytest
from sqlalchemy import select

from marketplace.accounts.models import Membership, OutgoingMail
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.db import Database
from marketplace.settings import Settings
from resellers.models import Customer
from tests.conftest import World
from tests.factories import make_reseller
from tests.page import Site, Visitor
from tests.personas import PeopledSite, customer_called, everybody, reseller_called

HEADER = "reference,legal_name,country,vat_number,registration_number,currency,email\n"
NINA = {"reference": "nina-forge", "legal_name": "Nina Forge", "country": "FR", "currency": "EUR"}


@pytest.fixture
def world() -> World:
    return everybody


@pytest.fixture
def site(settings: Settings, database: Database) -> PeopledSite:
    return PeopledSite(settings, database)


@pytest.fixture
def rosa(site: PeopledSite) -> Visitor:
    return site.browser_of("rosa")


def path_of(site: PeopledSite, reference: str) -> str:
    with site.database.owner_transaction() as session:
        return f"/customers/{customer_called(session, reference).public_id}"


def upload(visitor: Visitor, rows: str, *, step: str = "save", status: int = 303) -> str:
    files = {"files": (io.BytesIO((HEADER + rows).encode()), "mine.csv"), "step": step}
    page = visitor.post("/customers/import", files, status=status)
    return page.main if status != 303 else ""


def test_a_customer_is_added_and_changed_by_hand(site: PeopledSite, rosa: Visitor) -> None:
    rosa.post("/customers/new", NINA)
    rosa.post(f"{path_of(site, 'nina-forge')}/edit", {**NINA, "reference": "x", "legal_name": "Nina Forges"})

    with site.database.owner_transaction() as session:
        nina = customer_called(session, "nina-forge")
        assert (nina.legal_name, nina.reseller_id) == ("Nina Forges", reseller_called(session, "nord").id)
    again = rosa.post("/customers/new", NINA, status=422)
    assert "You have a customer with this reference." in again.main
    faulty = rosa.post("/customers/new", {**NINA, "reference": "y", "registration_number": "12"}, status=422)
    assert "is not a SIREN" in faulty.main


def test_a_reseller_that_has_sold_nothing_is_shown_how_to_begin(site: PeopledSite, rosa: Visitor) -> None:
    assert rosa.get("/").link("Go to the shop") == "/shop"

    with site.database.owner_transaction() as session:
        ouest = make_reseller(session, "ouest").id
    olivia = Actor("Olivia", Audience.RESELLER, party_id=ouest, permissions=frozenset(Permission))
    newcomer = Site(site.settings, site.database).visitor(olivia)

    assert newcomer.get("/").link("Add a customer") == "/customers/new"
    page = newcomer.get("/customers/new")
    chosen = page.one("select", name="country").find("option[@selected]")
    assert chosen is not None
    assert chosen.get("value") == "FR"


def test_a_reference_of_somebody_elses_customer_is_taken(site: PeopledSite, rosa: Visitor) -> None:
    refused = rosa.post("/customers/new", {**NINA, "reference": "stella-mills"}, status=422)

    assert "The reference is taken" in refused.main
    with site.database.owner_transaction() as session:
        stella = customer_called(session, "stella-mills")
        assert stella.reseller_id == reseller_called(session, "sud").id


def test_a_file_is_tried_then_imported_whole(site: PeopledSite, rosa: Visitor) -> None:
    rows = "nina-forge,Nina Forge,FR,,,EUR,\ncarla-works,Carla Works,FR,,,EUR,it@carla.example\n"
    tried = upload(rosa, rows, step="try", status=200)
    assert "1 would be added, 1 changed" in tried
    upload(rosa, rows)

    with site.database.owner_transaction() as session:
        names = session.scalars(
            select(Customer.legal_name)
            .where(Customer.reseller_id == reseller_called(session, "nord").id)
            .order_by(Customer.legal_name)
        ).all()
    assert names == ["Carla Works", "Nina Forge"]
    assert "is not a country" in upload(rosa, "a,A,XX,,,EUR,\n", status=422)


def test_an_agreement_is_recorded_and_shown(site: PeopledSite, rosa: Visitor) -> None:
    path = path_of(site, "carla-works")
    typed = {
        "vendor": "microsoft",
        "template": "117a77b0-9360-443b-8795-c6dedc750cf9",
        "first_name": "Carla",
        "last_name": "Roux",
        "email": "carla@carla-works.example",
        "agreed_on": "2024-05-02",
    }
    assert "must not be blank" in rosa.post(f"{path}/agreement", {**typed, "last_name": ""}, status=422).main
    rosa.post(f"{path}/agreement", {**typed, "agreed_on": "2999-01-01"}, status=422)
    rosa.post(f"{path}/agreement", typed)

    assert "Carla Roux on" in rosa.get(path).main


def test_people_are_invited_to_the_portal_in_the_resellers_name(site: PeopledSite, rosa: Visitor) -> None:
    site.browser_of("rashid").post("/firm/brand", {"sender_name": "Nord Cloud"})
    rosa = site.browser_of("rosa")
    path = path_of(site, "carla-works")
    rosa.get(f"{path}/invite")
    rosa.post(f"{path}/invite", {"email": "dora@carla-works.example", "name": "Dora", "role": "viewer"})

    with site.database.owner_transaction() as session:
        carla = customer_called(session, "carla-works").id
        mail = session.scalars(select(OutgoingMail)).one()
        assert mail.to_address == "dora@carla-works.example"
        assert mail.letterhead is not None
        assert mail.letterhead["sender_name"] == "Nord Cloud"
        roles = session.scalars(select(Membership.role).where(Membership.customer_id == carla)).all()
        assert sorted(roles) == ["owner", "viewer", "viewer"]


def test_others_customers_are_not_there_and_those_who_only_pay_change_none(site: PeopledSite) -> None:
    stella = path_of(site, "stella-mills")
    rosa = site.browser_of("rosa")
    for act in ("edit", "agreement", "invite"):
        rosa.get(f"{stella}/{act}", status=404)
        rosa.post(f"{stella}/{act}", {}, status=404)
