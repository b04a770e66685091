"""What charts are drawn of: values with how they are written. They stay exact."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from marketplace.web import filters as shown

Writer = Callable[[Decimal], str]


def plain(value: Decimal) -> str:
    """Write a value as a number."""
    return shown.quantity(value)


def in_currency(currency: str) -> Writer:
    """Give a writer of exact amounts in a currency."""
    return lambda value: shown.exact_money(value, currency)


@dataclass(frozen=True, kw_only=True)
class Series:
    """One colour of a stacked chart: its name and a value for each label."""

    name: str
    values: Sequence[Decimal]


@dataclass(frozen=True, kw_only=True)
class StackedBars:
    """Stacked bars, one for each label, such as a day. Negative values stack below the axis."""

    title: str
    labels: Sequence[str]
    series: Sequence[Series]
    write: Writer = plain
    label_head: str = ""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of a ranking or a ring: its name, its value, and where it leads."""

    name: str
    value: Decimal
    href: str = ""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Parts to rank or to compare with their whole."""

    title: str
    parts: Sequence[Part]
    write: Writer = plain
    total_label: str = ""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a waterfall: a change, or, with `is_total`, a level drawn from zero."""

    name: str
    value: Decimal
    is_total: bool = False


@dataclass(frozen=True, kw_only=True)
class Waterfall:
    """How one total becomes another, step by step."""

    title: str
    steps: Sequence[Step]
    write: Writer = plain
