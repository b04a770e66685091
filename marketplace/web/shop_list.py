"""The shop's list: one row an offer, at the least its plans come to a month; its download has a row for each plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, func
from sqlalchemy.orm import Session

from catalog.models import Plan, Product, Sku
from catalog.queries.shop import (
    OfferRow,
    PlanRow,
    categories_on_sale,
    has_words,
    listed_below,
    offer_row,
    plan_row,
    vendors_on_sale,
)
from catalog.rules.plans import TERM_MONTHS
from catalog.words import BillingCycle, Segment, Term
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.errors import N_
from marketplace.core.money import Money
from marketplace.core.rounding import EXACT, round_ratio
from marketplace.subscriptions.prices import HopPrice, SeenPrices, price_list_currency
from marketplace.web import filters as shown
from marketplace.web.listing import Column, Filter, Kind, ListView, OnPhone
from resellers.models import Customer

TERMS = ((Term.P1M, N_("one month")), (Term.P1Y, N_("one year")), (Term.P3Y, N_("three years")))
CYCLES = (
    (BillingCycle.MONTHLY, N_("by the month")),
    (BillingCycle.ANNUAL, N_("by the year")),
    (BillingCycle.TRIENNIAL, N_("for three years at once")),
)
SEGMENTS = (
    (Segment.COMMERCIAL, N_("Companies")),
    (Segment.EDUCATION, N_("Schools")),
    (Segment.CHARITY, N_("Charities")),
    (Segment.GOVERNMENT, N_("Public bodies")),
)
_TITLE = func.coalesce(func.nullif(Product.own_title, ""), Sku.title)


@dataclass(frozen=True, slots=True)
class Looking:
    """Who looks at the list, whom they may buy for, and the country and the instant prices are for."""

    actor: Actor
    customers: Sequence[Customer]
    market: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Lowest:
    """The plan of an offer that comes to the least a month: what a unit of it comes to, hop by hop."""

    wholesale: Money | None
    retail: Money | None
    # Of the reseller's sale, in percent.
    margin_percent: Decimal | None
    is_monthly: bool


def per_month(price: HopPrice, seen: SeenPrices) -> Money:
    """Give what a unit comes to a month over a whole term; of what is bought for good, what it comes to once."""
    of_term = EXACT.multiply(price.unit, Decimal(max(seen.charges, 1)))
    months = TERM_MONTHS.get(seen.offer.term, 1)
    return Money.rounded(round_ratio(of_term, months, 18), price.charge.currency)


def lowest(plan_ids: Sequence[int], prices: Mapping[int, SeenPrices]) -> Lowest | None:
    """Choose among plans the one that comes to the least a month for the viewer; None where none has a price."""
    priced = [
        (per_month(price, seen), seen)
        for seen in (prices[id_] for id_ in plan_ids if id_ in prices)
        if (price := seen.wholesale or seen.retail) is not None
    ]
    if not priced:
        return None
    _, seen = min(priced, key=lambda one: (one[0].minor, one[1].wanted.plan_id))
    wholesale = per_month(seen.wholesale, seen) if seen.wholesale else None
    retail = per_month(seen.retail, seen) if seen.retail else None
    percent = None
    if seen.margin is not None and seen.retail and seen.retail.charge.minor:
        percent = round_ratio(Decimal(seen.margin.minor * 100), seen.retail.charge.minor, 1)
    return Lowest(wholesale, retail, percent, seen.offer.term in TERM_MONTHS)


def offer_view(session: Session, looking: Looking) -> ListView[OfferRow]:
    """Describe the list people look at."""
    return ListView[OfferRow](
        name="shop",
        columns=(
            Column(
                key="title",
                label=N_("Product"),
                value=lambda row: row.title,
                sort=_TITLE,
                phone=OnPhone.TITLE,
            ),
            Column(key="terms", label=N_("Commitment"), value=lambda _row: None),
            *_price_columns(looking.actor),
        ),
        filters=_filters(session, looking),
        sort="title",
        tie_break=(Sku.id,),
        row=offer_row,
        page_size=24,
    )


def plan_view(session: Session, looking: Looking) -> ListView[PlanRow]:
    """Describe what is downloaded."""
    return ListView[PlanRow](
        name="shop",
        columns=(
            Column(key="title", label=N_("Product"), value=lambda row: row.title, sort=_TITLE),
            Column(key="vendor", label=N_("Vendor"), value=lambda row: row.vendor, kind=Kind.VENDOR),
            Column(key="category", label=N_("Category"), value=lambda row: row.category),
            Column(key="term", label=N_("Plan"), value=lambda row: row.term),
        ),
        filters=_filters(session, looking),
        sort="title",
        tie_break=(Plan.term, Plan.billing_cycle, Plan.id),
        row=plan_row,
    )


def _price_columns(actor: Actor) -> list[Column[OfferRow]]:
    """Give the columns whose cells the template fills with prices of the page."""
    retail = N_("From, a month") if actor.audience is Audience.CUSTOMER else N_("Customer, from, a month")
    columns = [("retail", retail, Kind.MONEY)]
    if actor.audience is Audience.RESELLER and actor.may(Permission.RESELLER_MARGINS_VIEW):
        columns = [
            ("wholesale", N_("You, from, a month"), Kind.MONEY),
            *columns,
            ("margin", N_("Your margin"), Kind.NUMBER),
        ]
    return [Column(key=key, label=label, value=lambda _row: None, kind=kind) for key, label, kind in columns]


def _filters(session: Session, looking: Looking) -> tuple[Filter[Any], ...]:
    """Give the filters; they offer what there is."""
    currency = price_list_currency(session)
    filters: list[Filter[Any]] = [Filter(key="q", label=N_("Search"), where=has_words, input="search")]
    if looking.actor.audience is not Audience.CUSTOMER:
        names = tuple((str(one.public_id), one.legal_name) for one in looking.customers)
        filters.append(Filter(key="customer", label=N_("Priced for"), choices=names))
    filters.append(
        Filter(
            key="vendor",
            label=N_("Vendor"),
            choices=tuple((name, shown.vendor(name)) for name in vendors_on_sale(session)),
            where=lambda value: Product.vendor == value,
        )
    )
    categories = tuple((name, name) for name in categories_on_sale(session))
    if categories:
        filters.append(
            Filter(
                key="category",
                label=N_("Category"),
                choices=categories,
                where=_in_category,
            )
        )
    return (
        *filters,
        Filter(
            key="term",
            label=N_("Commitment"),
            choices=tuple((term.value, label) for term, label in TERMS),
            where=lambda value: Plan.term == value,
        ),
        Filter(
            key="cycle",
            label=N_("Paid"),
            choices=tuple((cycle.value, label) for cycle, label in CYCLES),
            where=lambda value: Plan.billing_cycle == value,
        ),
        Filter(
            key="segment",
            label=N_("For"),
            choices=tuple((segment.value, label) for segment, label in SEGMENTS),
            where=lambda value: Plan.segment == value,
        ),
        Filter(
            key="most",
            label=N_("Listed at most, for the term"),
            where=lambda value: _listed(value, looking=looking, currency=currency),
            input="number",
        ),
    )


def _listed(value: str, *, looking: Looking, currency: str) -> ColumnElement[bool]:
    """Narrow to plans listed at no more than an amount; what is none finds nothing."""
    plain = value.strip().replace(",", ".")
    amount = Decimal(plain) if plain.replace(".", "", 1).isdecimal() and plain.isascii() else Decimal(-1)
    return listed_below(amount, market=looking.market, currency=currency, at=looking.now)


def _in_category(value: str) -> ColumnElement[bool]:
    return func.coalesce(func.nullif(Product.own_category, ""), Product.category) == value
