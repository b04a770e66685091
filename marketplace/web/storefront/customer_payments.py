"""What customers paid of their statements: noted by their reseller, and taken back where it was a mistake."""

from decimal import Decimal
from uuid import UUID

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from marketplace.core.actor import Permission
from marketplace.core.clock import utc_now
from marketplace.orders.operations.settling import CannotBeNoted, NotedAlready, note_payment, undo_payment
from marketplace.web.form_posts import carry_out
from marketplace.web.guards import requires
from marketplace.web.payment_forms import PaymentForm
from marketplace.web.session import current_actor, order_desk
from marketplace.web.storefront import blueprint
from marketplace.web.storefront.statements import customer_document


@blueprint.post("/customer-statements/<uuid:statement_id>")
@requires(Permission.RESELLER_PAYMENTS_MANAGE)
def note_customer_payment(statement_id: UUID) -> ResponseReturnValue:
    """Note that a customer paid, all or a part."""
    form = PaymentForm()
    return carry_out(
        form,
        lambda desk: note_payment(
            desk,
            actor=current_actor(),
            statement_id=statement_id,
            amount=form.amount.data or Decimal(0),
            paid_on=form.paid_on.data,
            now=utc_now(),
        ),
        said=gettext("The payment is noted."),
        then=url_for("storefront.customer_statement", statement_id=statement_id),
        again=lambda: customer_document(statement_id, form=form),
        field="amount",
        shown=(CannotBeNoted, NotedAlready),
        opened=order_desk,
    )


@blueprint.post("/customer-statements/<uuid:statement_id>/payments/<int:payment_id>/undo")
@requires(Permission.RESELLER_PAYMENTS_MANAGE)
def undo_customer_payment(statement_id: UUID, payment_id: int) -> ResponseReturnValue:
    """Take a payment back."""
    with order_desk() as desk:
        undo_payment(
            desk,
            actor=current_actor(),
            statement_id=statement_id,
            payment_id=payment_id,
            now=utc_now(),
        )
    flash(gettext("The payment is taken back."), "success")
    return redirect(url_for("storefront.customer_statement", statement_id=statement_id), code=303)
