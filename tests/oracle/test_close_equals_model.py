"""The whole close, from files to exported lines, equals the model on random months."""

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, assume, event, given, settings
from hypothesis import strategies as st

from tests.conftest import ThrowAwayPostgres
from tests.oracle.commands import Marketplace, fresh_marketplace
from tests.oracle.comparison import assert_lines_equal, assert_summary_equals, exported
from tests.oracle.model import RETAIL, WHOLESALE, Books, balance, round_half_away
from tests.oracle.months import (
    MONTH,
    NEXT_MONTH,
    VENDORS,
    Delivery,
    Month,
    Terms,
    deliver,
    mappings,
    months,
    own_records,
    rules,
)

AFTER_NEXT = "2024-11"
CHECKS = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large)

# The normal run repeats the same examples, so that a change is what makes it fail; the long run seeks new
# ones, and the smallest that fails.
quick = settings(
    max_examples=6,
    derandomize=True,
    deadline=None,
    suppress_health_check=CHECKS,
    database=None,
    phases=(Phase.generate,),
)
thorough = settings(max_examples=3000, deadline=None, suppress_health_check=CHECKS, print_blob=True)
two_lengths = pytest.mark.parametrize(
    "chosen", [pytest.param(quick, id="short"), pytest.param(thorough, id="long", marks=pytest.mark.long)]
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("marketplaces")


def fill(marketplace: Marketplace, month: Month) -> None:
    """Import everything a month closes from, and see that each row is accepted or rejected."""
    # The same bytes twice in one delivery are refused, as a slip of the person who gives them.
    assume(all(len(set(map(str, delivery.files))) == len(delivery.files) for delivery in month.deliveries))
    month.terms.import_into(marketplace)
    for delivery in month.deliveries:
        answer = deliver(marketplace, delivery)
        periods = answer["periods"]
        assert sum(p["accepted"] for p in periods) == len(delivery.rows)
        assert len(answer["rejects"]) == len(delivery.records) - len(delivery.rows)


@two_lengths
def test_every_line_and_total_is_the_models(
    chosen: settings, postgres: ThrowAwayPostgres, folder: Path
) -> None:
    @chosen
    @given(month=months())
    def check(month: Month) -> None:
        assume(any(row.period == MONTH for row in month.rows))
        with fresh_marketplace(postgres, folder) as marketplace:
            fill(marketplace, month)
            close = Books(month.world, month.rows).draft(MONTH)

            summary = marketplace.close(MONTH)

            event(f"parked documents: {bool(close.rated.parked)}")
            assert summary["status"] == "rated"
            assert_lines_equal(marketplace, close)
            assert_summary_equals(summary, close)

    check()


@two_lengths
def test_order_of_rows_and_files_is_irrelevant_and_closing_twice_changes_nothing(
    chosen: settings, postgres: ThrowAwayPostgres, folder: Path
) -> None:
    @chosen
    @given(month=months(), seed=st.integers(0, 2**32))
    def check(month: Month, seed: int) -> None:
        assume(any(row.period == MONTH for row in month.rows))
        shuffled = replace(month, deliveries=reordered(month.deliveries, Random(seed)))
        seen = []
        for version in (month, shuffled):
            with fresh_marketplace(postgres, folder) as marketplace:
                fill(marketplace, version)
                marketplace.close(MONTH)
                lines = [marketplace.lines(MONTH, hop) for hop in (WHOLESALE, RETAIL)]

                marketplace.close(MONTH)

                assert [marketplace.lines(MONTH, hop) for hop in (WHOLESALE, RETAIL)] == lines
                seen.append([sorted(map(str, map(exported, of_hop))) for of_hop in lines])
        assert seen[0] == seen[1]

    check()


def reordered(deliveries: list[Delivery], random: Random) -> list[Delivery]:
    """The same rows of each delivery in another order, cut into other files."""
    changed = []
    for delivery in deliveries:
        rows = delivery.records
        random.shuffle(rows)
        cut = random.randint(0, len(rows))
        changed.append(
            replace(delivery, files=tuple(tuple(part) for part in (rows[:cut], rows[cut:]) if part))
        )
    return changed


@two_lengths
def test_what_changes_after_a_close_is_billed_as_differences(
    chosen: settings, postgres: ThrowAwayPostgres, folder: Path
) -> None:
    @chosen
    @given(data=st.data())
    def check(data: st.DataObject) -> None:
        month = data.draw(months(is_complete=True, months=(MONTH, NEXT_MONTH, AFTER_NEXT)))
        books = Books(month.world, month.rows)
        with fresh_marketplace(postgres, folder) as marketplace:
            fill(marketplace, month)
            closed = marketplace.close(MONTH, "--approve")
            books.approve(MONTH)
            before = [marketplace.lines(MONTH, hop) for hop in (WHOLESALE, RETAIL)]
            assert closed["status"] == "closed"

            for period in (NEXT_MONTH, AFTER_NEXT):
                change((NO_TERMS, [some_usage(period)]), marketplace, books)
                change(data.draw(corrections(books)), marketplace, books)
                summary = marketplace.close(period, "--approve")
                close = books.approve(period)
                assert_lines_equal(marketplace, close)
                assert_summary_equals(summary, close)

            assert [marketplace.lines(MONTH, hop) for hop in (WHOLESALE, RETAIL)] == before
            for hop in (WHOLESALE, RETAIL):
                assert billed_over_all_periods(marketplace, hop) == worth_of_all_periods(books, hop)

    check()


def billed_over_all_periods(marketplace: Marketplace, hop: str) -> dict[tuple[str, str, str], int]:
    """What was billed for each period's usage, wherever it was billed."""
    billed: dict[tuple[str, str, str], int] = {}
    for period in (MONTH, NEXT_MONTH, AFTER_NEXT):
        for line in marketplace.lines(period, hop):
            key = (line["correction_of"] or period, line["customer"], line["currency"])
            billed[key] = billed.get(key, 0) + int(line["amount"].replace(".", ""))
    return {key: amount for key, amount in billed.items() if amount}


def worth_of_all_periods(books: Books, hop: str) -> dict[tuple[str, str, str], int]:
    """What each period's usage is worth in the end, each document rounded once."""
    worth: dict[tuple[str, str, str], int] = {}
    for period in (MONTH, NEXT_MONTH, AFTER_NEXT):
        for document, lines in books.rate(period).worths.items():
            if document.hop == hop:
                key = (period, document.customer, document.currency)
                worth[key] = worth.get(key, 0) + books.total(document, lines)
    return {key: amount for key, amount in worth.items() if amount}


@st.composite
def corrections(draw: st.DrawFn, books: Books) -> tuple[Terms, list[Delivery]]:
    """What comes late: rows for a closed month, rules dated back, owners for what nobody owned."""
    customers = [(reseller, customer) for customer, (reseller, _) in sorted(books.world.customers.items())]
    late: list[Delivery] = []
    for number in range(draw(st.integers(0, 2))):
        rows = draw(
            st.lists(own_records(days=("2024-09-12", "2024-09-30", "2024-10-03")), min_size=1, max_size=4)
        )
        account = f"late-{len(books.billed)}-{number}"
        late.append(Delivery("own", draw(st.sampled_from(VENDORS)), account, (tuple(rows),)))
    taken = {(r.hop, *r.name[:-1]) for r in books.world.rules}
    new_rules = [
        rule
        for rule in draw(rules(customers, most=2))
        if (
            rule["hop"],
            *(rule[c] for c in ("reseller", "customer", "subscription", "vendor", "product", "sku")),
        )
        not in taken
    ]
    owned = {(m.vendor, m.account) for m in books.world.mappings}
    new_mappings = [
        mapping
        for mapping in draw(mappings([customer for _, customer in customers]))
        if (mapping["vendor"], mapping["account"]) not in owned
    ]
    return Terms(rules=new_rules, accounts=new_mappings), late


NO_TERMS = Terms(resellers=[], customers=[], accounts=[], rules=[], fx=[])


def some_usage(period: str) -> Delivery:
    """A row that nobody owns: a period without any usage is refused."""
    row = {"account": "nobody", "product": "p", "sku": "", "meter": "", "usage_date": f"{period}-05"}
    row |= {"quantity": "1", "unit": "u", "list_unit_price": "", "cost": "1.5", "currency": "EUR"}
    return Delivery("own", VENDORS[0], f"some-{period}", ((row,),))


def change(correction: tuple[Terms, list[Delivery]], marketplace: Marketplace, books: Books) -> None:
    """Tell the product and the model of a correction."""
    terms, late = correction
    terms.import_into(marketplace)
    terms.add_to(books.world)
    for delivery in late:
        deliver(marketplace, delivery)
        books.rows += delivery.rows


@given(month=months())
@settings(
    max_examples=150,
    derandomize=True,
    deadline=None,
    suppress_health_check=CHECKS,
    database=None,
    phases=[Phase.generate],
)
def test_the_model_itself_adds_up(month: Month) -> None:
    close = Books(month.world, month.rows).draft(MONTH)

    for key, document in close.documents.items():
        assert sum(line.minor for line in document.lines) == document.total
        scale = 10 ** {"EUR": 2, "USD": 2, "JPY": 0, "KWD": 3}[key.currency]
        assert document.total == round_half_away(sum(line.worth.amount for line in document.lines) * scale)
        assert all(abs(line.minor - line.worth.amount * scale) < 1 for line in document.lines)
    on_lines = sum(line.worth.source_rows for line in close.lines(WHOLESALE))
    parked = sum(rows for key, rows in close.rated.parked_rows.items() if key.hop == WHOLESALE)
    assert close.rated.rows == on_lines + parked + close.rated.tax_rows + close.rated.unmapped_rows
    for side in balance(close.rated).values():
        assert (
            side.bill == round_half_away(side.cost + side.tax + side.unmapped + side.parked) + side.rounding
        )
