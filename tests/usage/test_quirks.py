"""What real files do, and must survive: how they are written, and in what shape they arrive."""

import gzip
from collections.abc import Callable
from decimal import Decimal

import pytest

from tests.oracle.commands import Marketplace
from tests.usage.deliveries import Record, cost_of, csv_text, give, json_lines, lake_rows, own, record

_ROWS: list[Record] = [
    own(account="0042", product="Stockage “chaud”, 1re", cost="1.10"),
    own(account="00042", product="Virtual\nMachines", cost="2.20"),
    own(account="acc-1", product='5" disk', cost="-0.30"),
]


def _typographic(text: str) -> str:
    head, _, rows = text.partition("\n")
    return ",".join(f"“{name}”" for name in head.split(",")) + "\n" + rows


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda text: text, id="as it is"),
        pytest.param(lambda text: "\ufeff" + text, id="byte-order mark"),
        pytest.param(lambda text: text.rstrip("\n"), id="no end of line at the end"),
        pytest.param(lambda text: text.replace("\n", "\n\n", 1), id="blank line after the header"),
        pytest.param(lambda text: text + "\n\n", id="blank lines at the end"),
        pytest.param(lambda text: "\n" + text, id="blank line before the header"),
        pytest.param(lambda text: "sep=,\n" + text, id="a hint for spreadsheets"),
        pytest.param(_typographic, id="typographic quotation marks around names"),
        pytest.param(lambda text: text.upper().partition("\n")[0] + text[text.index("\n") :], id="NAMES"),
        pytest.param(lambda text: text.encode("utf-16"), id="UTF-16 with mark"),
        pytest.param(lambda text: text.encode("utf-16-le"), id="UTF-16 without mark"),
        pytest.param(lambda text: text.encode("utf-16-be"), id="UTF-16 big-endian without mark"),
        pytest.param(lambda text: text.encode("cp1252"), id="Windows' western encoding"),
        pytest.param(lambda text: gzip.compress(text.encode()), id="gzip"),
        pytest.param(lambda text: gzip.compress(text.encode("utf-16")), id="gzip of UTF-16"),
        pytest.param(lambda text: gzip.compress(text.encode("cp1252")), id="gzip of Windows' western"),
        pytest.param(
            lambda text: gzip.compress(text[:100].encode()) + gzip.compress(text[100:].encode()),
            id="gzip in members",
        ),
    ],
)
def test_the_same_rows_are_read_however_the_text_is_written(
    desk: Marketplace, write: Callable[[str], str | bytes]
) -> None:
    answer = give(desk, write(csv_text(_ROWS)))

    assert lake_rows(desk, answer, '"row", account, product, cost') == [
        (1, "0042", "Stockage “chaud”, 1re", Decimal("1.1")),
        (2, "00042", "Virtual\nMachines", Decimal("2.2")),
        (3, "acc-1", '5" disk', Decimal("-0.3")),
    ]
    assert cost_of(answer) == {"2024-09": {"EUR": "3"}}


@pytest.mark.parametrize(
    "form",
    [
        pytest.param({"lineterminator": "\r\n"}, id="CRLF"),
        pytest.param({"quoting": 1, "lineterminator": "\r"}, id="everything quoted, CR"),
        pytest.param({"delimiter": ";"}, id="semicolons"),
        pytest.param({"delimiter": "\t"}, id="tabs"),
        pytest.param({"delimiter": "|"}, id="bars"),
        pytest.param({"quoting": 1}, id="everything quoted"),
        pytest.param({"quoting": 1, "lineterminator": "\r\n"}, id="everything quoted, CRLF"),
    ],
)
def test_the_same_rows_are_read_in_any_dialect(desk: Marketplace, form: dict[str, str]) -> None:
    answer = give(desk, csv_text(_ROWS, **form))

    assert lake_rows(desk, answer, '"row", account, product') == [
        (1, "0042", "Stockage “chaud”, 1re"),
        (2, "00042", "Virtual\nMachines"),
        (3, "acc-1", '5" disk'),
    ]
    assert cost_of(answer) == {"2024-09": {"EUR": "3"}}


def test_line_ends_may_be_mixed(desk: Marketplace) -> None:
    text = csv_text(_ROWS, lineterminator="\r\n").replace("EUR\r\n00042", "EUR\n00042")

    answer = give(desk, text)

    assert answer["accepted"] == 3
    assert cost_of(answer) == {"2024-09": {"EUR": "3"}}


def test_zero_bytes_are_left_out_and_said(desk: Marketplace) -> None:
    text = csv_text([own(product="Blob\x00 storage", cost="5")])

    answer = give(desk, text)

    assert lake_rows(desk, answer, "product, cost") == [("Blob storage", Decimal(5))]
    assert answer["notes"] == ["usage.csv: The file contains zero bytes; they were left out."]


def test_another_encoding_is_said(desk: Marketplace) -> None:
    answer = give(desk, csv_text([own(product="Hébergé")]).encode("latin-1"))

    assert lake_rows(desk, answer, "product") == ["Hébergé"]
    assert answer["notes"] == ["usage.csv: The file is not UTF-8; it was read as cp1252."]


@pytest.mark.parametrize("kind", ["own", "focus", "daily", "reconciliation"])
def test_columns_may_stand_in_any_order(desk: Marketplace, kind: str) -> None:
    row = record(kind)
    told = {"period": "2024-09"} if kind == "reconciliation" else {}
    published = give(desk, csv_text([row]), **told)

    answer = give(desk, csv_text([row], columns=sorted(row, reverse=True)), **told)

    assert lake_rows(desk, answer) == lake_rows(desk, published)


@pytest.mark.parametrize("change", [str.lower, str.swapcase])
@pytest.mark.parametrize("kind", ["own", "focus", "daily", "reconciliation"])
def test_names_of_columns_may_be_in_any_case(
    desk: Marketplace, kind: str, change: Callable[[str], str]
) -> None:
    row = record(kind)
    told = {"period": "2024-09"} if kind == "reconciliation" else {}
    published = give(desk, csv_text([row]), **told)

    answer = give(desk, csv_text([{change(name): row[name] for name in row}]), **told)

    assert lake_rows(desk, answer) == lake_rows(desk, published)


def test_null_in_words_is_nothing(desk: Marketplace) -> None:
    head, row = csv_text(
        [record("focus", SkuId="*", ListCost="*", ChargeClass="*", SubAccountId="*")]
    ).splitlines()
    ways = ["", "NULL", "null", '""', '"NULL"']

    answer = give(desk, "\n".join([head, *(row.replace("*", nothing) for nothing in ways)]))

    assert lake_rows(desk, answer, "sku, list_cost, charge_type, account") == [("", None, "", "0099")] * 5


def test_a_value_that_holds_the_word_null_is_kept(desk: Marketplace) -> None:
    answer = give(desk, csv_text([own(product="NULL island", sku="nullable")]))

    assert lake_rows(desk, answer, "product, sku") == [("NULL island", "nullable")]


def test_identifiers_keep_leading_zeros_and_many_digits(desk: Marketplace) -> None:
    row = own(account="000123456789012345678901234567890", sku="0001", meter="1e5", product="007.50")

    answer = give(desk, csv_text([row]))

    assert lake_rows(desk, answer, "account, sku, meter, product") == [
        ("000123456789012345678901234567890", "0001", "1e5", "007.50")
    ]


def test_a_file_of_two_hundred_columns_is_read(desk: Marketplace) -> None:
    extra = {f"tag {number}": f"value {number}, «quoted»\n{number}" for number in range(190)}
    rows = [{**extra, **own(cost=cost)} for cost in ("0.1", "0.2")]

    answer = give(desk, csv_text(rows))

    assert (answer["accepted"], cost_of(answer)) == (2, {"2024-09": {"EUR": "0.3"}})


def test_a_name_of_an_unknown_column_may_hold_the_delimiter(desk: Marketplace) -> None:
    rows = [{"tag, first": "a", **own(), "tag, last": "b"}]

    answer = give(desk, csv_text(rows))

    assert answer["accepted"] == 1


def test_a_delimiter_at_the_end_of_each_row_is_no_field(desk: Marketplace) -> None:
    head, *rows = csv_text([own(), own(cost="2")]).splitlines()

    answer = give(desk, "\n".join([head, *(f"{row}," for row in rows)]))

    assert (answer["accepted"], cost_of(answer)) == (2, {"2024-09": {"EUR": "6"}})


def test_a_delimiter_at_the_end_of_every_line_is_no_column(desk: Marketplace) -> None:
    lines = csv_text([own(), own(cost="2")]).splitlines()

    answer = give(desk, "\n".join(f"{line}," for line in lines))

    assert answer["accepted"] == 2


def test_scientific_notation_is_exact(desk: Marketplace) -> None:
    ways = ["1.5E-05", "1.5e-05", "0.000015", " 0.000015 ", "000.0000150"]

    answer = give(desk, csv_text([own(cost=text) for text in ways]))

    assert lake_rows(desk, answer, "cost") == [Decimal("0.000015")] * 5


def test_a_leap_day_and_the_last_instant_of_a_month_stay_in_it(desk: Marketplace) -> None:
    days = ["2024-02-29T23:59:59.9999999Z", "12/31/2024 11:59:59 PM"]

    answer = give(desk, csv_text([own(usage_date=day) for day in days]))

    assert [period["period"] for period in answer["periods"]] == ["2024-02", "2024-12"]


def test_json_numbers_keep_every_digit(desk: Marketplace) -> None:
    row: dict[str, object] = dict(record("daily"))
    line = json_lines([row | {"Quantity": "Q", "BillingPreTaxTotal": "C", "UnitPrice": "U"}])
    text = line.replace('"Q"', "123456789012.123456789012345678")
    text = text.replace('"C"', "0.1000000000000000055").replace('"U"', "4.5e-2")

    answer = give(desk, text.replace("055", "05"), name="usage.jsonl")

    assert lake_rows(desk, answer, "quantity, cost, list_unit_price") == [
        (Decimal("123456789012.123456789012345678"), Decimal("0.100000000000000005"), Decimal("0.045"))
    ]
    assert answer["rejected"] == 0


def test_json_numbers_may_be_texts_and_attributes_may_be_absent_or_null(desk: Marketplace) -> None:
    row: dict[str, object] = {name: value for name, value in record("daily").items() if value}
    second = row | {"UnitPrice": None, "BenefitId": None, "Quantity": 2, "BillingPreTaxTotal": -3}
    del second["ChargeType"]

    answer = give(desk, json_lines([row, second]), name="usage.json")

    assert answer["rejected"] == 0
    assert lake_rows(desk, answer, "quantity, cost, list_unit_price, charge_type, is_committed") == [
        (Decimal("0.005001"), Decimal("0.0001618"), Decimal("0.045"), "New", False),
        (Decimal(2), Decimal(-3), None, "", False),
    ]


def test_json_text_inside_a_value_is_not_touched(desk: Marketplace) -> None:
    row: dict[str, object] = dict(record("daily", ProductName='say "Quantity": 5, "UnitPrice": 1.50'))
    row["AdditionalInfo"] = {"Quantity": 9, "note": 'a "Quantity": 1'}

    answer = give(desk, json_lines([row]), name="usage.jsonl")

    assert lake_rows(desk, answer, "product, quantity") == [
        ('say "Quantity": 5, "UnitPrice": 1.50', Decimal("0.005001"))
    ]


def test_lines_of_nothing_but_blanks_are_no_rows_of_json_lines(desk: Marketplace) -> None:
    text = json_lines([record("daily"), record("daily")]).replace("\n", "\n \t \n\t\n", 1)

    answer = give(desk, text + "  \n", name="usage.jsonl")

    assert (answer["rows"], answer["rejected"]) == (2, 0)
