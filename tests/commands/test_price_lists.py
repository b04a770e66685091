"""`catalog import`: a vendor's list becomes a version, and says what it changes."""

import json
from pathlib import Path
from typing import Any

import pytest

from marketplace import cli
from tests.catalog.lists import sheet


def run(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict[str, Any]:
    assert cli.main(["catalog", "import", *arguments, "--vendor", "microsoft", "--json"]) == code
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


@pytest.mark.usefixtures("command_line")
def test_a_list_is_tried_imported_put_in_force_and_known_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "list.csv"
    file.write_bytes(sheet({}, {"SkuId": "0002", "UnitPrice": "-1"}))

    tried = run(capsys, str(file), "--dry-run")
    done = run(capsys, str(file), "--activate")
    again = run(capsys, str(file), "--activate")

    assert (tried["price_list"], tried["dry_run"], tried["new"]) == (None, True, 1)
    assert (done["version"], done["status"], done["rows"], done["accepted"], done["rejected"]) == (
        1,
        "active",
        2,
        1,
        1,
    )
    assert [(reject["row"], reject["column"]) for reject in done["rejects"]] == [(2, "UnitPrice")]
    assert (again["duplicate"], again["price_list"], again["status"]) == (True, done["price_list"], "active")


@pytest.mark.usefixtures("command_line")
def test_a_list_is_scheduled_for_a_day(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "list.csv"
    file.write_bytes(sheet({}))

    assert run(capsys, str(file), "--schedule", "2100-01-01")["status"] == "scheduled"
    assert "has passed" in run(capsys, str(file), "--schedule", "2000-01-01", code=1)["error"]
    assert "is not a day" in run(capsys, str(file), "--schedule", "soon", code=2)["error"]


@pytest.mark.usefixtures("command_line")
def test_products_that_the_vendor_renamed_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "list.csv"
    file.write_bytes(sheet({}))
    assert run(capsys, str(file), "--activate")["renamed"] == []
    file.write_bytes(sheet({"ProductTitle": "Teams Talk"}))

    tried = run(capsys, str(file), "--dry-run")
    done = run(capsys, str(file), "--activate")
    again = run(capsys, str(file), "--activate")

    (renamed,) = tried["renamed"]
    assert (renamed["title"], renamed["new_title"]) == ("Advanced Communications", "Teams Talk")
    assert done["renamed"] == again["renamed"] == [renamed]


@pytest.mark.usefixtures("command_line")
def test_what_was_renamed_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "list.csv"
    file.write_bytes(sheet({}))
    run(capsys, str(file), "--activate")
    file.write_bytes(sheet({"ProductTitle": "Teams Talk"}))

    cli.main(["catalog", "import", str(file), "--vendor", "microsoft"])

    printed = capsys.readouterr().out
    assert "renamed by the vendor: 'Advanced Communications' is now 'Teams Talk'" in printed
    assert "until the new ones are taken" in printed


@pytest.mark.usefixtures("command_line")
def test_several_markets_are_asked_about(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "list.csv"
    file.write_bytes(sheet({}, {"Market": "DE"}))

    assert "--market" in run(capsys, str(file), code=1)["error"]
    assert run(capsys, str(file), "--market", "de")["left_out"] == 1
