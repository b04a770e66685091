"""Subscriptions of all customers, what a change would come to, making it, and what renews when."""

from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from marketplace.core.actor import Audience, Permission
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_
from marketplace.subscriptions.operations.changing import change
from marketplace.subscriptions.previews import preview_change
from marketplace.subscriptions.queries.listed import list_prices_now, list_subscriptions
from marketplace.subscriptions.rules.changes import Change, ChangeQuantity
from marketplace.web import filters as shown
from marketplace.web.admin import blueprint
from marketplace.web.guards import requires
from marketplace.web.navigation import GROUP_PARTIES, add_to_menu
from marketplace.web.session import current_actor, transaction
from marketplace.web.subscription_pages import (
    ACTIONS,
    TERM_END_LABELS,
    renewal_month,
    subscription_list,
    subscription_or_404,
)

add_to_menu(
    Audience.WHOLESALER,
    endpoint="admin.subscriptions",
    label=N_("Subscriptions"),
    icon="calendar-check",
    permission=Permission.WHOLESALER_SUBSCRIPTIONS_VIEW,
    group=GROUP_PARTIES,
    place=40,
    words="licences seats terms",
)
add_to_menu(
    Audience.WHOLESALER,
    endpoint="admin.renewals",
    label=N_("Renewals"),
    icon="refresh",
    permission=Permission.WHOLESALER_SUBSCRIPTIONS_VIEW,
    group=GROUP_PARTIES,
    place=45,
    words="terms ends calendar",
)

_MOST_SEATS = 10_000_000


@blueprint.get("/subscriptions")
@requires(Permission.WHOLESALER_SUBSCRIPTIONS_VIEW)
def subscriptions() -> ResponseReturnValue:
    """List every subscription."""
    with transaction() as session:
        view = subscription_list(has_resellers=True)
        return view.respond(session, list_subscriptions(current_actor()), "admin/subscriptions/list.html")


@blueprint.get("/subscriptions/<uuid:subscription_id>")
@requires(Permission.WHOLESALER_SUBSCRIPTIONS_VIEW)
def subscription(subscription_id: UUID) -> ResponseReturnValue:
    """Show one: its history as a picture, what may be done and why not, its windows."""
    with transaction() as session:
        page = subscription_or_404(session, subscription_id, actor=current_actor())
        return render_template("admin/subscriptions/show.html", one=page, term_end_labels=TERM_END_LABELS)


@blueprint.get("/subscriptions/<uuid:subscription_id>/change")
@requires(Permission.WHOLESALER_SUBSCRIPTIONS_MANAGE)
def preview_subscription_change(subscription_id: UUID) -> ResponseReturnValue:
    """Show what a change would come to, before it is made; whoever asks for none chooses on the subscription's page."""
    with transaction() as session:
        page = subscription_or_404(session, subscription_id, actor=current_actor())
        if "what" not in request.args:
            return redirect(url_for("admin.subscription", subscription_id=subscription_id))
        wanted = _wanted(request.args.get("what", ""), request.args.get("quantity", ""))
        seen = preview_change(
            session, actor=current_actor(), subscription_id=subscription_id, change=wanted, now=utc_now()
        )
        return render_template(
            "admin/subscriptions/confirm.html",
            one=page,
            seen=seen,
            what=request.args.get("what", ""),
            quantity=request.args.get("quantity", ""),
        )


@blueprint.post("/subscriptions/<uuid:subscription_id>/change")
@requires(Permission.WHOLESALER_SUBSCRIPTIONS_MANAGE)
def change_subscription(subscription_id: UUID) -> ResponseReturnValue:
    """Make a change; the rules are asked once more."""
    wanted = _wanted(request.form.get("what", ""), request.form.get("quantity", ""))
    with transaction() as session:
        made = change(
            session, actor=current_actor(), subscription_id=subscription_id, change=wanted, now=utc_now()
        )
    if made.decision is not None:
        flash(shown.said(made.decision.why), "success")
    return redirect(url_for("admin.subscription", subscription_id=subscription_id), code=303)


@blueprint.get("/renewals")
@requires(Permission.WHOLESALER_SUBSCRIPTIONS_VIEW)
def renewals() -> ResponseReturnValue:
    """Show what renews in a month, and how each was decided."""
    with transaction() as session:
        month = renewal_month(session, actor=current_actor())
        prices = list_prices_now(session, month.rows, day=utc_now().date())
        view = subscription_list(prices_now=prices)
        return view.respond_with_rows(month.rows, "admin/renewals/list.html", month=month)


def _wanted(what: str, quantity: str) -> Change:
    """Read what is asked for; what nobody can ask for is answered 404."""
    if what == "quantity":
        if not quantity.isdecimal() or not 0 < int(quantity) <= _MOST_SEATS:
            abort(404, gettext("Write a whole number of seats."))
        return ChangeQuantity(int(quantity))
    found = next((change for word, _, change in ACTIONS if word == what), None)
    if found is None:
        abort(404)
    return found
