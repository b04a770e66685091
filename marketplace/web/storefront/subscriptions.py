"""Subscriptions of the reseller's customers: the list, and one with its history."""

from uuid import UUID

from flask import render_template
from flask.typing import ResponseReturnValue

from marketplace.core.actor import Audience, Permission
from marketplace.core.errors import N_
from marketplace.subscriptions.queries.listed import list_subscriptions
from marketplace.web.guards import requires
from marketplace.web.navigation import add_to_menu
from marketplace.web.session import current_actor, transaction
from marketplace.web.storefront import blueprint
from marketplace.web.subscription_changes import ChangePages, add_change_pages
from marketplace.web.subscription_pages import (
    TERM_END_LABELS,
    subscription_list,
    subscription_or_404,
)

add_to_menu(
    Audience.RESELLER,
    endpoint="storefront.subscriptions",
    label=N_("Subscriptions"),
    icon="calendar-check",
    permission=Permission.RESELLER_SUBSCRIPTIONS_VIEW,
    place=14,
    words="licences seats terms",
)


@blueprint.get("/subscriptions")
@requires(Permission.RESELLER_SUBSCRIPTIONS_VIEW)
def subscriptions() -> ResponseReturnValue:
    """List them."""
    with transaction() as session:
        view = subscription_list(has_customers=True)
        return view.respond(
            session, list_subscriptions(current_actor()), "storefront/subscriptions/list.html"
        )


@blueprint.get("/subscriptions/<uuid:subscription_id>")
@requires(Permission.RESELLER_SUBSCRIPTIONS_VIEW)
def subscription(subscription_id: UUID) -> ResponseReturnValue:
    """Show one: its history as a picture, what may be done and why not, its windows."""
    with transaction() as session:
        page = subscription_or_404(session, subscription_id, actor=current_actor())
        return render_template(
            "storefront/subscriptions/show.html", one=page, term_end_labels=TERM_END_LABELS
        )


add_change_pages(ChangePages(blueprint, Permission.RESELLER_ORDERS_PLACE))
