"""Subscriptions of all customers, and changing them."""

from uuid import UUID

from flask import render_template
from flask.typing import ResponseReturnValue

from marketplace.core.actor import Audience, Permission
from marketplace.core.errors import N_
from marketplace.subscriptions.queries.listed import list_subscriptions
from marketplace.subscriptions.words import STANDING
from marketplace.web.admin import blueprint
from marketplace.web.guards import requires
from marketplace.web.navigation import GROUP_PARTIES, add_to_menu
from marketplace.web.session import current_actor, transaction
from marketplace.web.subscription_changes import ChangePages, add_change_pages
from marketplace.web.subscription_pages import (
    TERM_END_LABELS,
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
        return render_template(
            "admin/subscriptions/show.html",
            one=page,
            term_end_labels=TERM_END_LABELS,
            may_move=page.row.status in STANDING
            and current_actor().may(Permission.WHOLESALER_PARTIES_MANAGE),
        )


add_change_pages(ChangePages(blueprint, Permission.WHOLESALER_ORDERS_PLACE))
