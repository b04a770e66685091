"""Subscriptions of the customer: the list, one with its history, and what renews when."""

from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from marketplace.core.actor import Audience, Permission
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_
from marketplace.subscriptions.operations import reminding
from marketplace.subscriptions.queries.listed import list_subscriptions
from marketplace.subscriptions.words import AtTermEnd
from marketplace.web.guards import requires
from marketplace.web.navigation import add_to_menu
from marketplace.web.portal import blueprint
from marketplace.web.session import current_actor, transaction
from marketplace.web.subscription_changes import ChangePages, add_change_pages
from marketplace.web.subscription_pages import (
    TERM_END_LABELS,
    renewal_month,
    subscription_list,
    subscription_or_404,
)

add_to_menu(
    Audience.CUSTOMER,
    endpoint="portal.subscriptions",
    label=N_("Subscriptions"),
    icon="calendar-check",
    permission=Permission.CUSTOMER_SUBSCRIPTIONS_VIEW,
    place=15,
    words="licences seats terms",
)
add_to_menu(
    Audience.CUSTOMER,
    endpoint="portal.renewals",
    label=N_("Renewals"),
    icon="refresh",
    permission=Permission.CUSTOMER_SUBSCRIPTIONS_VIEW,
    place=16,
    in_menu=False,
    words="terms ends calendar",
)


@blueprint.get("/subscriptions")
@requires(Permission.CUSTOMER_SUBSCRIPTIONS_VIEW)
def subscriptions() -> ResponseReturnValue:
    """List them."""
    with transaction() as session:
        view = subscription_list(has_customers=False)
        return view.respond(session, list_subscriptions(current_actor()), "portal/subscriptions/list.html")


@blueprint.get("/subscriptions/<uuid:subscription_id>")
@requires(Permission.CUSTOMER_SUBSCRIPTIONS_VIEW)
def subscription(subscription_id: UUID) -> ResponseReturnValue:
    """Show one: its history as a picture, what may be done and why not, its windows."""
    with transaction() as session:
        page = subscription_or_404(session, subscription_id, actor=current_actor())
        return render_template("portal/subscriptions/show.html", one=page, term_end_labels=TERM_END_LABELS)


add_change_pages(ChangePages(blueprint, Permission.CUSTOMER_ORDERS_PLACE))


@blueprint.get("/renewals")
@requires(Permission.CUSTOMER_SUBSCRIPTIONS_VIEW)
def renewals() -> ResponseReturnValue:
    """Show what renews in a month, and how each was decided."""
    with transaction() as session:
        month = renewal_month(session, actor=current_actor())
        return subscription_list(has_customers=False).respond_with_rows(
            month.rows, "portal/renewals/list.html", month=month
        )


@blueprint.post("/subscriptions/<uuid:subscription_id>/answer")
@requires(Permission.CUSTOMER_SUBSCRIPTIONS_MANAGE)
def answer_renewal(subscription_id: UUID) -> ResponseReturnValue:
    """Keep what the customer says to the renewal."""
    word = request.form.get("choice", "")
    if word not in (AtTermEnd.RENEW, AtTermEnd.END):
        abort(404)
    with transaction() as session:
        reminding.answer_renewal(
            session,
            actor=current_actor(),
            subscription_id=subscription_id,
            choice=AtTermEnd(word),
            now=utc_now(),
        )
    flash(gettext("Your answer is kept, and your supplier sees it."), "success")
    return redirect(url_for("portal.subscription", subscription_id=subscription_id), code=303)
