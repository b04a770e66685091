"""Documents: what the reseller owes for each customer, and what each customer owes the reseller."""

from uuid import UUID

from flask import Response, abort, make_response
from flask.typing import ResponseReturnValue

from marketplace.billing.models import Statement
from marketplace.billing.queries.months import months
from marketplace.billing.queries.owed import (
    StatementRow,
    choices_of_statement,
    find_statement,
    has_status,
    is_paid,
    lines_of_statement,
    statement_row,
)
from marketplace.billing.queries.owed import (
    statements as statements_of,
)
from marketplace.billing.queries.paid import LEFT, payments_of
from marketplace.core.actor import Audience, Permission
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_
from marketplace.core.period import Period
from marketplace.orders.operations.settling import may_note
from marketplace.web import filters as shown
from marketplace.web.guards import requires
from marketplace.web.listing import Column, Filter, Kind, ListView, OnPhone
from marketplace.web.navigation import GROUP_MONEY, add_to_menu
from marketplace.web.payment_forms import PaymentForm
from marketplace.web.payment_pages import PaymentPages, add_payment_pages
from marketplace.web.session import current_actor, transaction
from marketplace.web.statement_lines import respond_with_lines
from marketplace.web.storefront import blueprint
from resellers.models import Customer, Hop

add_to_menu(
    Audience.RESELLER,
    endpoint="storefront.statements",
    label=N_("Statements"),
    icon="file-text",
    permission=Permission.RESELLER_STATEMENTS_VIEW,
    place=32,
    group=GROUP_MONEY,
    words="documents download purchases",
)
add_to_menu(
    Audience.RESELLER,
    endpoint="storefront.customer_statements",
    label=N_("Customers' statements"),
    icon="receipt",
    permission=Permission.RESELLER_CUSTOMERS_VIEW,
    place=34,
    group=GROUP_MONEY,
    in_menu=False,
    words="sales retail documents download",
)


def _list(name: str, periods: list[Period]) -> ListView[StatementRow]:
    return ListView[StatementRow](
        name=name,
        columns=(
            Column(
                key="customer",
                label=N_("Customer"),
                value=lambda row: row.customer,
                sort=Customer.legal_name,
                phone=OnPhone.TITLE,
            ),
            Column(key="period", label=N_("Month"), value=lambda row: row.period, sort=Statement.period),
            Column(key="status", label=N_("Status"), value=lambda row: row.word, kind=Kind.STATUS),
            Column(key="payment", label=N_("Payment"), value=lambda row: row.payment, kind=Kind.STATUS),
            Column(
                key="due",
                label=N_("Due on"),
                value=lambda row: row.due_on,
                sort=Statement.due_on,
                kind=Kind.DAY,
            ),
            Column(key="left", label=N_("Left"), value=lambda row: row.left, sort=LEFT, kind=Kind.MONEY),
            Column(
                key="lines",
                label=N_("Lines"),
                value=lambda row: row.lines,
                sort=Statement.lines,
                kind=Kind.NUMBER,
            ),
            Column(
                key="total",
                label=N_("Total"),
                value=lambda row: row.total,
                sort=Statement.total_minor,
                kind=Kind.MONEY,
                phone=OnPhone.SIDE,
            ),
        ),
        filters=(
            Filter(
                key="period",
                label=N_("Month"),
                choices=[(str(period), shown.period(period)) for period in periods],
                where=lambda value: Statement.period == Period.parse(value).number,
            ),
            Filter(
                key="status",
                label=N_("Status"),
                choices=(("closed", N_("Closed")), ("estimate", N_("Estimate"))),
                where=has_status,
            ),
            Filter(
                key="payment",
                label=N_("Payment"),
                choices=(("unpaid", N_("To be paid")), ("paid", N_("Paid"))),
                where=is_paid,
            ),
        ),
        search=(Customer.legal_name, Customer.reference),
        search_label=N_("Search customer"),
        sort="-period",
        tie_break=(Customer.legal_name, Statement.id),
        row=statement_row,
    )


@blueprint.get("/statements")
@requires(Permission.RESELLER_STATEMENTS_VIEW)
def statements() -> ResponseReturnValue:
    """List what is owed, document by document."""
    return _documents(Hop.WHOLESALE)


@blueprint.get("/customer-statements")
@requires(Permission.RESELLER_CUSTOMERS_VIEW)
def customer_statements() -> ResponseReturnValue:
    """List what customers owe, document by document."""
    return _documents(Hop.RETAIL)


@blueprint.get("/statements/<uuid:statement_id>")
@requires(Permission.RESELLER_STATEMENTS_VIEW)
def statement(statement_id: UUID) -> ResponseReturnValue:
    """Show a document of the wholesaler's with its lines."""
    return _document(Hop.WHOLESALE, statement_id)


@blueprint.get("/customer-statements/<uuid:statement_id>")
@requires(Permission.RESELLER_CUSTOMERS_VIEW)
def customer_statement(statement_id: UUID) -> ResponseReturnValue:
    """Show a document to a customer with its lines."""
    return _document(Hop.RETAIL, statement_id)


def _noting(statement_id: UUID, form: PaymentForm) -> Response:
    """Draw a document to a customer, with the form that notes its payments as it was sent."""
    return make_response(_document(Hop.RETAIL, statement_id, form=form))


add_payment_pages(
    PaymentPages(
        blueprint,
        Permission.RESELLER_PAYMENTS_MANAGE,
        address="/customer-statements",
        endpoint="storefront.customer_statement",
        draw=_noting,
    )
)


def _documents(hop: Hop) -> ResponseReturnValue:
    actor = current_actor()
    with transaction() as session:
        periods = [row.period for row in months(session, actor=actor, hop=hop)]
        view = _list("statements" if hop is Hop.WHOLESALE else "customer-statements", periods)
        return view.respond(
            session,
            statements_of(actor, hop=hop),
            "storefront/statements/list.html",
            hop=hop,
            today=utc_now().date(),
        )


def _document(hop: Hop, statement_id: UUID, *, form: PaymentForm | None = None) -> ResponseReturnValue:
    actor = current_actor()
    with transaction() as session:
        document = find_statement(session, actor=actor, hop=hop, statement_id=statement_id)
        if document is None:
            abort(404)
        today = utc_now().date()
        stored = session.get_one(Statement, (document.period.number, document.id))
        if document.left is not None and may_note(session, actor=actor, statement=stored, day=today):
            form = form or PaymentForm.for_rest(document)
        return respond_with_lines(
            session,
            lines_of_statement(actor, document),
            "storefront/statements/show.html",
            name=f"statement-{document.period}-lines",
            choices=choices_of_statement(session, actor=actor, statement=document),
            has_customers=False,
            document=document,
            hop=hop,
            payments=payments_of(session, document.id),
            form=form,
            today=today,
        )
