"""What cannot be done is refused in a sentence that says what to do, with every faulty row, and never a traceback."""

import contextlib
import io
from pathlib import Path
from typing import Any

import pytest

from tests.commands.conftest import Month
from tests.commands.month import PERIOD

RULES = "hop,reseller,customer,subscription,vendor,product,sku,basis,percent,unit_price,currency,valid_from,valid_until"
EXPORT = ("statements", "export", PERIOD, "--hop", "retail", "--format", "csv", "--output", "out.csv")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def refused(month: Month, *arguments: str | Path, code: int = 1) -> dict[str, Any]:
    """Run what must be refused: one object, nothing like a traceback beside it."""
    beside = io.StringIO()
    with contextlib.redirect_stderr(beside):
        answer = month.marketplace.run(*arguments, code=code)
    assert "Traceback" not in beside.getvalue()
    assert set(answer) == {"error", "rows"}
    return answer


def import_of(month: Month, kind: str, content: str | bytes) -> dict[str, Any]:
    file = Path(f"{kind}.csv")
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return refused(month, "import", kind, file)


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (("close", "2024-11"), "There is no usage for 2024-11: import the vendor's files"),
        (("close", PERIOD, "--approve"), "import the rates (python -m marketplace import fx FILE)"),
        ((*EXPORT, "--buyer", "C9"), 'no buyer "C9" at the retail hop: use a reference from'),
        ((*EXPORT, "--seller", "wholesaler"), 'no seller "wholesaler" at the retail hop'),
        (("statements", "export", "2024-11", *EXPORT[3:]), "run `python -m marketplace close 2024-11` first"),
        (("explain", "42"), "take the id from the column `line` of a statement export"),
        (("explain", "00000000-0000-0000-0000-000000000000"), "take the id from the column `line`"),
        (("import", "fx", "nowhere.csv"), "nowhere.csv cannot be read (no such file or directory): check the path"),
        (("import", "fx", "."), "cannot be read (is a directory)"),
        (("usage", "import", "nowhere.csv", "--vendor", "cloud"), "nowhere.csv cannot be read"),
        (("usage", "undo", "99"), "delivery"),
        (
            (*("user", "create", "--email", "a@b.example", "--name", "A"), "--audience", "reseller", "--role", "owner"),
            "--reseller REF with --audience reseller",
        ),
    ],
)  # fmt: skip
def test_a_refusal_is_a_sentence_with_its_remedy(
    month: Month, arguments: tuple[str, ...], remedy: str
) -> None:
    assert remedy in refused(month, *arguments)["error"]


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nonsense",),
        ("close",),
        ("close", "2024-13"),
        ("close", PERIOD, "--approve", "--dry-run"),
        ("import", "invoices", "file.csv"),
        ("usage", "import", "file.csv"),
        ("usage", "import", "file.csv", "--vendor", "cloud", "--add", "--replace"),
        ("statements", "export", PERIOD, "--hop", "retail", "--format", "pdf", "--output", "x.pdf"),
        ("statements", "export", PERIOD, "--format", "csv", "--output", "x.csv"),
        ("explain", "42", "--as", "vendor"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_what_was_expected(
    month: Month, arguments: tuple[str, ...]
) -> None:
    answer = refused(month, *arguments, code=2)

    assert answer["error"].startswith("python -m marketplace")
    assert answer["rows"] == []


def test_a_rule_that_overlaps_another_names_it(month: Month) -> None:
    answer = import_of(month, "rules", f"{RULES}\nwholesale,,,,,,,cost,5,,,2024-03-01,\n")

    (row,) = answer["rows"]
    assert (row["file"], row["row"]) == ("rules.csv", 1)
    assert "cost +12.5 % for everything, from 2024-01-01" in row["reason"]


def test_every_faulty_row_of_a_file_is_named_with_its_column(month: Month) -> None:
    rules = [
        RULES,
        "wholesale,,,,other,,,cost,5,,,2024-03-01,2024-02-01",
        "retail,R1,,,other,,,cost,ten,,,,",
        "both,,,,,,,free,5,,,,",
        "wholesale,,,,other,,s,cost,5,,,,",
        "wholesale,R9,,,,,,cost,5,,,,",
        "wholesale,R1,,,other,,,fixed,,1.5,,,",
    ]

    answer = import_of(month, "rules", "\n".join(rules))

    named = {(row["row"], row["column"]) for row in answer["rows"]}
    assert {
        (1, "valid_until"),
        (2, "percent"),
        (3, "hop"),
        (3, "basis"),
        (4, "sku"),
        (6, "currency"),
    } <= named
    assert all(row["reason"] for row in answer["rows"])


def test_an_unknown_party_is_named_with_its_row(month: Month) -> None:
    answer = import_of(month, "rules", f"{RULES}\nwholesale,R9,,,,,,cost,5,,,,\n")

    assert [(row["row"], row["column"], row["value"]) for row in answer["rows"]] == [(1, "reseller", "R9")]


def test_a_mapping_that_overlaps_another_names_the_customer(month: Month) -> None:
    answer = import_of(
        month, "accounts", "vendor,account,customer,valid_from,valid_until\ncloud,a1,C2,2024-03-01,\n"
    )

    assert "customer C1 has this account from 2024-01-01" in answer["rows"][0]["reason"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty. Its first line must name these columns: month,from,to,rate"),
        (b"month,rate\n2024-09,1\n", "lacks the columns from, to"),
        (b"month,from,to,rate\n2024-09,EUR,\xff,1\n", "is not UTF-8 text (line 2)"),
        (b"\x7fELF\x02\x01\x01\x00\x00", "fx.csv"),
    ],
)
def test_a_file_that_is_not_the_table_it_should_be_is_refused_whole(
    month: Month, content: bytes, sentence: str
) -> None:
    assert sentence in import_of(month, "fx", content)["error"]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("empty.csv", b"", "is empty"),
        ("fx.csv", b"month,from,to,rate\n2024-09,USD,EUR,0.9\n", "is not a file we can read"),
        ("binary.csv", bytes(range(256)) * 8, "binary.csv"),
        ("cut.csv.gz", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03cut", "ends too early or is damaged"),
    ],
)
def test_a_usage_file_that_cannot_be_read_is_refused_whole(
    month: Month, name: str, content: bytes, sentence: str
) -> None:
    Path(name).write_bytes(content)

    assert sentence in refused(month, "usage", "import", name, "--vendor", "cloud")["error"]


def test_a_delivery_that_would_lose_most_rows_is_refused_until_it_is_meant(month: Month) -> None:
    usage = (month.files / "usage.csv").read_text().splitlines()
    Path("usage.csv").write_text("\n".join(usage[:3]))
    told = ("--vendor", "cloud", "--billing-account", "B1")

    answer = refused(month, "usage", "import", "usage.csv", *told)

    assert "--replace" in answer["error"]


def test_nothing_of_a_refused_import_is_kept(month: Month) -> None:
    fx = "month,from,to,rate\n2024-09,GBP,EUR,1.19\n2024-09,EUR,CHF,never\n"

    import_of(month, "fx", fx)

    assert len(month.marketplace.close(PERIOD, "--dry-run")["parked_documents"]) == 3
