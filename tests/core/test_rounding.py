"""Amounts are rounded in one place: half away from zero, and totals shared by largest remainder."""

from decimal import Decimal, Inexact
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.core.rounding import (
    EXACT,
    allot,
    round_half_away,
    round_ratio,
    share,
    to_minor,
    whole_numbers,
    whole_units,
)

exact_amounts = st.decimals(
    min_value=Decimal("-1e12"), max_value=Decimal("1e12"), places=12, allow_nan=False, allow_infinity=False
)
#: Few decimals, so that ties and halves are usual.
coarse_amounts = st.integers(-4000, 4000).map(lambda quarters: Decimal(quarters) / 4)


@pytest.mark.parametrize(
    ("exact", "currency", "minor"),
    [
        ("0.005", "EUR", 1),
        ("-0.005", "EUR", -1),
        ("0.0049999999999999999999999", "EUR", 0),
        ("-0.0049999999999999999999999", "EUR", 0),
        ("2.675", "EUR", 268),
        ("-2.675", "EUR", -268),
        ("0.5", "JPY", 1),
        ("-0.5", "JPY", -1),
        ("1234567.4999", "JPY", 1234567),
        ("0.0005", "KWD", 1),
        ("1.2344", "KWD", 1234),
        ("0.0005", "IQD", 1),
        ("0.005", "LAK", 1),
        ("0.005", "MGA", 1),
        ("0.00005", "CLF", 1),
        ("98765432109876543210.125", "USD", 9876543210987654321013),
        ("0.000000000000000000000000000001", "EUR", 0),
    ],
)
def test_an_amount_is_rounded_half_away_from_zero_to_its_currencys_minor_unit(
    exact: str, currency: str, minor: int
) -> None:
    assert to_minor(Decimal(exact), currency) == minor


@given(exact_amounts, st.integers(0, 6))
def test_rounding_moves_an_amount_by_half_a_unit_at_most(exact: Decimal, decimals: int) -> None:
    moved = abs(Fraction(round_half_away(exact, decimals)) - Fraction(exact))

    assert moved <= Fraction(1, 2 * 10**decimals)


@given(exact_amounts, st.integers(0, 6))
def test_a_credit_is_rounded_as_its_charge(exact: Decimal, decimals: int) -> None:
    assert round_half_away(-exact, decimals) == -round_half_away(exact, decimals)


def test_arithmetic_that_would_lose_a_digit_fails() -> None:
    with pytest.raises(Inexact):
        EXACT.divide(Decimal(1), Decimal(3))


@pytest.mark.parametrize(
    ("exacts", "total", "parts"),
    [
        (["0.5", "0.5"], 1, [1, 0]),
        (["-0.25", "-0.25"], -1, [0, -1]),
        (["1.4", "1.4", "0.2"], 3, [2, 1, 0]),
        (["0.2", "1.4", "1.4"], 3, [0, 2, 1]),
        (["10.5", "-10.5"], 0, [11, -11]),
        (["5", "0.9", "0"], 6, [5, 1, 0]),
        (["0.3", "0.3", "0.3"], 3, [1, 1, 1]),
        (["0.4", "7"], 9, [1, 8]),
        (["0.4", "-7"], -9, [0, -9]),
        ([], 0, []),
    ],
)
def test_a_total_is_shared_by_largest_remainder(exacts: list[str], total: int, parts: list[int]) -> None:
    assert allot([Decimal(exact) for exact in exacts], total) == parts


def test_nothing_shares_a_total_among_nobody() -> None:
    with pytest.raises(ValueError, match="nothing to share"):
        allot([], 1)


amounts = st.lists(st.one_of(exact_amounts, coarse_amounts), min_size=1, max_size=40)


def exact_sum(exacts: list[Decimal]) -> Decimal:
    total = Decimal(0)
    for exact in exacts:
        total = EXACT.add(total, exact)
    return total


@given(amounts)
def test_parts_add_up_to_the_rounded_total(exacts: list[Decimal]) -> None:
    total = int(round_half_away(exact_sum(exacts), 0))

    assert sum(allot(exacts, total)) == total


@given(amounts)
def test_no_part_moves_by_a_whole_unit(exacts: list[Decimal]) -> None:
    parts = allot(exacts, int(round_half_away(exact_sum(exacts), 0)))

    assert all(abs(part - Fraction(exact)) < 1 for part, exact in zip(parts, exacts, strict=True))


@given(amounts)
def test_a_larger_fraction_never_gets_less_than_a_smaller_one(exacts: list[Decimal]) -> None:
    parts = allot(exacts, int(round_half_away(exact_sum(exacts), 0)))

    got = [
        (Fraction(exact) - floor(exact), part - floor(exact))
        for exact, part in zip(exacts, parts, strict=True)
    ]
    raised = [fraction for fraction, more in got if more]
    left = [fraction for fraction, more in got if not more]
    assert not raised or not left or min(raised) >= max(left)


@given(amounts, st.integers(-60, 60))
def test_parts_add_up_even_to_a_total_the_fractions_cannot_take(exacts: list[Decimal], more: int) -> None:
    total = int(exact_sum(exacts)) + more

    assert sum(allot(exacts, total)) == total


@pytest.mark.parametrize(
    ("amount", "divisor", "decimals", "quotient"),
    [
        ("1", 3, 4, "0.3333"),
        ("2", 3, 4, "0.6667"),
        ("-1", 8, 2, "-0.13"),
        ("1", 8, 2, "0.13"),
        ("10.08", 12, 18, "0.840000000000000000"),
    ],
)
def test_a_quotient_is_rounded_half_away_from_zero(
    amount: str, divisor: int, decimals: int, quotient: str
) -> None:
    assert str(round_ratio(Decimal(amount), divisor, decimals)) == quotient


@given(st.lists(coarse_amounts, max_size=20))
def test_whole_numbers_are_the_decimals_of_one_scale(amounts: list[Decimal]) -> None:
    numbers, decimals = whole_numbers(amounts)

    assert [Fraction(number, 10**decimals) for number in numbers] == list(map(Fraction, amounts))


@given(exact_amounts, st.integers(0, 6))
def test_whole_numbers_are_rounded_as_decimals_are(exact: Decimal, decimals: int) -> None:
    number = int(exact.scaleb(12))

    rounded = round_half_away(exact, decimals).scaleb(decimals)
    assert whole_units(number, 10 ** (12 - decimals)) == rounded


def test_whole_numbers_are_shared_by_largest_remainder() -> None:
    assert share([-15, 25, 38], 10, 5) == [-1, 2, 4]
    assert share([15, 15, 15], 10, 5) == [2, 2, 1]
