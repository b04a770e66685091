"""What DuckDB does wrongly with amounts: each trap shown to be there, and our guard shown to hold.

Where a test of a trap fails, a newer DuckDB has mended it: then, and only then, its guard may go.
"""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from marketplace.usage.engine import DISABLED_OPTIMIZERS, open_engine
from tests.oracle.commands import Marketplace
from tests.usage.deliveries import cost_of, csv_text, give, own


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_engine(memory_limit=1 << 28, threads=2, spill_folder=tmp_path) as engine:
        yield engine


@pytest.fixture
def amounts(tmp_path: Path) -> Path:
    file = tmp_path / "amounts.csv"
    file.write_text("1.5\nn/a\n2.5\n")
    return file


def _casting(file: Path) -> str:
    return (
        "SELECT TRY_CAST(c AS DECIMAL(18,6)) FROM "
        f"read_csv('{file}', header = false, auto_detect = false, columns = {{'c': 'VARCHAR'}})"
    )


def test_trap_a_bad_value_aborts_the_file_when_the_cast_is_pushed_into_the_reader(amounts: Path) -> None:
    with duckdb.connect() as bare, pytest.raises(duckdb.ConversionException):
        bare.execute(_casting(amounts)).fetchall()


def test_a_bad_value_is_no_number_and_the_others_count(
    engine: duckdb.DuckDBPyConnection, amounts: Path
) -> None:
    assert engine.execute(_casting(amounts)).fetchall() == [(Decimal("1.5"),), (None,), (Decimal("2.5"),)]


def test_the_guards_are_set_on_every_engine(engine: duckdb.DuckDBPyConnection) -> None:
    (found,) = engine.execute("SELECT current_setting('disabled_optimizers')").fetchall()[0]

    assert set(found.split(",")) == set(DISABLED_OPTIMIZERS.split(","))
    assert set(DISABLED_OPTIMIZERS.split(",")) >= {"type_pushdown", "join_order", "build_side_probe_side"}


def _join_builds_from_file(engine: duckdb.DuckDBPyConnection, file: Path) -> bool:
    """Whether a join of the file with a table of a thousand rows would hold the file's rows in memory."""
    engine.execute("CREATE TEMP TABLE owner AS SELECT i::VARCHAR AS account FROM range(1000) t(i)")
    rows = engine.execute(
        "EXPLAIN (FORMAT json) SELECT count(*) FROM "
        f"read_csv('{file}', header = false, auto_detect = false, columns = {{'c': 'VARCHAR'}}) f "
        "JOIN owner ON f.c = owner.account"
    ).fetchall()
    plan: str = rows[0][1]
    # The right side of a hash join, written second, is the one that is held.
    return plan.rindex("READ_CSV") > plan.rindex("SEQ_SCAN")


def test_trap_a_file_is_believed_to_be_small_and_would_be_held_in_memory(tmp_path: Path) -> None:
    file = tmp_path / "large.csv"
    file.write_text("".join(f"{number}\n" for number in range(100_000)))

    with duckdb.connect() as bare:
        assert _join_builds_from_file(bare, file)


def test_a_join_holds_the_table_and_streams_the_file(
    engine: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    file = tmp_path / "large.csv"
    file.write_text("".join(f"{number}\n" for number in range(100_000)))

    assert not _join_builds_from_file(engine, file)


@pytest.mark.parametrize(
    ("text", "became"), [("0.0149999", "0.01"), ("1.5e-13", "0.00"), ("1_000", "1000.00"), ("0.005", "0.01")]
)
def test_trap_a_cast_alone_rounds_and_guesses_without_a_word(text: str, became: str) -> None:
    with duckdb.connect() as bare:
        row = bare.execute("SELECT TRY_CAST(? AS DECIMAL(20,2))", [text]).fetchone()

    assert row == (Decimal(became),)


@pytest.mark.parametrize("text", ["0.1234567890123456789", "1.5e-19", "1_000", "0x10"])
def test_digits_that_cannot_be_kept_reject_the_row(desk: Marketplace, text: str) -> None:
    answer = give(desk, csv_text([own(), own(cost=text)]))

    assert [(reject["row"], reject["value"]) for reject in answer["rejects"]] == [(2, text)]


def test_an_amount_never_passes_through_a_float(desk: Marketplace) -> None:
    costs = ["0.1", "0.2", "12345678901234567890.123456789012345678", "-12345678901234567890"]

    answer = give(desk, csv_text([own(cost=cost) for cost in costs]))

    assert cost_of(answer) == {"2024-09": {"EUR": "0.423456789012345678"}}


def test_sums_of_days_keep_more_digits_than_pythons_usual_28(desk: Marketplace) -> None:
    days = ("2024-09-01", "2024-09-02")
    costs = ("12345678901234567890.1", "0.000000000000000001")

    answer = give(
        desk, csv_text([own(usage_date=day, cost=cost) for day, cost in zip(days, costs, strict=True)])
    )

    assert cost_of(answer) == {"2024-09": {"EUR": "12345678901234567890.100000000000000001"}}
    assert answer["days"] == {"EUR": dict(zip(days, costs, strict=True))}


def test_a_sum_too_large_for_a_decimal_is_an_error_and_not_another_number(
    engine: duckdb.DuckDBPyConnection,
) -> None:
    with pytest.raises(duckdb.OutOfRangeException):
        engine.execute(
            "SELECT sum(exact(x)) FROM (VALUES ('99999999999999999999'), ('99999999999999999999')) t(x)"
        ).fetchall()
