"""A firm's application to become a reseller: written by the applicant, asked about and decided by staff.

The applicant has no account. The private link's token stands for them; whoever calls has found the application by it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.cells import Entry
from marketplace.core.errors import NotFound
from marketplace.core.permit import require
from resellers.conflicts import conflicts_in_words
from resellers.models import (
    ApplicationCheck,
    ApplicationContact,
    ApplicationDocument,
    ApplicationMessage,
    Enrolment,
    Reseller,
    ResellerApplication,
)
from resellers.queries.applications import contacts_of, parts_done
from resellers.rules import applications as rules
from resellers.rules.documents import MOST_DOCUMENTS, TooManyDocuments, content_type_of, file_name
from resellers.rules.identity import read_reference
from resellers.words import ApplicationStatus, CheckKind, ContactKind, DocumentKind, EnrolmentStatus


def token_hash(token: str) -> str:
    """Hash the token of a private link as it is stored."""
    return hashlib.sha256(token.encode()).hexdigest()


def applicant(application: ResellerApplication) -> Actor:
    """Give the applicant as the audit trail names them: nobody's user, of no party yet."""
    return Actor(name=application.legal_name or "?", audience=Audience.RESELLER)


def begin_application(
    session: Session, *, public_id: UUID, token: str, cells: Mapping[str, str], locale: str, now: datetime
) -> ResellerApplication:
    """Save a first draft, found from now on by the token of its private link. Raises `FaultyEntry`."""
    entry, contacts = rules.read_application(cells), rules.read_contacts(cells)
    application = ResellerApplication(
        public_id=public_id,
        token_hash=token_hash(token),
        locale=locale,
        created_at=now,
        status=ApplicationStatus.DRAFT.value,
        submitted_at=None,
        decided_at=None,
        reseller_id=None,
        **asdict(entry),
    )
    session.add(application)
    session.flush()  # contacts and the trail need its id
    _keep_contacts(session, application, contacts)
    _record(session, application, "application.begin", actor=applicant(application), after=asdict(entry))
    return application


def write_application(
    session: Session, *, application: ResellerApplication, cells: Mapping[str, str]
) -> None:
    """Change what the applicant wrote. Raises `FaultyEntry`, `WrongStep`."""
    rules.check_writable(ApplicationStatus(application.status))
    entry, contacts = rules.read_application(cells), rules.read_contacts(cells)
    before = {name: getattr(application, name) for name in asdict(entry)}
    for name, value in asdict(entry).items():
        setattr(application, name, value)
    _keep_contacts(session, application, contacts)
    _record(
        session,
        application,
        "application.write",
        actor=applicant(application),
        before=before,
        after={**asdict(entry), "files": [contact.email for contact in contacts]},
    )


def add_document(
    session: Session,
    *,
    application: ResellerApplication,
    kind: DocumentKind,
    name: str,
    content: bytes,
    now: datetime,
) -> None:
    """Keep a file of the applicant's; the same bytes again change nothing. Raises the refusals of documents."""
    rules.check_writable(ApplicationStatus(application.status))
    name = file_name(name)
    content_type = content_type_of(content, name=name)
    standing = session.scalar(
        select(func.count()).where(ApplicationDocument.application_id == application.id)
    )
    if (standing or 0) >= MOST_DOCUMENTS:
        raise TooManyDocuments(most=MOST_DOCUMENTS)
    digest = hashlib.sha256(content).hexdigest()
    session.execute(
        insert(ApplicationDocument)
        .values(
            public_id=uuid4(),
            application_id=application.id,
            kind=kind.value,
            file_name=name,
            content_type=content_type,
            size=len(content),
            sha256=digest,
            content=content,
            created_at=now,
        )
        .on_conflict_do_update(
            index_elements=["application_id", "sha256"], set_={"kind": kind.value, "file_name": name}
        )
    )
    _record(
        session,
        application,
        "application.add_document",
        actor=applicant(application),
        after={"name": name, "kind": kind.value, "sha256": digest},
    )


def remove_document(session: Session, *, application: ResellerApplication, document_id: UUID) -> None:
    """Take a file back while the application may still be changed. Raises `NotFound`, `WrongStep`."""
    rules.check_writable(ApplicationStatus(application.status))
    name = session.scalar(
        delete(ApplicationDocument)
        .where(
            ApplicationDocument.application_id == application.id,
            ApplicationDocument.public_id == document_id,
        )
        .returning(ApplicationDocument.file_name)
    )
    if name is None:
        raise NotFound
    _record(
        session,
        application,
        "application.remove_document",
        actor=applicant(application),
        before={"name": name},
    )


def submit(session: Session, *, application: ResellerApplication, now: datetime) -> None:
    """Send the draft, once. Raises `NotReady`, `WrongStep`."""
    rules.check_step(ApplicationStatus(application.status), ApplicationStatus.SUBMITTED)
    rules.check_ready(parts_done(session, application))
    application.submitted_at = now
    _go(session, application, ApplicationStatus.SUBMITTED, "application.submit", applicant(application))


def answer(session: Session, *, application: ResellerApplication, text: str, now: datetime) -> None:
    """Answer what was asked: the application goes back to whoever looks at it. Raises `WrongStep`, `NotReady`."""
    rules.check_step(ApplicationStatus(application.status), ApplicationStatus.IN_REVIEW)
    rules.check_writable(ApplicationStatus(application.status))
    text = rules.check_reason(text)
    rules.check_ready(parts_done(session, application))
    author = applicant(application)
    session.add(
        ApplicationMessage(
            application_id=application.id, is_from_applicant=True, author=author.name, text=text, at=now
        )
    )
    _go(session, application, ApplicationStatus.IN_REVIEW, "application.answer", author)


def begin_review(session: Session, *, actor: Actor, application_id: UUID) -> ResellerApplication:
    """Take a sent application up, so that the applicant sees that somebody looks at it."""
    require(actor, Permission.WHOLESALER_APPLICATIONS_REVIEW)
    application = _locked(session, application_id)
    _go(session, application, ApplicationStatus.IN_REVIEW, "application.review", actor)
    return application


def look_at(
    session: Session, *, actor: Actor, application_id: UUID, kind: CheckKind, is_done: bool, now: datetime
) -> None:
    """Tick a point of the checklist, or take the tick away."""
    require(actor, Permission.WHOLESALER_APPLICATIONS_REVIEW)
    application = _locked(session, application_id)
    if ApplicationStatus(application.status) not in rules.WAITING:
        rules.check_step(ApplicationStatus(application.status), ApplicationStatus.IN_REVIEW)
    session.execute(
        delete(ApplicationCheck).where(
            ApplicationCheck.application_id == application.id, ApplicationCheck.kind == kind.value
        )
    )
    if is_done:
        session.add(
            ApplicationCheck(application_id=application.id, kind=kind.value, done_at=now, done_by=actor.name)
        )
    _record(
        session,
        application,
        "application.check",
        actor=actor,
        after={"legal_name": application.legal_name, "kind": kind.value, "is_done": is_done},
    )


def ask_for_more(
    session: Session, *, actor: Actor, application_id: UUID, text: str, now: datetime
) -> ResellerApplication:
    """Ask the applicant for something: it may change its application again. Raises `ReasonNeeded`, `WrongStep`."""
    require(actor, Permission.WHOLESALER_APPLICATIONS_REVIEW)
    application = _locked(session, application_id)
    text = rules.check_reason(text)
    rules.check_step(ApplicationStatus(application.status), ApplicationStatus.MORE_ASKED)
    session.add(
        ApplicationMessage(
            application_id=application.id, is_from_applicant=False, author=actor.name, text=text, at=now
        )
    )
    _go(session, application, ApplicationStatus.MORE_ASKED, "application.ask", actor, reason=text)
    return application


def refuse(
    session: Session, *, actor: Actor, application_id: UUID, reason: str, now: datetime
) -> ResellerApplication:
    """Refuse, with the reason that is mailed. Raises `ReasonNeeded`, `WrongStep`."""
    require(actor, Permission.WHOLESALER_APPLICATIONS_REVIEW)
    application = _locked(session, application_id)
    reason = rules.check_reason(reason)
    rules.check_step(ApplicationStatus(application.status), ApplicationStatus.REFUSED)
    application.reason, application.decided_at, application.decided_by = reason, now, actor.name
    _go(session, application, ApplicationStatus.REFUSED, "application.refuse", actor, reason=reason)
    return application


def approve(
    session: Session, *, actor: Actor, application_id: UUID, reference: str, now: datetime
) -> tuple[ResellerApplication, Reseller]:
    """Approve: the firm becomes a reseller, enrolled as it wished. Its owner is invited by who calls.

    Raises `ChecksMissing`, `WrongStep`, `ReferenceTaken`, and `FaultyEntry` for a reference that cannot be one.
    """
    require(actor, Permission.WHOLESALER_APPLICATIONS_REVIEW)
    application = _locked(session, application_id)
    rules.check_step(ApplicationStatus(application.status), ApplicationStatus.APPROVED)
    done = session.scalars(
        select(ApplicationCheck.kind).where(ApplicationCheck.application_id == application.id)
    )
    rules.check_all_looked_at({CheckKind(kind) for kind in done})
    entry = Entry({"reference": reference})
    reference = entry.take("reference", read_reference, "")
    entry.check()
    emails = {one.kind: one.email for one in contacts_of(session, application)}
    reseller = Reseller(
        public_id=uuid4(),
        reference=reference,
        legal_name=application.legal_name,
        country=application.country,
        vat_number=application.vat_number,
        registration_number=application.registration_number,
        partner_id=application.partner_id,
        currency=application.currency,
        email=emails[ContactKind.BILLING],
    )
    session.add(reseller)
    with conflicts_in_words():
        session.flush()
    if application.vendor:
        session.add(
            Enrolment(
                public_id=uuid4(),
                reseller_id=reseller.id,
                vendor=application.vendor,
                programme=application.programme,
                status=EnrolmentStatus.PENDING.value,
                partner_id=application.partner_id,
            )
        )
    application.reseller_id, application.decided_at = reseller.id, now
    application.decided_by = actor.name
    audit.record(
        session,
        actor=actor,
        action="reseller.add",
        subject="reseller",
        subject_id=reseller.public_id,
        after={"reference": reseller.reference, "legal_name": reseller.legal_name},
        reason=str(application.public_id),
    )
    _go(session, application, ApplicationStatus.APPROVED, "application.approve", actor)
    return application, reseller


def _locked(session: Session, application_id: UUID) -> ResellerApplication:
    """Find an application that was sent, for whoever is first of two that decide at once. Raises `NotFound`."""
    application = session.scalars(
        select(ResellerApplication)
        .where(
            ResellerApplication.public_id == application_id,
            ResellerApplication.status != ApplicationStatus.DRAFT.value,
        )
        .with_for_update()
    ).one_or_none()
    if application is None:
        raise NotFound
    return application


def _go(
    session: Session,
    application: ResellerApplication,
    then: ApplicationStatus,
    action: str,
    actor: Actor,
    *,
    reason: str = "",
) -> None:
    before = ApplicationStatus(application.status)
    rules.check_step(before, then)
    application.status = then.value
    _record(
        session,
        application,
        action,
        actor=actor,
        before={"legal_name": application.legal_name, "status": before.value},
        after={"legal_name": application.legal_name, "status": then.value},
        reason=reason,
    )


def _keep_contacts(
    session: Session, application: ResellerApplication, contacts: list[rules.ContactEntry]
) -> None:
    session.execute(delete(ApplicationContact).where(ApplicationContact.application_id == application.id))
    session.add_all(
        ApplicationContact(
            application_id=application.id,
            kind=contact.kind.value,
            name=contact.name,
            email=contact.email,
            phone=contact.phone,
        )
        for contact in contacts
    )
    session.flush()  # what is complete is asked of the database


def _record(
    session: Session,
    application: ResellerApplication,
    action: str,
    *,
    actor: Actor,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    reason: str = "",
) -> None:
    audit.record(
        session,
        actor=actor,
        action=action,
        subject="application",
        subject_id=application.public_id,
        before=dict(before) if before else None,
        after=dict(after) if after else None,
        reason=reason,
    )
