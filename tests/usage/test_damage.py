"""Files of the lake that are damaged or gone: told by name and with the remedy, which works."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.oracle.commands import Marketplace
from tests.usage.deliveries import csv_text, give, own

MONTH = "2024-09"
# So many different rows that a changed byte lies in one of them.
ROWS = [own(account=f"{number:04}", cost=f"{number}.25") for number in range(500)]


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-200])


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def overwritten(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:4] + bytes(len(content) - 200) + content[-196:])


@pytest.mark.parametrize("damage", [cut_short, emptied, overwritten, Path.unlink])
def test_a_close_names_the_file_and_the_remedy(
    marketplace: Marketplace, damage: Callable[[Path], None]
) -> None:
    delivery = give(marketplace, csv_text(ROWS), vendor="v")["delivery"]
    before = marketplace.close(MONTH)
    (file,) = (marketplace.home / "lake" / "usage").rglob("*.parquet")
    damage(file)

    refusal = marketplace.run("close", MONTH, code=1)

    assert refusal["error"] == (
        f"Imported usage cannot be read: {file} is damaged or gone. Put it back from a backup, or undo delivery "
        f"{delivery} and import its files again."
    )
    marketplace.run("usage", "undo", str(delivery))
    give(marketplace, csv_text(ROWS), vendor="v")
    assert marketplace.close(MONTH)["unmapped"] == before["unmapped"]


def test_rejects_that_are_gone_are_told_too(marketplace: Marketplace) -> None:
    give(marketplace, csv_text([own(cost="none")]), vendor="v")
    (file,) = (marketplace.home / "lake" / "rejects").rglob("*.parquet")
    file.unlink()

    refusal = give(marketplace, csv_text([own(cost="none")]), vendor="v", code=1)

    assert f"{file} is damaged or gone" in refusal["error"]


def test_the_doctor_misses_what_is_gone(marketplace: Marketplace) -> None:
    give(marketplace, csv_text(ROWS), vendor="v")
    (file,) = (marketplace.home / "lake" / "usage").rglob("*.parquet")
    well = marketplace.run("doctor")
    file.unlink()

    ill = marketplace.run("doctor", code=1)

    finding = next(one for one in ill["findings"] if one["subject"] == "usage")
    assert well["ok"]
    assert "1 of the files that count are not in the lake, such as usage/period=2024-09" in finding["words"]
    assert "import the files again" in finding["remedy"]
