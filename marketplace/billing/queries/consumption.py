"""Amounts by day: each line's whole minor units shared among its days, so that days add up to the cent."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import (
    Date,
    Numeric,
    Select,
    and_,
    case,
    cast,
    column,
    func,
    literal,
    null,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import Session

from marketplace.billing.models import StatementLine
from marketplace.billing.queries.selection import Selection
from marketplace.core.actor import Actor
from marketplace.core.currency import CURRENCIES, minor_units
from marketplace.core.money import Money
from marketplace.core.period import Period

_USUAL_DECIMALS = 2
_UNITS = {
    code: 10 ** minor_units(code) for code in sorted(CURRENCIES) if minor_units(code) != _USUAL_DECIMALS
}


@dataclass(frozen=True, kw_only=True)
class DayAmount:
    """What one thing came to on one day; no day for corrections of earlier months."""

    customer_id: int
    vendor: str
    product: str
    day: date | None
    amount: Money


@dataclass(frozen=True, kw_only=True)
class ProductDays:
    """One product over the days of a month, in the order of `Consumption.days`."""

    vendor: str
    product: str
    amounts: tuple[Money, ...]
    total: Money


@dataclass(frozen=True, kw_only=True)
class Consumption:
    """A month in one currency: every day of it, products by their amount, the largest first."""

    period: Period
    currency: str
    days: tuple[date, ...]
    products: tuple[ProductDays, ...]
    # What was billed in the month for earlier ones, beside the days.
    corrections: Money

    @property
    def total(self) -> Money:
        """The month, corrections included."""
        return sum((product.total for product in self.products), self.corrections)

    @property
    def by_day(self) -> tuple[Money, ...]:
        """All products together, day by day."""
        nothing = Money.zero(self.currency)
        return tuple(
            sum((product.amounts[at] for product in self.products), nothing) for at in range(len(self.days))
        )


def amounts_by_day(
    session: Session, *, actor: Actor, selection: Selection, keep: Sequence[str] = ("product",)
) -> list[DayAmount]:
    """Give the amounts of a selection by day and by what is kept apart: `customer`, `vendor`, `product`."""
    parts = _parts(selection.lines(actor)).subquery()
    kept = {
        "customer": parts.c.customer_id,
        "vendor": parts.c.vendor,
        "product": parts.c.product,
    }
    groups = [kept[name] for name in keep]
    statement = select(*groups, parts.c.day, parts.c.currency, func.sum(parts.c.minor)).group_by(
        *groups, parts.c.day, parts.c.currency
    )
    if selection.day:
        statement = statement.where(parts.c.day == selection.day)
    found = []
    for row in session.execute(statement):
        names = dict(zip(keep, row, strict=False))
        day, currency, minor = row[len(keep) :]
        found.append(
            DayAmount(
                customer_id=names.get("customer", 0),
                vendor=names.get("vendor", ""),
                product=names.get("product", ""),
                day=day,
                amount=Money(int(minor), currency),
            )
        )
    return found


def _parts(lines: Select[*tuple[Any, ...]]) -> Any:
    """Select each line's minor units by day.

    Largest remainder: every day is floored, and the units still missing go to the days with the largest
    fractions.
    Lines without days of their own, and differences of earlier months, stand whole under no day.
    """
    line = StatementLine
    spread = (
        func.unnest(line.days, line.day_basis)
        .table_valued(column("day", Date()), column("basis", Numeric()), name="spread")
        .render_derived()
    )
    units = case(_UNITS, value=line.currency, else_=100)
    exact = cast(spread.c.basis * line.day_factor * units, Numeric)
    has_days = and_(line.corrects.is_(None), func.cardinality(line.days) > 0)
    subject = (line.customer_id, line.vendor, line.product, line.currency)
    days = (
        lines.with_only_columns(line.id, *subject, line.amount_minor, spread.c.day, exact.label("exact"))
        .join(spread, true())
        .where(has_days)
        .subquery("day_exact")
    )
    floor = func.floor(days.c.exact)
    ranked = select(
        days,
        floor.label("floor"),
        (days.c.amount_minor - func.sum(floor).over(partition_by=days.c.id)).label("missing"),
        func.row_number()
        .over(partition_by=days.c.id, order_by=((days.c.exact - floor).desc(), days.c.day))
        .label("rank"),
        func.count().over(partition_by=days.c.id).label("days"),
    ).subquery("day_ranked")
    # What the fractions cannot take goes to one day, so that nothing is ever lost.
    rest = func.greatest(ranked.c.missing - ranked.c.days, 0) + func.least(ranked.c.missing, 0)
    minor = ranked.c.floor + case((ranked.c.rank <= ranked.c.missing, 1), else_=0)
    minor = minor + case((ranked.c.rank == 1, rest), else_=0)
    by_day = select(
        ranked.c.customer_id,
        ranked.c.vendor,
        ranked.c.product,
        ranked.c.currency,
        ranked.c.day,
        minor.label("minor"),
    )
    whole = lines.with_only_columns(
        *subject, cast(null(), Date).label("day"), cast(line.amount_minor, Numeric).label("minor")
    ).where(or_(line.corrects.is_not(None), func.cardinality(line.days) == literal(0)))
    return union_all(by_day, whole)


def consumption(session: Session, *, actor: Actor, selection: Selection) -> list[Consumption]:
    """Give a month by product and day, one for each currency."""
    amounts = amounts_by_day(session, actor=actor, selection=selection, keep=("vendor", "product"))
    currencies = sorted({found.amount.currency for found in amounts})
    return [
        _month([f for f in amounts if f.amount.currency == code], selection.period, code)
        for code in currencies
    ]


def _month(amounts: Sequence[DayAmount], period: Period, currency: str) -> Consumption:
    """Put amounts on the calendar. Usage may lie outside the month it is billed in; its days are shown too."""
    nothing = Money.zero(currency)
    seen = [found.day for found in amounts if found.day]
    first, last = min([*seen, period.start]), max([*seen, period.end - timedelta(days=1)])
    days = tuple(first + timedelta(days=at) for at in range((last - first).days + 1))
    if len(days) > period.days * 2:
        days = tuple(sorted(set(seen)))
    cells: dict[tuple[str, str], dict[date, Money]] = defaultdict(dict)
    corrections = nothing
    for found in amounts:
        if found.day is None:
            corrections += found.amount
            continue
        cells[found.vendor, found.product][found.day] = found.amount
    products = [
        ProductDays(
            vendor=vendor,
            product=product,
            amounts=tuple(of_day.get(day, nothing) for day in days),
            total=sum(of_day.values(), nothing),
        )
        for (vendor, product), of_day in cells.items()
    ]
    products.sort(key=lambda one: (-one.total.minor, one.vendor, one.product))
    return Consumption(
        period=period, currency=currency, days=days, products=tuple(products), corrections=corrections
    )
