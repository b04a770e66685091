"""Rows that other systems bill twice, in the wrong month or not at all: by the commands, from file to statement."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from marketplace.core.actor import Actor
from marketplace.usage.operations import undo_delivery
from tests.conftest import ThrowAwayPostgres
from tests.oracle.commands import Marketplace, fresh_marketplace
from tests.usage.deliveries import csv_text, give, own, record

VENDOR = "cloud"


@pytest.fixture
def marketplace(postgres: ThrowAwayPostgres, tmp_path: Path) -> Iterator[Marketplace]:
    """A reseller and its customer, who owns the accounts of the default rows; cost plus ten percent from October."""
    with fresh_marketplace(postgres, tmp_path) as marketplace:
        firm = {"legal_name": "Firm", "country": "FR", "currency": "EUR"}
        marketplace.import_terms("resellers", [{"reference": "R", **firm}])
        marketplace.import_terms("customers", [{"reference": "C", "reseller": "R", **firm}])
        owned = {"vendor": VENDOR, "customer": "C"}
        marketplace.import_terms("accounts", [{**owned, "account": account} for account in ("0042", "0099")])
        rule = {"hop": "wholesale", "basis": "cost"}
        marketplace.import_terms(
            "rules",
            [
                {**rule, "percent": "100", "valid_until": "2024-10-01"},
                {**rule, "percent": "10", "valid_from": "2024-10-01"},
            ],
        )
        yield marketplace


def focus(**said: str) -> dict[str, str]:
    """A FOCUS row in EUR of the customer's account, but for what is said."""
    return record("focus", **{"BillingCurrency": "EUR", "SubAccountId": "0042", **said})


def billed(marketplace: Marketplace, period: str) -> list[tuple[str, str, str]]:
    """The wholesale lines of a month: what they cost, how many rows made them, and the month they correct."""
    lines = marketplace.lines(period, "wholesale")
    return [(line["amount"], line["source_rows"], line["correction_of"]) for line in lines]


def take_back(marketplace: Marketplace, delivery: int) -> None:
    with marketplace.session() as session:
        undo_delivery(session, actor=Actor.system(), delivery=str(delivery))


def test_a_file_taken_back_while_the_month_is_open_is_not_billed(marketplace: Marketplace) -> None:
    give(marketplace, csv_text([own(cost="4")]), vendor=VENDOR)
    slip = give(
        marketplace,
        csv_text([own(cost="50", meter="m-2")]),
        name="slip.csv",
        vendor=VENDOR,
        options=["--add"],
    )
    marketplace.close("2024-09")

    take_back(marketplace, slip["delivery"])
    marketplace.close("2024-09")

    assert billed(marketplace, "2024-09") == [("8.00", "1", "")]


def test_a_file_taken_back_after_the_close_comes_back_as_a_credit(marketplace: Marketplace) -> None:
    give(marketplace, csv_text([own(cost="4")]), vendor=VENDOR)
    slip = give(
        marketplace,
        csv_text([own(cost="50", meter="m-2")]),
        name="slip.csv",
        vendor=VENDOR,
        options=["--add"],
    )
    marketplace.close("2024-09", "--approve")
    closed = billed(marketplace, "2024-09")

    take_back(marketplace, slip["delivery"])
    marketplace.close("2024-10", "--approve")

    assert billed(marketplace, "2024-09") == closed == [("8.00", "1", ""), ("100.00", "1", "")]
    assert billed(marketplace, "2024-10") == [("-100.00", "-1", "2024-09")]


def test_a_credit_for_an_earlier_month_is_billed_in_its_own_by_the_rule_of_its_day(
    marketplace: Marketplace,
) -> None:
    october = {"BillingPeriodStart": "2024-10-01 00:00:00", "BillingPeriodEnd": "2024-11-01 00:00:00"}
    credit = {"ChargeCategory": "Credit", "ChargePeriodStart": "2024-09-20 00:00:00", "BilledCost": "-3"}
    give(
        marketplace,
        csv_text([focus(BilledCost="7", ListCost="7"), focus(**credit, **october)]),
        vendor=VENDOR,
    )

    marketplace.close("2024-10", "--approve")

    assert billed(marketplace, "2024-09") == [("14.00", "1", "")]
    assert billed(marketplace, "2024-10") == [("-6.00", "1", "")]


def test_a_charge_that_crosses_the_edge_of_a_month_is_billed_once(marketplace: Marketplace) -> None:
    over = {
        "ChargePeriodStart": "2024-09-30 22:00:00",
        "ChargePeriodEnd": "2024-10-02 03:00:00",
        "BilledCost": "7",
    }
    give(marketplace, csv_text([focus(**over)]), vendor=VENDOR)
    give(
        marketplace,
        csv_text([own(account="0099", usage_date="2024-10-05", cost="1")]),
        name="o.csv",
        vendor=VENDOR,
    )

    marketplace.close("2024-10", "--approve")

    (line,) = marketplace.lines("2024-09", "wholesale")
    assert (line["amount"], line["charge_from"], line["charge_until"]) == (
        "14.00",
        "2024-09-30",
        "2024-10-03",
    )
    assert billed(marketplace, "2024-10") == [("1.10", "1", "")]


def test_a_rejected_row_is_no_part_of_any_amount(marketplace: Marketplace) -> None:
    rows = [own(cost="4"), own(cost="1e"), own(cost="6", usage_date="2024-09-31")]

    answer = give(marketplace, csv_text(rows), vendor=VENDOR)
    summary = marketplace.close("2024-09")

    assert [reject["row"] for reject in answer["rejects"]] == [2, 3]
    assert summary["usage_rows"] == 1
    assert billed(marketplace, "2024-09") == [("8.00", "1", "")]


@pytest.mark.parametrize(
    ("hours", "day"),
    [
        (("2024-03-31T01:30:00+01:00", "2024-03-31T03:30:00+02:00"), "2024-03-31"),
        (("2024-10-27T02:30:00+02:00", "2024-10-27T02:30:00+01:00"), "2024-10-27"),
        (("2024-10-26T23:30:00-02:00", "2024-10-27T00:30:00Z"), "2024-10-27"),
    ],
)
def test_hours_around_a_change_of_clocks_are_counted_once_each_on_their_day_in_utc(
    marketplace: Marketplace, hours: tuple[str, ...], day: str
) -> None:
    month = day[:7]
    period = {"BillingPeriodStart": f"{month}-01T00:00:00Z"}
    rows = [focus(ChargePeriodStart=hour, ChargePeriodEnd=hour, BilledCost="1", **period) for hour in hours]

    give(marketplace, csv_text(rows), vendor=VENDOR)
    marketplace.close(month)

    (line,) = marketplace.lines(month, "wholesale")
    assert (line["source_rows"], line["charge_from"], Decimal(line["basis_amount"])) == ("2", day, Decimal(2))


@pytest.mark.parametrize(
    ("cost", "amount"),
    [("123456789012.345", "246913578024.69"), ("0.0000000004", "0.00"), ("0.0025", "0.01")],
)
def test_very_large_and_very_small_amounts_are_exact(
    marketplace: Marketplace, cost: str, amount: str
) -> None:
    give(marketplace, csv_text([own(cost=cost)]), vendor=VENDOR)

    marketplace.close("2024-09")

    (line,) = marketplace.lines("2024-09", "wholesale")
    assert (line["basis_amount"], line["amount"]) == (cost, amount)
