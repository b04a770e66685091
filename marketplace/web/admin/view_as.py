"""Viewing as a reseller or customer: the reason is asked for first."""

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from wtforms import TextAreaField
from wtforms.validators import InputRequired, Length

from marketplace.accounts.operations import sessions
from marketplace.accounts.rules import ReasonMissing
from marketplace.core.actor import Audience, Permission
from marketplace.core.clock import utc_now
from marketplace.web.admin import blueprint
from marketplace.web.forms import PageForm
from marketplace.web.guards import home_of, requires
from marketplace.web.session import (
    accounts_transaction,
    current_actor,
    session_token,
    token_hash,
    transaction,
)

_LONGEST_REASON = 500


class ReasonForm(PageForm):
    """Why it is needed."""

    reason = TextAreaField(
        lazy_gettext("Reason"),
        validators=[
            InputRequired(lazy_gettext("Say why you need to view as them.")),
            Length(max=_LONGEST_REASON),
        ],
    )


@blueprint.get("/view-as/reseller/<uuid:reseller_id>")
@requires(Permission.WHOLESALER_PARTIES_VIEW_AS)
def view_as_reseller(reseller_id: UUID) -> ResponseReturnValue:
    """Ask why."""
    return _ask(Audience.RESELLER, reseller_id, ReasonForm())


@blueprint.post("/view-as/reseller/<uuid:reseller_id>")
@requires(Permission.WHOLESALER_PARTIES_VIEW_AS)
def begin_viewing_as_reseller(reseller_id: UUID) -> ResponseReturnValue:
    """View as a reseller."""
    return _begin(Audience.RESELLER, reseller_id)


@blueprint.get("/view-as/customer/<uuid:customer_id>")
@requires(Permission.WHOLESALER_PARTIES_VIEW_AS)
def view_as_customer(customer_id: UUID) -> ResponseReturnValue:
    """Ask why."""
    return _ask(Audience.CUSTOMER, customer_id, ReasonForm())


@blueprint.post("/view-as/customer/<uuid:customer_id>")
@requires(Permission.WHOLESALER_PARTIES_VIEW_AS)
def begin_viewing_as_customer(customer_id: UUID) -> ResponseReturnValue:
    """View as a customer."""
    return _begin(Audience.CUSTOMER, customer_id)


def _ask(audience: Audience, party_id: UUID, form: ReasonForm) -> str:
    with transaction() as session:
        party = sessions.party_to_view_as(session, audience=audience, party_id=party_id)
        name = party.legal_name
    action = (
        url_for("admin.begin_viewing_as_reseller", reseller_id=party_id)
        if audience is Audience.RESELLER
        else url_for("admin.begin_viewing_as_customer", customer_id=party_id)
    )
    return render_template("admin/view_as/confirm.html", form=form, name=name, action=action)


def _begin(audience: Audience, party_id: UUID) -> ResponseReturnValue:
    form = ReasonForm()
    if not form.validate_on_submit():
        return _ask(audience, party_id, form), 422
    try:
        with accounts_transaction() as session:
            looking = sessions.view_as(
                session,
                staff=current_actor(),
                token_hash=token_hash(session_token() or ""),
                audience=audience,
                party_id=party_id,
                reason=form.reason.data or "",
                now=utc_now(),
            )
    except ReasonMissing as refusal:
        form.refuse(refusal, "reason")
        return _ask(audience, party_id, form), 422
    flash(gettext("You view as %(name)s for an hour at most.", name=looking.name), "info")
    return redirect(home_of(looking), code=303)
