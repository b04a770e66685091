"""An application, from the first field to the decision, for whoever holds its private link."""

from uuid import UUID, uuid4

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from marketplace.accounts.operations.applying import TooManyApplications, count_application
from marketplace.accounts.operations.notifying import notify_party
from marketplace.core.actor import Audience, Permission
from marketplace.core.cells import FaultyEntry
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_, NotFound, Phrase, Refusal
from marketplace.web.applicants import mail_applicant, token_of
from marketplace.web.apply import blueprint
from marketplace.web.apply.form import (
    CONTACTS,
    ApplicationForm,
    DocumentForm,
    WordsForm,
    application_form,
    document_form,
    written,
)
from marketplace.web.guards import accepts_upload, public
from marketplace.web.preferences import language
from marketplace.web.session import visitors_transaction
from resellers.models import ResellerApplication
from resellers.operations import applications as acts
from resellers.queries.applications import application_by_token, application_page
from resellers.rules.applications import (
    CONTACT_LABELS,
    DOCUMENT_LABELS,
    WRITABLE,
    check_writable,
)
from resellers.rules.documents import MOST_BYTES, MOST_DOCUMENTS
from resellers.words import ApplicationStatus, ContactKind, DocumentKind

_LINK = "/<string(length=43):token>"
# The form's own lines besides the file.
_ENVELOPE = 64 << 10


@blueprint.get("")
@public
def apply() -> ResponseReturnValue:
    """Ask for the company, the programme and the contacts."""
    return _new(application_form())


@blueprint.post("")
@public
def begin() -> ResponseReturnValue:
    """Save the first draft, and mail its private link."""
    form = application_form()
    if not form.validate_on_submit():
        return _new(form), 422
    application_id = uuid4()
    try:
        with visitors_transaction() as session:
            count_application(
                session, email=form.owner_email.data or "", ip=request.remote_addr or "", now=utc_now()
            )
        with visitors_transaction() as session:
            application = acts.begin_application(
                session,
                public_id=application_id,
                token=token_of(application_id),
                cells=form.cells(),
                locale=language(),
                now=utc_now(),
            )
            mail_applicant(session, application)
    except TooManyApplications as refusal:
        form.refuse(refusal)
        return _new(form), 429
    except FaultyEntry as faulty:
        form.refuse_entry(faulty)
        return _new(form), 422
    flash(gettext("Your application is saved. The link to it is on its way by mail."), "success")
    return redirect(url_for("apply.application", token=token_of(application_id)), code=303)


@blueprint.get(_LINK)
@public
def application(token: str) -> ResponseReturnValue:
    """Show how far an application is, and what is still asked for."""
    with visitors_transaction() as session:
        return _page(session, _application_or_404(session, token), token)


@blueprint.post(_LINK)
@public
def save(token: str) -> ResponseReturnValue:
    """Save what was changed."""
    form = application_form()
    with visitors_transaction() as session:
        found = _application_or_404(session, token, is_locked=True)
        if not form.validate_on_submit():
            return _page(session, found, token, form=form), 422
        try:
            acts.write_application(session, application=found, cells=form.cells())
        except FaultyEntry as faulty:
            form.refuse_entry(faulty)
            return _page(session, found, token, form=form), 422
    return _done(token, gettext("Your changes are saved."))


@blueprint.post(f"{_LINK}/documents")
@accepts_upload(most_bytes=MOST_BYTES + _ENVELOPE)
@public
def add_document(token: str) -> ResponseReturnValue:
    """Keep a document."""
    form = document_form()
    file = request.files.get("file")
    with visitors_transaction() as session:
        found = _application_or_404(session, token, is_locked=True)
        try:
            if form.validate_on_submit():
                acts.add_document(
                    session,
                    application=found,
                    kind=DocumentKind(form.kind.data),
                    name=file.filename or "" if file else "",
                    content=file.read() if file else b"",
                    now=utc_now(),
                )
        except Refusal as refusal:
            form.refuse(refusal, "file")
        if form.errors:
            return _page(session, found, token, document=form), 422
    return _done(token, gettext("The document is kept."))


@blueprint.post(f"{_LINK}/documents/<uuid:document_id>/remove")
@public
def remove_document(token: str, document_id: UUID) -> ResponseReturnValue:
    """Take a document back."""
    with visitors_transaction() as session:
        found = _application_or_404(session, token, is_locked=True)
        acts.remove_document(session, application=found, document_id=document_id)
    return _done(token, gettext("The document is taken back."))


@blueprint.post(f"{_LINK}/send")
@public
def send(token: str) -> ResponseReturnValue:
    """Send the application."""
    with visitors_transaction() as session:
        found = _application_or_404(session, token, is_locked=True)
        acts.submit(session, application=found, now=utc_now())
        mail_applicant(session, found)
        _tell_staff(session, found, Phrase.of(N_("%(firm)s has sent an application."), firm=found.legal_name))
    return _done(token, gettext("Your application is sent. We look at it and write to you."))


@blueprint.post(f"{_LINK}/answer")
@public
def answer(token: str) -> ResponseReturnValue:
    """Answer what was asked."""
    form = WordsForm()
    with visitors_transaction() as session:
        found = _application_or_404(session, token, is_locked=True)
        try:
            if form.validate_on_submit():
                acts.answer(session, application=found, text=form.text.data or "", now=utc_now())
                said = Phrase.of(
                    N_("%(firm)s has answered what was asked of its application."), firm=found.legal_name
                )
                _tell_staff(session, found, said)
        except Refusal as refusal:
            form.refuse(refusal, "text")
        if form.errors:
            return _page(session, found, token, words=form), 422
    return _done(token, gettext("Your answer is sent."))


def _application_or_404(session: Session, token: str, *, is_locked: bool = False) -> ResellerApplication:
    found = application_by_token(session, token_hash=acts.token_hash(token), is_locked=is_locked)
    if found is None:
        raise NotFound
    return found


def _tell_staff(session: Session, found: ResellerApplication, phrase: Phrase) -> None:
    notify_party(
        session,
        audience=Audience.WHOLESALER,
        party_id=None,
        permission=Permission.WHOLESALER_APPLICATIONS_REVIEW,
        phrase=phrase,
        link=url_for("admin.application", application_id=found.public_id),
    )


def _done(token: str, said: str) -> ResponseReturnValue:
    flash(said, "success")
    return redirect(url_for("apply.application", token=token), code=303)


def _new(form: ApplicationForm) -> str:
    return render_template("apply/new.html", form=form, contact_labels=_contact_labels())


def _page(
    session: Session,
    found: ResellerApplication,
    token: str,
    *,
    form: ApplicationForm | None = None,
    document: DocumentForm | None = None,
    words: WordsForm | None = None,
) -> str:
    page = application_page(session, found)
    status = ApplicationStatus(found.status)
    if form or document or words:
        check_writable(status)
    return render_template(
        "apply/show.html",
        page=page,
        application=found,
        token=token,
        form=form or application_form(written(found, list(page.contacts))),
        document_form=document or document_form(),
        words=words or WordsForm(),
        is_writable=status in WRITABLE,
        document_labels={kind.value: label for kind, label in DOCUMENT_LABELS.items()},
        contact_labels=_contact_labels(),
        most_documents=MOST_DOCUMENTS,
        most_megabytes=MOST_BYTES >> 20,
    )


def _contact_labels() -> list[tuple[str, list[str]]]:
    return [
        (CONTACT_LABELS[kind], [name for name in CONTACTS if name.startswith(f"{kind.value}_")])
        for kind in ContactKind
    ]
