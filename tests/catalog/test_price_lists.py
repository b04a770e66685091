"""Versions of price lists: what a new one changes, when it holds, and what it never touches."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from catalog.models import MeterPrice, Plan, PlanPrice, PriceList, PriceListReject, Product, Sku, SkuRelation
from catalog.operations.price_lists import (
    ImportedList,
    InThePast,
    NotADraft,
    NothingInIt,
    SeveralLists,
    activate,
    activate_due,
    discard,
    import_price_list,
    schedule,
)
from catalog.queries.price_lists import rejects_of, renamed_in
from catalog.queries.prices import prices_in_force
from catalog.rules.differences import Kind
from marketplace.core.actor import Actor
from marketplace.core.errors import NotPermitted
from tests.catalog.lists import HEADER, azure_sheet, matrix, sheet
from tests.conformance.shared_data import shared

SYSTEM = Actor.system("tests")
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
OTHER_SKU = {"SkuId": "0002", "SkuTitle": "Second"}


def imported(session: Session, content: bytes, **options: object) -> ImportedList:
    given = {"actor": SYSTEM, "vendor": "microsoft", "file": "list.csv", "content": content, **options}
    return import_price_list(session, **given)  # type: ignore[arg-type]


def put_in_force(session: Session, content: bytes, *, now: datetime = NOW) -> ImportedList:
    result = imported(session, content)
    assert result.price_list_id is not None
    activate(session, actor=SYSTEM, price_list_id=result.price_list_id, now=now)
    return result


def costs(session: Session, at: datetime, *, quantity: int = 1) -> dict[str, Decimal | None]:
    """Give what a unit costs at an instant, by SKU."""
    rows = session.execute(select(Plan.id, Sku.reference).join(Sku, Sku.id == Plan.sku_id)).all()
    plans = {row.id: row.reference for row in rows}
    found = prices_in_force(session, plan_ids=plans.keys(), market="FR", currency="EUR", at=at)
    return {
        plans[plan]: band.unit_cost for plan, bands in found.items() for band in bands if quantity in band
    }


def test_a_draft_holds_nothing_until_it_is_activated(session: Session) -> None:
    result = imported(session, sheet({}))

    assert (result.version, result.status, result.counted(Kind.NEW)) == (1, "draft", 1)
    assert costs(session, NOW) == {}
    assert result.price_list_id is not None
    activate(session, actor=SYSTEM, price_list_id=result.price_list_id, now=NOW)
    assert costs(session, NOW) == {"0001": Decimal("115.2")}


def test_the_next_version_says_what_it_changes_and_the_last_one_holds_for_its_time(session: Session) -> None:
    put_in_force(
        session, sheet({}, OTHER_SKU, {"SkuId": "0003"}, {"SkuId": "0004"}), now=NOW - timedelta(days=30)
    )

    second = put_in_force(
        session,
        sheet({"UnitPrice": "120"}, {**OTHER_SKU, "UnitPrice": "100"}, {"SkuId": "0003"}, {"SkuId": "0005"}),
    )

    counted = {kind: second.counted(kind) for kind in Kind if second.counted(kind)}
    assert counted == {Kind.NEW: 1, Kind.ENDED: 1, Kind.DEARER: 1, Kind.CHEAPER: 1}
    assert (second.version, second.unchanged) == (2, 1)
    before, after = costs(session, NOW - timedelta(days=1)), costs(session, NOW)
    assert before == dict.fromkeys(["0001", "0002", "0003", "0004"], Decimal("115.2"))
    assert after == {"0001": 120, "0002": 100, "0003": Decimal("115.2"), "0005": Decimal("115.2")}


def test_the_bytes_of_the_newest_version_again_change_nothing(session: Session) -> None:
    first = put_in_force(session, sheet({}))

    again = imported(session, sheet({}))

    assert again.is_duplicate
    assert (again.price_list_id, again.version, again.status) == (first.price_list_id, 1, "active")
    assert session.scalar(select(func.count()).select_from(PriceList)) == 1


def test_a_trial_changes_nothing(session: Session) -> None:
    tried = imported(session, sheet({}), is_trial=True)

    assert (tried.price_list_id, tried.counted(Kind.NEW)) == (None, 1)
    assert session.scalar(select(func.count()).select_from(Product)) == 0


def test_what_the_wholesaler_set_survives_an_import(session: Session) -> None:
    put_in_force(session, sheet({}))
    session.execute(update(Product).values(own_title="Calls", own_category="Voice", is_listed=False))
    session.execute(update(Plan).values(status="private"))

    put_in_force(session, sheet({"ProductTitle": "Advanced Communications 2"}))

    product = session.execute(
        select(Product.title, Product.own_title, Product.own_category, Product.is_listed)
    ).one()
    assert tuple(product) == ("Advanced Communications", "Calls", "Voice", False)
    assert session.scalars(select(Plan.status)).all() == ["private"]


def test_of_rows_that_overlap_in_time_the_older_one_holds_until_it_ends(session: Session) -> None:
    """The vendor's example: a purchase on 2 November has the first row's price, on 4 November the second's."""
    put_in_force(
        session,
        sheet(
            {
                "UnitPrice": "10",
                "EffectiveStartDate": "2021-10-01T00:00:00.0000000Z",
                "EffectiveEndDate": "2021-11-03T06:57:30Z",
            },
            {"UnitPrice": "11", "EffectiveStartDate": "2021-11-01T00:00:00.0000000Z"},
        ),
        now=datetime(2021, 10, 1, tzinfo=UTC),
    )

    assert costs(session, datetime(2021, 11, 2, tzinfo=UTC)) == {"0001": 10}
    assert costs(session, datetime(2021, 11, 4, tzinfo=UTC)) == {"0001": 11}


def test_each_band_has_its_own_price_even_where_one_began_later(session: Session) -> None:
    put_in_force(
        session,
        sheet(
            {"PricingTierRangeMax": "99"},
            {"PricingTierRangeMin": "100", "UnitPrice": "100", "EffectiveStartDate": "6/1/2026 12:00:00 AM"},
        ),
    )

    assert costs(session, NOW, quantity=99) == {"0001": Decimal("115.2")}
    assert costs(session, NOW, quantity=100) == {"0001": 100}


def test_a_scheduled_version_holds_from_its_moment_on(session: Session) -> None:
    put_in_force(session, sheet({}, OTHER_SKU))
    coming = imported(session, sheet({"UnitPrice": "120"}))
    assert coming.price_list_id is not None
    moment = NOW + timedelta(days=1)
    schedule(session, actor=SYSTEM, price_list_id=coming.price_list_id, at=moment, now=NOW)

    assert costs(session, moment - timedelta(seconds=1)) == {
        "0001": Decimal("115.2"),
        "0002": Decimal("115.2"),
    }
    assert costs(session, moment) == {"0001": 120}

    assert activate_due(session, actor=SYSTEM, now=moment - timedelta(seconds=1)) == 0
    assert activate_due(session, actor=SYSTEM, now=moment + timedelta(hours=1)) == 1
    assert session.scalars(select(PriceList.status).order_by(PriceList.version)).all() == [
        "superseded",
        "active",
    ]
    assert costs(session, moment) == {"0001": 120}
    assert len(costs(session, moment - timedelta(seconds=1))) == 2


def test_only_what_has_not_come_into_force_can_change(session: Session) -> None:
    result = put_in_force(session, sheet({}))
    assert result.price_list_id is not None

    with pytest.raises(NotADraft, match="active"):
        discard(session, actor=SYSTEM, price_list_id=result.price_list_id)
    draft = imported(session, sheet({"UnitPrice": "1"}))
    assert draft.price_list_id is not None
    with pytest.raises(InThePast):
        schedule(session, actor=SYSTEM, price_list_id=draft.price_list_id, at=NOW, now=NOW)
    discard(session, actor=SYSTEM, price_list_id=draft.price_list_id)
    # What was given up may come again.
    assert imported(session, sheet({"UnitPrice": "1"})).version == 3


def test_a_file_of_several_markets_is_asked_about(session: Session) -> None:
    several = sheet({}, {"Currency": "SEK", "UnitPrice": "1300"}, {"Market": "DE"})

    with pytest.raises(SeveralLists, match="DE EUR, FR EUR, FR SEK"):
        imported(session, several)
    taken = imported(session, several, market="FR", currency="SEK")
    assert (taken.accepted, taken.left_out, taken.currency) == (1, 2, "SEK")
    with pytest.raises(NothingInIt):
        imported(session, several, market="IT")


def test_faulty_rows_are_left_out_and_named(session: Session) -> None:
    result = imported(session, sheet({}, {**OTHER_SKU, "UnitPrice": "-1"}))

    assert (result.rows, result.accepted, result.rejected) == (2, 1, 1)
    assert [(reject.row, reject.column) for reject in result.rejects] == [(2, "UnitPrice")]
    kept = rejects_of(session, session.scalars(select(PriceList)).one())
    assert (list(kept.first), kept.rows) == (list(result.rejects), 1)


def test_a_trial_keeps_no_rejects(session: Session) -> None:
    imported(session, sheet({}, {**OTHER_SKU, "UnitPrice": "-1"}), is_trial=True)

    assert session.scalar(select(func.count()).select_from(PriceListReject)) == 0


def test_steps_of_consumption_are_kept(session: Session) -> None:
    imported(
        session,
        azure_sheet({"PricingTierRangeMax": "100"}, {"PricingTierRangeMin": "101", "UnitPrice": "0.8"}),
    )

    steps = session.execute(
        select(MeterPrice.quantity_from, MeterPrice.quantity_until, MeterPrice.unit_list).order_by(
            MeterPrice.quantity_from
        )
    ).all()
    assert [tuple(step) for step in steps] == [
        (Decimal(0), Decimal(100), Decimal("115.2")),
        (Decimal(100), None, Decimal("0.8")),
    ]


def test_who_may_not_keep_the_catalogue_is_refused(session: Session) -> None:
    with pytest.raises(NotPermitted):
        imported(session, sheet({}), actor=Actor("Nobody", SYSTEM.audience))


def test_ten_thousand_rows_are_written_in_a_few_statements(session: Session) -> None:
    rows = [
        {"ProductId": f"CFQ7TTC{number // 4:05}", "SkuId": f"{number % 4:04}"} for number in range(10_000)
    ]

    result = put_in_force(session, sheet(*rows, header=HEADER))

    assert result.accepted == session.scalar(select(func.count()).select_from(PlanPrice)) == 10_000


@pytest.mark.conformance
def test_the_american_catalogue_of_2019_is_known_without_prices(session: Session) -> None:
    offers = shared("partner-center/offers_US_extracted.json").read_bytes()

    result = imported(session, offers, currency="USD")

    assert (result.rows, result.rejected, result.market, result.currency) == (274, 0, "US", "USD")
    assert session.scalar(select(func.count()).select_from(Sku)) == 274
    assert session.scalar(select(func.count()).select_from(SkuRelation)) == 1207
    assert session.scalar(select(func.count()).select_from(PlanPrice)) == 0


def test_an_offer_matrix_sets_limits_and_relations_which_later_lists_leave(session: Session) -> None:
    put_in_force(session, sheet({}, OTHER_SKU))
    limits = {"MinLicenses": "2", "MaxLicenses": "300", "AssetOwnershipLimit": "1000"}

    result = imported(
        session,
        matrix(
            {
                **limits,
                "ProductSkuPreRequisites": "CFQ7TTC0HDK0/0002",
                "ProductSkuConversion": "CFQ7TTC0HDK0/2",
            },
            {"SkuId": "0002"},
            {"SkuId": "0009"},
            {"SkuId": "0002", "MinLicenses": "some"},
        ),
    )

    assert (result.rows, result.accepted, result.price_list_id) == (4, 2, None)
    assert [(reject.row, reject.column) for reject in result.rejects] == [(3, "SkuId"), (4, "MinLicenses")]
    put_in_force(session, sheet({"UnitPrice": "1"}, OTHER_SKU))
    sku = session.scalars(select(Sku).where(Sku.reference == "0001")).one()
    assert (sku.minimum_quantity, sku.maximum_quantity, sku.customer_limit, sku.is_addon) == (
        2,
        300,
        1000,
        True,
    )
    assert sorted(session.scalars(select(SkuRelation.kind))) == ["prerequisite", "upgrade"]


def test_an_offer_matrix_can_be_tried(session: Session) -> None:
    put_in_force(session, sheet({}))

    tried = imported(session, matrix({"MinLicenses": "5"}), is_trial=True)

    assert tried.accepted == 1
    assert session.scalars(select(Sku.minimum_quantity)).all() == [1]


def test_a_plan_may_be_prepaid(session: Session) -> None:
    put_in_force(session, sheet({"Tags": "License;Prepaid"}, OTHER_SKU))

    models = session.execute(
        select(Sku.reference, Plan.billing_model).join(Plan, Plan.sku_id == Sku.id)
    ).all()
    assert {tuple(one) for one in models} == {("0001", "prepaid"), ("0002", "postpaid")}


def test_a_product_keeps_its_name_when_the_vendor_renames_it(session: Session) -> None:
    put_in_force(session, sheet({}))
    renamed = imported(session, sheet({"ProductTitle": "Teams Talk", "UnitPrice": "99"}))

    product = session.scalars(select(Product).execution_options(populate_existing=True)).one()
    assert (product.title, product.new_title) == ("Advanced Communications", "Teams Talk")
    newest = session.scalars(select(PriceList).where(PriceList.public_id == renamed.price_list_id)).one()
    assert [one.new_title for one in renamed_in(session, newest)] == ["Teams Talk"]
    first = session.scalars(select(PriceList).where(PriceList.version == 1)).one()
    imported(session, sheet({"UnitPrice": "98"}))
    session.expire_all()
    assert list(renamed_in(session, first)) == []
