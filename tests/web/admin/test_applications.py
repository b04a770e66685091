"""A firm applies by the pages, and staff decide by theirs."""

import io

import pytest
from sqlalchemy import select

from marketplace.accounts.models import OutgoingMail
from marketplace.accounts.rules import APPLICATIONS_PER_HOUR
from marketplace.core.db import Database
from marketplace.settings import Settings
from resellers.models import Reseller, ResellerApplication
from resellers.words import CheckKind
from tests.conftest import World
from tests.page import Visitor
from tests.personas import PeopledSite, everybody

TYPED = {
    "legal_name": "Alizés Numérique SAS",
    "country": "FR",
    "registration_number": "732 829 320",
    "vat_number": "",
    "currency": "EUR",
    "programme": "indirect_reseller",
    "partner_id": "4847383",
    "owner_name": "Aline Le Goff",
    "owner_email": "aline@alizes.example",
    "billing_name": "Bruno Petit",
    "billing_email": "bruno@alizes.example",
}


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
def aline(site: PeopledSite) -> Visitor:
    return site.visitor()


def begin(visitor: Visitor, **typed: str) -> str:
    """Begin an application; give the path behind its private link."""
    return str(visitor.post("/apply", {**TYPED, **typed}).response.location)


def send(visitor: Visitor, path: str) -> None:
    document = {"kind": "registration", "file": (io.BytesIO(b"%PDF-1.7 kbis"), "kbis.pdf")}
    visitor.post(f"{path}/documents", document)
    visitor.post(f"{path}/send", {})


def mails(site: PeopledSite) -> list[OutgoingMail]:
    with site.database.owner_transaction() as session:
        return list(session.scalars(select(OutgoingMail).order_by(OutgoingMail.created_at)))


def review_path(site: PeopledSite) -> str:
    with site.database.owner_transaction() as session:
        return f"/admin/applications/{session.scalars(select(ResellerApplication.public_id)).one()}"


def test_from_the_first_field_to_the_owners_first_sign_in(
    site: PeopledSite, wanda: Visitor, aline: Visitor
) -> None:
    assert "Become a reseller" in aline.get("/apply").title
    path = begin(aline)
    assert "5/6" in aline.get(path).main
    send(aline, path)
    assert "We look at your application" in aline.get(path).main
    assert [mail.to_address for mail in mails(site)] == ["aline@alizes.example"] * 2
    assert all(mail.link.endswith(path) for mail in mails(site))

    assert "1 firm that wishes to become a reseller waits for a decision." in wanda.get("/admin/").main
    shown = wanda.get("/admin/applications").link("Alizés Numérique SAS")
    wanda.post(f"{shown}/review", {})
    wanda.post(f"{shown}/ask", {"ask-text": "Please add your VAT number {link}."})
    assert "Please add your VAT number (link)." in mails(site)[-1].body
    asked = aline.get(path)
    assert "We need something more from you" in asked.main
    aline.post(path, {**TYPED, "vat_number": "FR44732829320"})
    aline.post(f"{path}/answer", {"text": "It is there now, thank you."})

    for kind in CheckKind:
        wanda.post(f"{shown}/check", {"kind": kind.value, "is_done": "yes"})
    page = wanda.get(shown)
    assert "It is there now, thank you." in page.main
    approved = wanda.post(f"{shown}/approve", {"reference": "alizes"})
    assert "Alizés Numérique SAS" in wanda.get(str(approved.response.location)).title
    assert "waits for a decision" not in wanda.get("/admin/").main
    with site.database.owner_transaction() as session:
        reseller = session.scalars(select(Reseller).where(Reseller.reference == "alizes")).one()
        assert reseller.vat_number == "FR44732829320"

    link = next(mail.link for mail in mails(site) if "/set-password/" in mail.link)
    password = {"password": "nine quiet herons", "again": "nine quiet herons"}
    home = aline.post(link.removeprefix(site.settings.site_url), password)
    assert home.response.location == "/"
    assert "Aline Le Goff" in aline.get("/").text


def test_faults_stand_at_their_fields_and_nothing_is_saved(site: PeopledSite, aline: Visitor) -> None:
    refused = aline.post("/apply", {**TYPED, "registration_number": "732829321"}, status=422)

    assert "is not a SIREN" in refused.main
    assert mails(site) == []
    nobody = aline.post("/apply", {**TYPED, "owner_email": ""}, status=422)
    assert "Write your e-mail." in nobody.main


def test_strangers_cannot_have_us_mail_somebody_again_and_again(aline: Visitor) -> None:
    for _ in range(APPLICATIONS_PER_HOUR):
        begin(aline)

    refused = aline.post("/apply", TYPED, status=429)

    assert "Too many applications" in refused.main


def test_another_link_opens_nothing(aline: Visitor) -> None:
    path = begin(aline)
    swapped = path[:-1] + ("A" if path[-1] != "A" else "B")

    aline.get(swapped, status=404)
    aline.post(f"{swapped}/send", {}, status=404)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("kbis.pdf", b"<html>", "is neither PDF, PNG nor JPEG"),
        ("", b"", "none came, or it is empty"),
    ],
)
def test_files_that_are_none_are_refused_in_words(
    aline: Visitor, name: str, content: bytes, said: str
) -> None:
    path = begin(aline)

    refused = aline.post(
        f"{path}/documents", {"kind": "bank", "file": (io.BytesIO(content), name)}, status=422
    )

    assert said in refused.main


def test_a_document_is_saved_by_staff_and_taken_back_by_the_applicant(
    site: PeopledSite, wanda: Visitor, aline: Visitor
) -> None:
    path = begin(aline)
    aline.post(f"{path}/documents", {"kind": "bank", "file": (io.BytesIO(b"%PDF-rib"), "rib.pdf")})
    form = next(one for one in aline.get(path).all("form") if str(one.get("action")).endswith("/remove"))
    aline.post(str(form.get("action")), {})
    send(aline, path)

    page = wanda.get(review_path(site))

    assert wanda.download(page.link("kbis.pdf")) == b"%PDF-1.7 kbis"
    assert "rib.pdf" not in page.main


def test_a_refusal_mails_its_reason_and_ends_it(site: PeopledSite, wanda: Visitor, aline: Visitor) -> None:
    path = begin(aline)
    send(aline, path)
    shown = review_path(site)
    wanda.post(f"{shown}/refuse", {"refuse-text": "no"}, status=422)
    wanda.post(f"{shown}/approve", {"reference": "alizes"}, status=422)
    wanda.post(f"{shown}/refuse", {"refuse-text": "Your country is not in our region."})

    assert "Your country is not in our region." in mails(site)[-1].body
    assert "Your country is not in our region." in aline.get(path).main
    wanda.post(f"{shown}/ask", {"ask-text": "One more thing, please."}, status=422)
    aline.post(f"{path}/answer", {"text": "But we are very nice."}, status=422)
    with site.database.owner_transaction() as session:
        assert session.scalars(select(ResellerApplication.status)).one() == "refused"


def test_a_draft_is_nobodys_business(site: PeopledSite, wanda: Visitor, aline: Visitor) -> None:
    begin(aline)

    wanda.get(review_path(site), status=404)
    assert "Nobody has applied yet" in wanda.get("/admin/applications").main


def test_an_applicant_reads_and_is_written_to_in_french(site: PeopledSite) -> None:
    aline = site.visitor(language="fr")
    path = begin(aline)

    page = aline.get(path)

    assert page.one("html").get("lang") == "fr"
    assert "Candidature de Alizés" in page.title
    assert "candidature" in mails(site)[0].subject.casefold()
