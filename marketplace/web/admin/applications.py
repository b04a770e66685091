"""Firms that wish to become resellers: the queue, one application with its checklist, and the decision."""

import io
from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session
from wtforms import StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from marketplace.accounts.operations.onboarding import approve_application
from marketplace.core.actor import Audience, Permission
from marketplace.core.cells import FaultyEntry
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_, Refusal
from marketplace.web.admin import blueprint
from marketplace.web.applicants import mail_applicant
from marketplace.web.forms import PageForm
from marketplace.web.guards import requires
from marketplace.web.listing import Column, Filter, Kind, ListView, OnPhone
from marketplace.web.navigation import GROUP_PARTIES, add_to_menu
from marketplace.web.people import mail_invitation
from marketplace.web.session import current_actor, transaction
from resellers.models import Reseller, ResellerApplication
from resellers.operations import applications as acts
from resellers.queries.applications import (
    application_list,
    application_page,
    checks_of,
    document_of,
    duplicates_of,
    sent_application,
)
from resellers.rules.applications import (
    APPLICATION_STATUS_LABELS,
    CHECK_LABELS,
    CONTACT_LABELS,
    DOCUMENT_LABELS,
    PROGRAMME_LABELS,
    WAITING,
)
from resellers.words import ApplicationStatus, CheckKind, Programme

VIEW = Permission.WHOLESALER_APPLICATIONS_VIEW
REVIEW = Permission.WHOLESALER_APPLICATIONS_REVIEW
_LONGEST = 4000

add_to_menu(
    Audience.WHOLESALER,
    endpoint="admin.applications",
    label=N_("Applications"),
    icon="mail-forward",
    permission=VIEW,
    group=GROUP_PARTIES,
    place=5,
    words="onboarding apply reseller candidates",
)


def _programme(row: Any) -> str:
    return gettext(PROGRAMME_LABELS[Programme(row.programme)]) if row.programme else ""


APPLICATIONS = ListView[Any](
    name="applications",
    columns=(
        Column(
            key="firm",
            label=N_("Firm"),
            value=lambda row: row.legal_name,
            sort=ResellerApplication.legal_name,
            phone=OnPhone.TITLE,
        ),
        Column(
            key="status",
            label=N_("Status"),
            value=lambda row: row.status,
            sort=ResellerApplication.status,
            kind=Kind.STATUS,
            phone=OnPhone.SIDE,
        ),
        Column(key="country", label=N_("Country"), value=lambda row: row.country),
        Column(key="programme", label=N_("Programme"), value=_programme),
        Column(
            key="sent",
            label=N_("Sent"),
            value=lambda row: row.submitted_at,
            sort=ResellerApplication.submitted_at,
            kind=Kind.DAY,
        ),
        Column(key="done", label=N_("Looked at"), value=lambda row: f"{row.done}/{len(CheckKind)}"),
    ),
    filters=(
        Filter(
            key="status",
            label=N_("Status"),
            choices=tuple(
                (status.value, label)
                for status, label in APPLICATION_STATUS_LABELS.items()
                if status is not ApplicationStatus.DRAFT
            ),
            where=lambda value: ResellerApplication.status == value,
        ),
    ),
    search=(ResellerApplication.legal_name,),
    sort="-sent",
    tie_break=(ResellerApplication.id,),
)


class WordsForm(PageForm):
    """What is asked of an applicant, or why it is refused."""

    text = TextAreaField(
        lazy_gettext("In words the applicant will read"),
        validators=[InputRequired(lazy_gettext("Write a few words.")), Length(max=_LONGEST)],
    )


class ApproveForm(PageForm):
    """What the new reseller will be called."""

    reference = StringField(
        lazy_gettext("Reference"),
        validators=[InputRequired(lazy_gettext("Write a reference.")), Length(max=60)],
    )


@blueprint.get("/applications")
@requires(VIEW)
def applications() -> ResponseReturnValue:
    """List the applications that were sent."""
    with transaction() as session:
        return APPLICATIONS.respond(session, application_list(), "admin/applications/list.html")


@blueprint.get("/applications/<uuid:application_id>")
@requires(VIEW)
def application(application_id: UUID) -> ResponseReturnValue:
    """Show an application with its checklist."""
    with transaction() as session:
        return _page(session, application_id)


@blueprint.get("/applications/<uuid:application_id>/documents/<uuid:document_id>")
@requires(VIEW)
def application_document(application_id: UUID, document_id: UUID) -> ResponseReturnValue:
    """Give a document as it came, to be saved and never shown by the browser as a page of ours."""
    with transaction() as session:
        found = sent_application(session, application_id)
        document = document_of(session, application_id=found.id, document_id=document_id) if found else None
    if document is None:
        abort(404)
    about, content = document
    return send_file(
        io.BytesIO(content), mimetype=about.content_type, as_attachment=True, download_name=about.file_name
    )


@blueprint.post("/applications/<uuid:application_id>/review")
@requires(REVIEW)
def begin_application_review(application_id: UUID) -> ResponseReturnValue:
    """Take an application up."""
    with transaction() as session:
        acts.begin_review(session, actor=current_actor(), application_id=application_id)
    return _done(application_id, gettext("The applicant sees that you look at it."))


@blueprint.post("/applications/<uuid:application_id>/check")
@requires(REVIEW)
def check_application(application_id: UUID) -> ResponseReturnValue:
    """Tick a point of the checklist, or take the tick away."""
    try:
        kind = CheckKind(request.form.get("kind", ""))
    except ValueError:
        abort(404)
    with transaction() as session:
        acts.look_at(
            session,
            actor=current_actor(),
            application_id=application_id,
            kind=kind,
            is_done=request.form.get("is_done") == "yes",
            now=utc_now(),
        )
    return _done(application_id, gettext("The checklist is saved."))


@blueprint.post("/applications/<uuid:application_id>/ask")
@requires(REVIEW)
def ask_applicant(application_id: UUID) -> ResponseReturnValue:
    """Ask for more, by mail."""
    form = WordsForm(prefix="ask-")
    text = form.text.data or ""
    with transaction() as session:
        try:
            if form.validate_on_submit():
                found = acts.ask_for_more(
                    session, actor=current_actor(), application_id=application_id, text=text, now=utc_now()
                )
                mail_applicant(session, found, words=text)
        except Refusal as refusal:
            form.refuse(refusal, "text")
        if form.errors:
            return _page(session, application_id, ask=form), 422
    return _done(application_id, gettext("Your question is on its way by mail."))


@blueprint.post("/applications/<uuid:application_id>/refuse")
@requires(REVIEW)
def refuse_application(application_id: UUID) -> ResponseReturnValue:
    """Refuse, with the reason by mail."""
    form = WordsForm(prefix="refuse-")
    text = form.text.data or ""
    with transaction() as session:
        try:
            if form.validate_on_submit():
                found = acts.refuse(
                    session, actor=current_actor(), application_id=application_id, reason=text, now=utc_now()
                )
                mail_applicant(session, found, words=text)
        except Refusal as refusal:
            form.refuse(refusal, "text")
        if form.errors:
            return _page(session, application_id, refusal=form), 422
    return _done(application_id, gettext("The application is refused, and the reason is on its way by mail."))


@blueprint.post("/applications/<uuid:application_id>/approve")
@requires(REVIEW)
def approve(application_id: UUID) -> ResponseReturnValue:
    """Approve: make the reseller, enrol it and invite its owner."""
    form = ApproveForm()
    approved = None
    try:
        if form.validate_on_submit():
            with transaction() as session:
                approved = approve_application(
                    session,
                    actor=current_actor(),
                    application_id=application_id,
                    reference=form.reference.data or "",
                    now=utc_now(),
                )
                mail_applicant(session, approved.application)
                mail_invitation(session, approved.invitation, party_name=approved.reseller.legal_name)
    except FaultyEntry as faulty:
        form.refuse_entry(faulty)
    except Refusal as refusal:
        form.refuse(refusal, "reference")
    if approved is None:
        with transaction() as session:
            return _page(session, application_id, approval=form), 422
    flash(
        gettext("%(name)s is a reseller now, and its owner is invited.", name=approved.reseller.legal_name),
        "success",
    )
    return redirect(url_for("admin.reseller", reseller_id=approved.reseller.public_id), code=303)


def _done(application_id: UUID, said: str) -> ResponseReturnValue:
    flash(said, "success")
    return redirect(url_for("admin.application", application_id=application_id), code=303)


def _page(
    session: Session,
    application_id: UUID,
    *,
    ask: WordsForm | None = None,
    refusal: WordsForm | None = None,
    approval: ApproveForm | None = None,
) -> str:
    found = sent_application(session, application_id)
    if found is None:
        abort(404)
    actor = current_actor()
    is_open = ApplicationStatus(found.status) in WAITING
    reseller = session.get(Reseller, found.reseller_id) if found.reseller_id else None
    return render_template(
        "admin/applications/show.html",
        page=application_page(session, found),
        application=found,
        reseller=reseller,
        checks=checks_of(session, found),
        check_labels=CHECK_LABELS,
        contact_labels={kind.value: label for kind, label in CONTACT_LABELS.items()},
        document_labels={kind.value: label for kind, label in DOCUMENT_LABELS.items()},
        programme=PROGRAMME_LABELS[Programme(found.programme)],
        duplicates=duplicates_of(session, found),
        ask=ask or WordsForm(formdata=None, prefix="ask-"),
        refusal=refusal or WordsForm(formdata=None, prefix="refuse-"),
        approval=approval or ApproveForm(formdata=None),
        may_decide=is_open and actor.may(REVIEW) and not actor.is_read_only,
    )
