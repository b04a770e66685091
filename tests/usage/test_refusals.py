"""Files that cannot be used as a whole: refused with what was expected, and nothing kept."""

import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.oracle.commands import Marketplace
from tests.usage.deliveries import csv_text, give, json_lines, own, record, save


def _parquet(folder: Path, select: str) -> bytes:
    file = folder / "made.parquet"
    with duckdb.connect() as engine:
        engine.execute(f"COPY ({select}) TO '{file}' (FORMAT parquet)")
    return file.read_bytes()


def _zip(folder: Path) -> bytes:
    with zipfile.ZipFile(folder / "made.zip", "w") as archive:
        archive.writestr("usage.csv", csv_text([own()]))
    return (folder / "made.zip").read_bytes()


def test_a_file_of_no_known_format_is_refused_with_what_was_expected(desk: Marketplace) -> None:
    text = "account,usage_date,amount\n1,2024-09-15,4\n"

    refusal = give(desk, text, code=1)

    assert refusal == {
        "error": "usage.csv is not a file we can read: its header is account, usage_date, amount. It is nearest to own "
        "form, which also needs quantity, cost, currency. Files we read: Partner Center invoice reconciliation, "
        "Partner Center daily rated usage, FOCUS 1.0 to 1.2, own form.",
        "rows": [],
    }


@pytest.mark.parametrize(
    ("kind", "column"),
    [
        ("own", "cost"),
        ("focus", "BilledCost"),
        ("focus", "BillingCurrency"),
        ("daily", "BillingPreTaxTotal"),
        ("reconciliation", "Subtotal"),
    ],
)
def test_a_column_that_is_needed_and_absent_is_named(desk: Marketplace, kind: str, column: str) -> None:
    row = record(kind)
    del row[column]

    refusal = give(desk, csv_text([row]), code=1)

    assert f"which also needs {column}." in refusal["error"]


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        pytest.param(lambda _: b"", "is empty", id="no bytes"),
        pytest.param(lambda _: b"\xef\xbb\xbf", "is empty", id="a mark alone"),
        pytest.param(lambda _: b"\r\n\r\n  \n", "is empty", id="blank lines"),
        pytest.param(lambda _: gzip.compress(b""), "is empty", id="gzip of nothing"),
        pytest.param(
            lambda _: csv_text([own()]).partition("\n")[2].encode(),
            "is not a file we can read",
            id="no header",
        ),
        pytest.param(lambda _: bytes(range(256)) * 20, "is not a file we can read", id="any bytes"),
        pytest.param(
            lambda _: b"\x89PNG\r\n\x1a\n" + b"\x00\x01" * 500, "is not a file we can read", id="picture"
        ),
        pytest.param(
            lambda _: gzip.compress(csv_text([own()]).encode())[:30],
            "ends too early or is damaged",
            id="gzip cut",
        ),
        pytest.param(
            lambda _: b"\x1f\x8b" + b"not gzip at all", "ends too early or is damaged", id="gzip by name"
        ),
        pytest.param(_zip, "is a zip archive or a workbook: unpack it", id="zip"),
        pytest.param(
            lambda _: json.dumps([record("daily")]).encode(), "is one JSON document", id="JSON array"
        ),
        pytest.param(
            lambda _: json.dumps({"value": [record("daily")]}, indent=2).encode(),
            "is one JSON document",
            id="JSON over several lines",
        ),
        pytest.param(lambda _: b'{"a": 1}\n', "is not a file we can read", id="JSON of something else"),
        pytest.param(lambda _: b"{broken\n", "is not a file we can read", id="broken JSON"),
        pytest.param(
            lambda folder: _parquet(folder, "SELECT 1 AS a")[:-30],
            "ends too early or is damaged",
            id="Parquet cut",
        ),
        pytest.param(
            lambda folder: _parquet(folder, "SELECT 1 AS a, 2 AS b"),
            "its header is a, b",
            id="Parquet of something else",
        ),
    ],
)
def test_what_is_no_usage_file_is_refused_in_a_sentence(
    desk: Marketplace, tmp_path: Path, make: Callable[[Path], bytes], sentence: str
) -> None:
    refusal = give(desk, make(tmp_path), code=1)

    assert refusal["error"].startswith("usage.csv ")
    assert sentence in refusal["error"]


def test_gzip_that_is_cut_late_is_refused_and_nothing_counts(marketplace: Marketplace) -> None:
    text = csv_text([own(account=str(number)) for number in range(60_000)])

    refusal = give(marketplace, gzip.compress(text.encode())[:-9], name="cut.csv.gz", code=1)

    assert refusal["error"].startswith("cut.csv.gz ends too early or is damaged")
    assert not list((marketplace.home / "lake").rglob("*.parquet"))


def test_gzip_whose_bytes_were_changed_is_refused(desk: Marketplace) -> None:
    packed = bytearray(gzip.compress(csv_text([own()] * 5000).encode()))
    packed[-6] ^= 0xFF  # of the checksum

    refusal = give(desk, bytes(packed), name="changed.csv.gz", code=1)

    assert refusal["error"].startswith("changed.csv.gz ends too early or is damaged")


def test_json_lines_that_are_no_utf8_are_refused(desk: Marketplace) -> None:
    text = json_lines([record("daily", ProductName="Hébergé")]).replace("\\u00e9", "é")

    refusal = give(desk, text.encode("latin-1"), name="daily.json", code=1)

    assert refusal["error"].startswith("daily.json cannot be read")


def test_a_column_twice_is_refused(desk: Marketplace) -> None:
    text = csv_text([own()]).replace("meter", "cost", 1)

    refusal = give(desk, text, code=1)

    assert refusal["error"] == (
        "usage.csv has the column cost twice, so it is not known which one is meant. Remove one."
    )


def test_an_unknown_column_may_stand_twice(desk: Marketplace) -> None:
    text = "\n".join(f"{line},x,x" for line in csv_text([own()]).splitlines())

    answer = give(desk, text)

    assert answer["accepted"] == 1


def test_a_bill_whose_month_is_not_told_is_refused(desk: Marketplace) -> None:
    refusal = give(desk, csv_text([record("reconciliation")]), code=1)

    assert refusal["error"] == (
        "usage.csv is a Partner Center invoice reconciliation, which does not say which month it bills. "
        "Give the period, such as --period 2024-09."
    )


def test_costs_that_add_up_to_more_than_any_bill_are_refused(marketplace: Marketplace) -> None:
    refusal = give(marketplace, csv_text([own(cost="99999999999999999999")] * 2), code=1)

    assert refusal["error"] == (
        "The costs in the files add up to more than 20 digits. Check the files: no bill is that large."
    )
    assert not list((marketplace.home / "lake").rglob("*.parquet"))


@pytest.mark.parametrize("kind", ["own", "focus", "daily", "reconciliation"])
def test_a_file_with_a_header_alone_is_imported_as_nothing(desk: Marketplace, kind: str) -> None:
    text = csv_text([record(kind)]).partition("\n")[0]
    told = {"period": "2024-09"} if kind == "reconciliation" else {}

    answer = give(desk, text, **told)

    assert (answer["rows"], answer["accepted"], answer["rejected"], answer["rejects"]) == (0, 0, 0, [])


def test_a_missing_file_is_refused(desk: Marketplace) -> None:
    refusal = desk.deliver(desk.drops / "absent.csv", vendor="microsoft", code=1)

    assert refusal["error"].endswith("absent.csv cannot be read (no such file or directory): check the path.")


def test_a_folder_is_refused(desk: Marketplace) -> None:
    refusal = desk.deliver(desk.drops, vendor="microsoft", code=1)

    assert refusal["error"].endswith("cannot be read (is a directory): check the path.")


def test_a_blank_vendor_is_refused(desk: Marketplace) -> None:
    refusal = desk.deliver(save(desk, csv_text([own()])), vendor=" ", code=1)

    assert refusal["error"].startswith("Say which vendor the files come from")


@pytest.mark.parametrize(("vendor", "fits"), [("v" * 300, 248), ("é" * 300, 41)])
def test_a_vendor_of_a_longer_name_than_a_folder_can_have_is_refused(
    desk: Marketplace, vendor: str, fits: int
) -> None:
    refusal = give(desk, csv_text([own()]), vendor=vendor, code=1)
    answer = give(desk, csv_text([own()]), vendor=vendor[:fits])

    assert refusal["error"] == (
        f"“{vendor[:30]}...” is too long for the name of a vendor: shorten it to {fits} letters."
    )
    assert answer["accepted"] == 1


def test_what_is_no_header_is_shown_in_letters_and_not_at_length(desk: Marketplace) -> None:
    refusal = give(desk, b"\x01\x02" + b"q" * 5000 + b"\n1\n", code=1)

    assert f"its header is ??{'q' * 58}.... It is nearest" in refusal["error"]


@pytest.mark.parametrize("period", ["2024-13", "September", "202409", ""])
def test_a_period_that_is_none_is_wrong_usage(desk: Marketplace, period: str) -> None:
    file = save(desk, csv_text([own()]))

    answer = desk.run("usage", "import", file, "--vendor", "v", "--period", period, code=2)

    assert answer["error"].endswith("is not a period. Write the year and the month, such as 2024-09.")
