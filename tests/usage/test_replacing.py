"""Deliveries given again, replaced, added to and undone."""

import gzip
from decimal import Decimal

import pytest
from sqlalchemy import select

from marketplace.core.db import Database
from marketplace.usage.models import DeliverySlice
from tests.oracle.commands import Marketplace
from tests.usage.deliveries import Record, cost_of, csv_text, give, json_lines, lake_rows, own, record, save

VENDOR = "microsoft"
SEPTEMBER, OCTOBER = "2024-09-15", "2024-10-15"


def counting(marketplace: Marketplace) -> dict[tuple[str, str, int, str], tuple[int, dict[str, Decimal]]]:
    """Give rows and cost of everything that counts, by vendor, billing account, period and kind."""
    database = Database(marketplace.database_url)
    found: dict[tuple[str, str, int, str], tuple[int, dict[str, Decimal]]] = {}
    with database.owner_transaction() as session:
        for piece in session.scalars(select(DeliverySlice).where(DeliverySlice.is_current)):
            key = (piece.vendor, piece.billing_account, piece.period, piece.file_kind)
            rows, cost = found.get(key, (0, {}))
            summed = {
                currency: cost.get(currency, Decimal(0)) + Decimal(piece.cost.get(currency, 0))
                for currency in {*cost, *piece.cost}
            }
            found[key] = (rows + piece.accepted, summed)
    database.dispose()
    return found


def rows(*costs: str, day: str = SEPTEMBER, **said: str) -> list[Record]:
    return [own(cost=cost, usage_date=day, **said) for cost in costs]


def test_the_same_bytes_again_change_nothing(marketplace: Marketplace) -> None:
    first = give(marketplace, csv_text(rows("1", "2")), vendor=VENDOR)
    before = counting(marketplace)

    again = give(marketplace, csv_text(rows("1", "2")), vendor=VENDOR, name="under another name.csv")

    assert (again["duplicate"], again["delivery"]) == (True, first["delivery"])
    assert counting(marketplace) == before


@pytest.mark.parametrize("option", ["--add", "--replace"])
def test_the_same_bytes_again_change_nothing_whatever_is_said(marketplace: Marketplace, option: str) -> None:
    first = give(marketplace, csv_text(rows("1", "2")), vendor=VENDOR)

    again = give(marketplace, csv_text(rows("1", "2")), vendor=VENDOR, options=[option])

    assert (again["duplicate"], again["delivery"]) == (True, first["delivery"])


def test_the_files_of_a_delivery_again_in_any_order_change_nothing(marketplace: Marketplace) -> None:
    one = save(marketplace, csv_text(rows("1")), "one.csv")
    two = save(marketplace, csv_text(rows("2")), "two.csv")
    first = marketplace.deliver(one, two, vendor=VENDOR)

    again = marketplace.deliver(two, one, vendor=VENDOR)

    assert (again["duplicate"], again["delivery"]) == (True, first["delivery"])


def test_one_byte_more_is_another_delivery(marketplace: Marketplace) -> None:
    first = give(marketplace, csv_text(rows("1", "2")), vendor=VENDOR)

    again = give(marketplace, csv_text(rows("1", "2")) + "\n", vendor=VENDOR)

    assert (again["duplicate"], again["replaces"]) == (False, first["delivery"])
    assert counting(marketplace) == {(VENDOR, "", 202409, "own"): (2, {"EUR": Decimal(3)})}


def test_the_bytes_of_a_replaced_delivery_count_anew(marketplace: Marketplace) -> None:
    give(marketplace, csv_text(rows("1", "2")), vendor=VENDOR)
    give(marketplace, csv_text(rows("2", "2")), vendor=VENDOR)

    back = give(marketplace, csv_text(rows("1", "2")), vendor=VENDOR)

    assert back["duplicate"] is False
    assert counting(marketplace) == {(VENDOR, "", 202409, "own"): (2, {"EUR": Decimal(3)})}


def test_a_newer_file_replaces_the_month_whole_and_says_what_changed(marketplace: Marketplace) -> None:
    first = give(marketplace, csv_text(rows("1", "2")), vendor=VENDOR)

    newer = give(marketplace, csv_text(rows("1", "2.5", "-0.25")), vendor=VENDOR)

    assert newer["replaces"] == first["delivery"]
    assert newer["periods"][0]["change"] == {"rows": 1, "cost": {"EUR": "0.25"}}
    assert counting(marketplace) == {(VENDOR, "", 202409, "own"): (3, {"EUR": Decimal("3.25")})}


def test_a_first_file_changes_nothing_that_was_there(marketplace: Marketplace) -> None:
    answer = give(marketplace, csv_text(rows("1")), vendor=VENDOR)

    assert (answer["replaces"], answer["periods"][0]["change"]) == (None, None)


@pytest.mark.parametrize(
    ("other", "key"),
    [
        pytest.param({"vendor": "aws"}, ("aws", "", 202409, "own"), id="vendor"),
        pytest.param({"billing_account": "BA-2"}, (VENDOR, "BA-2", 202409, "own"), id="billing account"),
    ],
)
def test_another_name_space_is_not_replaced(
    marketplace: Marketplace, other: dict[str, str], key: tuple[str, str, int, str]
) -> None:
    give(marketplace, csv_text(rows("1", "2")), vendor=VENDOR)

    give(marketplace, csv_text(rows("4")), **{"vendor": VENDOR, **other})

    assert counting(marketplace) == {
        (VENDOR, "", 202409, "own"): (2, {"EUR": Decimal(3)}),
        key: (1, {"EUR": Decimal(4)}),
    }


def test_another_kind_of_file_of_the_same_month_is_not_replaced(marketplace: Marketplace) -> None:
    partner = record("daily")["PartnerId"]
    give(marketplace, csv_text([record("daily")]), vendor=VENDOR)

    give(marketplace, csv_text([record("reconciliation")]), vendor=VENDOR, period="2024-09")

    assert counting(marketplace) == {
        (VENDOR, partner, 202409, "daily"): (1, {"EUR": Decimal("0.0001618")}),
        (VENDOR, partner, 202409, "reconciliation"): (1, {"EUR": Decimal(35)}),
    }


def test_daily_usage_as_json_replaces_daily_usage_as_csv(marketplace: Marketplace) -> None:
    give(marketplace, csv_text([record("daily")]), vendor=VENDOR)

    give(
        marketplace, json_lines([record("daily", BillingPreTaxTotal="0.0002")]), vendor=VENDOR, name="d.json"
    )

    partner = record("daily")["PartnerId"]
    assert counting(marketplace) == {(VENDOR, partner, 202409, "daily"): (1, {"EUR": Decimal("0.0002")})}


def test_of_a_file_of_several_months_each_is_replaced_on_its_own(marketplace: Marketplace) -> None:
    give(marketplace, csv_text([*rows("1"), *rows("2", day=OCTOBER)]), vendor=VENDOR)

    answer = give(marketplace, csv_text(rows("20", day=OCTOBER)), vendor=VENDOR)

    assert cost_of(answer) == {"2024-10": {"EUR": "20"}}
    assert counting(marketplace) == {
        (VENDOR, "", 202409, "own"): (1, {"EUR": Decimal(1)}),
        (VENDOR, "", 202410, "own"): (1, {"EUR": Decimal(20)}),
    }


def test_of_a_file_of_several_billing_accounts_each_is_replaced_on_its_own(marketplace: Marketplace) -> None:
    both = [record("focus", BillingAccountId=account) for account in ("A", "B")]
    give(marketplace, csv_text(both), vendor="aws")

    give(marketplace, csv_text([record("focus", BillingAccountId="B", BilledCost="9")]), vendor="aws")

    assert counting(marketplace) == {
        ("aws", "A", 202409, "focus"): (1, {"USD": Decimal("1.5")}),
        ("aws", "B", 202409, "focus"): (1, {"USD": Decimal(9)}),
    }


def test_the_whole_file_again_after_one_month_was_replaced_is_no_duplicate(marketplace: Marketplace) -> None:
    both = csv_text([*rows("1"), *rows("2", day=OCTOBER)])
    give(marketplace, both, vendor=VENDOR)
    give(marketplace, csv_text(rows("20", day=OCTOBER)), vendor=VENDOR)

    answer = give(marketplace, both, vendor=VENDOR, options=["--replace"])

    assert answer["duplicate"] is False
    assert counting(marketplace)[VENDOR, "", 202410, "own"] == (1, {"EUR": Decimal(2)})


def test_an_increment_adds_to_what_is_there(marketplace: Marketplace) -> None:
    give(marketplace, csv_text(rows("1", "2")), vendor=VENDOR)

    answer = give(marketplace, csv_text(rows("0.5")), vendor=VENDOR, options=["--add"])

    assert answer["replaces"] is None
    assert counting(marketplace) == {(VENDOR, "", 202409, "own"): (3, {"EUR": Decimal("3.5")})}


def test_a_file_that_counts_already_cannot_be_added_among_others(marketplace: Marketplace) -> None:
    known = save(marketplace, csv_text(rows("1", "2")), "known.csv")
    new = save(marketplace, csv_text(rows("3")), "new.csv")
    first = marketplace.deliver(known, vendor=VENDOR)

    refusal = marketplace.deliver(known, new, vendor=VENDOR, options=["--add"], code=1)

    assert refusal["error"] == (
        f"known.csv is already part of delivery {first['delivery']}, which counts. Adding it would bill it twice."
    )
    assert counting(marketplace) == {(VENDOR, "", 202409, "own"): (2, {"EUR": Decimal(3)})}


def test_a_whole_file_replaces_the_increments_too(marketplace: Marketplace) -> None:
    give(marketplace, csv_text(rows("1")), vendor=VENDOR)
    give(marketplace, csv_text(rows("2")), vendor=VENDOR, options=["--add"])

    give(marketplace, csv_text(rows("1", "2", "4")), vendor=VENDOR)

    assert counting(marketplace) == {(VENDOR, "", 202409, "own"): (3, {"EUR": Decimal(7)})}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(["1", "1", "1"], ["3"], id="rows"),
        pytest.param(["10", "1"], ["5.49", "0"], id="money"),
        pytest.param(["-10", "-1"], ["-5.49", "0"], id="credit"),
    ],
)
def test_more_than_half_lost_is_refused_until_it_is_meant(
    marketplace: Marketplace, before: list[str], after: list[str]
) -> None:
    give(marketplace, csv_text(rows(*before)), vendor=VENDOR)
    standing = counting(marketplace)
    new = csv_text(rows(*after))

    refusal = give(marketplace, new, vendor=VENDOR, code=1)

    assert "more than half would be lost" in refusal["error"]
    assert "--replace" in refusal["error"]
    assert counting(marketplace) == standing
    assert give(marketplace, new, vendor=VENDOR, options=["--replace"])["accepted"] == len(after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(["1", "1"], ["1"], id="just half the rows"),
        pytest.param(["10", "2"], ["6", "0"], id="just half the money"),
    ],
)
def test_just_half_lost_is_no_great_loss(
    marketplace: Marketplace, before: list[str], after: list[str]
) -> None:
    give(marketplace, csv_text(rows(*before)), vendor=VENDOR)

    answer = give(marketplace, csv_text(rows(*after)), vendor=VENDOR)

    assert answer["accepted"] == len(after)


def test_a_currency_that_would_vanish_is_a_great_loss(marketplace: Marketplace) -> None:
    give(marketplace, csv_text([*rows("100"), *rows("5", currency="USD")]), vendor=VENDOR)

    refusal = give(marketplace, csv_text(rows("100", "1")), vendor=VENDOR, code=1)

    assert "0 USD" in refusal["error"]


def test_a_header_alone_replaces_a_told_month_only_if_it_is_meant(marketplace: Marketplace) -> None:
    give(marketplace, csv_text(rows("1", "2")), vendor=VENDOR)
    header = csv_text(rows("1")).partition("\n")[0] + "\n"

    refusal = give(marketplace, header, vendor=VENDOR, period="2024-09", code=1)
    answer = give(marketplace, header, vendor=VENDOR, period="2024-09", options=["--replace"])

    assert "more than half would be lost" in refusal["error"]
    assert answer["periods"][0]["change"] == {"rows": -2, "cost": {"EUR": "-3"}}
    assert counting(marketplace) == {(VENDOR, "", 202409, "own"): (0, {})}


def test_what_lies_outside_a_told_month_replaces_nothing_of_its_own(marketplace: Marketplace) -> None:
    give(marketplace, csv_text(rows("1", "2")), vendor=VENDOR)
    both = [*rows("3", "4", "5"), own(usage_date="2024-10-01", cost="6")]

    answer = give(marketplace, csv_text(both), vendor=VENDOR, period="2024-10", options=["--replace"])

    (october,) = answer["periods"]
    assert (october["period"], october["accepted"], october["rejected"]) == ("2024-10", 1, 3)
    assert [(reject["column"], reject["value"]) for reject in answer["rejects"]] == [
        ("period", "2024-09")
    ] * 3
    assert counting(marketplace) == {
        (VENDOR, "", 202409, "own"): (2, {"EUR": Decimal(3)}),
        (VENDOR, "", 202410, "own"): (1, {"EUR": Decimal(6)}),
    }


def test_a_file_all_outside_its_told_month_is_counted_with_that_month(marketplace: Marketplace) -> None:
    answer = give(marketplace, csv_text(rows("3", "4")), vendor=VENDOR, period="2023-10")

    (told,) = answer["periods"]
    assert (told["period"], told["rows"], told["rejected"]) == ("2023-10", 2, 2)
    assert counting(marketplace) == {}


def test_a_refused_file_leaves_nothing_in_the_lake(marketplace: Marketplace) -> None:
    give(marketplace, csv_text(rows("1", "1", "1")), vendor=VENDOR)
    before = sorted((marketplace.home / "lake").rglob("*.parquet"))

    give(marketplace, csv_text(rows("1")), vendor=VENDOR, code=1)

    assert sorted((marketplace.home / "lake").rglob("*.parquet")) == before
    assert not list((marketplace.home / "work").iterdir())


def test_a_refused_file_can_be_given_again(marketplace: Marketplace) -> None:
    give(marketplace, csv_text(rows("1", "1", "1")), vendor=VENDOR)
    give(marketplace, csv_text(rows("9")), vendor=VENDOR, code=1)

    again = give(marketplace, csv_text(rows("9")), vendor=VENDOR, options=["--replace"])

    assert again["duplicate"] is False


def test_adding_and_replacing_at_once_is_wrong_usage(marketplace: Marketplace) -> None:
    give(marketplace, csv_text(rows("1")), vendor=VENDOR, options=["--add", "--replace"], code=2)

    assert counting(marketplace) == {}


def test_one_file_twice_in_a_delivery_is_refused(marketplace: Marketplace) -> None:
    one = save(marketplace, csv_text(rows("1")), "one.csv")
    copy = save(marketplace, csv_text(rows("1")), "copy.csv")

    refusal = marketplace.deliver(one, copy, vendor=VENDOR, code=1)

    assert refusal["error"] == (
        "copy.csv and one.csv are the same file. Give it once, or its rows would be billed twice."
    )


def test_rows_that_look_alike_are_all_billed_and_counted(marketplace: Marketplace) -> None:
    alike = rows("1", "1", "1", "2")

    answer = give(marketplace, csv_text(alike), vendor=VENDOR)

    assert (answer["accepted"], answer["look_alikes"]) == (4, 2)
    assert cost_of(answer) == {"2024-09": {"EUR": "5"}}


def test_the_blobs_of_a_manifest_are_one_delivery(marketplace: Marketplace) -> None:
    blobs = [
        save(
            marketplace,
            gzip.compress(json_lines([record("daily", BillingPreTaxTotal=cost)] * 2).encode()),
            f"part-{number:05d}.json.gz",
        )
        for number, cost in enumerate(("0.1", "0.02", "0.003"))
    ]

    answer = marketplace.deliver(*blobs, vendor=VENDOR)

    assert [file["file"] for file in answer["files"]] == [blob.name for blob in blobs]
    assert cost_of(answer) == {"2024-09": {"EUR": "0.246"}}
    assert lake_rows(marketplace, answer, 'file_no, "row"') == [(f, r) for f in (1, 2, 3) for r in (1, 2)]


def test_a_delivery_with_one_bad_file_counts_for_nothing(marketplace: Marketplace) -> None:
    good = save(marketplace, csv_text(rows("1")), "good.csv")
    bad = save(marketplace, gzip.compress(csv_text(rows("1") * 50_000).encode())[:-20], "bad.csv.gz")

    refusal = marketplace.deliver(good, bad, vendor=VENDOR, code=1)

    assert refusal["error"].startswith("bad.csv.gz ends too early or is damaged")
    assert counting(marketplace) == {}
    assert not list((marketplace.home / "lake").rglob("*.parquet"))


def test_undoing_lets_what_was_replaced_count_again(marketplace: Marketplace) -> None:
    give(marketplace, csv_text(rows("1", "2")), vendor=VENDOR)
    before = counting(marketplace)
    newer = give(marketplace, csv_text(rows("8", "9")), vendor=VENDOR)

    answer = marketplace.run("usage", "undo", str(newer["delivery"]), "--reason", "wrong file")

    assert answer == {"delivery": newer["delivery"], "status": "undone"}
    assert counting(marketplace) == before


def test_undoing_an_increment_leaves_what_it_was_added_to(marketplace: Marketplace) -> None:
    give(marketplace, csv_text(rows("1", "2")), vendor=VENDOR)
    before = counting(marketplace)
    increment = give(marketplace, csv_text(rows("8")), vendor=VENDOR, options=["--add"])

    marketplace.run("usage", "undo", str(increment["delivery"]))

    assert counting(marketplace) == before


def test_undoing_in_the_middle_keeps_the_newest(marketplace: Marketplace) -> None:
    give(marketplace, csv_text([*rows("1"), *rows("2", day=OCTOBER)]), vendor=VENDOR)
    middle = give(marketplace, csv_text([*rows("3"), *rows("4", day=OCTOBER)]), vendor=VENDOR)
    newest = give(marketplace, csv_text(rows("5", day=OCTOBER)), vendor=VENDOR)

    marketplace.run("usage", "undo", str(middle["delivery"]))

    assert counting(marketplace) == {
        (VENDOR, "", 202409, "own"): (1, {"EUR": Decimal(1)}),
        (VENDOR, "", 202410, "own"): (1, {"EUR": Decimal(5)}),
    }
    marketplace.run("usage", "undo", str(newest["delivery"]))
    assert counting(marketplace)[VENDOR, "", 202410, "own"] == (1, {"EUR": Decimal(2)})


def test_what_does_not_count_cannot_be_undone(marketplace: Marketplace) -> None:
    first = give(marketplace, csv_text(rows("1")), vendor=VENDOR)
    give(marketplace, csv_text(rows("2")), vendor=VENDOR)

    refusal = marketplace.run("usage", "undo", str(first["delivery"]), code=1)

    assert refusal["error"] == (
        f"Delivery {first['delivery']} does not count (it is replaced), so there is nothing to undo."
    )


def test_an_undone_file_may_be_imported_anew(marketplace: Marketplace) -> None:
    first = give(marketplace, csv_text(rows("1")), vendor=VENDOR)
    marketplace.run("usage", "undo", str(first["delivery"]))

    again = give(marketplace, csv_text(rows("1")), vendor=VENDOR)

    assert again["duplicate"] is False
    assert counting(marketplace) == {(VENDOR, "", 202409, "own"): (1, {"EUR": Decimal(1)})}


@pytest.mark.parametrize("delivery", ["77", "not-a-number", "99999999999999999999"])
def test_undoing_an_unknown_delivery_is_refused(marketplace: Marketplace, delivery: str) -> None:
    marketplace.run("migrate")

    refusal = marketplace.run("usage", "undo", delivery, code=1)

    assert refusal["error"] == f"There is no delivery {delivery}."
