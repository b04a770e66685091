"""Parties and terms: resellers, customers, mappings, price rules, exchange rates.

Each kind is a list, a form for one row and an upload for a file. Form and file go through the same import, so that
both are checked by the same rules, and what would change is shown before it is saved.
"""

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from wtforms.validators import InputRequired

from catalog.models import FxRate
from catalog.operations import import_fx_rates
from catalog.queries import fx_list
from catalog.rules import FX_COLUMNS
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.csv_table import ImportResult
from marketplace.core.errors import N_, Refusal
from marketplace.core.period import Period
from marketplace.web import filters as shown
from marketplace.web.admin import blueprint
from marketplace.web.admin.effects import TermsEffect, effect_of
from marketplace.web.forms import DayField, PageForm
from marketplace.web.guards import accepts_upload, requires
from marketplace.web.listing import Column, Filter, Kind, ListView, OnPhone
from marketplace.web.navigation import GROUP_PARTIES, GROUP_TERMS, add_to_menu
from marketplace.web.session import current_actor, transaction
from resellers.imports.accounts import COLUMNS as ACCOUNT_COLUMNS
from resellers.imports.accounts import import_accounts
from resellers.imports.parties import import_customers, import_resellers
from resellers.imports.price_rules import import_price_rules
from resellers.models import AccountMapping, Customer, PriceRule, PriceRuleScope, Reseller, VendorAccount
from resellers.operations.ends import end_mapping, end_price_rule
from resellers.queries.terms import customer_list, mapping_list, reseller_list, rule_list
from resellers.rules.identity import CUSTOMER_COLUMNS, RESELLER_COLUMNS
from resellers.rules.price_rules import COLUMNS as RULE_COLUMNS

_MOST_BYTES = 200 << 20

Import = Callable[..., ImportResult]
End = Callable[[Session, Actor, UUID, date], object]


@dataclass(frozen=True, kw_only=True)
class TermsPage:
    """One kind of party or term: its words, its columns, its list, its import."""

    name: str
    title: str
    lead: str
    add: str
    columns: tuple[str, ...]
    carry_out: Import
    view: ListView[Any]
    statement: Callable[[], Any]
    manage: Permission
    # Whether the change moves amounts, so that its effect is worth showing first.
    moves_amounts: bool = False
    end: End | None = None


LABELS: Mapping[str, str] = {
    "reference": N_("Reference"),
    "legal_name": N_("Legal name"),
    "country": N_("Country (two letters)"),
    "vat_number": N_("VAT number"),
    "registration_number": N_("Registration number"),
    "partner_id": N_("Partner id"),
    "currency": N_("Currency"),
    "billing_mode": N_("Who invoices (resale, mandate, on_behalf, agent, direct)"),
    "email": N_("E-mail"),
    "reseller": N_("Reseller (reference)"),
    "vendor": N_("Vendor"),
    "account": N_("Account"),
    "customer": N_("Customer (reference)"),
    "valid_from": N_("From (YYYY-MM-DD, blank: since ever)"),
    "valid_until": N_("Until, this day excluded (blank: open)"),
    "hop": N_("Hop (wholesale or retail)"),
    "subscription": N_("Subscription"),
    "product": N_("Product"),
    "sku": N_("SKU"),
    "basis": N_("Basis (cost, list or fixed)"),
    "percent": N_("Percentage (12.5 adds an eighth)"),
    "unit_price": N_("Price per unit (for a fixed price)"),
    "month": N_("Month (YYYY-MM)"),
    "from": N_("From currency"),
    "to": N_("To currency"),
    "rate": N_("Rate: one unit of the first is so many of the second"),
}


def _text(key: str, label: str, sort: Any, phone: OnPhone = OnPhone.LINE) -> Column[Any]:
    return Column(key=key, label=label, value=lambda row: getattr(row, key), sort=sort, phone=phone)


def _day(key: str, label: str, sort: Any) -> Column[Any]:
    return Column(key=key, label=label, value=lambda row: getattr(row, key), sort=sort, kind=Kind.DAY)


def _holds_on(value: str) -> Any:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return PriceRule.id < 0
    return or_(PriceRule.valid_from.is_(None), PriceRule.valid_from <= day) & or_(
        PriceRule.valid_until.is_(None), PriceRule.valid_until > day
    )


def _who(row: Any) -> str:
    return row.customer or row.reseller or gettext("Everybody")


def _what(row: Any) -> str:
    named = [part for part in (row.vendor, row.product, row.sku, row.subscription) if part]
    return " · ".join(named) or gettext("Everything")


def _price(row: Any) -> str:
    """Say a rule's price in a few words."""
    if row.basis == "fixed":
        return gettext("%(price)s a unit", price=shown.exact_money(row.unit_price, row.currency))
    percent = shown.percent(row.percent, sign=True)
    if row.basis == "list":
        return gettext("list price %(percent)s", percent=percent)
    return gettext("cost %(percent)s", percent=percent)


RESELLERS = ListView[Any](
    name="resellers",
    columns=(
        _text("legal_name", N_("Legal name"), Reseller.legal_name, OnPhone.TITLE),
        _text("reference", N_("Reference"), Reseller.reference),
        _text("country", N_("Country"), Reseller.country, OnPhone.HIDDEN),
        _text("currency", N_("Currency"), Reseller.currency),
        _text("billing_mode", N_("Who invoices"), Reseller.billing_mode),
        _text("partner_id", N_("Partner id"), Reseller.partner_id, OnPhone.HIDDEN),
        Column(key="customers", label=N_("Customers"), value=lambda row: row.customers, kind=Kind.NUMBER),
        _day("created_at", N_("Since"), Reseller.created_at),
    ),
    search=(Reseller.reference, Reseller.legal_name, Reseller.email, Reseller.partner_id),
    sort="legal_name",
    tie_break=(Reseller.id,),
)
CUSTOMERS = ListView[Any](
    name="customers",
    columns=(
        _text("legal_name", N_("Legal name"), Customer.legal_name, OnPhone.TITLE),
        _text("reference", N_("Reference"), Customer.reference),
        _text("reseller", N_("Reseller"), Reseller.reference),
        _text("country", N_("Country"), Customer.country, OnPhone.HIDDEN),
        _text("currency", N_("Currency"), Customer.currency),
        _text("email", N_("E-mail"), Customer.email, OnPhone.HIDDEN),
        _day("created_at", N_("Since"), Customer.created_at),
    ),
    filters=(
        Filter(key="reseller", label=N_("Reseller"), where=lambda value: Reseller.reference == value),
        Filter(key="currency", label=N_("Currency"), where=lambda value: Customer.currency == value.upper()),
    ),
    search=(Customer.reference, Customer.legal_name, Customer.email),
    sort="legal_name",
    tie_break=(Customer.id,),
)
MAPPINGS = ListView[Any](
    name="accounts",
    columns=(
        _text("account", N_("Account"), VendorAccount.account, OnPhone.TITLE),
        _text("vendor", N_("Vendor"), VendorAccount.vendor),
        _text("legal_name", N_("Customer"), Customer.legal_name),
        _text("customer", N_("Reference"), Customer.reference, OnPhone.HIDDEN),
        _day("valid_from", N_("From"), AccountMapping.valid_from),
        _day("valid_until", N_("Until"), AccountMapping.valid_until),
    ),
    filters=(
        Filter(key="vendor", label=N_("Vendor"), where=lambda value: VendorAccount.vendor == value),
        Filter(key="customer", label=N_("Customer"), where=lambda value: Customer.reference == value),
    ),
    search=(VendorAccount.account, Customer.legal_name, Customer.reference),
    sort="account",
    tie_break=(AccountMapping.id,),
)
RULES = ListView[Any](
    name="rules",
    columns=(
        Column(
            key="hop",
            label=N_("Hop"),
            value=lambda row: row.hop,
            sort=PriceRuleScope.hop,
            phone=OnPhone.SIDE,
        ),
        Column(key="who", label=N_("For"), value=_who, sort=Reseller.reference),
        Column(key="what", label=N_("What"), value=_what, sort=PriceRuleScope.product, phone=OnPhone.TITLE),
        Column(key="price", label=N_("Price"), value=_price, sort=PriceRule.basis),
        _day("valid_from", N_("From"), PriceRule.valid_from),
        _day("valid_until", N_("Until"), PriceRule.valid_until),
    ),
    filters=(
        Filter(
            key="hop",
            label=N_("Hop"),
            choices=(("wholesale", N_("Wholesale")), ("retail", N_("Retail"))),
            where=lambda value: PriceRuleScope.hop == value,
        ),
        Filter(key="reseller", label=N_("Reseller"), where=lambda value: Reseller.reference == value),
        Filter(key="customer", label=N_("Customer"), where=lambda value: Customer.reference == value),
        Filter(
            key="on",
            label=N_("Holds on"),
            input="date",
            where=_holds_on,
        ),
    ),
    search=(
        PriceRuleScope.vendor,
        PriceRuleScope.product,
        PriceRuleScope.sku,
        PriceRuleScope.subscription,
        Reseller.reference,
        Customer.reference,
    ),
    sort="hop",
    tie_break=(PriceRule.scope_id, PriceRule.valid_from, PriceRule.id),
)
FX = ListView[Any](
    name="fx",
    columns=(
        Column(
            key="month",
            label=N_("Month"),
            value=lambda row: Period.from_number(row.month),
            sort=FxRate.month,
            phone=OnPhone.TITLE,
        ),
        _text("from_currency", N_("From"), FxRate.from_currency),
        _text("to_currency", N_("To"), FxRate.to_currency),
        Column(key="rate", label=N_("Rate"), value=lambda row: row.rate, sort=FxRate.rate, kind=Kind.NUMBER),
    ),
    filters=(
        Filter(key="from", label=N_("From"), where=lambda value: FxRate.from_currency == value.upper()),
    ),
    search=(FxRate.from_currency, FxRate.to_currency),
    sort="-month",
    tie_break=(FxRate.id,),
)


PAGES = (
    TermsPage(
        name="resellers",
        title=N_("Resellers"),
        lead=N_("The firms that buy here and sell to customers."),
        add=N_("Add a reseller"),
        columns=RESELLER_COLUMNS,
        carry_out=import_resellers,
        view=RESELLERS,
        statement=reseller_list,
        manage=Permission.WHOLESALER_PARTIES_MANAGE,
    ),
    TermsPage(
        name="customers",
        title=N_("Customers"),
        lead=N_("The firms that use what is sold, each with its reseller."),
        add=N_("Add a customer"),
        columns=CUSTOMER_COLUMNS,
        carry_out=import_customers,
        view=CUSTOMERS,
        statement=customer_list,
        manage=Permission.WHOLESALER_PARTIES_MANAGE,
    ),
    TermsPage(
        name="accounts",
        title=N_("Accounts"),
        lead=N_("Whose each vendor account is, from a day until a day. What nobody owns is never billed."),
        add=N_("Map an account"),
        columns=ACCOUNT_COLUMNS,
        carry_out=import_accounts,
        view=MAPPINGS,
        statement=mapping_list,
        manage=Permission.WHOLESALER_TERMS_MANAGE,
        moves_amounts=True,
        end=lambda session, actor, id_, end: end_mapping(session, actor=actor, mapping_id=id_, end=end),
    ),
    TermsPage(
        name="rules",
        title=N_("Price rules"),
        lead=N_("What each hop costs. The most specific rule wins; no rule means at cost."),
        add=N_("Add a price rule"),
        columns=RULE_COLUMNS,
        carry_out=import_price_rules,
        view=RULES,
        statement=rule_list,
        manage=Permission.WHOLESALER_TERMS_MANAGE,
        moves_amounts=True,
        end=lambda session, actor, id_, end: end_price_rule(session, actor=actor, rule_id=id_, end=end),
    ),
    TermsPage(
        name="fx",
        title=N_("Exchange rates"),
        lead=N_("The rate of each month, one way. A missing rate parks the statements that need it."),
        add=N_("Set a rate"),
        columns=FX_COLUMNS,
        carry_out=import_fx_rates,
        view=FX,
        statement=fx_list,
        manage=Permission.WHOLESALER_TERMS_MANAGE,
        moves_amounts=True,
    ),
)
_ICONS = {
    "resellers": "building-store",
    "customers": "building",
    "accounts": "link",
    "rules": "tags",
    "fx": "arrows-exchange",
}


class EndForm(PageForm):
    """The day from which something no longer holds."""

    end = DayField(
        lazy_gettext("First day on which it no longer holds"),
        validators=[InputRequired(lazy_gettext("Choose the day."))],
    )


def show_list(page: TermsPage) -> ResponseReturnValue:
    """List what stands."""
    with transaction() as session:
        return page.view.respond(
            session, page.statement(), "admin/terms/list.html", terms=page, may_change=_may(page)
        )


def show_form(page: TermsPage) -> ResponseReturnValue:
    """Ask for one row; `?like=` fills the form from a party that stands."""
    cells = {name: request.args.get(name, "") for name in page.columns}
    like = request.args.get("like", "")
    if like:
        with transaction() as session:
            cells = _cells_of(session, page, like) or abort(404)
    return _form(page, cells)


def take_form(page: TermsPage) -> ResponseReturnValue:
    """Show what one row would do, or save it."""
    cells = {name: request.form.get(name, "").strip() for name in page.columns}
    content = _as_csv(page.columns, cells)
    actor = current_actor()
    try:
        if page.moves_amounts and request.form.get("step") != "save":
            effect = _effect(_importing(page, actor, content))
            return _form(page, cells, effect=effect)
        with transaction() as session:
            result = page.carry_out(session, actor=actor, file=page.name, content=content)
    except Refusal as refusal:
        return _form(page, cells, refusal=refusal), 422
    flash(_said(result), "success")
    return redirect(url_for(f"admin.{page.name}"), code=303)


def show_upload(page: TermsPage) -> ResponseReturnValue:
    """Ask for a file."""
    return render_template("admin/terms/upload.html", terms=page, result=None, refusal=None)


def take_upload(page: TermsPage) -> ResponseReturnValue:
    """Say what a file would change, or import it whole."""
    file = request.files.get("files")
    if file is None or not file.filename:
        return make_response(show_upload(page), 422)
    try:
        with transaction() as session:
            result = page.carry_out(
                session,
                actor=current_actor(),
                file=file.filename,
                content=file.read(),
                dry_run=request.form.get("step") != "save",
            )
    except Refusal as refusal:
        return render_template("admin/terms/upload.html", terms=page, result=None, refusal=refusal), 422
    if result.dry_run:
        return render_template("admin/terms/upload.html", terms=page, result=result, refusal=None)
    flash(_said(result), "success")
    return redirect(url_for(f"admin.{page.name}"), code=303)


def end(page: TermsPage, row_id: UUID) -> ResponseReturnValue:
    """Ask from when a mapping or rule no longer holds, show the effect, end it."""
    if page.end is None:
        abort(404)
    finish = page.end
    form = EndForm()
    effect = None
    status = 200
    with transaction() as session:
        row = _row_or_404(session, page, row_id)
        if request.method == "POST" and not form.validate_on_submit():
            status = 422
        elif request.method == "POST":
            day: date = form.end.data
            try:
                if request.form.get("step") == "save":
                    finish(session, current_actor(), row_id, day)
                    flash(gettext("It ends on %(day)s.", day=shown.day(day)), "success")
                    return redirect(url_for(f"admin.{page.name}"), code=303)
                effect = _effect(partial(_ending, finish, current_actor(), row_id, day))
            except Refusal as refusal:
                form.refuse(refusal)
                status = 422
        answer = render_template("admin/terms/end.html", terms=page, row=row, form=form, effect=effect)
    return make_response(answer, status)


def _ending(finish: End, actor: Actor, row_id: UUID, day: date, session: Session) -> object:
    return finish(session, actor, row_id, day)


def _importing(page: TermsPage, actor: Actor, content: bytes) -> Callable[[Session], object]:
    return lambda session: page.carry_out(session, actor=actor, file=page.name, content=content)


def _effect(change: Callable[[Session], object]) -> TermsEffect:
    with transaction() as session:
        return effect_of(session, change)


def _form(
    page: TermsPage,
    cells: Mapping[str, str],
    *,
    effect: TermsEffect | None = None,
    refusal: Refusal | None = None,
) -> str:
    return render_template(
        "admin/terms/form.html", terms=page, cells=cells, labels=LABELS, effect=effect, refusal=refusal
    )


def _row_or_404(session: Session, page: TermsPage, row_id: UUID) -> Any:
    column = AccountMapping.public_id if page.name == "accounts" else PriceRule.public_id
    row = session.execute(page.statement().where(column == row_id)).one_or_none()
    return row if row is not None else abort(404)


def _cells_of(session: Session, page: TermsPage, reference: str) -> dict[str, str] | None:
    """Give the cells of a reseller or customer that stands, to change them."""
    party: Reseller | Customer | None = None
    if page.name == "resellers":
        party = session.scalars(select(Reseller).where(Reseller.reference == reference)).one_or_none()
    elif page.name == "customers":
        party = session.scalars(select(Customer).where(Customer.reference == reference)).one_or_none()
    if party is None:
        return None
    cells = {name: str(getattr(party, name)) for name in page.columns if name != "reseller"}
    if isinstance(party, Customer):
        cells["reseller"] = session.scalars(
            select(Reseller.reference).where(Reseller.id == party.reseller_id)
        ).one()
    return cells


def _as_csv(columns: tuple[str, ...], cells: Mapping[str, str]) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, columns)
    writer.writeheader()
    writer.writerow(cells)
    return file.getvalue().encode()


def _said(result: ImportResult) -> str:
    return gettext(
        "%(added)s added, %(changed)s changed, %(unchanged)s as they were. Amounts follow when the month is rated.",
        added=result.added,
        changed=result.changed,
        unchanged=result.unchanged,
    )


def _may(page: TermsPage) -> bool:
    return current_actor().may(page.manage)


def _add_routes(page: TermsPage) -> None:
    """Register the views of one kind."""
    party = page.name in {"resellers", "customers"}
    see = Permission.WHOLESALER_PARTIES_VIEW if party else Permission.WHOLESALER_TERMS_VIEW
    path = f"/{'exchange-rates' if page.name == 'fx' else page.name}"
    views: tuple[tuple[str, str, Callable[..., ResponseReturnValue], Permission, str], ...] = (
        (path, page.name, show_list, see, "GET"),
        (f"{path}/new", f"new_{page.name}", show_form, page.manage, "GET"),
        (f"{path}/new", f"add_{page.name}", take_form, page.manage, "POST"),
        (f"{path}/import", f"ask_{page.name}_file", show_upload, page.manage, "GET"),
        (f"{path}/import", f"import_{page.name}", take_upload, page.manage, "POST"),
    )
    for rule, endpoint, view, permission, method in views:
        blueprint.add_url_rule(rule, endpoint, _bound(view, page, permission, endpoint), methods=[method])
    if page.end is not None:
        bound = _bound(end, page, page.manage, f"end_{page.name}")
        blueprint.add_url_rule(
            f"{path}/<uuid:row_id>/end", f"end_{page.name}", bound, methods=["GET", "POST"]
        )
    add_to_menu(
        Audience.WHOLESALER,
        endpoint=f"admin.{page.name}",
        label=page.title,
        icon=_ICONS[page.name],
        permission=see,
        group=GROUP_PARTIES if party else GROUP_TERMS,
        place=10 * (1 + [one.name for one in PAGES].index(page.name)),
        words=" ".join(page.columns),
    )


def _bound(
    view: Callable[..., ResponseReturnValue], page: TermsPage, permission: Permission, name: str
) -> Callable[..., ResponseReturnValue]:
    """Give a view of its own for one kind, with its permission and its upload limit."""

    def bound(**values: Any) -> ResponseReturnValue:
        return view(page, **values)

    bound.__name__, bound.__doc__ = name, view.__doc__
    marked = requires(permission)(bound)
    return accepts_upload(most_bytes=_MOST_BYTES)(marked) if view is take_upload else marked


for _page in PAGES:
    _add_routes(_page)
