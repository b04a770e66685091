"""What is asked of vendors: the queue, what is stuck, and what staff can do about it."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from sqlalchemy import ColumnElement, Text, cast
from wtforms import StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from marketplace.core.actor import Audience, Permission
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_
from marketplace.vendors.customer_accounts.queries import OF_ACCOUNTS
from marketplace.vendors.models import ProvisioningAttempt, ProvisioningRequest
from marketplace.vendors.provisioning import operations
from marketplace.vendors.provisioning.requests import (
    Asked,
    asked_from_data,
    named_by_hand,
    result_from_data,
)
from marketplace.vendors.provisioning.rules import RequestState
from marketplace.vendors.queries import (
    RequestRow,
    attempts_of,
    find_request,
    is_stuck,
    list_requests,
    request_row,
)
from marketplace.vendors.values import Attestation, Contact, KnownAccount, NewCustomer, Purchase
from marketplace.web.admin import blueprint
from marketplace.web.filters import day as shown_day
from marketplace.web.filters import said
from marketplace.web.form_posts import carry_out
from marketplace.web.forms import PageForm
from marketplace.web.guards import requires
from marketplace.web.listing import Column, Filter, Kind, ListView, OnPhone
from marketplace.web.navigation import GROUP_VENDORS, add_to_menu
from marketplace.web.session import current_actor, transaction
from resellers.models import Customer, Reseller
from resellers.operations.mapping import AccountOfAnother

add_to_menu(
    Audience.WHOLESALER,
    endpoint="admin.provisioning",
    label=N_("Requests to vendors"),
    icon="send",
    permission=Permission.WHOLESALER_VENDORS_VIEW,
    group=GROUP_VENDORS,
    place=10,
    words="provisioning queue stuck tasks inquiry retry orders",
)

_LONGEST = 4000
#: What a request is in, in words; its badge says it shorter.
STATES = {
    RequestState.QUEUED: N_("It is sent when its turn comes."),
    RequestState.SENT: N_("It is being sent."),
    RequestState.WAITING: N_("The vendor has it and is not ready yet."),
    RequestState.INQUIRY: N_("The vendor wants to know something before it goes on."),
    RequestState.BY_HAND: N_(
        "This vendor is served by hand: do it in its portal, then note its references here."
    ),
    RequestState.DONE: N_("The vendor has done it."),
    RequestState.FAILED: N_("It failed, and nothing more happens by itself."),
    RequestState.WITHDRAWN: N_("The order was withdrawn: the vendor is asked no more."),
}


class AnswerForm(PageForm):
    """What the vendor is told."""

    answer = TextAreaField(
        lazy_gettext("Answer to the vendor"),
        validators=[
            InputRequired(lazy_gettext("Write what the vendor wants to know.")),
            Length(max=_LONGEST),
        ],
    )


class ReasonForm(PageForm):
    """Why a request is given up."""

    reason = TextAreaField(
        lazy_gettext("Reason"),
        validators=[
            InputRequired(lazy_gettext("Say why: whoever ordered it reads this.")),
            Length(max=_LONGEST),
        ],
    )


class ReferenceForm(PageForm):
    """The vendor's own number of what was ordered by hand. A field a line follows."""

    order = StringField(lazy_gettext("The vendor's order number"), validators=[Length(max=200)])


class AccountForm(PageForm):
    """The account that was opened by hand, or looked at."""

    order = StringField(
        lazy_gettext("The customer's account"),
        validators=[InputRequired(lazy_gettext("Write the account.")), Length(max=200)],
    )


def _state_is(value: str) -> ColumnElement[bool]:
    return is_stuck(utc_now()) if value == "stuck" else ProvisioningRequest.state == value


_REQUESTS = ListView[RequestRow](
    name="provisioning",
    columns=(
        Column(key="about", label=N_("Request"), value=lambda row: said(row.about), phone=OnPhone.TITLE),
        Column(
            key="customer", label=N_("Customer"), value=lambda row: row.customer, sort=Customer.legal_name
        ),
        Column(
            key="reseller", label=N_("Reseller"), value=lambda row: row.reseller, sort=Reseller.legal_name
        ),
        Column(
            key="vendor",
            label=N_("Vendor"),
            value=lambda row: row.vendor,
            kind=Kind.VENDOR,
            sort=ProvisioningRequest.vendor,
        ),
        Column(
            key="attempts",
            label=N_("Tries"),
            value=lambda row: row.attempts,
            sort=ProvisioningRequest.attempts,
            kind=Kind.NUMBER,
        ),
        Column(
            key="created_at",
            label=N_("Asked"),
            value=lambda row: row.created_at,
            sort=ProvisioningRequest.created_at,
            kind=Kind.DAY,
        ),
        Column(
            key="state",
            label=N_("Status"),
            value=lambda row: row.state,
            sort=ProvisioningRequest.state,
            kind=Kind.STATUS,
            phone=OnPhone.SIDE,
        ),
    ),
    filters=(
        Filter(
            key="state",
            label=N_("Status"),
            choices=(
                ("stuck", N_("Needs somebody")),
                ("queued", N_("Waiting")),
                ("sent", N_("Being sent")),
                ("waiting", N_("At the vendor")),
                ("inquiry", N_("The vendor asks")),
                ("by_hand", N_("By hand")),
                ("done", N_("Done")),
                ("failed", N_("Failed")),
            ),
            where=_state_is,
        ),
    ),
    search=(
        cast(ProvisioningRequest.about, Text),
        ProvisioningRequest.vendor,
        ProvisioningRequest.origin,
        Customer.legal_name,
        Reseller.legal_name,
    ),
    sort="-created_at",
    tie_break=(ProvisioningRequest.id,),
    row=request_row,
)


#: What can be put right in a form; a request that moved on has none any more.
_OF_THE_FORM = (
    operations.WordsMissing,
    operations.ReferenceMissing,
    operations.AccountMissing,
    AccountOfAnother,
)


@blueprint.get("/provisioning")
@requires(Permission.WHOLESALER_VENDORS_VIEW)
def provisioning() -> ResponseReturnValue:
    """List what is asked of vendors."""
    with transaction() as session:
        return _REQUESTS.respond(session, list_requests(current_actor()), "admin/provisioning/list.html")


@blueprint.get("/provisioning/<uuid:request_id>")
@requires(Permission.WHOLESALER_VENDORS_VIEW)
def provisioning_request(request_id: UUID) -> ResponseReturnValue:
    """Show a request, its tries, and what can be done."""
    return _page(request_id)


@blueprint.post("/provisioning/<uuid:request_id>/retry")
@requires(Permission.WHOLESALER_VENDORS_MANAGE)
def retry_provisioning(request_id: UUID) -> ResponseReturnValue:
    """Try at once."""
    with transaction() as session:
        operations.retry(session, actor=current_actor(), request_id=request_id, now=utc_now())
    flash(gettext("It is tried again now."), "success")
    return redirect(url_for("admin.provisioning_request", request_id=request_id), code=303)


@blueprint.post("/provisioning/<uuid:request_id>/take-on")
@requires(Permission.WHOLESALER_VENDORS_MANAGE)
def take_on_provisioning(request_id: UUID) -> ResponseReturnValue:
    """Take a task."""
    with transaction() as session:
        operations.take_on(session, actor=current_actor(), request_id=request_id, now=utc_now())
    flash(gettext("The task is yours."), "success")
    return redirect(url_for("admin.provisioning_request", request_id=request_id), code=303)


@blueprint.post("/provisioning/<uuid:request_id>/answer")
@requires(Permission.WHOLESALER_VENDORS_MANAGE)
def answer_vendor(request_id: UUID) -> ResponseReturnValue:
    """Answer what the vendor asks."""
    form = AnswerForm()
    return carry_out(
        form,
        lambda session: operations.answer_inquiry(
            session,
            actor=current_actor(),
            request_id=request_id,
            words=form.answer.data or "",
            now=utc_now(),
        ),
        said=gettext("The answer is on its way to the vendor."),
        then=url_for("admin.provisioning_request", request_id=request_id),
        again=lambda: _page(request_id, answer_form=form),
        shown=_OF_THE_FORM,
    )


@blueprint.post("/provisioning/<uuid:request_id>/give-up")
@requires(Permission.WHOLESALER_VENDORS_MANAGE)
def give_up_provisioning(request_id: UUID) -> ResponseReturnValue:
    """Give a request up."""
    form = ReasonForm()
    return carry_out(
        form,
        lambda session: operations.give_up(
            session,
            actor=current_actor(),
            request_id=request_id,
            reason=form.reason.data or "",
            now=utc_now(),
        ),
        said=gettext("The request was given up."),
        then=url_for("admin.provisioning_request", request_id=request_id),
        again=lambda: _page(request_id, reason_form=form),
        shown=_OF_THE_FORM,
    )


@blueprint.post("/provisioning/<uuid:request_id>/complete")
@requires(Permission.WHOLESALER_VENDORS_MANAGE)
def complete_provisioning(request_id: UUID) -> ResponseReturnValue:
    """Note that it was done by hand."""
    form = _sent_reference_form(request_id)
    return carry_out(
        form,
        lambda session: operations.complete_by_hand(
            session,
            actor=current_actor(),
            request_id=request_id,
            order=form.order.data or "",
            references=_references(request.form),
            now=utc_now(),
        ),
        said=gettext("Noted as done."),
        then=url_for("admin.provisioning_request", request_id=request_id),
        again=lambda: _page(request_id, reference_form=form),
        shown=_OF_THE_FORM,
    )


def _sent_reference_form(request_id: UUID) -> PageForm:
    with transaction() as session:
        found = find_request(session, actor=current_actor(), request_id=request_id)
        if found is None:
            abort(404)
        is_account = found[0].kind in OF_ACCOUNTS
    return AccountForm() if is_account else ReferenceForm()


def _references(given: Mapping[str, str]) -> dict[int, str]:
    """Read the references of the lines: fields `line-1`, `line-2` and so on."""
    found = {}
    for name, value in given.items():
        number = name.removeprefix("line-")
        if name.startswith("line-") and number.isdigit():
            found[int(number)] = value
    return found


def _reference_form(what: Asked, attempts: Sequence[ProvisioningAttempt]) -> PageForm:
    """Ask for what this kind of request is found by."""
    match what:
        case KnownAccount():
            # As the vendor calls it, where it was asked: by what was typed it may only be found.
            said = next((one.received["account"] for one in attempts if "account" in one.received), None)
            return AccountForm(formdata=None, data={"order": said or what.account})
        case NewCustomer():
            return AccountForm(formdata=None)
        case _:
            return ReferenceForm(formdata=None)


def _particulars(what: Asked) -> list[tuple[str, str]]:
    """Give what staff type into the vendor's portal where they open an account or record an agreement there."""
    match what:
        case NewCustomer():
            address, contact = what.address, what.contact
            place = " ".join(filter(None, (address.postal_code, address.city, address.state)))
            return [
                (gettext("Name"), what.name),
                (gettext("Domain"), what.domain or "–"),
                (gettext("Address"), f"{address.line}, {place}, {address.country}"),
                (gettext("Contact"), _contact(contact)),
                (gettext("Registration number"), what.registration_number or "–"),
            ]
        case Attestation():
            return [
                (gettext("Contact"), _contact(what.contact)),
                (gettext("Accepted on"), shown_day(what.agreed_on)),
                (gettext("Template"), what.template),
            ]
        case _:
            return []


def _contact(one: Contact) -> str:
    return ", ".join(filter(None, (f"{one.first_name} {one.last_name}", one.email, one.phone)))


def _page(
    request_id: UUID,
    *,
    answer_form: AnswerForm | None = None,
    reason_form: ReasonForm | None = None,
    reference_form: PageForm | None = None,
) -> str:
    actor = current_actor()
    with transaction() as session:
        found = find_request(session, actor=actor, request_id=request_id)
        if found is None:
            abort(404)
        asked, customer, reseller = found
        what, attempts = asked_from_data(asked.kind, asked.asked), attempts_of(session, asked)
        return render_template(
            "admin/provisioning/show.html",
            request_=asked,
            customer=customer,
            reseller=reseller,
            lines=what.lines if isinstance(what, Purchase) else (),
            named=named_by_hand(what),
            result=result_from_data(asked.result),
            attempts=attempts,
            meaning=STATES[RequestState(asked.state)],
            may_act=actor.may(Permission.WHOLESALER_VENDORS_MANAGE) and not actor.is_read_only,
            answer_form=answer_form or AnswerForm(formdata=None),
            reason_form=reason_form or ReasonForm(formdata=None),
            particulars=_particulars(what),
            reference_form=reference_form or _reference_form(what, attempts),
            given=request.form,
        )
