"""What a version of a price list changes, found in the database, and what it makes for live customers."""

from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.models import Plan, PriceList
from catalog.operations.price_lists import activate, import_price_list
from catalog.queries.list_changes import changes_of
from catalog.rules.differences import Kind
from marketplace.core.actor import Actor
from marketplace.core.clock import utc_now
from tests.catalog.lists import azure_sheet, sheet

SYSTEM = Actor.system("tests")


def read(session: Session, content: bytes, *, vendor: str, is_active: bool = False) -> PriceList:
    imported = import_price_list(session, actor=SYSTEM, vendor=vendor, file="list.csv", content=content)
    assert imported.price_list_id is not None
    if is_active:
        activate(session, actor=SYSTEM, price_list_id=imported.price_list_id, now=utc_now())
    return session.scalars(select(PriceList).where(PriceList.public_id == imported.price_list_id)).one()


BANDS = (
    {"PricingTierRangeMin": "1", "PricingTierRangeMax": "99", "UnitPrice": "10"},
    {"PricingTierRangeMin": "100", "PricingTierRangeMax": "", "UnitPrice": "8"},
)


def test_the_first_version_is_all_new_and_compared_with_nothing(session: Session) -> None:
    found = changes_of(session, read(session, sheet(*BANDS), vendor="first"), live={})

    assert found.against is None
    assert (found.counted(Kind.NEW), found.unchanged, found.effect) == (2, 0, Decimal(0))


def test_only_what_differs_is_a_change_whatever_its_zeros(session: Session) -> None:
    read(session, sheet(*BANDS), vendor="zeros", is_active=True)
    second = read(
        session,
        sheet({**BANDS[0], "UnitPrice": "10.00"}, {**BANDS[1], "UnitPrice": "7.5"}, {"SkuId": "0009"}),
        vendor="zeros",
    )

    found = changes_of(session, second, live={})

    assert [(one.difference.kind, one.difference.key.plan.sku) for one in found.changes] == [
        (Kind.CHEAPER, "0001"),
        (Kind.NEW, "0009"),
    ]
    assert found.unchanged == 1


@pytest.mark.parametrize(
    ("quantities", "units", "effect"), [([100], 100, 100), ([99], 0, 0), ([99, 150, 200], 350, 350)]
)
def test_customers_are_counted_at_the_band_their_quantity_lies_in(
    session: Session, quantities: list[int], units: int, effect: int
) -> None:
    vendor = f"bands {quantities}"
    read(session, sheet(*BANDS), vendor=vendor, is_active=True)
    second = read(session, sheet(BANDS[0], {**BANDS[1], "UnitPrice": "9"}), vendor=vendor)
    plan_id = session.scalars(select(Plan.id).order_by(Plan.id.desc()).limit(1)).one()

    found = changes_of(session, second, live={plan_id: quantities})

    (change,) = found.changes
    assert (change.difference.key.quantity_from, change.units, change.effect) == (
        Decimal(100),
        units,
        Decimal(effect),
    )
    assert found.effect == effect


def test_a_version_in_force_is_compared_with_the_one_it_followed(session: Session) -> None:
    first = read(session, sheet(*BANDS), vendor="followed", is_active=True)
    second = read(session, sheet(BANDS[0]), vendor="followed", is_active=True)

    found = changes_of(session, second, live={})

    assert found.against is not None
    assert found.against.id == first.id
    assert found.counted(Kind.ENDED) == 1


def test_steps_of_consumption_are_compared_too(session: Session) -> None:
    steps = (
        {"PricingTierRangeMin": "1", "PricingTierRangeMax": "100", "UnitPrice": "1"},
        {"PricingTierRangeMin": "101", "PricingTierRangeMax": "", "UnitPrice": "0.8"},
    )
    read(session, azure_sheet(*steps), vendor="steps", is_active=True)
    second = read(session, azure_sheet(steps[0], {**steps[1], "UnitPrice": "0.9"}), vendor="steps")

    found = changes_of(session, second, live={})

    assert [(one.difference.kind, one.difference.key.quantity_from) for one in found.changes] == [
        (Kind.DEARER, Decimal(100))
    ]
    assert found.unchanged == 1
