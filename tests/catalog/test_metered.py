"""How consumption is bought, by the lists that price it: a plan for each SKU, or the vendor's one for all of them."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.models import Plan, Product, Sku
from catalog.operations.price_lists import activate, import_price_list
from catalog.queries.meters import MeteredOffer, find_metered, metered_in_force, metered_offers, ordered_plan
from catalog.rules.metered import bought, is_metered
from catalog.words import PlanStatus
from marketplace.core.actor import Actor
from tests.catalog.lists import azure_sheet

SYSTEM = Actor.system("tests")
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
TWO: tuple[dict[str, str], ...] = (
    {},
    {"ProductId": "DZH318Z0BNZH", "ProductTitle": "Blob Storage", "SkuTitle": "Hot"},
)


def put_in_force(session: Session, *rows: dict[str, str], vendor: str) -> None:
    read = import_price_list(
        session, actor=SYSTEM, vendor=vendor, file="meters.csv", content=azure_sheet(*rows)
    )
    assert read.price_list_id is not None
    activate(session, actor=SYSTEM, price_list_id=read.price_list_id, now=NOW)


def plans(session: Session) -> list[tuple[str, str]]:
    """Give what can be bought, and how."""
    rows = session.execute(
        select(Product.reference, Plan.term, Plan.billing_cycle)
        .join(Sku, Sku.product_id == Product.id)
        .join(Plan, Plan.sku_id == Sku.id)
        .order_by(Product.reference)
    ).all()
    assert all(is_metered(term, cycle) for _, term, cycle in rows)
    return [(reference, term) for reference, term, _ in rows]


def offers(session: Session) -> list[MeteredOffer]:
    return list(metered_offers(session, market="FR", at=NOW))


@pytest.mark.parametrize(
    ("vendor", "listed", "buys"),
    [
        ("backup", {("B1", "0001"), ("B2", "0001")}, {("B1", "0001"), ("B2", "0001")}),
        ("microsoft", {("M1", "0001"), ("M2", "0001")}, {("DZH318Z0BPS6", "0001")}),
        ("microsoft", set(), set()),
    ],
)
def test_what_is_bought(vendor: str, listed: set[tuple[str, str]], buys: set[tuple[str, str]]) -> None:
    assert bought(vendor, listed) == buys


def test_everything_microsoft_lists_is_bought_as_one_azure_plan(session: Session) -> None:
    put_in_force(session, *TWO, vendor="microsoft")

    assert plans(session) == [("DZH318Z0BPS6", "OneTime")]
    ordered = {one.title: ordered_plan(session, one) for one in offers(session)}
    assert len(ordered) == 2
    assert {plan.title for plan in ordered.values() if plan} == {"Azure plan"}


def test_what_others_list_is_bought_as_it_is_listed(session: Session) -> None:
    put_in_force(session, *TWO, vendor="backup")

    assert [reference for reference, _ in plans(session)] == ["DZH318Z0BNZH", "DZH318Z0BQ3Q"]
    for one in offers(session):
        plan = ordered_plan(session, one)
        assert plan is not None
        assert plan.title == one.title


def test_the_next_list_leaves_what_staff_said_of_it(session: Session) -> None:
    put_in_force(session, *TWO, vendor="microsoft")
    session.scalars(select(Plan)).one().status = PlanStatus.ENDED.value
    session.flush()

    put_in_force(session, {}, vendor="microsoft")

    assert session.scalars(select(Plan.status)).one() == "ended"
    assert ordered_plan(session, offers(session)[0]) is None


def test_the_plan_itself_has_no_meters_to_reckon_with(session: Session) -> None:
    put_in_force(session, *TWO, vendor="microsoft")
    sku_id = session.scalars(select(Sku.public_id).where(Sku.title == "Azure plan")).one()

    assert find_metered(session, sku_id, market="FR", at=NOW) is None


def test_it_is_sold_where_something_is_sold_under_it(session: Session) -> None:
    put_in_force(session, *TWO, vendor="microsoft")
    plan_id = session.scalars(select(Plan.id)).one()

    assert metered_in_force(session, [plan_id], market="FR", at=NOW) == {plan_id}
    assert metered_in_force(session, [plan_id], market="DE", at=NOW) == set()
    assert metered_in_force(session, [plan_id], market="FR", at=datetime(2018, 1, 1, tzinfo=UTC)) == set()
