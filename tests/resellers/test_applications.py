"""A firm applies: drafts, documents, questions, and what staff decide."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Membership
from marketplace.accounts.operations.onboarding import approve_application
from marketplace.core.actor import Actor, Permission
from marketplace.core.audit import AuditEntry
from marketplace.core.cells import FaultyEntry
from marketplace.core.db import Database
from marketplace.core.errors import NotFound, NotPermitted
from resellers.conflicts import ReferenceTaken
from resellers.models import ApplicationDocument, Enrolment, Reseller, ResellerApplication
from resellers.operations import applications as acts
from resellers.queries.applications import (
    application_by_token,
    checks_of,
    count_waiting,
    duplicates_of,
    parts_done,
)
from resellers.rules import applications as rules
from resellers.rules.documents import (
    MOST_BYTES,
    MOST_DOCUMENTS,
    DocumentEmpty,
    DocumentTooLarge,
    NotADocument,
    TooManyDocuments,
    content_type_of,
    file_name,
)
from resellers.words import ApplicationStatus, CheckKind, ContactKind, DocumentKind
from tests.factories import make_customer, make_reseller

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
STAFF = Actor.system("Walter")
PDF = b"%PDF-1.7 an extract"
TYPED = {
    "legal_name": "Alizés Numérique SAS",
    "country": "FR",
    "registration_number": "732 829 320",
    "vat_number": "FR44732829320",
    "currency": "EUR",
    "vendor": "microsoft",
    "programme": "indirect_reseller",
    "partner_id": "4847383",
    "owner_name": "Aline Le Goff",
    "owner_email": "aline@alizes.example",
    "billing_name": "Bruno Petit",
    "billing_email": "bruno@alizes.example",
}


@pytest.fixture
def owner(database: Database) -> Iterator[Session]:
    """The owner's transaction: applicants write past row-level security."""
    with database.owner_transaction() as session:
        yield session


def begun(session: Session, **typed: str) -> ResellerApplication:
    return acts.begin_application(
        session, public_id=uuid4(), token=uuid4().hex, cells={**TYPED, **typed}, locale="fr", now=NOW
    )


def send(session: Session, application: ResellerApplication) -> None:
    acts.add_document(
        session,
        application=application,
        kind=DocumentKind.REGISTRATION,
        name="kbis.pdf",
        content=PDF,
        now=NOW,
    )
    acts.submit(session, application=application, now=NOW)


def sent(session: Session, **typed: str) -> ResellerApplication:
    application = begun(session, **typed)
    send(session, application)
    return application


def look_at_everything(session: Session, application: ResellerApplication) -> None:
    for kind in CheckKind:
        acts.look_at(
            session,
            actor=STAFF,
            application_id=application.public_id,
            kind=kind,
            is_done=True,
            now=NOW,
        )


STEPS = [
    ("draft", {"submitted"}),
    ("submitted", {"in_review", "more_asked", "approved", "refused"}),
    ("in_review", {"more_asked", "approved", "refused"}),
    ("more_asked", {"in_review", "approved", "refused"}),
    ("approved", set()),
    ("refused", set()),
]


@pytest.mark.parametrize(("now", "allowed"), STEPS)
def test_which_step_follows_which(now: str, allowed: set[str]) -> None:
    for then in ApplicationStatus:
        if then.value in allowed:
            rules.check_step(ApplicationStatus(now), then)
        else:
            with pytest.raises(rules.WrongStep):
                rules.check_step(ApplicationStatus(now), then)


@pytest.mark.parametrize(
    ("changed", "column"),
    [
        ({"legal_name": " "}, "legal_name"),
        ({"country": "XX"}, "country"),
        ({"registration_number": "732829321"}, "registration_number"),
        ({"vat_number": "FR00732829320"}, "vat_number"),
        ({"currency": "EURO"}, "currency"),
        ({"programme": "advisor"}, "programme"),
        ({"partner_id": "MPN-1"}, "partner_id"),
    ],
)
def test_what_cannot_be_used_is_named(changed: dict[str, str], column: str) -> None:
    with pytest.raises(FaultyEntry) as refused:
        rules.read_application({**TYPED, **changed})

    assert [row.column for row in refused.value.rows] == [column]


@pytest.mark.parametrize(
    ("changed", "columns"),
    [
        ({"owner_email": "aline"}, ["owner_email"]),
        ({"owner_name": "", "owner_email": ""}, []),
        ({"billing_name": ""}, ["billing_name"]),
        ({"technical_phone": "+33 2"}, ["technical_name", "technical_email"]),
    ],
)
def test_a_contact_is_whole_or_none(changed: dict[str, str], columns: list[str]) -> None:
    try:
        rules.read_contacts({**TYPED, **changed})
        named = []
    except FaultyEntry as refused:
        named = [row.column for row in refused.rows]

    assert named == columns


DOCUMENTS: list[tuple[bytes, Any]] = [
    (b"%PDF-1.4", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n....", "image/png"),
    (b"\xff\xd8\xff\xe0", "image/jpeg"),
    (b"", DocumentEmpty),
    (b"<svg onload=alert(1)>", NotADocument),
    (b"MZ\x90", NotADocument),
    (b"%PDF-" + b" " * MOST_BYTES, DocumentTooLarge),
]


@pytest.mark.parametrize(("content", "expected"), DOCUMENTS)
def test_files_are_known_by_their_bytes(content: bytes, expected: Any) -> None:
    if isinstance(expected, str):
        assert content_type_of(content, name="x.pdf") == expected
    else:
        with pytest.raises(expected):
            content_type_of(content, name="x.pdf")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        (r"C:\scans\kbis.pdf", "kbis.pdf"),
        ("a\x00b\r\n.pdf", "ab.pdf"),
        ("..", "document"),
    ],
)
def test_names_of_files_lead_nowhere(name: str, kept: str) -> None:
    assert file_name(name) == kept


def test_a_draft_is_found_by_its_link_alone_and_nobody_at_work_sees_it(owner: Session) -> None:
    token = "a-private-link"
    application = acts.begin_application(
        owner, public_id=uuid4(), token=token, cells=TYPED, locale="fr", now=NOW
    )

    assert application.registration_number == "732829320"
    assert application_by_token(owner, token_hash=acts.token_hash(token)) is application
    assert application_by_token(owner, token_hash=token) is None
    with pytest.raises(NotFound):
        acts.begin_review(owner, actor=STAFF, application_id=application.public_id)


def test_what_is_missing_stops_it_from_being_sent(owner: Session) -> None:
    application = begun(owner, owner_name="", owner_email="")

    with pytest.raises(rules.NotReady) as refused:
        acts.submit(owner, application=application, now=NOW)

    assert refused.value.facts == {"missing": 2}
    assert [part.is_done for part in parts_done(owner, application)] == [
        *(True, True, True),
        *(False, True, False),
    ]


def test_it_is_sent_once_and_is_not_the_applicants_any_more(owner: Session) -> None:
    application = sent(owner)

    assert count_waiting(owner) == 1
    with pytest.raises(rules.WrongStep):
        acts.submit(owner, application=application, now=NOW)
    with pytest.raises(rules.WrongStep):
        acts.write_application(owner, application=application, cells=TYPED)
    with pytest.raises(rules.WrongStep):
        acts.answer(owner, application=application, text="Here it is, thanks", now=NOW)


def test_the_same_bytes_again_are_one_document_and_there_are_so_many(owner: Session) -> None:
    application = begun(owner)
    for content in (PDF, PDF):
        acts.add_document(
            owner, application=application, kind=DocumentKind.BANK, name="a.pdf", content=content, now=NOW
        )
    assert owner.scalar(select(func.count()).select_from(ApplicationDocument)) == 1

    for number in range(MOST_DOCUMENTS - 1):
        acts.add_document(
            owner,
            application=application,
            kind=DocumentKind.OTHER,
            name="a.pdf",
            content=PDF + bytes([number]),
            now=NOW,
        )
    with pytest.raises(TooManyDocuments):
        acts.add_document(
            owner, application=application, kind=DocumentKind.OTHER, name="z.pdf", content=b"%PDF-z", now=NOW
        )


def test_more_is_asked_answered_and_approved(owner: Session) -> None:
    application = sent(owner)
    acts.begin_review(owner, actor=STAFF, application_id=application.public_id)
    acts.ask_for_more(
        owner,
        actor=STAFF,
        application_id=application.public_id,
        text="Please send your bank details.",
        now=NOW,
    )
    acts.add_document(
        owner,
        application=application,
        kind=DocumentKind.BANK,
        name="rib.pdf",
        content=PDF + b"2",
        now=NOW,
    )
    acts.answer(owner, application=application, text="Attached, kind regards.", now=NOW)
    look_at_everything(owner, application)

    approved = approve_application(
        owner, actor=STAFF, application_id=application.public_id, reference="alizes", now=NOW
    )

    reseller = approved.reseller
    assert (reseller.reference, reseller.status, reseller.email) == (
        "alizes",
        "active",
        "bruno@alizes.example",
    )
    enrolment = owner.scalars(select(Enrolment).where(Enrolment.reseller_id == reseller.id)).one()
    assert (enrolment.vendor, enrolment.status, enrolment.partner_id) == ("microsoft", "pending", "4847383")
    assert approved.invitation.to_address == "aline@alizes.example"
    assert approved.invitation.token is not None
    membership = owner.scalars(select(Membership).where(Membership.reseller_id == reseller.id)).one()
    assert membership.role == "owner"
    trail = owner.scalars(
        select(AuditEntry.action).where(AuditEntry.subject == "application").order_by(AuditEntry.id)
    ).all()
    assert list(dict.fromkeys(trail)) == [
        "application.begin",
        "application.add_document",
        "application.submit",
        "application.review",
        "application.ask",
        "application.answer",
        "application.check",
        "application.approve",
    ]


def test_an_open_point_of_the_checklist_stops_the_approval(owner: Session) -> None:
    application = sent(owner)
    look_at_everything(owner, application)
    acts.look_at(
        owner,
        actor=STAFF,
        application_id=application.public_id,
        kind=CheckKind.CREDIT,
        is_done=False,
        now=NOW,
    )

    with pytest.raises(rules.ChecksMissing):
        acts.approve(owner, actor=STAFF, application_id=application.public_id, reference="x", now=NOW)
    assert CheckKind.CREDIT not in checks_of(owner, application)


def test_two_who_approve_at_once_make_one_reseller(owner: Session) -> None:
    application = sent(owner)
    look_at_everything(owner, application)
    acts.approve(owner, actor=STAFF, application_id=application.public_id, reference="alizes", now=NOW)

    with pytest.raises(rules.WrongStep):
        acts.approve(owner, actor=STAFF, application_id=application.public_id, reference="alizes-2", now=NOW)
    assert owner.scalar(select(func.count()).select_from(Reseller)) == 1


def test_a_reference_that_is_taken_or_reserved_is_refused(owner: Session) -> None:
    application = sent(owner)
    look_at_everything(owner, application)
    make_reseller(owner, "alizes")

    with pytest.raises(FaultyEntry):
        acts.approve(
            owner, actor=STAFF, application_id=application.public_id, reference="wholesaler", now=NOW
        )
    with pytest.raises(ReferenceTaken):
        acts.approve(owner, actor=STAFF, application_id=application.public_id, reference="alizes", now=NOW)
    owner.rollback()


def test_a_refusal_says_why(owner: Session) -> None:
    application = sent(owner)

    with pytest.raises(rules.ReasonNeeded):
        acts.refuse(owner, actor=STAFF, application_id=application.public_id, reason="no", now=NOW)
    acts.refuse(
        owner, actor=STAFF, application_id=application.public_id, reason="Your region is not ours.", now=NOW
    )

    assert (application.status, application.reason) == ("refused", "Your region is not ours.")


def test_firms_with_the_same_numbers_are_flagged(owner: Session) -> None:
    first = sent(owner)
    reseller = make_reseller(owner, "old")
    reseller.registration_number = "73282932000074"  # an establishment of the same firm
    customer = make_customer(owner, "c", reseller=reseller)
    customer.vat_number = "FR44732829320"
    make_reseller(owner, "other").registration_number = "404833048"
    application = begun(owner)

    assert [(one.kind, one.public_id) for one in duplicates_of(owner, application)] == [
        ("reseller", reseller.public_id),
        ("customer", customer.public_id),
        ("application", first.public_id),
    ]


def test_who_only_looks_decides_nothing(owner: Session) -> None:
    application = sent(owner)
    simon = Actor("Simon", STAFF.audience, permissions=frozenset({Permission.WHOLESALER_APPLICATIONS_VIEW}))

    with pytest.raises(NotPermitted):
        acts.refuse(
            owner, actor=simon, application_id=application.public_id, reason="Because I say so", now=NOW
        )


def test_every_contact_is_asked_for_by_a_name_of_its_own() -> None:
    read = rules.read_contacts(
        TYPED | {"technical_name": "Tim", "technical_email": "tim@alizes.example", "technical_phone": "1"}
    )

    assert [one.kind for one in read] == list(ContactKind)
