"""Price lists as vendors publish them: what is read, and which rows are refused and why."""

import io
import json
import zipfile
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from catalog.price_files import read_price_file
from catalog.price_files.reading import BrokenArchive, NotAPriceList, NotReadable
from catalog.price_files.rows import PlanKey, PlanRow
from catalog.price_files.sheets import instant
from catalog.words import BillingCycle, PriceListKind, ProductKind, RelationKind, Segment, Term
from tests.catalog.lists import HEADER, ROW, azure_sheet, sheet
from tests.conformance.shared_data import shared

OFFERS = "partner-center/offers_US_extracted.json"


def only(content: bytes) -> PlanRow:
    read = read_price_file(content, file="list.csv")
    assert read.rejects == []
    (row,) = read.plans
    return row


def test_the_vendors_own_example_is_read() -> None:
    row = only(sheet({}))

    assert row.plan == PlanKey("CFQ7TTC0HDK0", "0001", Term.P1Y, BillingCycle.ANNUAL, Segment.COMMERCIAL)
    assert (row.unit_cost, row.unit_list) == (Decimal("115.2"), Decimal(144))
    assert (row.market, row.currency) == ("FR", "EUR")
    assert row.valid_from == datetime(2019, 2, 1, tzinfo=UTC)
    assert row.valid_until is None
    assert (row.quantity_from, row.quantity_until) == (1, None)
    assert row.words.description == 'Calls, "quoted"'


def test_prices_keep_all_their_decimals() -> None:
    assert only(sheet({"UnitPrice": "0.0000000123456789"})).unit_cost == Decimal("0.0000000123456789")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2/1/2019 12:00:00 AM", datetime(2019, 2, 1, tzinfo=UTC)),
        ("2/4/2021 8:35:31 PM", datetime(2021, 2, 4, 20, 35, 31, tzinfo=UTC)),
        ("12/31/2021 12:30:00 PM", datetime(2021, 12, 31, 12, 30, tzinfo=UTC)),
        ("2021-10-01T00:00:00.0000000Z", datetime(2021, 10, 1, tzinfo=UTC)),
        ("2021-11-03T06:57:30Z", datetime(2021, 11, 3, 6, 57, 30, tzinfo=UTC)),
        ("2021-11-03", datetime(2021, 11, 3, tzinfo=UTC)),
        ("1/1/1753 12:00:00 AM", None),
        ("9999-12-31T23:59:59.9999999Z", None),
        ("", None),
    ],
)
def test_instants_in_both_forms_and_placeholders(text: str, read: datetime | None) -> None:
    assert instant(text) == read


@pytest.mark.parametrize("written", ["1", "0001"])
def test_leading_zeros_that_a_spreadsheet_dropped_come_back(written: str) -> None:
    assert only(sheet({"SkuId": written})).words.sku == "0001"


@pytest.mark.parametrize(
    "content",
    [
        sheet({}).replace(b"ERP Price", "ERP Price\u201d".encode()),
        b"\xef\xbb\xbf" + sheet({}),
        sheet({}).decode().encode("utf-16"),
        sheet({}, header=tuple(reversed(HEADER))),
        sheet({}).replace(b"ERP Price", b"erp price,EndofSaleDate").replace(b",144", b",144,1/1/2030"),
    ],
    ids=["typographic quote", "byte-order mark", "UTF-16", "columns in another order", "preview list"],
)
def test_what_real_files_do_is_survived(content: bytes) -> None:
    assert only(content).unit_list == Decimal(144)


def test_a_zipped_list_is_read_and_another_archive_refused() -> None:
    def zipped(*names: str) -> bytes:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for name in names:
                archive.writestr(name, sheet({}))
        return file.getvalue()

    assert only(zipped("list.csv")).unit_list == Decimal(144)
    with pytest.raises(BrokenArchive, match="2 files"):
        read_price_file(zipped("one.csv", "two.csv"), file="lists.zip")


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"UnitPrice": "-1"}, "UnitPrice"),
        ({"UnitPrice": ""}, "UnitPrice"),
        ({"UnitPrice": "1,5"}, "UnitPrice"),
        ({"ERP Price": "free"}, "ERP Price"),
        ({"ProductId": ""}, "ProductId"),
        ({"SkuId": "12345"}, "SkuId"),
        ({"TermDuration": "P2Y"}, "TermDuration"),
        ({"TermDuration": "P1M", "BillingPlan": "Annual"}, "BillingPlan"),
        ({"BillingPlan": "Weekly"}, "BillingPlan"),
        ({"Market": "UK"}, "Market"),
        ({"Currency": "XXY"}, "Currency"),
        ({"PricingTierRangeMin": "10", "PricingTierRangeMax": "9"}, "PricingTierRangeMax"),
        ({"PricingTierRangeMin": "1.5"}, "PricingTierRangeMin"),
        ({"EffectiveStartDate": "31/12/2020"}, "EffectiveStartDate"),
        ({"EffectiveEndDate": "1/1/2018 12:00:00 AM"}, "EffectiveEndDate"),
    ],
)
def test_a_row_with_impossible_data_is_refused_by_number_and_column(
    changes: dict[str, str], column: str
) -> None:
    read = read_price_file(sheet({}, {**changes, "SkuTitle": "second"}, {"SkuId": "0003"}), file="list.csv")

    assert [(reject.row, reject.column) for reject in read.rejects] == [(2, column)]
    assert [row.number for row in read.plans] == [1, 3]
    assert (read.rows, read.rejected) == (3, 1)


def test_bands_that_overlap_are_refused_and_bands_that_follow_are_not() -> None:
    read = read_price_file(
        sheet(
            {"PricingTierRangeMin": "1", "PricingTierRangeMax": "99"},
            {"PricingTierRangeMin": "100", "PricingTierRangeMax": ""},
            {"PricingTierRangeMin": "50", "PricingTierRangeMax": "150"},
        ),
        file="list.csv",
    )

    assert [(reject.row, reject.column) for reject in read.rejects] == [(3, "PricingTierRangeMin")]
    assert "row 1" in read.rejects[0].reason


def test_the_same_band_may_change_its_price_and_not_have_two_from_one_instant() -> None:
    later = {"EffectiveStartDate": "2021-11-01", "UnitPrice": "120"}
    read = read_price_file(sheet({}, later, {**later, "UnitPrice": "130"}), file="list.csv")

    assert [row.number for row in read.plans] == [1, 2]
    assert [(reject.row, reject.column) for reject in read.rejects] == [(3, "EffectiveStartDate")]


def test_software_is_known_by_its_tags_and_may_be_bought_for_good() -> None:
    read = read_price_file(
        sheet(
            {
                "TermDuration": "OneTime",
                "BillingPlan": "",
                "Tags": "Software;Perpetual",
                "Segment": "Charity",
            },
            header=(*HEADER, "Segment"),
        ),
        file="software.csv",
    )

    (row,) = read.plans
    assert read.kind is PriceListKind.SOFTWARE
    assert (row.plan.term, row.plan.billing_cycle) == (Term.ONE_TIME, BillingCycle.ONE_TIME)
    assert row.plan.segment is Segment.CHARITY
    assert row.words.kind is ProductKind.SOFTWARE


def test_steps_of_consumption_begin_where_the_last_one_ended() -> None:
    read = read_price_file(
        azure_sheet(
            {"UnitPrice": "1", "PricingTierRangeMin": "1", "PricingTierRangeMax": "100"},
            {"UnitPrice": "0.80", "PricingTierRangeMin": "101", "PricingTierRangeMax": "100000"},
        ),
        file="azure.csv",
    )

    assert read.kind is PriceListKind.CONSUMPTION
    assert [(step.quantity_from, step.quantity_until) for step in read.meters] == [
        (Decimal(0), Decimal(100)),
        (Decimal(100), Decimal(100000)),
    ]


def test_a_reservation_of_the_azure_sheet_is_a_plan() -> None:
    read = read_price_file(
        azure_sheet({"TermDuration": "P3Y", "Tags": "Azure;Reservation"}), file="azure.csv"
    )

    assert [row.plan.term for row in read.plans] == [Term.P3Y]
    assert read.meters == []


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", NotAPriceList),
        (b"a,b\n1,2\n", NotAPriceList),
        (b"{", NotReadable),
        (json.dumps(ROW).encode(), Exception),
    ],
)
def test_what_is_no_price_list_is_refused_whole(content: bytes, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        read_price_file(content, file="list.csv")


@pytest.mark.conformance
def test_the_274_offers_of_the_american_catalogue_are_read() -> None:
    read = read_price_file(shared(OFFERS).read_bytes(), file="offers.json")

    skus = {row.words.sku: row.words for row in read.plans}
    assert (read.rows, read.rejects, len(skus)) == (274, [], 274)
    assert sum(words.is_addon for words in skus.values()) == 75
    assert sum(words.is_trial for words in skus.values()) == 17
    assert sum(not words.may_renew for words in skus.values()) == 20
    kinds = [relation.kind for relation in read.relations]
    # 11 offers name what they can be upgraded to, 17 what they become; some of it is not in the file.
    assert kinds.count(RelationKind.UPGRADE) == 51
    assert len({one.sku for one in read.relations if one.kind is RelationKind.CONVERSION}) == 17
    minimums = [words.minimum_quantity for words in skus.values()]
    counted = {least: minimums.count(least) for least in (1, 2, 5, 10, 20, 25)}
    assert counted == {1: 235, 2: 4, 5: 3, 10: 6, 20: 5, 25: 17}
    assert {row.words.kind for row in read.plans} == {ProductKind.LICENCE, ProductKind.CONSUMPTION}
