"""Renewals behind a link: whoever has it sees what renews at which price, and answers with their name."""

from flask import flash, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from marketplace.core.actor import Actor, Audience
from marketplace.core.clock import utc_now
from marketplace.core.period import Period
from marketplace.orders.operations.renewal_answers import SIGNS, answer_renewals, signer
from marketplace.orders.queries.listed import states_of_orders
from marketplace.subscriptions.cockpit import renewals_of
from marketplace.subscriptions.operations.renewal_links import link_of, subscriptions_of
from marketplace.web.guards import public
from marketplace.web.renewal_answers import answer_page
from marketplace.web.session import order_desk
from marketplace.web.sign_in import blueprint
from resellers.models import Customer, Reseller


@blueprint.route("/renew/<string(length=43):token>", methods=["GET", "POST"])
@public
def renewals_by_link(token: str) -> ResponseReturnValue:
    """Show what renews, at the customer's prices alone; take the answers that were sent."""
    with order_desk() as session:
        link = link_of(session, token)
        customer = session.get_one(Customer, link.customer_id)
        reseller = session.get_one(Reseller, customer.reseller_id)
        reader = Actor("", Audience.CUSTOMER, customer.id, permissions=SIGNS)
        found = renewals_of(session, subscriptions_of(session, link), actor=reader, now=utc_now())
        states = states_of_orders(session, {one.row.answer_order for one in found if one.row.answer_order})
        customer_id, sent_to = customer.id, link.sent_to

    def done() -> str:
        flash(gettext("Your answers are kept, and your supplier sees them."), "success")
        return url_for("sign_in.renewals_by_link", token=token)

    return answer_page(
        found,
        "sign_in/renewals.html",
        signs=True,
        take=lambda desk, form, answers: answer_renewals(
            desk,
            actor=signer(desk, customer_id=customer_id, name=form["name"].data or ""),
            answers=answers,
            now=utc_now(),
            sent_to=sent_to,
        ),
        done=done,
        customer=customer,
        reseller=reseller,
        period=Period.from_number(link.period),
        is_over=utc_now() >= link.expires_at,
        states=states,
        action=url_for("sign_in.renewals_by_link", token=token),
    )
