"""Whether a customer may buy for itself, said on the customer's page."""

from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from marketplace.core.actor import Permission
from marketplace.core.clock import utc_now
from marketplace.orders.operations.ruling import set_buying
from marketplace.web.guards import requires
from marketplace.web.session import current_actor, order_desk
from marketplace.web.storefront import blueprint


@blueprint.post("/customers/<uuid:customer_id>/buying")
@requires(Permission.RESELLER_ORDERS_APPROVE)
def set_customer_buying(customer_id: UUID) -> ResponseReturnValue:
    """Say whether the customer may buy, and whether each order is looked at first."""
    with order_desk() as session:
        set_buying(
            session,
            actor=current_actor(),
            customer_id=customer_id,
            may_buy=request.form.get("may_buy") == "yes",
            needs_approval=request.form.get("needs_approval") == "yes",
            now=utc_now(),
        )
    flash(gettext("It holds from now on."), "success")
    return redirect(url_for("storefront.customer", customer_id=customer_id), code=303)
