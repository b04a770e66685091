"""Lines of a month's statements with cost and margin, and why each came to its amount."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, Select, false, select
from sqlalchemy.orm import Session

from marketplace.billing.models import StatementLine
from marketplace.billing.queries.lines import (
    LINE_MARGIN,
    LineRow,
    is_below_cost,
    line_row,
    list_lines,
    vendors_of,
)
from marketplace.billing.queries.owed import find_line
from marketplace.billing.queries.questions import questions_of_line
from marketplace.core.actor import Permission
from marketplace.core.errors import N_
from marketplace.core.money import Money
from marketplace.core.period import NotAPeriod, Period
from marketplace.web import filters as shown
from marketplace.web.admin import blueprint
from marketplace.web.admin.months import chosen_rated_month
from marketplace.web.explanations import explained_or_404
from marketplace.web.guards import requires
from marketplace.web.listing import EXPORTS, Column, Filter, Kind, ListView, OnPhone
from marketplace.web.session import current_actor, transaction
from resellers.models import Customer, Hop, Reseller

_GAPS = (
    ("any", N_("Any rule gap")),
    ("no_rule", N_("No price rule")),
    ("no_list_price", N_("No list price")),
    ("not_list_priced", N_("Not list-priced")),
    ("below", N_("Sold below cost")),
    ("late", N_("Corrections of closed months")),
)


@dataclass(frozen=True)
class _Party:
    """The reseller or customer the address narrows the lines to."""

    kind: str
    name: str
    narrows: ColumnElement[bool]


def _has_gap(value: str) -> ColumnElement[bool]:
    if value == "below":
        return is_below_cost()
    if value == "late":
        return StatementLine.corrects.is_not(None)
    return StatementLine.gap != "" if value == "any" else StatementLine.gap == value


def _corrects(value: str) -> ColumnElement[bool]:
    try:
        return StatementLine.corrects == Period.parse(value).number
    except NotAPeriod:
        return false()


_IN_FILES = (
    Column[LineRow](key="line", label=N_("Line"), value=lambda row: str(row.id)),
    Column[LineRow](key="reseller", label=N_("Reseller"), value=lambda row: row.reseller),
    Column[LineRow](key="vendor", label=N_("Vendor"), value=lambda row: row.vendor, kind=Kind.VENDOR),
    Column[LineRow](key="account", label=N_("Account"), value=lambda row: row.account),
    Column[LineRow](key="subscription", label=N_("Subscription"), value=lambda row: row.subscription),
    Column[LineRow](key="sku", label=N_("SKU"), value=lambda row: row.sku),
    Column[LineRow](key="meter", label=N_("Meter"), value=lambda row: row.meter),
    Column[LineRow](key="unit", label=N_("Unit"), value=lambda row: row.unit),
    Column[LineRow](
        key="cost_currency", label=N_("Currency of the cost"), value=lambda row: row.row_currency
    ),
    Column[LineRow](key="gap", label=N_("Rule gap"), value=lambda row: row.gap),
)


def _view(name: str, vendors: Sequence[str]) -> ListView[LineRow]:
    is_file = request.args.get("format") in EXPORTS
    return ListView[LineRow](
        name=name,
        columns=(
            Column(
                key="product",
                label=N_("Product"),
                value=lambda row: row.product or row.sku or row.meter or row.charge_category,
                sort=StatementLine.product,
                phone=OnPhone.TITLE,
            ),
            Column(
                key="customer", label=N_("Customer"), value=lambda row: row.customer, sort=Customer.legal_name
            ),
            Column(key="hop", label=N_("Hop"), value=lambda row: row.hop, sort=StatementLine.hop),
            Column(
                key="quantity",
                label=N_("Quantity"),
                value=lambda row: row.quantity,
                sort=StatementLine.quantity,
                kind=Kind.NUMBER,
            ),
            Column(key="cost", label=N_("Vendor's cost"), value=lambda row: row.cost, kind=Kind.NUMBER),
            Column(
                key="amount",
                label=N_("Amount"),
                value=lambda row: row.amount,
                sort=StatementLine.amount_minor,
                kind=Kind.MONEY,
                phone=OnPhone.SIDE,
            ),
            Column(
                key="margin",
                label=N_("Above cost"),
                value=lambda row: row.margin,
                sort=LINE_MARGIN,
                kind=Kind.NUMBER,
            ),
            *(_IN_FILES if is_file else ()),
        ),
        filters=(
            Filter(
                key="hop",
                label=N_("Hop"),
                choices=(("wholesale", N_("Wholesale")), ("retail", N_("Retail"))),
                where=lambda value: StatementLine.hop == value,
            ),
            Filter(
                key="vendor",
                label=N_("Vendor"),
                choices=[(vendor, shown.vendor(vendor)) for vendor in vendors],
                where=lambda value: StatementLine.vendor == value,
            ),
            Filter(key="gap", label=N_("Show"), choices=_GAPS, where=_has_gap),
            Filter(key="corrects", label=N_("Corrects month"), input="month", where=_corrects),
        ),
        search=(
            StatementLine.product,
            StatementLine.sku,
            StatementLine.meter,
            StatementLine.account,
            Customer.legal_name,
            Reseller.legal_name,
        ),
        search_label=N_("Search lines"),
        sort="-amount",
        tie_break=(StatementLine.id,),
        row=line_row,
    )


@blueprint.get("/lines")
@requires(Permission.WHOLESALER_STATEMENTS_VIEW)
def lines() -> ResponseReturnValue:
    """List the lines of a month, of one reseller or customer where the address names it."""
    with transaction() as session:
        choice = chosen_rated_month(session)
        if choice.period is None:
            return render_template("admin/lines/none.html")
        statement: Select[*tuple[Any, ...]] = list_lines(choice.period)
        party = _party(session)
        if party is not None:
            statement = statement.where(party.narrows)
        view = _view(f"lines-{choice.period}", vendors_of(session, choice.period))
        return view.respond(
            session, statement, "admin/lines/list.html", choice=choice, party=party, rounded=Money.rounded
        )


@blueprint.get("/lines/<uuid:line_id>")
@requires(Permission.WHOLESALER_STATEMENTS_VIEW)
def line(line_id: UUID) -> ResponseReturnValue:
    """Show why a line came to its amount."""
    actor = current_actor()
    with transaction() as session:
        page = find_line(session, actor=actor, line_id=line_id)
        if page is None:
            abort(404)
        row = session.execute(list_lines(page.line.period).where(StatementLine.id == line_id)).one()
        seller = session.execute(
            select(Reseller.public_id, Reseller.legal_name)
            .join(Customer)
            .where(Customer.public_id == page.line.customer_id)
        ).one()
        return render_template(
            "admin/lines/show.html",
            page=page,
            line=page.line,
            row=line_row(row),
            reseller=seller,
            questions=questions_of_line(session, actor=actor, line_id=line_id)
            if page.hop is Hop.WHOLESALE
            else [],
            **explained_or_404(session, line_id, actor=actor),
        )


def _party(session: Session) -> _Party | None:
    """Read `?customer=` or `?reseller=`; somebody unknown is answered 404."""
    for kind, table in (("customer", Customer), ("reseller", Reseller)):
        text = request.args.get(kind, "")
        if not text:
            continue
        try:
            public_id = UUID(text)
        except ValueError:
            abort(404)
        found = session.execute(
            select(table.id, table.legal_name).where(table.public_id == public_id)
        ).one_or_none()
        if found is None:
            abort(404)
        column = StatementLine.customer_id if kind == "customer" else StatementLine.reseller_id
        return _Party(kind, found.legal_name, column == found.id)
    return None
