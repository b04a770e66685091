"""The FOCUS authors' own examples: every row is billed with its exact cost, or listed with the reason why not."""

import csv
from collections.abc import Iterator
from fractions import Fraction

import pytest

from tests.conformance.shared_data import FOLDER, shared
from tests.conftest import ThrowAwayPostgres
from tests.oracle.commands import Marketplace, fresh_marketplace

pytestmark = pytest.mark.conformance

EXAMPLES = FOLDER / "focus" / "spec"
SAAS = sorted(str(file.relative_to(FOLDER)) for file in EXAMPLES.glob("saas_examples/**/*.csv")) or [
    "focus/spec"
]
COMMITMENTS = sorted(str(file.relative_to(FOLDER)) for file in EXAMPLES.glob("commitment*/*.csv")) or [
    "focus/spec"
]


@pytest.fixture(scope="module")
def marketplace(
    postgres: ThrowAwayPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Marketplace]:
    with fresh_marketplace(postgres, tmp_path_factory.mktemp("examples")) as marketplace:
        yield marketplace


def is_number(text: str) -> bool:
    """Amounts as a spreadsheet shows them, `$10,000.00`, are no numbers: a comma means two things in the world."""
    return not set(text) & set("$,")


@pytest.mark.parametrize("place", SAAS)
def test_a_saas_example_is_imported_to_the_cent_or_its_rows_are_named(
    marketplace: Marketplace, place: str
) -> None:
    file = shared(place)
    with file.open(encoding="utf-8-sig", newline="") as stream:
        records = list(csv.DictReader(stream))
    usable = [
        record for record in records if all(is_number(record[name]) for name in ("BilledCost", "ListCost"))
    ]

    answer = marketplace.deliver(file, vendor=file.stem)

    imported = sum(
        (Fraction(cost) for one in answer["periods"] for cost in one["cost"].values()), Fraction(0)
    )
    assert imported == sum((Fraction(record["BilledCost"]) for record in usable), Fraction(0))
    assert answer["accepted"] == len(usable)
    assert {reject["row"] for reject in answer["rejects"]} == {
        number for number, record in enumerate(records, start=1) if record not in usable
    }


@pytest.mark.parametrize("place", COMMITMENTS)
def test_an_example_that_leaves_out_columns_is_refused_by_their_names(
    marketplace: Marketplace, place: str
) -> None:
    answer = marketplace.deliver(shared(place), vendor="examples", code=1)

    assert "BillingAccountId, BillingCurrency" in answer["error"]
