"""Graduated prices, with the vendor's own example: 101 units cost 100.80."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.rating.tiers import Step, graduated

D = Decimal
STEPS = [Step(D(0), D(100), D(1)), Step(D(100), D(100000), D("0.80"))]


@pytest.mark.parametrize(
    ("quantity", "price"),
    [("0", "0"), ("1", "1"), ("100", "100"), ("101", "100.80"), ("100.5", "100.40"), ("100000", "80020")],
)
def test_units_of_each_step_have_its_own_price(quantity: str, price: str) -> None:
    assert graduated(D(quantity), STEPS) == D(price)


@pytest.mark.parametrize(
    "steps",
    [
        [Step(D(0), D(10), D(1)), Step(D(11), None, D(1))],
        [Step(D(0), D(10), D(1)), Step(D(9), None, D(1))],
        [Step(D(1), None, D(1))],
        [Step(D(0), D(10), D(1))],
    ],
)
def test_units_that_nobody_priced_are_not_free(steps: list[Step]) -> None:
    with pytest.raises(ValueError, match=r"meet|beyond"):
        graduated(D(11), steps)


@given(st.decimals("0", "100000", places=6), st.decimals("0", "100000", places=6))
def test_more_never_costs_less_and_parts_add_up(one: Decimal, other: Decimal) -> None:
    less, more = sorted((one, other))
    assert graduated(less, STEPS) <= graduated(more, STEPS)
    rest = [
        Step(max(D(0), step.begins - less), None if step.ends is None else step.ends - less, step.unit_price)
        for step in STEPS
        if step.ends is None or step.ends > less
    ]
    assert graduated(less, STEPS) + graduated(more - less, rest) == graduated(more, STEPS)
