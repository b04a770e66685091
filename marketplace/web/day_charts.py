"""Charts of what was used: by day and product, and ranked."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from flask_babel import gettext

from marketplace.billing.queries.consumption import Consumption, ProductDays
from marketplace.core.money import Money
from marketplace.web import filters as shown
from marketplace.web.charts import Part, Parts, Series, StackedBars, in_currency

_APART = 5


def day_chart(month: Consumption, *, title: str = "") -> StackedBars:
    """Draw a month: a bar a day, the largest products apart, the others together."""
    apart, others = month.products[:_APART], month.products[_APART:]
    series = [
        Series(name=name_of(product), values=[amount.amount for amount in product.amounts])
        for product in apart
    ]
    if others:
        series.append(Series(name=gettext("Others"), values=_sum(others)))
    return StackedBars(
        title=title or gettext("%(month)s by day", month=shown.period(month.period)),
        labels=[str(day.day) for day in month.days],
        series=series,
        write=in_currency(month.currency),
        label_head=gettext("Day"),
    )


def name_of(product: ProductDays) -> str:
    """Name a product; vendors sometimes leave it blank."""
    return product.product or gettext(
        "Without a product name (%(vendor)s)", vendor=shown.vendor(product.vendor)
    )


def ranking(title: str, parts: Iterable[tuple[str, Money]], *, currency: str) -> Parts:
    """Draw amounts of one currency as bars, the largest first."""
    kept = sorted(
        (
            Part(name=name, value=money.amount)
            for name, money in parts
            if money.currency == currency and money.minor
        ),
        key=lambda part: -part.value,
    )
    return Parts(title=title, parts=kept, write=in_currency(currency))


def _sum(products: Sequence[ProductDays]) -> list[Decimal]:
    return [
        sum((amount.amount for amount in of_day), Decimal(0))
        for of_day in zip(*(product.amounts for product in products), strict=True)
    ]
