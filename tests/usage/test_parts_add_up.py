"""Files cut, shuffled and packed in any way: no row lost, none twice, the same sums."""

import gzip
from collections import Counter
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplace.core.rounding import EXACT
from marketplace.usage.header import read_header
from marketplace.usage.lake import original_row, remember_parts
from marketplace.usage.originals import LineIndex, index_of, store
from marketplace.usage.reader import ReadFile, Reading, Resources, read_file
from tests.oracle.commands import Marketplace
from tests.usage.deliveries import Record, cost_of, csv_text, give, json_lines, lake_rows, own, record, save

_texts = st.lists(
    st.sampled_from(["a", "0", ",", '"', "\n", "\r\n", ";", "é", "“", " ", "'", "NULL", "\t", "🦆", "\\"]),
    max_size=8,
).map(lambda pieces: f"x{''.join(pieces)}x")
_amounts = st.decimals(
    min_value=Decimal(-(10**19)), max_value=Decimal(10**19), allow_nan=False, allow_infinity=False, places=18
).map(lambda number: format(number, "f"))
_rows = st.builds(
    lambda account, product, cost, day: own(
        account=account, product=product, cost=cost, usage_date=f"2024-{day}"
    ),
    account=_texts,
    product=_texts,
    cost=st.one_of(_amounts, _amounts, st.sampled_from(("bad", "", "1,000", "0", "1e-3"))),
    day=st.sampled_from(("09-01", "09-30", "10-01", "13-01")),
)
_quick = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def read(folder: Path, file: Path, *, part_size: int = 1 << 27) -> ReadFile:
    resources = Resources(folder / "work", 1 << 28, 2, part_size=part_size)
    return read_file(file, Reading(1, file.name, read_header(file, name=file.name)), resources)


def in_lake(found: ReadFile) -> Counter[tuple[int, str, str, Decimal]]:
    files = [str(path) for paths in found.lake_files.values() for path in paths]
    if not files:
        return Counter()
    with duckdb.connect() as engine:
        rows = engine.execute('SELECT "row", account, product, cost FROM read_parquet(?)', [files]).fetchall()
    return Counter(rows)


def good(rows: list[Record]) -> Counter[tuple[int, str, str, Decimal]]:
    """Say again, in Python, which rows are usable."""
    usable: Counter[tuple[int, str, str, Decimal]] = Counter()
    for number, row in enumerate(rows, start=1):
        if row["cost"] not in ("bad", "", "1,000") and "13-01" not in row["usage_date"]:
            usable[number, row["account"], row["product"], Decimal(row["cost"])] += 1
    return usable


@_quick
@given(rows=st.lists(_rows, min_size=1, max_size=40), part_size=st.integers(50, 2000))
def test_whatever_rows_hold_and_wherever_the_file_is_cut_each_is_read_once(
    rows: list[Record], part_size: int
) -> None:
    with TemporaryDirectory() as name:
        file = Path(name) / "usage.csv"
        file.write_bytes(csv_text(rows).encode())

        found = read(Path(name), file, part_size=part_size)

        assert in_lake(found) == good(rows)
        assert (found.rows, found.accepted + found.rejected) == (len(rows), len(rows))


@_quick
@given(rows=st.lists(_rows, min_size=1, max_size=15), encoding=st.sampled_from(("utf-8", "utf-16")))
def test_whatever_rows_hold_gzip_and_encoding_change_nothing(rows: list[Record], encoding: str) -> None:
    with TemporaryDirectory() as name:
        file = Path(name) / "usage.csv.gz"
        file.write_bytes(gzip.compress(csv_text(rows).encode(encoding)))

        found = read(Path(name), file, part_size=200)

        assert in_lake(found) == good(rows)


@_quick
@given(rows=st.lists(_rows, min_size=1, max_size=15), part_size=st.integers(50, 2000), data=st.data())
def test_every_row_is_found_again_in_the_stored_original(
    rows: list[Record], part_size: int, data: st.DataObject
) -> None:
    number = data.draw(st.integers(1, len(rows)))
    with TemporaryDirectory() as name:
        file = Path(name) / "usage.csv"
        file.write_bytes(csv_text([{"tag": str(n), **row} for n, row in enumerate(rows)]).encode())
        original = store(file, Path(name), name=file.name)
        stored = Path(name) / original.path
        found = read(Path(name), stored, part_size=part_size)
        if found.rows_by_part:
            index = index_of(
                stored, LineIndex(read_header(stored, name="").body, part_size=part_size), lambda _: None
            )
            remember_parts(stored, index.parts, found.rows_by_part)

        shown = original_row(Path(name), original.path, number, name=file.name)

        assert shown == {"x_tag": str(number - 1), **rows[number - 1]}


@pytest.mark.parametrize("pieces", [2, 5])
def test_a_file_cut_in_pieces_and_delivered_together_equals_the_whole(desk: Marketplace, pieces: int) -> None:
    rows = [own(account=str(n % 7), cost=f"{n}.000000000000000{n % 9}") for n in range(100)]
    whole = give(desk, csv_text(rows))

    files = [save(desk, csv_text(rows[piece::pieces]), f"piece-{piece}.csv") for piece in range(pieces)]
    together = desk.deliver(*files, vendor=f"in {pieces} pieces")

    columns = "account, product, usage_date, quantity, cost, currency"
    assert together["periods"] == whole["periods"]
    assert Counter(lake_rows(desk, together, columns)) == Counter(lake_rows(desk, whole, columns))


def test_the_order_of_rows_is_irrelevant(desk: Marketplace) -> None:
    rows = [
        own(account=str(n % 5), cost=f"0.{n:018d}", usage_date=f"2024-09-{n % 30 + 1}") for n in range(90)
    ]
    rows = [row | {"usage_date": "2024-09-07"} if len(row["usage_date"]) != 10 else row for row in rows]
    forwards = give(desk, csv_text(rows))

    backwards = give(desk, csv_text(rows[::-1]))

    assert (backwards["periods"], backwards["days"]) == (forwards["periods"], forwards["days"])


def test_csv_gzip_and_json_lines_may_be_delivered_together(desk: Marketplace) -> None:
    rows = [record("daily", BillingPreTaxTotal=f"0.{n}") for n in (1, 2, 3)]
    files = [
        save(desk, csv_text(rows[:1]), "a.csv"),
        save(desk, gzip.compress(csv_text(rows[1:2]).encode()), "b.csv.gz"),
        save(desk, gzip.compress(json_lines(rows[2:]).encode()), "c.json.gz"),
    ]

    answer = desk.deliver(*files, vendor="microsoft")

    assert cost_of(answer) == {"2024-09": {"EUR": "0.6"}}


def test_sums_of_a_delivery_are_exact_over_thousands_of_awkward_costs(desk: Marketplace) -> None:
    costs = [Decimal(n * 7919 % 10**6).scaleb(-(n % 19)) * (-1) ** (n % 3) for n in range(3000)]
    exact = Decimal(0)
    for cost in costs:
        exact = EXACT.add(exact, cost)

    answer = give(desk, csv_text([own(cost=format(cost, "f")) for cost in costs]))

    assert answer["rejected"] == 0
    assert Decimal(answer["periods"][0]["cost"]["EUR"]) == exact
