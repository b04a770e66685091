"""With `--json` each command prints one object with the agreed names; amounts and counts add up within it."""

import hashlib
from decimal import Decimal

from tests.commands.conftest import Month
from tests.commands.month import PERIOD, USAGE


def test_an_import_counts_its_rows(month: Month) -> None:
    counts = {
        kind: (month.answers[kind]["rows"], month.answers[kind]["added"])
        for kind in ("resellers", "customers", "accounts", "rules", "fx")
    }

    assert counts == {
        "resellers": (2, 2),
        "customers": (7, 7),
        "accounts": (8, 8),
        "rules": (8, 8),
        "fx": (5, 5),
    }


def test_the_same_import_again_changes_nothing(month: Month) -> None:
    for kind in ("resellers", "customers", "accounts", "rules", "fx"):
        again = month.marketplace.run("import", kind, month.files / f"{kind}.csv")

        assert (again["added"], again["changed"], again["unchanged"]) == (0, 0, again["rows"]), kind


def test_a_usage_import_tells_files_periods_and_rejects(month: Month) -> None:
    answer = month.answers["usage"]

    assert answer["duplicate"] is False
    assert answer["replaces"] is None
    assert answer["files"] == [
        {"file": "usage.csv", "sha256": hashlib.sha256(USAGE.encode()).hexdigest(), "format": "own"}
    ]
    (period,) = answer["periods"]
    assert {name: period[name] for name in ("period", "rows", "accepted", "rejected", "cost")} == {
        "period": PERIOD,
        "rows": 19,
        "accepted": 18,
        "rejected": 1,
        "cost": {"EUR": "6.01", "GBP": "4", "USD": "21.70000004"},
    }
    (reject,) = answer["rejects"]
    assert {name: reject[name] for name in ("file", "row", "column", "value")} == {
        "file": "usage.csv",
        "row": 19,
        "column": "quantity",
        "value": "many",
    }
    assert reject["reason"]


def test_the_same_file_again_is_a_duplicate_of_the_same_delivery(month: Month) -> None:
    told = ("--vendor", "cloud", "--billing-account", "B1")

    again = month.marketplace.run("usage", "import", month.files / "usage.csv", *told)

    assert again == {**month.answers["usage"], "duplicate": True}


def test_a_close_tells_all_its_figures(month: Month) -> None:
    answer = month.answers["close"]

    assert {
        *("period", "status", "usage_rows", "lines", "totals", "unmapped", "vendor_tax", "parked"),
        *("vendor_rounding", "rule_gaps", "balance", "seconds"),
    } <= set(answer)
    assert (answer["period"], answer["status"], answer["usage_rows"]) == (PERIOD, "rated", 22)
    assert set(answer["lines"]) == set(answer["rule_gaps"]) == {"wholesale", "retail"}
    assert set(answer["totals"]) == {"cost", "wholesale", "retail"}
    assert answer["seconds"] > 0


def test_the_parts_of_a_close_add_up_to_what_was_imported(month: Month) -> None:
    answer = month.answers["close"]
    parts = (
        answer["totals"]["cost"],
        answer["unmapped"],
        answer["vendor_tax"],
        answer["parked"],
        answer["vendor_rounding"],
    )

    total = {currency: sum(Decimal(part[currency]) for part in parts) for currency in answer["unmapped"]}

    # 21.70000004 and 2.60 dollars are two bills.
    assert total == {"EUR": Decimal("6.01"), "GBP": Decimal("4.00"), "USD": Decimal("24.30")}


def test_the_lines_of_a_close_are_the_lines_of_its_exports(month: Month) -> None:
    counted = {hop: len(month.lines(hop)) for hop in ("wholesale", "retail")}

    assert month.answers["close"]["lines"] == counted


def test_closing_again_says_the_same(month: Month) -> None:
    changing = ("seconds", "changes")

    again = month.marketplace.close(PERIOD)

    assert again["changes"] == {}
    assert {name: value for name, value in again.items() if name not in changing} == {
        name: value for name, value in month.answers["close"].items() if name not in changing
    }


def test_a_dry_run_says_what_a_close_would(month: Month) -> None:
    told = month.marketplace.close(PERIOD, "--dry-run")

    same = ("period", "lines", "totals", "unmapped", "vendor_tax", "parked", "rule_gaps", "balance")
    assert {name: told[name] for name in same} == {name: month.answers["close"][name] for name in same}


def test_an_export_tells_its_file_and_lines(month: Month) -> None:
    output = month.marketplace.drops / "told.csv"

    answer = month.marketplace.run(
        *("statements", "export", PERIOD, "--hop", "retail", "--format", "csv", "--output", output)
    )

    assert answer == {
        "period": PERIOD,
        "hop": "retail",
        "format": "csv",
        "file": str(output),
        "lines": month.answers["close"]["lines"]["retail"],
    }
