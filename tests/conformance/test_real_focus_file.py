"""The real FOCUS rows, from file to statement: exact sums, every line the model's, every amount explained."""

from collections import defaultdict
from fractions import Fraction

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.conformance.conftest import PERIODS, RealMonth
from tests.oracle.comparison import assert_lines_equal, assert_summary_equals
from tests.oracle.model import Books

pytestmark = pytest.mark.conformance

#: Every how many lines one is explained: each has all its source rows read again from the lake.
EXPLAINED_EVERY = 30


def test_every_row_is_accepted_with_its_exact_cost(real: RealMonth) -> None:
    costs: dict[str, Fraction] = defaultdict(Fraction)
    for record in real.records:
        costs[record["BillingPeriodStart"][:7]] += Fraction(record["BilledCost"])

    assert (real.imported["accepted"], real.imported["rejected"]) == (599, 0)
    assert {one["period"]: Fraction(one["cost"]["USD"]) for one in real.imported["periods"]} == costs


@pytest.mark.parametrize("period", PERIODS)
def test_the_cost_of_each_provider_is_on_statements_to_the_last_digit(real: RealMonth, period: str) -> None:
    billed: dict[str, Fraction] = defaultdict(Fraction)
    for record in real.records:
        if record["BillingPeriodStart"].startswith(period):
            billed[record["ProviderName"]] += Fraction(record["BilledCost"])

    stated: dict[str, Fraction] = defaultdict(Fraction)
    for line in real.marketplace.lines(period, "wholesale"):
        stated[line["customer"].partition("-")[0]] += Fraction(line["basis_amount"])

    assert stated == billed


@pytest.mark.parametrize("period", PERIODS)
def test_every_line_of_both_hops_is_the_models(real: RealMonth, period: str) -> None:
    books = Books(real.world, real.rows)

    assert_lines_equal(real.marketplace, books.draft(period))


@pytest.mark.parametrize("period", PERIODS)
def test_the_figures_of_the_close_are_the_models(real: RealMonth, period: str) -> None:
    books = Books(real.world, real.rows)

    assert_summary_equals(real.closed[period], books.draft(period))


@pytest.mark.parametrize("audience", ["wholesaler", "reseller"])
def test_lines_explain_themselves_down_to_their_rows(real: RealMonth, audience: str) -> None:
    for line in real.marketplace.lines(PERIODS[0], "retail")[::EXPLAINED_EVERY]:
        explained = real.marketplace.run("explain", line["line"], "--as", audience)

        assert explained["hops"][-1]["amount"] == line["amount"]
        assert explained["rows_total"] == int(line["source_rows"])


def test_the_same_rows_as_parquet_import_to_the_same_sums(real: RealMonth) -> None:
    columns = {name: [record[name] for record in real.records] for name in real.records[0]}
    file = real.marketplace.drops / "sample.parquet"
    pq.write_table(pa.table(columns), file)

    again = real.marketplace.deliver(file, vendor="as parquet")

    assert again["periods"] == real.imported["periods"]
