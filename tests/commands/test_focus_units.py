"""Vendors' units as FOCUS writes units: the same words, in one of its forms."""

import pytest

from marketplace.documents.focus import focus_unit


@pytest.mark.parametrize(
    "unit", ["GB", "API Requests", "1000 Requests", "GB-Months", "Units/Month", "Units/3 Months"]
)
def test_a_unit_in_one_of_the_forms_is_left_alone(unit: str) -> None:
    assert focus_unit(unit) == unit


@pytest.mark.parametrize(
    ("unit", "written"),
    [
        ("Lambda-GB-Seconds", "Lambda GB-Seconds"),
        ("GiB/Second-Months", "GiB Second-Months"),
        ("1 GB/Month", "1 GB Month"),
        ("10K", "10 K"),
        ("-Hours", "Hours"),
        ("1/10 Hours", "Units"),
        ("時間", "Units"),
        ("", "Units"),
    ],
)
def test_another_unit_keeps_the_words_that_can_be_kept(unit: str, written: str) -> None:
    assert focus_unit(unit) == written
