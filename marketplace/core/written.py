"""How amounts, numbers and days look in a language, on pages and in mails alike.

Minus is U+2212, not a hyphen, so that it is as wide as a digit and read as "minus". No currency is ever left out.
"""

import re
from datetime import UTC, date, datetime
from decimal import Decimal, localcontext

from babel import Locale
from babel.dates import format_date, format_datetime, format_skeleton
from babel.numbers import NumberPattern, format_decimal, parse_pattern

from marketplace.core.currency import minor_units
from marketplace.core.money import Money
from marketplace.core.period import Period

MINUS = "\u2212"
_DIGITS = 200  # far more than any exact amount has, so that writing it never rounds
_LETTER_BEFORE_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)")


def with_minus(text: str) -> str:
    """Write a number's hyphen as a minus."""
    return text.replace("-", MINUS, 1)


def money(value: Money, locale: Locale) -> str:
    """Write an amount with its currency: `1 234,56 €`, `−12.00 US$`."""
    decimals = minor_units(value.currency)
    return _in_currency(value.amount, value.currency, locale, least=decimals, most=decimals)


def exact_money(value: Decimal, currency: str, locale: Locale) -> str:
    """Write an exact amount, every decimal that carries something and never fewer than the currency has."""
    least = minor_units(currency)
    return _in_currency(value, currency, locale, least=least, most=max(least, _decimals(value)))


def _in_currency(value: Decimal, currency: str, locale: Locale, *, least: int, most: int) -> str:
    pattern: NumberPattern = parse_pattern(locale.currency_formats["standard"].pattern)
    pattern.frac_prec = (least, most)
    with localcontext(prec=_DIGITS):
        text = pattern.apply(value, locale, currency=currency, currency_digits=False)
    # A currency's letters part from its digits, as CLDR asks: `KWD 1.250`, but `€1.25`.
    return with_minus(_LETTER_BEFORE_DIGIT.sub("\u00a0", text))


def _decimals(value: Decimal) -> int:
    """Give the number of decimals that carry something."""
    with localcontext(prec=_DIGITS):
        exponent = value.normalize().as_tuple().exponent
    return -exponent if isinstance(exponent, int) and exponent < 0 else 0


def number(value: Decimal | int, locale: Locale) -> str:
    """Write an exact number."""
    with localcontext(prec=_DIGITS):
        return with_minus(format_decimal(value, locale=locale, decimal_quantization=False))


def day(value: date, locale: Locale) -> str:
    """Write a day: `14 Sept 2024`."""
    return format_date(value, "d MMM y", locale=locale)


def period(value: Period, locale: Locale) -> str:
    """Write a month as it stands in a sentence: `September 2024`, `septembre 2024`."""
    return str(format_skeleton("yMMMM", datetime(value.year, value.month, 1, tzinfo=UTC), locale=locale))


def fact(value: object, locale: Locale) -> str:
    """Write a fact of a sentence where no page is, as in a mail; instants in universal time."""
    match value:
        case Money():
            return money(value, locale)
        case Period():
            return period(value, locale)
        case datetime():
            return f"{format_datetime(value.astimezone(UTC), 'd MMM y, HH:mm', locale=locale)} UTC"
        case date():
            return day(value, locale)
        case bool():
            return str(value)
        case int() | Decimal():
            return number(value, locale)
        case _:
            return str(value)
