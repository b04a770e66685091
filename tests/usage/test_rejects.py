"""Every row is accepted or rejected; a rejected one says where it stands, what is wrong, and why."""

from decimal import Decimal

import pytest

from marketplace.usage.lake import Lake, rejected_rows, rejects_path
from tests.oracle.commands import Marketplace
from tests.usage.deliveries import cost_of, csv_text, give, json_lines, lake_rows, own, record

_NUMBER = "is not a plain number of at most 20 digits before and 18 after the decimal point"
_DAY = "is not a day such as 2024-09-30 or 9/30/2024"
_CURRENCY = "is not a currency code of ISO 4217"
_FIELDS = "has another number of fields than the header"


@pytest.mark.parametrize(
    ("said", "column", "value", "reason"),
    [
        ({"account": ""}, "account", "", "is missing"),
        ({"account": "NULL"}, "account", "", "is missing"),
        ({"account": "  "}, "account", "  ", "is missing"),
        ({"usage_date": ""}, "usage_date", "", "is missing"),
        ({"usage_date": "31/9/2024"}, "usage_date", "31/9/2024", _DAY),
        ({"usage_date": "0001-01-01T00:00:00"}, "usage_date", "0001-01-01T00:00:00", _DAY),
        ({"quantity": ""}, "quantity", "", "is missing"),
        ({"quantity": "n/a"}, "quantity", "n/a", _NUMBER),
        ({"cost": ""}, "cost", "", "is missing"),
        ({"cost": "1,234.56"}, "cost", "1,234.56", _NUMBER),
        ({"cost": "1.234,56"}, "cost", "1.234,56", _NUMBER),
        ({"cost": "$5"}, "cost", "$5", _NUMBER),
        ({"cost": "0.0000000000000000001"}, "cost", "0.0000000000000000001", _NUMBER),
        ({"cost": "100000000000000000000"}, "cost", "100000000000000000000", _NUMBER),
        ({"cost": "NaN"}, "cost", "NaN", _NUMBER),
        ({"list_unit_price": "ask us"}, "list_unit_price", "ask us", _NUMBER),
        ({"currency": ""}, "currency", "", "is missing"),
        ({"currency": "EURO"}, "currency", "EURO", _CURRENCY),
        ({"currency": "XYZ"}, "currency", "XYZ", _CURRENCY),
    ],
)
def test_a_bad_value_rejects_its_row_and_no_other(
    desk: Marketplace, said: dict[str, str], column: str, value: str, reason: str
) -> None:
    rows = [own(cost="1"), own(cost="2") | said, own(cost="4")]

    answer = give(desk, csv_text(rows))

    assert answer["rejects"] == [
        {"file": "usage.csv", "row": 2, "column": column, "value": value, "reason": reason}
    ]
    assert (answer["rows"], answer["accepted"], answer["rejected"]) == (3, 2, 1)
    assert cost_of(answer) == {"2024-09": {"EUR": "5"}}


@pytest.mark.parametrize(
    ("kind", "said", "column"),
    [
        ("focus", {"BillingAccountId": "NULL", "SubAccountId": "NULL"}, "BillingAccountId"),
        ("focus", {"BillingPeriodStart": "NULL"}, "BillingPeriodStart"),
        ("focus", {"ChargePeriodStart": "soon"}, "ChargePeriodStart"),
        ("focus", {"ChargePeriodEnd": "late"}, "ChargePeriodEnd"),
        ("focus", {"ChargeCategory": "NULL"}, "ChargeCategory"),
        ("focus", {"BilledCost": "NULL"}, "BilledCost"),
        ("focus", {"PricingQuantity": "many"}, "PricingQuantity"),
        ("focus", {"ListCost": "$10,000.00 "}, "ListCost"),
        ("focus", {"BillingCurrency": "Token"}, "BillingCurrency"),
        ("daily", {"CustomerId": ""}, "CustomerId"),
        ("daily", {"UsageDate": "15/9/2024"}, "UsageDate"),
        ("daily", {"ChargeStartDate": "0001-01-01T00:00:00"}, "ChargeStartDate"),
        ("daily", {"ChargeEndDate": "end of month"}, "ChargeEndDate"),
        ("daily", {"Quantity": ""}, "Quantity"),
        ("daily", {"BillingPreTaxTotal": "1.0.0"}, "BillingPreTaxTotal"),
        ("daily", {"UnitPrice": "free"}, "UnitPrice"),
        ("daily", {"PCToBCExchangeRate": "1:1"}, "PCToBCExchangeRate"),
        ("daily", {"BillingCurrency": "€"}, "BillingCurrency"),
        ("reconciliation", {"CustomerId": ""}, "CustomerId"),
        ("reconciliation", {"ChargeStartDate": "", "OrderDate": ""}, "ChargeStartDate"),
        ("reconciliation", {"ChargeEndDate": "never"}, "ChargeEndDate"),
        ("reconciliation", {"BillableQuantity": "seven"}, "BillableQuantity"),
        ("reconciliation", {"BillableQuantity": "", "Quantity": ""}, "BillableQuantity"),
        ("reconciliation", {"Subtotal": ""}, "Subtotal"),
        ("reconciliation", {"Currency": "EU"}, "Currency"),
    ],
)
def test_a_bad_value_of_any_format_names_its_column(
    desk: Marketplace, kind: str, said: dict[str, str], column: str
) -> None:
    told = {"period": "2024-09"} if kind == "reconciliation" else {}

    answer = give(desk, csv_text([record(kind), record(kind, **said)]), **told)

    assert [(reject["row"], reject["column"]) for reject in answer["rejects"]] == [(2, column)]


def test_rows_that_differ_in_length_are_rejects_and_the_others_stand(desk: Marketplace) -> None:
    head, *rows = csv_text([own(cost=str(2**n)) for n in range(6)]).splitlines()
    rows[1] += ",surplus"
    rows[3] = "0042,Blob"
    rows[4] = '"an open quotation mark'

    answer = give(desk, "\n".join([head, *rows]))

    assert [(reject["row"], reject["column"], reject["reason"]) for reject in answer["rejects"]] == [
        (2, "(row)", _FIELDS),
        (4, "(row)", _FIELDS),
        (5, "(row)", _FIELDS),
    ]
    assert answer["rejects"][1]["value"] == "0042,Blob"
    assert answer["rows"] == answer["accepted"] + answer["rejected"]
    assert lake_rows(desk, answer, '"row", cost') == [(1, Decimal(1)), (3, Decimal(4)), (6, Decimal(32))]


def test_rejects_of_both_readers_stand_in_the_order_of_the_file(desk: Marketplace) -> None:
    head, *rows = csv_text([own(), own(cost="x"), own(), own(currency="?"), own()]).splitlines()
    rows[0] += ",surplus"
    rows[2] = "short"

    answer = give(desk, "\n".join([head, *rows]))

    assert [reject["row"] for reject in answer["rejects"]] == [1, 2, 3, 4]
    assert answer["accepted"] == 1


def test_a_line_of_json_that_is_no_object_is_a_reject(desk: Marketplace) -> None:
    good: dict[str, object] = dict(record("daily"))
    lines = json_lines([good, good]).splitlines()

    answer = give(desk, "\n".join([lines[0], "", "not json", "[1, 2]", lines[1], lines[1][:-20]]))

    assert [(r["row"], r["column"], r["value"][:8]) for r in answer["rejects"]] == [
        (2, "(row)", "not json"),
        (3, "(row)", "[1, 2]"),
        (5, "(row)", lines[1][:8]),
    ]
    assert answer["accepted"] == 2


def test_rows_of_another_month_than_the_told_one_are_rejects(desk: Marketplace) -> None:
    rows = [own(usage_date="2024-09-30"), own(usage_date="2024-10-01")]

    answer = give(desk, csv_text(rows), period="2024-09")

    assert [(reject["row"], reject["column"], reject["value"]) for reject in answer["rejects"]] == [
        (2, "period", "2024-10")
    ]
    assert cost_of(answer)["2024-09"] == {"EUR": "4"}


def test_rejects_of_several_files_name_theirs(marketplace: Marketplace) -> None:
    first = marketplace.write("own", [own(cost="x"), own()], name="first.csv")
    second = marketplace.write("own", [own(), own(), own(cost="y")], name="second.csv")

    answer = marketplace.deliver(first, second, vendor="microsoft")

    assert [(reject["file"], reject["row"]) for reject in answer["rejects"]] == [
        ("first.csv", 1),
        ("second.csv", 3),
    ]


def test_the_answer_holds_a_hundred_rejects_and_the_lake_all(desk: Marketplace) -> None:
    rows = [own(cost=f"x{number}") for number in range(250)]

    answer = give(desk, csv_text([*rows, own()]))

    assert [reject["row"] for reject in answer["rejects"]] == list(range(1, 101))
    assert answer["rejected"] == 250
    place = rejects_path(delivery_id=answer["delivery"], file_no=1)
    kept = rejected_rows(Lake(str(desk.home / "lake")), [("usage.csv", place)])
    assert [(row.row, row.value) for row in kept] == [(n + 1, f"x{n}") for n in range(250)]


def test_rows_in_are_accepted_plus_rejected_whatever_is_wrong(desk: Marketplace) -> None:
    bad = [own(usage_date="?"), own(account=""), own(cost="?", usage_date="2024-10-01")]

    answer = give(desk, csv_text([own(), *bad, own(usage_date="2024-10-02")]))

    assert sum(period["rows"] for period in answer["periods"]) == 5
    assert sum(period["accepted"] for period in answer["periods"]) == 2
    assert sum(period["rejected"] for period in answer["periods"]) == 3


def test_rejects_of_no_telling_month_are_told_with_the_only_month_of_the_files(desk: Marketplace) -> None:
    answer = give(desk, csv_text([own(), own(usage_date="?")]))

    assert [(p["period"], p["rows"], p["accepted"], p["rejected"]) for p in answer["periods"]] == [
        ("2024-09", 2, 1, 1)
    ]


def test_a_file_of_nothing_but_bad_rows_is_imported_and_counts_nothing(desk: Marketplace) -> None:
    answer = give(desk, csv_text([own(usage_date="?")] * 3))

    assert (answer["rows"], answer["accepted"], answer["rejected"]) == (3, 0, 3)
    assert [(p["period"], p["rejected"]) for p in answer["periods"]] == [(None, 3)]


def test_a_value_of_a_reject_is_shown_as_it_stood(desk: Marketplace) -> None:
    value = '1,5 "net"; or\nso – 100 €' + "x" * 300

    answer = give(desk, csv_text([own(cost=value)]))

    assert answer["rejects"][0]["value"] == value[:200]


def _with_open_quotes(rows: int) -> str:
    """Every tenth row opens a quotation mark that only the next such row could close; every other has a surplus field."""
    lines = ["account,product,sku,meter,usage_date,quantity,unit,list_unit_price,cost,currency"]
    for n in range(rows):
        product = f'"Blob {n}' if n % 10 == 0 else "Blob"
        lines.append(f"{n},{product},S1,m,2024-09-15,1,GB,1,1,EUR{',surplus' if n % 2 else ''}")
    return "\n".join(lines)


def test_a_quotation_mark_left_open_takes_no_other_row_with_it(desk: Marketplace) -> None:
    answer = give(desk, _with_open_quotes(40))

    assert (answer["rows"], answer["accepted"], answer["rejected"]) == (40, 16, 24)
    assert lake_rows(desk, answer, "account") == [str(n) for n in range(40) if n % 2 == 0 and n % 10]
    assert [reject["row"] for reject in answer["rejects"]] == [
        n + 1 for n in range(40) if n % 2 or n % 10 == 0
    ]


def test_a_line_may_be_sloppy_with_its_quotation_marks(desk: Marketplace) -> None:
    text = csv_text([own(cost="1"), own(cost="2")]).replace("Blob storage", '"5" disk"', 1)

    answer = give(desk, text)

    assert (answer["accepted"], cost_of(answer)) == (2, {"2024-09": {"EUR": "3"}})


@pytest.mark.long
def test_quotation_marks_left_open_in_a_large_file_take_no_other_row_with_them(desk: Marketplace) -> None:
    answer = give(desk, _with_open_quotes(1_000_000))

    assert (answer["rows"], answer["accepted"], answer["rejected"]) == (1_000_000, 400_000, 600_000)
