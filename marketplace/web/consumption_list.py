"""Consumption as a list: one row a product and day, for tables and files."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from flask import request

from marketplace.billing.queries.consumption import Consumption
from marketplace.billing.queries.owed import Choices
from marketplace.billing.queries.selection import Selection
from marketplace.core.errors import N_
from marketplace.core.money import Money
from marketplace.web import filters as shown
from marketplace.web.listing import Column, Filter, Kind, ListView, OnPhone


@dataclass(frozen=True, kw_only=True)
class ProductDay:
    """What one product came to on one day."""

    day: date
    vendor: str
    product: str
    amount: Money


def product_days(months: Iterable[Consumption]) -> list[ProductDay]:
    """Give the days on which something was used."""
    return [
        ProductDay(day=day, vendor=product.vendor, product=product.product, amount=amount)
        for month in months
        for product in month.products
        for day, amount in zip(month.days, product.amounts, strict=True)
        if amount.minor
    ]


def consumption_list(choices: Choices, *, has_customers: bool) -> ListView[ProductDay]:
    """Describe the list. Filters narrow the query, so that chart and list show the same."""
    product = N_("Product") if has_customers else N_("Service")
    customers = [(str(number), name) for number, name in choices.customers]
    filters: list[Filter[ProductDay]] = []
    if has_customers and len(customers) > 1:
        filters.append(Filter(key="customer", label=N_("Customer"), choices=customers))
    vendors = [(vendor, shown.vendor(vendor)) for vendor in choices.vendors]
    products = [(name, name) for name in choices.products]
    for key, label, values in (("vendor", N_("Vendor"), vendors), ("product", product, products)):
        if len(values) > 1:
            filters.append(Filter(key=key, label=label, choices=values))
    return ListView[ProductDay](
        name="consumption",
        columns=(
            Column(key="day", label=N_("Day"), value=lambda row: row.day, sort=True, kind=Kind.DAY),
            Column(
                key="product",
                label=product,
                value=lambda row: row.product,
                sort=True,
                phone=OnPhone.TITLE,
            ),
            Column(
                key="vendor", label=N_("Vendor"), value=lambda row: row.vendor, kind=Kind.VENDOR, sort=True
            ),
            Column(
                key="amount",
                label=N_("Amount"),
                value=lambda row: row.amount,
                sort=True,
                kind=Kind.MONEY,
                phone=OnPhone.SIDE,
            ),
        ),
        filters=filters,
        sort="-day",
    )


def selected(whole: Selection, choices: Choices, *, has_customers: bool) -> Selection:
    """Read the filters of the address."""
    chosen = consumption_list(choices, has_customers=has_customers).state(request.args).filters
    return Selection(
        hop=whole.hop,
        period=whole.period,
        customer=UUID(chosen["customer"]) if "customer" in chosen else None,
        vendor=chosen.get("vendor", ""),
        product=chosen.get("product", ""),
    )
