"""The customer's statements: the list, and each with its lines."""

from uuid import UUID

from flask import abort
from flask.typing import ResponseReturnValue

from marketplace.billing.models import Statement
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
from marketplace.web.focus_files import focus_file
from marketplace.web.guards import requires
from marketplace.web.listing import Column, Filter, Kind, ListView, OnPhone
from marketplace.web.navigation import add_to_menu
from marketplace.web.portal import blueprint
from marketplace.web.portal.contact import contact
from marketplace.web.session import current_actor, transaction
from marketplace.web.statement_lines import respond_with_lines
from resellers.models import Hop, Reseller

add_to_menu(
    Audience.CUSTOMER,
    endpoint="portal.statements",
    label=N_("Statements"),
    icon="file-text",
    permission=Permission.CUSTOMER_STATEMENTS_VIEW,
    place=20,
    words="documents download",
)

STATEMENTS = ListView[StatementRow](
    name="statements",
    columns=(
        Column(
            key="period",
            label=N_("Month"),
            value=lambda row: row.period,
            sort=Statement.period,
            phone=OnPhone.TITLE,
        ),
        Column(key="reseller", label=N_("From"), value=lambda row: row.reseller, sort=Reseller.legal_name),
        Column(key="status", label=N_("Status"), value=lambda row: row.word, kind=Kind.STATUS),
        Column(key="payment", label=N_("Payment"), value=lambda row: row.payment, kind=Kind.STATUS),
        Column(
            key="due", label=N_("Due on"), value=lambda row: row.due_on, sort=Statement.due_on, kind=Kind.DAY
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
    sort="-period",
    tie_break=(Statement.id,),
    row=statement_row,
)


@blueprint.get("/statements")
@requires(Permission.CUSTOMER_STATEMENTS_VIEW)
def statements() -> ResponseReturnValue:
    """List the statements."""
    with transaction() as session:
        return STATEMENTS.respond(
            session,
            statements_of(current_actor(), hop=Hop.RETAIL),
            "portal/statements/list.html",
            today=utc_now().date(),
            reseller=contact(session),
        )


@blueprint.get("/statements/focus")
@requires(Permission.CUSTOMER_STATEMENTS_VIEW)
def statements_focus() -> ResponseReturnValue:
    """Give a month as FOCUS."""
    with transaction() as session:
        return focus_file(session, actor=current_actor(), hop=Hop.RETAIL)


@blueprint.get("/statements/<uuid:statement_id>")
@requires(Permission.CUSTOMER_STATEMENTS_VIEW)
def statement(statement_id: UUID) -> ResponseReturnValue:
    """Show a statement with its lines."""
    actor = current_actor()
    with transaction() as session:
        document = find_statement(session, actor=actor, hop=Hop.RETAIL, statement_id=statement_id)
        if document is None:
            abort(404)
        return respond_with_lines(
            session,
            lines_of_statement(actor, document),
            "portal/statements/show.html",
            name=f"statement-{document.period}-lines",
            choices=choices_of_statement(session, actor=actor, statement=document),
            has_customers=False,
            document=document,
            payments=payments_of(session, document.id),
            today=utc_now().date(),
        )
