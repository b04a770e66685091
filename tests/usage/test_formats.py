"""What each column of each format means in the lake."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.oracle.commands import Marketplace
from tests.usage.deliveries import csv_text, give, json_lines, lake_rows, record

_SHOWN = (
    "billing_account, account, subscription, product, sku, meter, unit, charge_category, charge_type, usage_date, "
    "charge_from, charge_until, quantity, cost, currency, list_unit_price, list_fx, list_cost, is_committed, "
    "provider, invoice, file_kind"
)


def row_in_lake(desk: Marketplace, kind: str, **said: str) -> dict[str, Any]:
    """Import one row and give it as the lake has it."""
    told = {"period": "2024-09"} if kind == "reconciliation" else {}
    answer = give(desk, csv_text([record(kind, **said)]), **told)
    assert answer["files"][0]["format"] == kind
    (row,) = lake_rows(desk, answer, _SHOWN)
    return dict(zip(_SHOWN.split(", "), row, strict=True))


def test_the_own_form(desk: Marketplace) -> None:
    row = row_in_lake(desk, "own")

    assert row == {
        "billing_account": "",
        "account": "0042",
        "subscription": "",
        "product": "Blob storage",
        "sku": "S1",
        "meter": "m-1",
        "unit": "GB",
        "charge_category": "Usage",
        "charge_type": "",
        "usage_date": date(2024, 9, 15),
        "charge_from": date(2024, 9, 15),
        "charge_until": date(2024, 9, 16),
        "quantity": Decimal(10),
        "cost": Decimal(4),
        "currency": "EUR",
        "list_unit_price": Decimal("0.5"),
        "list_fx": None,
        "list_cost": None,
        "is_committed": False,
        "provider": "",
        "invoice": "",
        "file_kind": "own",
    }


def test_focus(desk: Marketplace) -> None:
    row = row_in_lake(desk, "focus", ChargeClass="Correction")

    assert row == {
        "billing_account": "0099",
        "account": "066362635077",
        "subscription": "",
        "product": "Elastic Load Balancing",
        "sku": "9DEJHBACUYEYMVN8",
        "meter": "9DEJHBACUYEYMVN8.JRTCKXETXF",
        "unit": "GB",
        "charge_category": "Usage",
        "charge_type": "Correction",
        "usage_date": date(2024, 9, 24),
        "charge_from": date(2024, 9, 24),
        "charge_until": date(2024, 9, 25),
        "quantity": Decimal("0.0002355203"),
        "cost": Decimal("1.5"),
        "currency": "USD",
        "list_unit_price": None,
        "list_fx": None,
        "list_cost": Decimal(2),
        "is_committed": False,
        "provider": "AWS",
        "invoice": "",
        "file_kind": "focus",
    }


def test_daily_rated_usage(desk: Marketplace) -> None:
    row = row_in_lake(desk, "daily")

    assert row == {
        "billing_account": "0e195b37-4574-4539-bc42-0e539b9684c0",
        "account": "196e2273-9651-43a3-ba7e-7cbcd918fc40",
        "subscription": "307628f1-d9d2-f09c-ea1f-4183f0cae308",
        "product": "Tables",
        "sku": "DZH318Z0BNZ5:006G",
        "meter": "3fd0c5b5-8a9c-4f7e-9d0e-6c7b4f6d5c11",
        "unit": "1 GB/Month",
        "charge_category": "Usage",
        "charge_type": "New",
        "usage_date": date(2024, 9, 15),
        "charge_from": date(2024, 9, 15),
        "charge_until": date(2024, 9, 16),
        "quantity": Decimal("0.005001"),
        "cost": Decimal("0.0001618"),
        "currency": "EUR",
        "list_unit_price": Decimal("0.045"),
        "list_fx": Decimal("0.846202666"),
        "list_cost": None,
        "is_committed": False,
        "provider": "Microsoft",
        "invoice": "G016907411",
        "file_kind": "daily",
    }


def test_reconciliation(desk: Marketplace) -> None:
    row = row_in_lake(desk, "reconciliation")

    assert row == {
        "billing_account": "0e195b37-4574-4539-bc42-0e539b9684c0",
        "account": "196e2273-9651-43a3-ba7e-7cbcd918fc40",
        "subscription": "9a0c-sub",
        "product": "Microsoft 365 Business Basic",
        "sku": "CFQ7TTC0LH18:0001",
        "meter": "",
        "unit": "Licenses",
        "charge_category": "Purchase",
        "charge_type": "cycleFee",
        "usage_date": date(2024, 8, 28),
        "charge_from": date(2024, 8, 28),
        # The file's end is inclusive.
        "charge_until": date(2024, 9, 28),
        "quantity": Decimal(7),
        "cost": Decimal(35),
        "currency": "EUR",
        "list_unit_price": None,
        "list_fx": None,
        "list_cost": None,
        "is_committed": False,
        "provider": "Microsoft",
        "invoice": "G002297372",
        "file_kind": "reconciliation",
    }


@pytest.mark.parametrize("attributes", ["full", "basic"])
def test_json_lines_say_what_the_daily_csv_says(desk: Marketplace, attributes: str) -> None:
    absent = {
        "full": ["PCToBCExchangeRateDate", "ResellerMPNID"],
        "basic": ["ProductName", "MeterId", "SubscriptionDescription", "MPNID", "Unit", "BenefitId"],
    }[attributes]
    row = record("daily") | dict.fromkeys(absent, "")
    of_csv = give(desk, csv_text([row]))
    sent: dict[str, object] = {name: value or None for name, value in row.items() if name not in absent}
    sent |= {
        "Tier2MpnId": 6048879,
        "Quantity": 0.005001,
        "UsageDate": "2024-09-15T00:00:00Z",
        "ChargeStartDate": "2024-09-01T00:00:00",
        "ChargeEndDate": "2024-10-01T00:00:00.0000000Z",
    }

    answer = give(desk, json_lines([sent]), name="part-00000.json")

    assert answer["files"][0]["format"] == "daily"
    assert lake_rows(desk, answer, _SHOWN) == lake_rows(desk, of_csv, _SHOWN)


def test_the_month_of_daily_usage_is_the_month_it_is_billed_in(desk: Marketplace) -> None:
    answer = give(desk, csv_text([record("daily", UsageDate="8/31/2024")]))

    assert [period["period"] for period in answer["periods"]] == ["2024-09"]


def test_the_month_of_focus_is_its_billing_period_in_utc(desk: Marketplace) -> None:
    row = record(
        "focus", BillingPeriodStart="2024-08-31T22:00:00-05:00", ChargePeriodStart="2024-08-30 00:00:00"
    )

    answer = give(desk, csv_text([row]))

    assert [period["period"] for period in answer["periods"]] == ["2024-09"]


@pytest.mark.parametrize(
    ("said", "column", "value"),
    [
        ({"SubAccountId": "NULL"}, "account", "0099"),
        ({"SubAccountId": " "}, "account", "0099"),
        ({"PricingQuantity": "NULL", "PricingUnit": "NULL"}, "quantity", Decimal(0)),
        ({"ListCost": "NULL"}, "list_cost", None),
        ({"CommitmentDiscountId": "cd-1"}, "is_committed", True),
        ({"ChargePeriodEnd": "2024-09-26T00:00:00Z"}, "charge_until", date(2024, 9, 26)),
        ({"ChargePeriodEnd": "NULL"}, "charge_until", date(2024, 9, 25)),
        ({"ChargePeriodEnd": "9999-12-31T00:00:00Z"}, "charge_until", date(2024, 9, 25)),
        ({"BillingCurrency": " usd "}, "currency", "USD"),
        ({"ChargeCategory": "tax"}, "charge_category", "Tax"),
        ({"ChargeCategory": "USAGE"}, "charge_category", "Usage"),
        ({"ChargeCategory": " Purchase"}, "charge_category", "Purchase"),
        ({"ChargeCategory": "Refund of goodwill"}, "charge_category", "Refund of goodwill"),
        ({"BilledCost": "-0.00000080000"}, "cost", Decimal("-0.0000008")),
        ({"BilledCost": "0.00000000000"}, "cost", Decimal(0)),
    ],
)
def test_a_quirk_of_focus(desk: Marketplace, said: dict[str, str], column: str, value: object) -> None:
    row = row_in_lake(desk, "focus", **said)

    assert row[column] == value


@pytest.mark.parametrize(
    ("said", "column", "value"),
    [
        ({"SkuId": ""}, "sku", "DZH318Z0BNZ5"),
        ({"ProductId": "", "SkuId": ""}, "sku", ""),
        ({"UnitType": ""}, "unit", "1 GB"),
        ({"UnitPrice": "", "PCToBCExchangeRate": ""}, "list_unit_price", None),
        ({"BenefitId": "b-1"}, "is_committed", True),
        ({"BenefitOrderId": "o-1", "BillingPreTaxTotal": "0"}, "is_committed", True),
        ({"ChargeEndDate": "10/1/2024"}, "charge_until", date(2024, 9, 16)),
        ({"ChargeEndDate": "0001-01-01T00:00:00"}, "charge_until", date(2024, 9, 16)),
        ({"BillingPreTaxTotal": "-12.5"}, "cost", Decimal("-12.5")),
        ({"ChargeType": "NEW"}, "charge_type", "NEW"),
    ],
)
def test_a_quirk_of_daily_usage(desk: Marketplace, said: dict[str, str], column: str, value: object) -> None:
    row = row_in_lake(desk, "daily", **said)

    assert row[column] == value


@pytest.mark.parametrize(
    ("said", "category"),
    [
        ({"ChargeType": "customerCredit"}, "Credit"),
        ({"ChargeType": "CustomerCredit"}, "Credit"),
        ({"SubscriptionDescription": "Azure plan", "TermAndBillingCycle": "Data Stored (GB/Month)"}, "Usage"),
        ({"SubscriptionDescription": "azure PLAN", "TermAndBillingCycle": ""}, "Usage"),
        ({"TermAndBillingCycle": "One-Month commitment for monthly billing"}, "Purchase"),
        ({"TermAndBillingCycle": "Reservation, 3 years"}, "Purchase"),
        ({"TermAndBillingCycle": "", "ChargeEndDate": "0001-01-01"}, "Purchase"),
        ({"PublisherName": "Contoso", "PublisherId": "12345"}, "Purchase"),
    ],
)
def test_what_a_line_of_the_bill_sells(desk: Marketplace, said: dict[str, str], category: str) -> None:
    row = row_in_lake(desk, "reconciliation", **said)

    assert row["charge_category"] == category


@pytest.mark.parametrize(
    ("said", "column", "value"),
    [
        ({"BillableQuantity": ""}, "quantity", Decimal(7)),
        ({"ChargeStartDate": "0001-01-01T00:00:00"}, "usage_date", date(2024, 8, 3)),
        ({"ChargeEndDate": ""}, "charge_until", date(2024, 8, 29)),
        ({"ChargeEndDate": "9999-12-31"}, "charge_until", date(2024, 8, 29)),
        ({"Subtotal": "-35", "BillableQuantity": "-7"}, "cost", Decimal(-35)),
    ],
)
def test_a_quirk_of_reconciliation(
    desk: Marketplace, said: dict[str, str], column: str, value: object
) -> None:
    row = row_in_lake(desk, "reconciliation", **said)

    assert row[column] == value


def test_a_told_billing_account_goes_before_the_files(desk: Marketplace) -> None:
    answer = give(desk, csv_text([record("focus")]), billing_account="BA-1")

    assert lake_rows(desk, answer, "billing_account, account") == [("BA-1", "066362635077")]
