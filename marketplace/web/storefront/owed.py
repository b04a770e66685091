"""What the reseller owes the wholesaler for a month: by customer, by product, by day, and line by line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from marketplace.billing.queries.consumption import consumption
from marketplace.billing.queries.months import months
from marketplace.billing.queries.owed import (
    Choices,
    OwedForCustomer,
    OwedForDay,
    OwedForProduct,
    choices_of,
    lines_of,
    owed_by_customer,
    owed_by_day,
    owed_by_product,
)
from marketplace.billing.queries.selection import Selection
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.errors import N_
from marketplace.core.money import Money, total_by_currency
from marketplace.core.period import Period
from marketplace.web.day_charts import day_chart, ranking
from marketplace.web.focus_files import focus_file
from marketplace.web.guards import requires
from marketplace.web.listing import Column, Kind, ListView, OnPhone
from marketplace.web.months import MonthChoice, chosen_month
from marketplace.web.navigation import GROUP_MONEY, add_to_menu
from marketplace.web.session import current_actor, transaction
from marketplace.web.statement_lines import line_filters, parsed_day, respond_with_lines
from marketplace.web.storefront import blueprint
from resellers.models import Hop

add_to_menu(
    Audience.RESELLER,
    endpoint="storefront.owed",
    label=N_("What I owe"),
    icon="coins",
    permission=Permission.RESELLER_STATEMENTS_VIEW,
    place=30,
    group=GROUP_MONEY,
    words="purchases wholesale bill cost",
)

VIEWS = ("customer", "product", "day", "line")
_NO_CHOICES = Choices(customers=(), vendors=(), products=(), accounts=())


@dataclass(frozen=True, kw_only=True)
class OwedRow:
    """One row of any of the three sums."""

    key: str
    name: str
    detail: str
    lines: int
    amount: Money
    day: Any = None


@blueprint.get("/owed")
@requires(Permission.RESELLER_STATEMENTS_VIEW)
def owed() -> ResponseReturnValue:
    """Show what is owed, seen from one of four sides."""
    actor = current_actor()
    by = request.args.get("by", "")
    by = by if by in VIEWS else VIEWS[0]
    with transaction() as session:
        choice = chosen_month(months(session, actor=actor, hop=Hop.WHOLESALE))
        period = choice.period
        if period is None:
            view = _sums("customer", _NO_CHOICES)
            return view.respond_with_rows(
                [], "storefront/owed/show.html", by=by, choice=choice, totals=(), charts=[], ranked=None
            )
        whole = Selection(hop=Hop.WHOLESALE, period=period)
        choices = choices_of(session, actor=actor, selection=whole)
        selection = _selected(whole, choices)
        if by == "line":
            return _lines(session, actor, selection, choices, choice)
        rows = _rows(session, actor, selection, by)
        totals = tuple(total_by_currency(row.amount for row in rows).values())
        charts, ranked = [], None
        if by == "day":
            charts = [day_chart(one) for one in consumption(session, actor=actor, selection=selection)]
        elif totals:
            ranked = ranking(
                _ranking_title(by), [(row.name, row.amount) for row in rows], currency=totals[0].currency
            )
        return _sums(by, choices).respond_with_rows(
            rows,
            "storefront/owed/show.html",
            by=by,
            choice=choice,
            totals=totals,
            charts=charts,
            ranked=ranked,
        )


@blueprint.get("/owed/focus")
@requires(Permission.RESELLER_STATEMENTS_VIEW)
def owed_focus() -> ResponseReturnValue:
    """Give a month as FOCUS."""
    with transaction() as session:
        return focus_file(session, actor=current_actor(), hop=Hop.WHOLESALE)


def _selected(whole: Selection, choices: Choices) -> Selection:
    """Read the filters, the same for every side."""
    view = ListView[OwedRow](name="owed", columns=(), filters=_filters(choices))
    chosen = view.state(request.args).filters
    return Selection(
        hop=whole.hop,
        period=whole.period,
        customer=UUID(chosen["customer"]) if "customer" in chosen else None,
        vendor=chosen.get("vendor", ""),
        product=chosen.get("product", ""),
        day=parsed_day(chosen.get("day", "")),
    )


def _filters(choices: Choices) -> Sequence[Any]:
    return line_filters(choices, has_customers=True, has_accounts=False)


def _lines(
    session: Session, actor: Actor, selection: Selection, choices: Choices, choice: MonthChoice
) -> ResponseReturnValue:
    rows = owed_by_customer(session, actor=actor, selection=selection)
    whole = Selection(hop=selection.hop, period=selection.period)
    return respond_with_lines(
        session,
        lines_of(whole.lines(actor)),
        "storefront/owed/show.html",
        name=f"owed-{selection.period}-lines",
        choices=choices,
        has_customers=True,
        by="line",
        choice=choice,
        totals=tuple(total_by_currency(row.amount for row in rows).values()),
        charts=[],
        ranked=None,
    )


def _rows(session: Session, actor: Actor, selection: Selection, by: str) -> list[OwedRow]:
    match by:
        case "customer":
            return [_of_customer(row) for row in owed_by_customer(session, actor=actor, selection=selection)]
        case "product":
            return [_of_product(row) for row in owed_by_product(session, actor=actor, selection=selection)]
        case _:
            found = owed_by_day(session, actor=actor, selection=selection)
            return [_of_day(row, selection.period) for row in found]


def _of_customer(row: OwedForCustomer) -> OwedRow:
    return OwedRow(
        key=str(row.id), name=row.customer, detail=row.reference, lines=row.lines, amount=row.amount
    )


def _of_product(row: OwedForProduct) -> OwedRow:
    return OwedRow(
        key=row.product,
        name=row.product or gettext("Without a product name"),
        detail=row.vendor,
        lines=row.lines,
        amount=row.amount,
    )


def _of_day(row: OwedForDay, period: Period) -> OwedRow:
    # Corrections stand after every day.
    return OwedRow(
        key=str(row.day or ""), name="", detail=str(period), lines=0, amount=row.amount, day=row.day
    )


def _ranking_title(by: str) -> str:
    title = gettext("What you owe, by customer") if by == "customer" else gettext("What you owe, by product")
    return str(title)


def _sums(by: str, choices: Choices) -> ListView[OwedRow]:
    amount = Column[OwedRow](
        key="amount",
        label=N_("Amount"),
        value=lambda row: row.amount,
        sort=True,
        kind=Kind.MONEY,
        phone=OnPhone.SIDE,
    )
    lines = Column[OwedRow](
        key="lines", label=N_("Lines"), value=lambda row: row.lines or None, sort=True, kind=Kind.NUMBER
    )
    if by == "day":
        columns: Sequence[Column[OwedRow]] = (
            Column(
                key="day",
                label=N_("Day"),
                value=lambda row: row.day,
                sort=True,
                kind=Kind.DAY,
                phone=OnPhone.TITLE,
            ),
            amount,
        )
    else:
        second, kind = (N_("Reference"), Kind.TEXT) if by == "customer" else (N_("Vendor"), Kind.VENDOR)
        first = N_("Customer") if by == "customer" else N_("Product")
        columns = (
            Column(key="name", label=first, value=lambda row: row.name, sort=True, phone=OnPhone.TITLE),
            Column(key="detail", label=second, value=lambda row: row.detail, sort=True, kind=kind),
            lines,
            amount,
        )
    return ListView[OwedRow](
        name="owed",
        columns=columns,
        filters=_filters(choices),
        finds=None
        if by == "day"
        else (lambda row, text: text in row.name.casefold() or text in row.detail.casefold()),
        sort="day" if by == "day" else "-amount",
    )
