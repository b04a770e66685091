"""Money is whole minor units and a currency; currencies have the decimals of ISO 4217."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.core.column_types import ExactDecimal, UtcDateTime
from marketplace.core.currency import CURRENCIES, UnknownCurrency, minor_units
from marketplace.core.money import MixedCurrencies, Money, total_by_currency

currencies = st.sampled_from(sorted(CURRENCIES))
monies = st.builds(Money, st.integers(-(10**18), 10**18), currencies)


@pytest.mark.parametrize(
    ("currency", "decimals"),
    [
        ("EUR", 2),
        ("JPY", 0),
        ("KRW", 0),
        ("KWD", 3),
        ("BHD", 3),
        ("CLF", 4),
        ("IQD", 3),
        ("LAK", 2),
        ("MGA", 2),
    ],
)
def test_a_currency_has_the_decimals_of_the_standard(currency: str, decimals: int) -> None:
    assert minor_units(currency) == decimals


def test_a_code_the_standard_does_not_know_is_refused() -> None:
    with pytest.raises(UnknownCurrency):
        minor_units("EUX")


@pytest.mark.parametrize(
    ("money", "said"),
    [
        (Money(123456789, "EUR"), "1234567.89 EUR"),
        (Money(-5, "EUR"), "-0.05 EUR"),
        (Money(1250, "JPY"), "1250 JPY"),
        (Money(1250, "KWD"), "1.250 KWD"),
        (Money(0, "KWD"), "0.000 KWD"),
    ],
)
def test_an_amount_is_written_with_its_currencys_decimals(money: Money, said: str) -> None:
    assert str(money) == said


@given(monies)
def test_an_amount_survives_being_written_out(money: Money) -> None:
    assert Money.rounded(money.amount, money.currency) == money


@given(currencies, st.integers(), st.integers())
def test_what_is_added_can_be_taken_away(currency: str, first: int, second: int) -> None:
    one, other = Money(first, currency), Money(second, currency)

    assert one + other - other == one
    assert one - one == Money.zero(currency)


@pytest.mark.parametrize("act", [Money.__add__, Money.__sub__])
def test_currencies_do_not_mix(act: object) -> None:
    assert callable(act)
    with pytest.raises(MixedCurrencies):
        act(Money(1, "EUR"), Money(1, "USD"))


@given(st.lists(monies, max_size=30))
def test_totals_by_currency_hold_everything_once(some: list[Money]) -> None:
    totals = total_by_currency(some)

    assert list(totals) == sorted({money.currency for money in some})
    assert sum(total.minor for total in totals.values()) == sum(money.minor for money in some)


def test_a_float_never_reaches_a_column_of_amounts() -> None:
    with pytest.raises(TypeError, match="never a float"):
        ExactDecimal().process_bind_param(0.1, None)  # type: ignore[arg-type]


def test_an_instant_without_a_zone_never_reaches_a_column() -> None:
    from datetime import datetime

    with pytest.raises(TypeError, match="time zone"):
        UtcDateTime().process_bind_param(datetime(2024, 9, 1), None)  # type: ignore[arg-type]  # noqa: DTZ001


def test_amounts_are_exact_however_many_digits_they_have() -> None:
    assert ExactDecimal().process_bind_param(Decimal("0.1234567890123456789"), None) == Decimal(  # type: ignore[arg-type]
        "0.1234567890123456789"
    )
