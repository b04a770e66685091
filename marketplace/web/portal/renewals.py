"""Renewals of the customer: what ends when, who decided, and answering for them."""

from typing import Any
from uuid import UUID

from flask import abort, flash, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import ColumnElement

from marketplace.core.actor import Audience, Permission
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_
from marketplace.orders.operations.renewal_answers import answer_renewals
from marketplace.orders.queries.listed import states_of_orders
from marketplace.subscriptions.cockpit import renewals_of
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.queries.visible import visible_to
from marketplace.web.guards import requires
from marketplace.web.navigation import add_to_menu
from marketplace.web.portal import blueprint
from marketplace.web.renewal_answers import answer_page
from marketplace.web.renewal_pages import add_renewal_pages, period_asked
from marketplace.web.session import current_actor, order_desk

add_to_menu(
    Audience.CUSTOMER,
    endpoint="portal.renewals",
    label=N_("Renewals"),
    icon="refresh",
    permission=Permission.CUSTOMER_SUBSCRIPTIONS_VIEW,
    place=16,
    in_menu=False,
    words="terms ends calendar policy",
)
add_renewal_pages(
    blueprint,
    audience=Audience.CUSTOMER,
    views=Permission.CUSTOMER_SUBSCRIPTIONS_VIEW,
    asks=None,
)


@blueprint.route("/renewals/answer", methods=["GET", "POST"])
@requires(Permission.CUSTOMER_SUBSCRIPTIONS_MANAGE)
def answer_renewals_of_month() -> ResponseReturnValue:
    """Answer for everything that ends in a month."""
    period = period_asked()
    ends = (Subscription.term_end >= period.start) & (Subscription.term_end < period.end)
    return _answer(
        ends, action=url_for("portal.answer_renewals_of_month", period=period), must_be_there=False
    )


@blueprint.route("/renewals/answer/<uuid:subscription_id>", methods=["GET", "POST"])
@requires(Permission.CUSTOMER_SUBSCRIPTIONS_MANAGE)
def answer_renewal(subscription_id: UUID) -> ResponseReturnValue:
    """Answer for one subscription."""
    action = url_for("portal.answer_renewal", subscription_id=subscription_id)
    return _answer(Subscription.public_id == subscription_id, action=action, must_be_there=True)


def _answer(which: ColumnElement[bool], *, action: str, must_be_there: bool) -> ResponseReturnValue:
    actor = current_actor()
    with order_desk() as session:
        asked: Any = session.scalars(visible_to(actor).where(which)).all()
        if must_be_there and not asked:
            abort(404)
        found = renewals_of(session, asked, actor=actor, now=utc_now())
        states = states_of_orders(session, {one.row.answer_order for one in found if one.row.answer_order})

    def done() -> str:
        flash(gettext("Your answers are kept, and your supplier sees them."), "success")
        return action

    return answer_page(
        found,
        "portal/renewals/answer.html",
        signs=False,
        take=lambda desk, _form, answers: answer_renewals(desk, actor=actor, answers=answers, now=utc_now()),
        done=done,
        states=states,
        action=action,
    )
