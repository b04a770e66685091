"""The list of a buyer's lines, on pages and in files: what was used and what it came to, nothing of how."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import date
from typing import Any
from uuid import UUID

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, Select, false, select
from sqlalchemy.orm import Session

from marketplace.billing.models import StatementLine
from marketplace.billing.queries.owed import Choices, LineRow, line_row
from marketplace.core.errors import N_
from marketplace.web import filters as shown
from marketplace.web.listing import EXPORTS, Column, Filter, Kind, ListView, OnPhone
from resellers.models import Customer

Row = LineRow


def parsed_day(text: str) -> date | None:
    """Read the machine form of a day; None for anything else."""
    with suppress(ValueError):
        return date.fromisoformat(text)
    return None


def line_filters(
    choices: Choices, *, has_customers: bool, has_accounts: bool = True
) -> list[Filter[LineRow]]:
    """Give the filters of lines: by customer, vendor, product, account and day."""
    customers = [(str(number), name) for number, name in choices.customers]
    filters: list[Filter[LineRow]] = []
    if has_customers and len(customers) > 1:
        filters.append(Filter(key="customer", label=N_("Customer"), choices=customers, where=_of_customer))
    if len(choices.vendors) > 1:
        filters.append(
            Filter(
                key="vendor",
                label=N_("Vendor"),
                choices=[(vendor, shown.vendor(vendor)) for vendor in choices.vendors],
                where=lambda value: StatementLine.vendor == value,
            )
        )
    if len(choices.products) > 1:
        filters.append(
            Filter(
                key="product",
                label=N_("Product"),
                choices=_named(choices.products),
                where=lambda value: StatementLine.product == value,
            )
        )
    if has_accounts and len(choices.accounts) > 1:
        filters.append(
            Filter(
                key="account",
                label=N_("Account"),
                choices=_named(choices.accounts),
                where=lambda value: StatementLine.account == value,
            )
        )
    filters.append(Filter(key="day", label=N_("Day"), input="date", where=_on_day))
    return filters


def line_list(
    name: str, choices: Choices, *, has_customers: bool, is_file: bool = False, page_size: int = 50
) -> ListView[LineRow]:
    """Describe the list. A file has a column for every field; a page puts what belongs together in one cell."""
    columns = (
        _file_columns(has_customers=has_customers) if is_file else _page_columns(has_customers=has_customers)
    )
    return ListView[LineRow](
        name=name,
        columns=columns,
        filters=line_filters(choices, has_customers=has_customers),
        search=(
            StatementLine.product,
            StatementLine.sku,
            StatementLine.meter,
            StatementLine.account,
            StatementLine.subscription,
        ),
        search_label=N_("Search lines"),
        sort="-amount",
        tie_break=(StatementLine.id,),
        page_size=page_size,
        row=line_row,
    )


def respond_with_lines(
    session: Session,
    lines: Select[*tuple[Any, ...]],
    template: str,
    *,
    name: str,
    choices: Choices,
    has_customers: bool,
    **context: Any,
) -> ResponseReturnValue:
    """Answer with a page of lines, or with a file of exactly those filtered, every field in a column of its own."""
    is_file = request.args.get("format") in EXPORTS
    view = line_list(name, choices, has_customers=has_customers, is_file=is_file)
    return view.respond(session, lines, template, **context)


def _of_customer(value: str) -> ColumnElement[bool]:
    return (
        StatementLine.customer_id
        == select(Customer.id).where(Customer.public_id == UUID(value)).scalar_subquery()
    )


def _on_day(value: str) -> ColumnElement[bool]:
    day = parsed_day(value)
    return false() if day is None else StatementLine.days.contains([day])


def _named(values: Iterable[str]) -> list[tuple[str, str]]:
    return [(value, value) for value in values]


def _page_columns(*, has_customers: bool) -> Sequence[Column[LineRow]]:
    customer = Column[LineRow](
        key="customer", label=N_("Customer"), value=lambda row: row.customer, sort=Customer.legal_name
    )
    return [
        Column(
            key="product",
            label=N_("Product"),
            value=lambda row: row.name,
            sort=StatementLine.product,
            phone=OnPhone.TITLE,
        ),
        *([customer] if has_customers else []),
        Column(key="account", label=N_("Account"), value=lambda row: row.account, sort=StatementLine.account),
        Column(
            key="days",
            label=N_("Days"),
            value=lambda row: row.days,
            sort=StatementLine.charge_from,
            kind=Kind.DAY,
        ),
        Column(
            key="quantity",
            label=N_("Quantity"),
            value=lambda row: row.quantity,
            sort=StatementLine.quantity,
            kind=Kind.NUMBER,
        ),
        Column(
            key="amount",
            label=N_("Amount"),
            value=lambda row: row.amount,
            sort=StatementLine.amount_minor,
            kind=Kind.MONEY,
            phone=OnPhone.SIDE,
        ),
    ]


def _file_columns(*, has_customers: bool) -> Sequence[Column[LineRow]]:
    def text(
        key: str, label: str, value: Callable[[LineRow], str], sort: ColumnElement[str] | None = None
    ) -> Column[LineRow]:
        return Column(key=key, label=label, value=value, sort=sort)

    of_page = {column.key: column for column in _page_columns(has_customers=has_customers)}
    return [
        text("line", N_("Line"), lambda row: str(row.id)),
        text("period", N_("Period"), lambda row: str(row.period)),
        text("corrects", N_("Corrects"), lambda row: str(row.corrects or "")),
        *([of_page["customer"]] if has_customers else []),
        text("vendor", N_("Vendor"), lambda row: row.vendor),
        of_page["account"],
        text("subscription", N_("Subscription"), lambda row: row.subscription),
        Column(key="product", label=N_("Product"), value=lambda row: row.product, sort=StatementLine.product),
        text("sku", N_("SKU"), lambda row: row.sku),
        text("meter", N_("Meter"), lambda row: row.meter),
        text("charge_category", N_("Charge category"), lambda row: row.charge_category),
        text("charge_type", N_("Charge type"), lambda row: row.charge_type),
        Column(
            key="days", label=N_("From"), value=lambda row: row.days.start, sort=StatementLine.charge_from
        ),
        Column(key="until", label=N_("Until (excluded)"), value=lambda row: row.days.end),
        of_page["quantity"],
        text("unit", N_("Unit"), lambda row: row.unit),
        of_page["amount"],
        Column(
            key="source_rows", label=N_("Source rows"), value=lambda row: row.source_rows, kind=Kind.NUMBER
        ),
    ]
