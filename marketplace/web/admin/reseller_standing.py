"""A reseller's tabs: whether it may sell, its enrolments, its terms, what it agreed to."""

from collections.abc import Callable
from contextlib import closing
from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import jobs
from marketplace.core.actor import Actor, Permission
from marketplace.core.clock import utc_now
from marketplace.orders.jobs import LOOK_AT_CREDIT
from marketplace.vendors.enrolments import answer_of
from marketplace.vendors.registry import connector_for
from marketplace.web.admin import blueprint
from marketplace.web.admin.reseller_forms import (
    CreditForm,
    billing_mode_form,
    enrol_form,
    enrolment_form,
    prerequisite_form,
    status_form,
)
from marketplace.web.form_posts import carry_out
from marketplace.web.forms import PageForm
from marketplace.web.guards import requires
from marketplace.web.session import current_actor, transaction, wiring
from resellers.models import Enrolment, Reseller
from resellers.operations import standing
from resellers.queries.standing import (
    acceptances_of,
    billing_mode_of,
    billing_modes_of,
    credit_of,
    credits_of,
    enrolments_of,
)
from resellers.rules.applications import PROGRAMME_LABELS
from resellers.rules.standing import PREREQUISITE_LABELS
from resellers.words import BillingMode, EnrolmentStatus, Prerequisite, Programme, ResellerStatus

VIEW = Permission.WHOLESALER_PARTIES_VIEW
MANAGE = Permission.WHOLESALER_PARTIES_MANAGE
TERMS = Permission.WHOLESALER_TERMS_MANAGE
_Act = Callable[[Session, Actor, Reseller], object]


@blueprint.get("/resellers/<uuid:reseller_id>/enrolments")
@requires(VIEW)
def reseller_enrolments(reseller_id: UUID) -> ResponseReturnValue:
    """Show whether a reseller may sell, and what."""
    return _enrolments(reseller_id)


@blueprint.post("/resellers/<uuid:reseller_id>/status")
@requires(MANAGE)
def change_reseller_status(reseller_id: UUID) -> ResponseReturnValue:
    """Suspend a reseller, let it sell again, or end it."""
    with transaction() as session:
        form = status_form(ResellerStatus(_reseller_or_404(session, reseller_id).status))
    return _carry_out(
        reseller_id,
        form,
        lambda session, actor, reseller: standing.change_status(
            session,
            actor=actor,
            reseller_id=reseller.public_id,
            status=ResellerStatus(form.status.data),
            reason=form.reason.data or "",
        ),
        said=gettext("The status is changed, and the reason is kept."),
        again=lambda: _enrolments(reseller_id, status=form),
        field="reason",
    )


@blueprint.post("/resellers/<uuid:reseller_id>/enrolments")
@requires(MANAGE)
def enrol_reseller(reseller_id: UUID) -> ResponseReturnValue:
    """Enrol a reseller with a vendor."""
    form = enrol_form()
    return _carry_out(
        reseller_id,
        form,
        lambda session, actor, reseller: standing.enrol(
            session,
            actor=actor,
            reseller_id=reseller.public_id,
            vendor=(form.vendor.data or "").strip().lower(),
            programme=Programme(form.programme.data),
            partner_id=form.partner_id.data or "",
        ),
        said=gettext("It is enrolled. Make the enrolment active when everything is in order."),
        again=lambda: _enrolments(reseller_id, enrol=form),
        field="vendor",
    )


@blueprint.post("/enrolments/<uuid:enrolment_id>")
@requires(MANAGE)
def change_enrolment(enrolment_id: UUID) -> ResponseReturnValue:
    """Change an enrolment's programme, status or partner id."""
    reseller_id, _ = _of(enrolment_id)
    form = enrolment_form(prefix=f"{enrolment_id}-")
    return _carry_out(
        reseller_id,
        form,
        lambda session, actor, _reseller: standing.change_enrolment(
            session,
            actor=actor,
            enrolment_id=enrolment_id,
            programme=Programme(form.programme.data),
            status=EnrolmentStatus(form.status.data),
            partner_id=form.partner_id.data or "",
        ),
        said=gettext("The enrolment is saved."),
        again=lambda: _enrolments(reseller_id, changed=(enrolment_id, form)),
        field="status",
    )


@blueprint.post("/enrolments/<uuid:enrolment_id>/check")
@requires(MANAGE)
def check_enrolment(enrolment_id: UUID) -> ResponseReturnValue:
    """Ask the vendor about the partner id: no transaction is open while it answers."""
    reseller_id, enrolment = _of(enrolment_id)
    if not enrolment.partner_id:
        raise standing.NothingToCheck
    with closing(connector_for(wiring().settings, enrolment.vendor)) as connector:
        answer = answer_of(connector.partner_standing(enrolment.partner_id))
    with transaction() as session:
        standing.record_answer(
            session, actor=current_actor(), enrolment_id=enrolment_id, answer=answer, now=utc_now()
        )
    flash(gettext("The vendor has answered."), "success")
    return redirect(url_for("admin.reseller_enrolments", reseller_id=reseller_id), code=303)


@blueprint.post("/enrolments/<uuid:enrolment_id>/prerequisite")
@requires(MANAGE)
def record_prerequisite(enrolment_id: UUID) -> ResponseReturnValue:
    """Record what a direct partner has met."""
    reseller_id, _ = _of(enrolment_id)
    form = prerequisite_form(prefix=f"{enrolment_id}-met-")
    return _carry_out(
        reseller_id,
        form,
        lambda session, actor, _reseller: standing.record_prerequisite(
            session,
            actor=actor,
            enrolment_id=enrolment_id,
            kind=Prerequisite(form.kind.data),
            met_on=form.met_on.data,
        ),
        said=gettext("The record is saved."),
        again=lambda: _enrolments(reseller_id),
        field="kind",
    )


@blueprint.get("/resellers/<uuid:reseller_id>/terms")
@requires(Permission.WHOLESALER_TERMS_VIEW)
def reseller_terms(reseller_id: UUID) -> ResponseReturnValue:
    """Show who invoices since when, and the credit."""
    return _terms(reseller_id)


@blueprint.post("/resellers/<uuid:reseller_id>/billing-mode")
@requires(TERMS)
def change_billing_mode(reseller_id: UUID) -> ResponseReturnValue:
    """Say who invoices from a day on."""
    form = billing_mode_form()
    return _carry_out(
        reseller_id,
        form,
        lambda session, actor, reseller: standing.change_billing_mode(
            session,
            actor=actor,
            reseller_id=reseller.public_id,
            customer=(form.customer.data or "").strip(),
            mode=BillingMode(form.mode.data) if form.mode.data else None,
            valid_from=form.valid_from.data,
        ),
        said=gettext("Who invoices is saved."),
        again=lambda: _terms(reseller_id, mode=form),
        field="customer",
        endpoint="admin.reseller_terms",
    )


@blueprint.post("/resellers/<uuid:reseller_id>/credit")
@requires(TERMS)
def change_credit(reseller_id: UUID) -> ResponseReturnValue:
    """Say how much may be owed and for how long."""
    form = CreditForm()
    return _carry_out(
        reseller_id,
        form,
        lambda session, actor, reseller: _save_credit(session, actor, reseller, form),
        said=gettext("The credit terms are saved."),
        again=lambda: _terms(reseller_id, credit=form),
        field="customer",
        endpoint="admin.reseller_terms",
    )


def _save_credit(session: Session, actor: Actor, reseller: Reseller, form: CreditForm) -> None:
    """Save the credit, and have orders looked at that the old one held back."""
    standing.change_credit(
        session,
        actor=actor,
        reseller_id=reseller.public_id,
        customer=(form.customer.data or "").strip(),
        credit_limit=form.credit_limit.data,
        payment_days=form.payment_days.data,
    )
    session.flush()  # the job must not be there without it
    jobs.defer(session, LOOK_AT_CREDIT, queueing_lock=LOOK_AT_CREDIT)


@blueprint.get("/resellers/<uuid:reseller_id>/agreements")
@requires(VIEW)
def reseller_agreements(reseller_id: UUID) -> ResponseReturnValue:
    """Show which versions a reseller has accepted."""
    with transaction() as session:
        party = _reseller_or_404(session, reseller_id)
        return render_template(
            "admin/parties/agreements.html", party=party, versions=acceptances_of(session, party.id)
        )


def _carry_out(
    reseller_id: UUID,
    form: PageForm,
    act: _Act,
    *,
    said: str,
    again: Callable[[], str],
    field: str,
    endpoint: str = "admin.reseller_enrolments",
) -> ResponseReturnValue:
    """Do one thing to a reseller, or show the form again with what stands against it."""
    return carry_out(
        form,
        lambda session: act(session, current_actor(), _reseller_or_404(session, reseller_id)),
        said=said,
        then=url_for(endpoint, reseller_id=reseller_id),
        again=again,
        field=field,
    )


def _enrolments(
    reseller_id: UUID,
    *,
    status: PageForm | None = None,
    enrol: PageForm | None = None,
    changed: tuple[UUID, PageForm] | None = None,
) -> str:
    with transaction() as session:
        party = _reseller_or_404(session, reseller_id)
        rows = enrolments_of(session, party, now=utc_now())
        forms: dict[UUID, Any] = {}
        for row in rows:
            one = row.enrolment
            data = {"programme": one.programme, "status": one.status, "partner_id": one.partner_id}
            forms[one.public_id] = enrolment_form(data, prefix=f"{one.public_id}-")
        if changed:
            forms[changed[0]] = changed[1]
        return render_template(
            "admin/parties/enrolments.html",
            party=party,
            rows=rows,
            forms=forms,
            met_forms={
                row.enrolment.public_id: prerequisite_form(prefix=f"{row.enrolment.public_id}-met-")
                for row in rows
            },
            status_form=status or status_form(ResellerStatus(party.status)),
            enrol_form=enrol or enrol_form(),
            programmes={one.value: label for one, label in PROGRAMME_LABELS.items()},
            prerequisites=PREREQUISITE_LABELS,
            may_manage=_may(MANAGE),
        )


def _terms(reseller_id: UUID, *, mode: PageForm | None = None, credit: PageForm | None = None) -> str:
    with transaction() as session:
        party = _reseller_or_404(session, reseller_id)
        today = utc_now().date()
        own = credit_of(session, reseller_id=party.id)
        return render_template(
            "admin/parties/terms.html",
            party=party,
            today=today,
            mode=billing_mode_of(session, reseller_id=party.id, customer_id=None, day=today),
            changes=billing_modes_of(session, party.id),
            credit=own,
            credits=credits_of(session, party.id),
            mode_form=mode or billing_mode_form(),
            credit_form=credit
            or CreditForm(data={"credit_limit": own.limit, "payment_days": own.payment_days}),
            may_change=_may(TERMS),
        )


def _may(permission: Permission) -> bool:
    actor = current_actor()
    return actor.may(permission) and not actor.is_read_only


def _reseller_or_404(session: Session, reseller_id: UUID) -> Reseller:
    party = session.scalars(select(Reseller).where(Reseller.public_id == reseller_id)).one_or_none()
    return party if party is not None else abort(404)


def _of(enrolment_id: UUID) -> tuple[UUID, Enrolment]:
    """Find an enrolment and whose it is."""
    with transaction() as session:
        found = session.execute(
            select(Reseller.public_id, Enrolment)
            .join(Enrolment, Enrolment.reseller_id == Reseller.id)
            .where(Enrolment.public_id == enrolment_id)
        ).one_or_none()
    if found is None:
        abort(404)
    return found[0], found[1]
