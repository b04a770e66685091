"""What vendors ask about a reseller's orders, and its answers."""

from uuid import UUID

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from sqlalchemy import Text, cast
from sqlalchemy.orm import Session
from wtforms import TextAreaField
from wtforms.validators import InputRequired, Length

from marketplace.core.actor import Audience, Permission
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_
from marketplace.vendors.models import ProvisioningRequest
from marketplace.vendors.provisioning.operations import answer_inquiry
from marketplace.vendors.queries import RequestRow, find_request, list_requests, request_row
from marketplace.web.filters import said
from marketplace.web.forms import PageForm
from marketplace.web.guards import requires
from marketplace.web.listing import Column, Kind, ListView, OnPhone
from marketplace.web.navigation import GROUP_QUESTIONS, add_to_menu
from marketplace.web.session import current_actor, transaction
from marketplace.web.storefront import blueprint
from resellers.models import Customer

add_to_menu(
    Audience.RESELLER,
    endpoint="storefront.inquiries",
    label=N_("Vendors' questions"),
    icon="message-question",
    permission=Permission.RESELLER_INQUIRIES_ANSWER,
    place=62,
    group=GROUP_QUESTIONS,
    words="vendor inquiry orders waiting",
)

_LONGEST = 4000

_INQUIRIES = ListView[RequestRow](
    name="vendor-questions",
    columns=(
        Column(key="question", label=N_("Question"), value=lambda row: row.question, phone=OnPhone.TITLE),
        Column(key="about", label=N_("About"), value=lambda row: said(row.about)),
        Column(
            key="customer", label=N_("Customer"), value=lambda row: row.customer, sort=Customer.legal_name
        ),
        Column(
            key="created_at",
            label=N_("Ordered"),
            value=lambda row: row.created_at,
            sort=ProvisioningRequest.created_at,
            kind=Kind.DAY,
        ),
        Column(
            key="status",
            label=N_("Status"),
            value=lambda row: "asked" if row.state == "inquiry" else "answered",
            kind=Kind.STATUS,
            phone=OnPhone.SIDE,
        ),
    ),
    search=(cast(ProvisioningRequest.about, Text), ProvisioningRequest.question, Customer.legal_name),
    sort="-created_at",
    tie_break=(ProvisioningRequest.id,),
    row=request_row,
)


class InquiryForm(PageForm):
    """What the vendor is told."""

    answer = TextAreaField(
        lazy_gettext("Your answer"),
        validators=[
            InputRequired(lazy_gettext("Write what the vendor wants to know.")),
            Length(max=_LONGEST),
        ],
    )


@blueprint.get("/vendor-questions")
@requires(Permission.RESELLER_INQUIRIES_ANSWER)
def inquiries() -> ResponseReturnValue:
    """List what vendors asked."""
    statement = list_requests(current_actor()).where(ProvisioningRequest.question != "")
    with transaction() as session:
        return _INQUIRIES.respond(session, statement, "storefront/inquiries/list.html")


@blueprint.get("/vendor-questions/<uuid:inquiry_id>")
@requires(Permission.RESELLER_INQUIRIES_ANSWER)
def inquiry(inquiry_id: UUID) -> ResponseReturnValue:
    """Show what a vendor asks, with a field for the answer."""
    with transaction() as session:
        return _page(session, inquiry_id, InquiryForm(formdata=None))


@blueprint.post("/vendor-questions/<uuid:inquiry_id>")
@requires(Permission.RESELLER_INQUIRIES_ANSWER)
def answer_vendor(inquiry_id: UUID) -> ResponseReturnValue:
    """Answer it."""
    form = InquiryForm()
    with transaction() as session:
        if not form.validate_on_submit():
            return _page(session, inquiry_id, form), 422
        answer_inquiry(
            session,
            actor=current_actor(),
            request_id=inquiry_id,
            words=form.answer.data or "",
            now=utc_now(),
        )
    flash(gettext("The answer is on its way to the vendor."), "success")
    return redirect(url_for("storefront.inquiry", inquiry_id=inquiry_id), code=303)


def _page(session: Session, inquiry_id: UUID, form: InquiryForm) -> str:
    found = find_request(session, actor=current_actor(), request_id=inquiry_id)
    if found is None or not found[0].question:
        abort(404)
    return render_template("storefront/inquiries/show.html", request_=found[0], customer=found[1], form=form)
