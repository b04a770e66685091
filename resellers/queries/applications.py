"""Applications as their pages need them: the applicant's own, and the queue of those who decide."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from resellers.models import (
    ApplicationCheck,
    ApplicationContact,
    ApplicationDocument,
    ApplicationMessage,
    Customer,
    Reseller,
    ResellerApplication,
)
from resellers.rules.applications import Part, parts_of
from resellers.words import ApplicationStatus, CheckKind, ContactKind, DocumentKind

_WRITTEN = ("legal_name", "country", "currency", "registration_number", "vat_number", "programme")

_SIREN, _SIRET = 9, 14


@dataclass(frozen=True, kw_only=True)
class Duplicate:
    """A firm that has a number of the applicant's already."""

    kind: str
    public_id: UUID
    name: str
    number: str


@dataclass(frozen=True, kw_only=True)
class ApplicationPage:
    """Everything an application's page shows."""

    application: ResellerApplication
    contacts: Sequence[ApplicationContact]
    documents: Sequence[ApplicationDocument]
    messages: Sequence[ApplicationMessage]
    parts: Sequence[Part]


def application_by_token(
    session: Session, *, token_hash: str, is_locked: bool = False
) -> ResellerApplication | None:
    """Find an application by its private link; locked, so that what is sent twice at once is one after the other."""
    found = select(ResellerApplication).where(ResellerApplication.token_hash == token_hash)
    return session.scalars(found.with_for_update() if is_locked else found).one_or_none()


def sent_application(session: Session, application_id: UUID) -> ResellerApplication | None:
    """Find an application that was sent; drafts are the applicant's alone."""
    return session.scalars(
        select(ResellerApplication).where(
            ResellerApplication.public_id == application_id,
            ResellerApplication.status != ApplicationStatus.DRAFT.value,
        )
    ).one_or_none()


def application_list() -> Select[*tuple[Any, ...]]:
    """Give the applications that were sent, with how much of the checklist is done."""
    done = (
        select(func.count())
        .where(ApplicationCheck.application_id == ResellerApplication.id)
        .scalar_subquery()
    )
    return select(
        ResellerApplication.public_id.label("id"),
        ResellerApplication.legal_name,
        ResellerApplication.country,
        ResellerApplication.programme,
        ResellerApplication.status,
        ResellerApplication.submitted_at,
        done.label("done"),
    ).where(ResellerApplication.status != ApplicationStatus.DRAFT.value)


def application_page(session: Session, application: ResellerApplication) -> ApplicationPage:
    """Gather what an application's page shows."""
    documents = session.scalars(
        select(ApplicationDocument)
        .where(ApplicationDocument.application_id == application.id)
        .order_by(ApplicationDocument.id)
    ).all()
    contacts = contacts_of(session, application)
    return ApplicationPage(
        application=application,
        contacts=contacts,
        documents=documents,
        messages=session.scalars(
            select(ApplicationMessage)
            .where(ApplicationMessage.application_id == application.id)
            .order_by(ApplicationMessage.id)
        ).all(),
        parts=_parts(application, [one.kind for one in contacts], [one.kind for one in documents]),
    )


def contacts_of(session: Session, application: ResellerApplication) -> Sequence[ApplicationContact]:
    """Give an applicant's contacts."""
    return session.scalars(
        select(ApplicationContact)
        .where(ApplicationContact.application_id == application.id)
        .order_by(ApplicationContact.id)
    ).all()


def parts_done(session: Session, application: ResellerApplication) -> list[Part]:
    """Tell which parts of an application are complete."""
    documents = session.scalars(
        select(ApplicationDocument.kind).where(ApplicationDocument.application_id == application.id)
    ).all()
    return _parts(application, [one.kind for one in contacts_of(session, application)], documents)


def checks_of(session: Session, application: ResellerApplication) -> dict[CheckKind, ApplicationCheck]:
    """Give the points of the checklist that were looked at."""
    found = session.scalars(select(ApplicationCheck).where(ApplicationCheck.application_id == application.id))
    return {CheckKind(one.kind): one for one in found}


def document_of(
    session: Session, *, application_id: int, document_id: UUID
) -> tuple[ApplicationDocument, bytes] | None:
    """Find a document with its bytes."""
    found = session.execute(
        select(ApplicationDocument, ApplicationDocument.content).where(
            ApplicationDocument.application_id == application_id, ApplicationDocument.public_id == document_id
        )
    ).one_or_none()
    return (found[0], found[1]) if found else None


def duplicates_of(session: Session, application: ResellerApplication) -> list[Duplicate]:
    """Find resellers, customers and other applications with the applicant's VAT or registration number.

    A SIRET begins with its firm's SIREN: establishments of one firm are found by it.
    """
    numbers = [
        number for number in (application.vat_number, _siren(application.registration_number)) if number
    ]
    if not numbers:
        return []
    found = []
    for kind, table in (("reseller", Reseller), ("customer", Customer), ("application", ResellerApplication)):
        rows = select(table.public_id, table.legal_name, table.vat_number, table.registration_number).where(
            or_(
                *(
                    or_(
                        table.vat_number == number,
                        table.registration_number == number,
                        func.left(table.registration_number, _SIREN) == number,
                    )
                    for number in numbers
                )
            )
        )
        if table is ResellerApplication:
            rows = rows.where(
                ResellerApplication.id != application.id,
                ResellerApplication.status != ApplicationStatus.DRAFT.value,
            )
        if table is Reseller and application.reseller_id:
            rows = rows.where(Reseller.id != application.reseller_id)
        found += [
            Duplicate(kind=kind, public_id=row[0], name=row[1], number=row[2] or row[3])
            for row in session.execute(rows.order_by(table.legal_name).limit(10))
        ]
    return found


def count_waiting(session: Session) -> int:
    """Count applications that wait for a decision."""
    waiting = (ApplicationStatus.SUBMITTED.value, ApplicationStatus.IN_REVIEW.value)
    return session.scalar(select(func.count()).where(ResellerApplication.status.in_(waiting))) or 0


def _siren(number: str) -> str:
    return number[:_SIREN] if number.isdigit() and len(number) == _SIRET else number


def _parts(application: ResellerApplication, contacts: Sequence[str], documents: Sequence[str]) -> list[Part]:
    return parts_of(
        entry={name: getattr(application, name) for name in _WRITTEN},
        contacts={ContactKind(kind) for kind in contacts},
        documents={DocumentKind(kind) for kind in documents},
    )
