"""What an exchange rate may be: a month, two different currencies, and how many of the second one of the first is."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from marketplace.core.cells import (
    Entry,
    FaultyEntry,
    Unusable,
    currency_code,
    decimal_number,
    month,
    with_decimal_comma,
)
from marketplace.core.errors import N_, Phrase
from marketplace.core.period import Period

FX_COLUMNS = ("month", "from", "to", "rate")

_NO_MONTH = Period(1, 1)


@dataclass(frozen=True, kw_only=True, order=True, slots=True)
class FxPair:
    """What a rate is for."""

    month: Period
    source: str
    target: str

    def __str__(self) -> str:
        return f"{self.month} {self.source} {self.target}"


@dataclass(frozen=True, slots=True)
class FxEntry:
    """A rate: one unit of the source is `rate` of the target. Wrong ones cannot be made: they raise `FaultyEntry`."""

    pair: FxPair
    rate: Decimal

    def __post_init__(self) -> None:
        if self.rate <= 0:
            raise FaultyEntry.of(("rate", str(self.rate), _not_positive()))
        if self.pair.source == self.pair.target:
            raise FaultyEntry.of(("to", self.pair.target, _same_currency()))


def read_fx(cells: Mapping[str, str], *, allow_comma: bool = False) -> FxEntry:
    """Read a rate from a row of a file or from a form. Raises `FaultyEntry` naming every faulty cell."""
    entry = Entry(cells)
    day = entry.take("month", month, _NO_MONTH)
    source = entry.take("from", currency_code, "")
    target = entry.take("to", currency_code, "-")
    if source == target:
        entry.fault("to", _same_currency())

    def rate_of(text: str) -> Decimal:
        number = decimal_number(with_decimal_comma(text) if allow_comma else text)
        if number <= 0:
            raise Unusable(_not_positive())
        return number

    rate = entry.take("rate", rate_of, Decimal(1))
    entry.check()
    return FxEntry(FxPair(month=day, source=source, target=target), rate)


def _not_positive() -> Phrase:
    return Phrase.of(N_("must be more than zero"))


def _same_currency() -> Phrase:
    return Phrase.of(N_("is the same currency: no rate is needed"))
