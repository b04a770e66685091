"""How values look in the reader's language: the only place where those of a page become text."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import wraps
from typing import Any, Literal

from babel import Locale
from babel.dates import format_skeleton, format_timedelta
from babel.numbers import format_decimal
from flask import Flask
from flask_babel import format_datetime, get_locale, gettext, ngettext
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from catalog.rules.metered import is_metered
from marketplace.core import written
from marketplace.core.actor import Machine
from marketplace.core.clock import utc_now
from marketplace.core.errors import Phrase, Refusal
from marketplace.core.money import Money
from marketplace.core.period import DateRange, Period
from marketplace.core.vendor_names import name_of

_MACHINES = frozenset(map(str, Machine))
DASH = "\u2013"
TIMES = "\u00d7\u00a0"
_KILO = 1024
_NO_OTHER_UNIT = 10**9
# From how many minutes left on they are counted in which unit, and the minutes of that unit.
_LEFT: tuple[tuple[int, Literal["day", "hour", "minute"], int], ...] = (
    (3 * 24 * 60, "day", 24 * 60),
    (60, "hour", 60),
    (0, "minute", 1),
)


def _here() -> Locale:
    return get_locale() or Locale("en")


def money(value: Money, *, sign: bool = False) -> str:
    """Write an amount with its currency: `1 234,56 €`, `−12.00 US$`. With `sign`, a plus before gains."""
    text = written.money(value, _here())
    return f"+{text}" if sign and value.minor > 0 else text


def exact_money(value: Decimal, currency: str) -> str:
    """Write an exact amount, every decimal that carries something and never fewer than the currency has."""
    return written.exact_money(value, currency, _here())


def quantity(value: Decimal | int, unit: str = "") -> str:
    """Write an exact number, with its unit where it has one."""
    text = written.number(value, _here())
    # A unit of several, such as "1 Hour" or "10K Transactions", would read like a second number.
    return f"{text}\u00a0{TIMES if unit[:1].isdigit() else ''}{unit}" if unit else text


def count(value: int) -> str:
    """Write a whole number with the language's separators."""
    return written.number(value, _here())


def percent(value: Decimal, *, sign: bool = False) -> str:
    """Write a percentage given in percent (`12.5`), exactly: `12,5 %`."""
    locale = _here()
    text = written.number(value, locale)
    text = f"+{text}" if sign and value > 0 else text
    return f"{text}\u202f%" if locale.language == "fr" else f"{text}%"


def country(code: str) -> str:
    """Name a country by its code: `France`."""
    return _here().territories.get(code, code)


def day(value: date) -> str:
    """Write a day: `14 Sept 2024`."""
    return written.day(value, _here())


def moment(value: datetime) -> str:
    """Write an instant, in the zone people work in: `14 Sept 2024, 09:30`."""
    return str(format_datetime(value if value.tzinfo else value.replace(tzinfo=UTC), "d MMM y, HH:mm"))


def moment_there(value: datetime) -> str:
    """Write an instant with the name of its zone, for what ends at that instant: `14 Sept 2024, 09:30 CEST`."""
    return str(format_datetime(value, "d MMM y, HH:mm z"))


def is_ahead(value: datetime) -> bool:
    """Whether an instant is still to come."""
    return utc_now() < value


def time_left(value: datetime) -> str:
    """Write how long it is until an instant, never more than there is: `in 5 hours`; once it is past, `over`.

    `static/js/deadlines.js` writes the same each minute.
    """
    minutes = int((value - utc_now()).total_seconds() // 60)
    if minutes < 0:
        return gettext("over")
    unit, whole = next((unit, whole) for least, unit, whole in _LEFT if minutes >= least)
    return format_timedelta(
        timedelta(minutes=minutes // whole * whole),
        granularity=unit,
        threshold=_NO_OTHER_UNIT,
        add_direction=True,
        locale=_here(),
    )


def period(value: Period | int | str) -> str:
    """Write a month as it stands in a sentence: `September 2024`, `septembre 2024`. Takes a `Period`, 202409 or `2024-09`."""
    if isinstance(value, int):
        value = Period.from_number(value)
    elif isinstance(value, str):
        value = Period.parse(value)
    return written.period(value, _here())


def short_period(value: Period) -> str:
    """Write a month where there is little room: `Sep 2024`."""
    return str(format_skeleton("yMMM", datetime(value.year, value.month, 1, tzinfo=UTC), locale=_here()))


def days(value: DateRange) -> str:
    """Write a span of days whose end is exclusive as people say it: first to last day."""
    if value.start is None and value.end is None:
        return gettext("always")
    if value.end is None:
        return gettext("from %(start)s", start=day(value.start)) if value.start else gettext("always")
    last = day(date.fromordinal(value.end.toordinal() - 1))
    if value.start is None:
        return gettext("until %(last)s", last=last)
    return gettext("%(start)s to %(last)s", start=day(value.start), last=last)


def duration(seconds: float) -> str:
    """Write how long something took, as coarsely as people care."""
    whole = round(seconds)
    if whole < 60:  # noqa: PLR2004 - seconds of a minute
        return gettext("%(count)s s", count=count(whole))
    return gettext("%(minutes)s min %(seconds)s s", minutes=count(whole // 60), seconds=f"{whole % 60:02d}")


def size(number: int) -> str:
    """Write a file size."""
    value = Decimal(number)
    for unit in ("B", "KB", "MB", "GB"):
        if value < _KILO or unit == "GB":
            text = format_decimal(value.quantize(Decimal("0.1")) if unit != "B" else value, locale=_here())
            return f"{text}\u00a0{unit.replace('B', 'o') if _here().language == 'fr' else unit}"
        value /= _KILO
    raise AssertionError


def sentence(refusal: Refusal) -> str:
    """Say a refusal in the reader's language, its facts written as people read them."""
    return said(refusal.phrase)


def named(name: str) -> str:
    """Say who did something: a machine in the reader's language, people as they are called."""
    return gettext(name) if name in _MACHINES else name


def said(value: object) -> str:
    """Write any fact as the reader's language writes its kind."""
    match value:
        case Phrase():
            return value.said_with(gettext, said)
        case Money():
            return money(value)
        case Period():
            return period(value)
        case DateRange():
            return days(value)
        case datetime():
            return moment(value)
        case date():
            return day(value)
        case Decimal():
            return quantity(value)
        case bool():
            return gettext("yes") if value else gettext("no")
        case int():
            return count(value)
        case None:
            return DASH
        case _:
            return str(value)


def lines(text: str) -> Markup:
    """Keep line breaks of written text, and nothing else of it."""
    return Markup("<br>").join(escape(line) for line in re.split(r"\r?\n", text))


def _late(write: Callable[..., Any]) -> Callable[..., Any]:
    """Keep Jinja from filtering constants when it compiles a template: the language is known only on request."""

    @pass_context
    @wraps(write)
    def written(_context: Context, *args: Any, **kwargs: Any) -> Any:
        return write(*args, **kwargs)

    return written


def vendor(key: str) -> str:
    """Give a vendor's own name where it is known."""
    return name_of(key)


def scope(about: Any) -> str:
    """Say what of the catalogue a price rule is about, parties aside."""
    named = filter(
        None, (about.vendor and name_of(about.vendor), about.product, about.sku, about.subscription)
    )
    return " · ".join(named) or gettext("Everything")


def init_filters(app: Flask) -> None:
    """Make the filters known to templates."""
    filters: dict[str, Any] = {
        "money": money,
        "exact_money": exact_money,
        "quantity": quantity,
        "count": count,
        "percent": percent,
        "day": day,
        "days": days,
        "country": country,
        "moment": moment,
        "moment_there": moment_there,
        "time_left": time_left,
        "is_ahead": is_ahead,
        "period": period,
        "short_period": short_period,
        "duration": duration,
        "size": size,
        "sentence": sentence,
        "named": named,
        "said": said,
        "lines": lines,
        "vendor": vendor,
        "scope": scope,
    }
    app.jinja_env.filters.update({name: _late(write) for name, write in filters.items()})
    app.jinja_env.globals.update(Money=Money, gettext=gettext, ngettext=ngettext, is_metered=is_metered)
