"""The vendor's lines beside ours: a table of what differs and what it is called."""

from datetime import date
from decimal import Decimal

import pytest

from catalog.words import Term
from marketplace.subscriptions.rules.changes import ChangeQuantity
from marketplace.subscriptions.rules.comparison import (
    DifferenceKind,
    Line,
    billed_line,
    compare,
    own_line,
    unknown,
)
from marketplace.subscriptions.rules.history import charges
from tests.subscriptions.lives import bought, quoted, then

DAY = date(2026, 9, 18)


def ours(
    cost: str = "100.80", quantity: int = 10, day: date = DAY, currency: str = "EUR", in_full: str = ""
) -> Line:
    return Line(
        "new", day, Decimal(quantity), Decimal(cost), Decimal(cost), Decimal(in_full or cost), currency
    )


def theirs(cost: str = "100.80", quantity: int = 10, day: date = DAY, currency: str = "EUR") -> Line:
    return billed_line("New", day, Decimal(quantity), Decimal(cost), currency)


@pytest.mark.parametrize(
    ("billed", "own", "kinds"),
    [
        ([theirs()], [ours()], []),
        ([theirs("100.795")], [ours()], []),
        ([theirs("110.88", 11)], [ours()], ["quantity"]),
        ([theirs("95.00")], [ours()], ["price"]),
        ([theirs("110.88")], [ours()], ["price"]),
        ([theirs("90.72")], [ours()], ["promotion"]),
        ([theirs("85.68")], [ours()], ["promotion"]),
        # The vendor forgot the promotion that we took off, or took another one off.
        ([theirs("800.00")], [ours("720.00", in_full="800.00")], ["promotion"]),
        ([theirs("760.00")], [ours("720.00", in_full="800.00")], ["promotion"]),
        ([theirs("720.00")], [ours("720.00", in_full="800.00")], []),
        ([theirs("755.55")], [ours("720.00", in_full="800.00")], ["price"]),
        ([theirs(currency="USD")], [ours()], ["currency"]),
        ([theirs(day=date(2026, 9, 19))], [ours()], ["timing"]),
        ([theirs()], [], ["timing"]),
        ([], [ours()], ["timing"]),
        ([theirs(), theirs("50", 5, date(2026, 9, 20))], [ours()], ["timing"]),
    ],
)
def test_a_difference_has_a_name(billed: list[Line], own: list[Line], kinds: list[str]) -> None:
    assert [one.kind.value for one in compare(billed, own)] == kinds


def test_a_difference_says_what_each_side_has() -> None:
    (found,) = compare([theirs("110.88", 11)], [ours()])

    assert (found.billed, found.own, found.billed_quantity, found.own_quantity) == (
        Decimal("110.88"),
        Decimal("100.80"),
        Decimal(11),
        Decimal(10),
    )
    assert (found.charge_type, found.start) == ("new", DAY)


def test_what_is_not_known_here_is_one_difference() -> None:
    found = unknown([theirs(), theirs("50", 5)])

    assert (found.kind, found.billed, found.own) == (DifferenceKind.UNKNOWN, Decimal("150.80"), Decimal(0))


def test_the_vendors_cut_cents_are_no_difference() -> None:
    standing = then(
        bought("2021-06-18 09:00", 10, quoted(Term.P1M, cost="10.08")), ChangeQuantity(12), "2021-06-20 09:00"
    )
    own = [
        own_line(charge, standing.segments[0].charged.price, "EUR") for charge in charges(standing.segments)
    ]
    printed = [
        billed_line("new", date(2021, 6, 18), Decimal(10), Decimal("100.80"), "EUR"),
        billed_line("addQuantity", date(2021, 6, 20), Decimal(10), Decimal("-94.08"), "EUR"),
        billed_line("addQuantity", date(2021, 6, 20), Decimal(12), Decimal("112.89"), "EUR"),
    ]

    assert compare(printed, own) == []
