"""One closed statement and what was paid of it: noted in parts, and taken back."""

from uuid import UUID

from flask import Response, abort, make_response, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from marketplace.billing.models import Statement
from marketplace.billing.queries.owed import find_statement
from marketplace.billing.queries.paid import payments_of
from marketplace.core.actor import Permission
from marketplace.core.clock import utc_now
from marketplace.web.admin import blueprint
from marketplace.web.guards import requires
from marketplace.web.payment_forms import PaymentForm
from marketplace.web.payment_pages import PaymentPages, add_payment_pages
from marketplace.web.session import current_actor, transaction
from resellers.models import Hop, Reseller


@blueprint.get("/credit/statements/<uuid:statement_id>")
@requires(Permission.WHOLESALER_CREDIT_MANAGE)
def payments(statement_id: UUID) -> ResponseReturnValue:
    """Show what is left of a statement and what was paid of it."""
    return _page(statement_id)


def _page(statement_id: UUID, form: PaymentForm | None = None) -> Response:
    with transaction() as session:
        found = session.execute(
            select(Statement.hop, Reseller.public_id)
            .join(Reseller, Reseller.id == Statement.reseller_id)
            .where(Statement.id == statement_id)
        ).one_or_none()
        if found is None:
            abort(404)
        hop, reseller_id = found
        document = find_statement(session, actor=current_actor(), hop=Hop(hop), statement_id=statement_id)
        if document is None or document.left is None:
            abort(404)
        drawn = render_template(
            "admin/credit/statement.html",
            document=document,
            reseller_id=reseller_id,
            payments=payments_of(session, statement_id),
            form=form or PaymentForm.for_rest(document),
            today=utc_now().date(),
        )
    return make_response(drawn)


add_payment_pages(
    PaymentPages(
        blueprint,
        Permission.WHOLESALER_CREDIT_MANAGE,
        address="/credit/statements",
        endpoint="admin.payments",
        draw=_page,
    )
)
