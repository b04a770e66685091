"""How parties and terms are listed: their columns, filters and search."""

from datetime import date
from typing import Any

from flask_babel import gettext
from sqlalchemy import or_

from catalog.models import FxRate
from marketplace.core.errors import N_
from marketplace.core.period import Period
from marketplace.web import filters as shown
from marketplace.web.listing import Column, Filter, Kind, ListView, OnPhone
from resellers.models import AccountMapping, Customer, PriceRule, PriceRuleScope, Reseller, VendorAccount


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


def who(row: Any) -> str:
    """Say for whom a rule is."""
    return row.customer or row.reseller or gettext("Everybody")


def price(row: Any) -> str:
    """Say a rule's price in a few words."""
    if row.basis == "fixed":
        return gettext("%(price)s a unit", price=shown.exact_money(row.unit_price, row.currency))
    if not row.percent:
        return gettext("list price") if row.basis == "list" else gettext("cost, nothing added")
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
            value=lambda row: gettext("Wholesale") if row.hop == "wholesale" else gettext("Retail"),
            sort=PriceRuleScope.hop,
            phone=OnPhone.SIDE,
        ),
        Column(key="who", label=N_("For"), value=who, sort=Reseller.reference),
        Column(
            key="what", label=N_("What"), value=shown.scope, sort=PriceRuleScope.product, phone=OnPhone.TITLE
        ),
        Column(key="price", label=N_("Price"), value=price, sort=PriceRule.basis),
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
