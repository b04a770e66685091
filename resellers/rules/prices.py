"""What a price rule charges: a percentage on cost or list price, or a fixed price per unit."""

from dataclasses import dataclass
from decimal import Decimal

from marketplace.core.cells import (
    Entry,
    FaultyEntry,
    Unusable,
    currency_code,
    decimal_number,
    with_decimal_comma,
)
from marketplace.core.errors import N_, Phrase
from resellers.words import Basis

_FREE = Decimal(-100)


@dataclass(frozen=True, kw_only=True, slots=True)
class Price:
    """A price: `fixed` has a unit price and its currency, `cost` and `list` a percentage. Others raise `FaultyEntry`.

    The percentage is in percent of the basis: 12.5 adds an eighth, -10 takes a tenth off.
    """

    basis: Basis
    percent: Decimal | None = None
    unit_price: Decimal | None = None
    currency: str | None = None

    def __post_init__(self) -> None:
        faults = price_faults(
            self.basis,
            has_percent=self.percent is not None,
            has_unit_price=self.unit_price is not None,
            has_currency=bool(self.currency),
        )
        if faults:
            raise FaultyEntry.of(
                *((column, str(getattr(self, column) or ""), reason) for column, reason in faults)
            )


def price_faults(
    basis: Basis, *, has_percent: bool, has_unit_price: bool, has_currency: bool
) -> list[tuple[str, Phrase]]:
    """Say which columns are filled and should not be, or the other way round."""
    faults: list[tuple[str, Phrase]] = []
    if basis is Basis.FIXED:
        if has_percent:
            faults.append(("percent", Phrase.of(N_("must be blank where the basis is fixed"))))
        if not has_unit_price:
            faults.append(("unit_price", Phrase.of(N_("must not be blank where the basis is fixed"))))
        if not has_currency:
            faults.append(("currency", Phrase.of(N_("must not be blank where the basis is fixed"))))
        return faults
    if not has_percent:
        reason = N_("must not be blank where the basis is %(basis)s: write 0 for no change")
        faults.append(("percent", Phrase.of(reason, basis=basis.value)))
    if has_unit_price:
        faults.append(("unit_price", Phrase.of(N_("belongs to the basis fixed alone"))))
    if has_currency:
        faults.append(("currency", Phrase.of(N_("belongs to the basis fixed alone"))))
    return faults


def read_price(entry: Entry, *, allow_comma: bool = False) -> Price:
    """Read the price columns; faults are noted on the entry. Forms allow a comma for the decimal point."""
    ordinary = Price(basis=Basis.COST, percent=Decimal(0))
    basis = entry.take("basis", read_basis, None)

    def number(text: str) -> Decimal | None:
        if not text:
            return None
        return decimal_number(with_decimal_comma(text) if allow_comma else text)

    percent = entry.take("percent", number, None)
    unit_price = entry.take("unit_price", number, None)
    currency = entry.take("currency", _currency_or_none, None)
    if basis is None:
        return ordinary
    faults = price_faults(
        basis,
        has_percent=bool(entry.text("percent")),
        has_unit_price=bool(entry.text("unit_price")),
        has_currency=bool(entry.text("currency")),
    )
    for column, reason in faults:
        entry.fault(column, reason)
    if faults or entry.is_faulty:
        return ordinary
    return Price(basis=basis, percent=percent, unit_price=unit_price, currency=currency)


def _currency_or_none(text: str) -> str | None:
    return currency_code(text) if text else None


def read_basis(text: str) -> Basis | None:
    """Read the word for a basis."""
    try:
        return Basis(text.lower())
    except ValueError:
        raise Unusable(Phrase.of(N_("is not a basis: write cost, list or fixed"))) from None


def price_warning(price: Price) -> tuple[str, Phrase] | None:
    """Say where a price looks mistaken though it can be meant: it would pay the buyer."""
    if price.percent is not None and price.percent < _FREE:
        return "percent", Phrase.of(N_("is below -100: the buyer would be paid"))
    if price.unit_price is not None and price.unit_price < 0:
        return "unit_price", Phrase.of(N_("is negative: the buyer would be paid"))
    return None


def price_words(price: Price) -> Phrase:
    """Say a price: "list -10 %", "cost +12.5 %", "0.05 EUR a unit"."""
    if price.basis is Basis.FIXED:
        return Phrase.of(
            N_("%(price)s %(currency)s a unit"),
            price=plain(price.unit_price or Decimal(0)),
            currency=price.currency,
        )
    percent = price.percent or Decimal(0)
    if not percent:
        return Phrase.of(N_("cost") if price.basis is Basis.COST else N_("list price"))
    signed = f"{'+' if percent > 0 else ''}{plain(percent)}"
    if price.basis is Basis.COST:
        return Phrase.of(N_("cost %(percent)s %%"), percent=signed)
    return Phrase.of(N_("list %(percent)s %%"), percent=signed)


def plain(number: Decimal) -> str:
    """Write a number without exponent or needless zeros."""
    text = format(number, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
