"""Reading what people typed, in a file or a form: a text in, a value out, or the reason why not.

Forms pass the same texts through the same functions as files; only they allow a comma for the decimal point.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TypeVar

from marketplace.core.country import is_country, meant_instead_of
from marketplace.core.currency import is_currency
from marketplace.core.errors import N_, FaultyRow, Phrase, Refusal
from marketplace.core.period import NotAPeriod, Period

T = TypeVar("T")

#: Far more than any price needs, and little enough for products of several numbers to stay exact.
MOST_INTEGER_DIGITS = 20
MOST_DECIMALS = 30

_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_EMAIL = re.compile(r"[^\s@,;:<>()\[\]\\\"]+@[^\s@.,;:<>()\[\]\\\"]+(\.[^\s@.,;:<>()\[\]\\\"]+)+")
_LONGEST_EMAIL = 254


class Unusable(ValueError):
    """A text is not what its place needs."""

    def __init__(self, reason: Phrase) -> None:
        """Keep the reason as it will be said."""
        super().__init__(reason)
        self.reason = reason


class FaultyEntry(Refusal):
    """Some of the fields that were typed cannot be used; `rows` names each."""

    sentence = N_("Nothing was saved. %(column)s “%(value)s”: %(reason)s")

    @classmethod
    def of(cls, *faults: tuple[str, str, Phrase]) -> "FaultyEntry":
        """Make it from (column, value, reason) of each fault."""
        rows = [
            FaultyRow(file="", row=0, column=column, value=value, reason=reason)
            for column, value, reason in faults
        ]
        column, value, reason = faults[0]
        return cls(rows, column=column, value=value, reason=reason)


class Entry:
    """The cells of one row or form, read one by one; faults are collected so that all can be told at once."""

    def __init__(self, cells: Mapping[str, str]) -> None:
        """Take the texts by column name. A column that is not there is blank."""
        self._cells = cells
        self._faults: list[tuple[str, str, Phrase]] = []

    def text(self, column: str) -> str:
        """Give the text of a cell without the spaces around it."""
        return self._cells.get(column, "").strip()

    def take(self, column: str, read: Callable[[str], T], default: T) -> T:
        """Read a cell; where it is unusable, note why and give the default."""
        try:
            return read(self.text(column))
        except Unusable as unusable:
            self.fault(column, unusable.reason)
            return default

    def fault(self, column: str, reason: Phrase) -> None:
        """Note that a cell cannot be used."""
        self._faults.append((column, self.text(column), reason))

    @property
    def is_faulty(self) -> bool:
        """Whether anything was noted."""
        return bool(self._faults)

    @property
    def faults(self) -> Sequence[tuple[str, str, Phrase]]:
        """What was noted, as (column, value, reason)."""
        return self._faults

    def check(self) -> None:
        """Raise `FaultyEntry` if anything was noted."""
        if self._faults:
            raise FaultyEntry.of(*self._faults)


def filled(text: str) -> str:
    """Read a text that must not be blank."""
    if not text:
        raise Unusable(Phrase.of(N_("must not be blank")))
    return text


def day_or_open(text: str) -> date | None:
    """Read a day as 2024-09-01; blank is an open end."""
    if not text:
        return None
    try:
        # Python also reads 20240901 and 2024-W36-1, which nobody means.
        day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None:
        raise Unusable(Phrase.of(N_("is not a day: write 2024-09-01, or leave it blank for no end")))
    return day


def decimal_number(text: str) -> Decimal:
    """Read an exact number with a dot for the decimal point, such as -12.5 or 0.0000001."""
    if not _DECIMAL.fullmatch(text):
        raise Unusable(Phrase.of(N_("is not a number: write digits and a decimal point, such as 12.5")))
    number = Decimal(text)
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or -exponent > MOST_DECIMALS or number.adjusted() >= MOST_INTEGER_DIGITS:
        raise Unusable(
            Phrase.of(
                N_(
                    "has too many digits: at most %(digits)s before the decimal point and %(decimals)s after it"
                ),
                digits=MOST_INTEGER_DIGITS,
                decimals=MOST_DECIMALS,
            )
        )
    return number


def with_decimal_comma(text: str) -> str:
    """Let people type 12,5 and 12.5 % in forms. A text with both comma and dot is left alone: it is ambiguous."""
    bare = text.strip().removesuffix("%").replace("\u00a0", "").replace("\u202f", "").replace(" ", "")
    return bare if "." in bare else bare.replace(",", ".")


def currency_code(text: str) -> str:
    """Read the code of a currency."""
    code = text.upper()
    if not is_currency(code):
        raise Unusable(Phrase.of(N_("is not a currency of ISO 4217, such as EUR")))
    return code


def country_code(text: str) -> str:
    """Read the two letters of a country."""
    code = text.upper()
    if meant := meant_instead_of(code):
        raise Unusable(Phrase.of(N_("is not a country of ISO 3166: write %(code)s"), code=meant))
    if not is_country(code):
        raise Unusable(Phrase.of(N_("is not a country of ISO 3166: write two letters, such as FR")))
    return code


def email_or_blank(text: str) -> str:
    """Read an e-mail address; only its form is looked at."""
    if text and (len(text) > _LONGEST_EMAIL or ".." in text or not _EMAIL.fullmatch(text)):
        raise Unusable(Phrase.of(N_("is not an e-mail address, such as billing@example.com")))
    return text


def month(text: str) -> Period:
    """Read a month as 2024-09."""
    try:
        return Period.parse(text)
    except NotAPeriod:
        raise Unusable(
            Phrase.of(N_("is not a month: write the year and the month, such as 2024-09"))
        ) from None
