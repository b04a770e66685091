"""Subscriptions of the customer: the list, and one with its history."""

from uuid import UUID

from flask import render_template
from flask.typing import ResponseReturnValue

from marketplace.core.actor import Audience, Permission
from marketplace.core.errors import N_
from marketplace.subscriptions.queries.listed import list_subscriptions
from marketplace.web.guards import requires
from marketplace.web.navigation import add_to_menu
from marketplace.web.portal import blueprint
from marketplace.web.session import current_actor, transaction
from marketplace.web.subscription_changes import ChangePages, add_change_pages
from marketplace.web.subscription_pages import (
    TERM_END_LABELS,
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
