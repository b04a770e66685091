"""Promotions: who is eligible, which of several holds, and what is taken off."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.models import Plan, Product, Sku
from catalog.operations.promotions import (
    EndsOutside,
    NoPlanChosen,
    PromotionStands,
    add_promotion,
    end_promotion,
)
from catalog.queries.promotions import promotions_for
from catalog.rules.promotions import (
    Offered,
    PromotionTerms,
    Purchase,
    best,
    discounted,
    judge,
    read_promotion,
)
from catalog.words import Segment
from marketplace.core.actor import Actor
from marketplace.core.audit import AuditEntry
from marketplace.core.cells import FaultyEntry
from marketplace.core.errors import Phrase
from tests.offer_factories import make_plan

SYSTEM = Actor.system("tests")
TERMS = PromotionTerms(
    reference="39NFJQT1PJQB:0001:39NFJQT1Q5KN",
    title="Half a year of teamwork",
    percent=Decimal(15),
    starts_on=date(2026, 1, 1),
    ends_on=date(2026, 7, 1),
    segment=Segment.COMMERCIAL,
    maximum_quantity=1000,
)
BOUGHT = Purchase(plan_id=7, segment=Segment.COMMERCIAL, day=date(2026, 3, 1), quantity=10)


def offered(number: int = 1, **changes: object) -> Offered:
    return Offered(number, replace(TERMS, **changes), frozenset({7}))  # type: ignore[arg-type]


def test_five_hundred_seats_beside_six_hundred_are_over_a_limit_of_a_thousand_and_four_hundred_are_left() -> (
    None
):
    verdict = judge(offered(), replace(BOUGHT, quantity=500, held=600))

    assert not verdict.is_eligible
    assert verdict.available == 400
    assert judge(offered(), replace(BOUGHT, quantity=400, held=600)).is_eligible


@pytest.mark.parametrize(
    ("promotion", "purchase", "is_eligible"),
    [
        ({}, {}, True),
        ({}, {"plan_id": 8}, False),
        ({}, {"day": date(2025, 12, 31)}, False),
        ({}, {"day": date(2026, 1, 1)}, True),
        ({}, {"day": date(2026, 6, 30)}, True),
        ({}, {"day": date(2026, 7, 1)}, False),
        ({}, {"segment": Segment.EDUCATION}, False),
        ({"segment": None}, {"segment": Segment.EDUCATION}, True),
        ({"minimum_quantity": 11}, {}, False),
        ({"minimum_quantity": 11}, {"held": 1}, True),
        ({"is_first_purchase_only": True}, {}, True),
        ({"is_first_purchase_only": True}, {"has_bought_before": True}, False),
        ({}, {"has_bought_before": True}, True),
        ({}, {"is_trial_conversion": True}, False),
        ({"maximum_quantity": None}, {"quantity": 100_000}, True),
        ({}, {"refused": {1: Phrase.of("The vendor says no.")}}, False),
        ({}, {"refused": {2: Phrase.of("The vendor says no.")}}, True),
        ({}, {"held": 1200, "quantity": 1}, False),
    ],
)
def test_who_is_eligible(
    promotion: dict[str, object], purchase: dict[str, object], is_eligible: bool
) -> None:
    verdict = judge(offered(**promotion), replace(BOUGHT, **purchase))  # type: ignore[arg-type]

    assert verdict.is_eligible is is_eligible
    assert (verdict.reason is None) is is_eligible


def test_the_highest_percentage_the_customer_is_eligible_for_holds() -> None:
    promotions = [
        offered(1, percent=Decimal(10)),
        offered(2, percent=Decimal(20)),
        offered(3, percent=Decimal(50), maximum_quantity=5),
    ]

    chosen = best(promotions, BOUGHT)

    assert chosen is not None
    assert chosen.id == 2
    assert best(promotions, replace(BOUGHT, is_trial_conversion=True)) is None


def test_of_equal_ones_the_one_that_lasts_longer_holds_whatever_their_order() -> None:
    short, long = offered(1), offered(2, ends_on=date(2027, 1, 1))

    assert best([short, long], BOUGHT) == best([long, short], BOUGHT) == long


@pytest.mark.parametrize(
    ("cost", "percent", "expected"),
    # The first is the vendor's own example: 50 seats of 14.40 are 720.
    [("16.00", "10", "14.40"), ("0.0000001", "33.3", "0.0000000667"), ("5", "100", "0")],
)
def test_what_is_taken_off_keeps_every_decimal(cost: str, percent: str, expected: str) -> None:
    assert discounted(Decimal(cost), Decimal(percent)) == Decimal(expected)


CELLS = {
    "reference": "P-1",
    "title": "Spring",
    "percent": "12,5 %",
    "starts_on": "2026-03-01",
    "ends_on": "2026-06-01",
    "segment": "",
    "minimum_quantity": "",
    "maximum_quantity": "300",
    "is_first_purchase_only": "y",
}


def test_a_promotion_is_read_as_people_type_it() -> None:
    terms = read_promotion(CELLS)

    assert (terms.percent, terms.minimum_quantity, terms.maximum_quantity) == (Decimal("12.5"), 1, 300)
    assert terms.segment is None
    assert terms.is_first_purchase_only


@pytest.mark.parametrize(
    ("changes", "columns"),
    [
        ({"percent": "0"}, ["percent"]),
        ({"percent": "101"}, ["percent"]),
        ({"ends_on": "2026-03-01"}, ["ends_on"]),
        ({"starts_on": "1/3/2026"}, ["starts_on"]),
        ({"maximum_quantity": "-3"}, ["maximum_quantity"]),
        ({"minimum_quantity": "301"}, ["maximum_quantity"]),
        ({"reference": "", "title": ""}, ["reference", "title"]),
        ({"segment": "military"}, ["segment"]),
    ],
)
def test_each_faulty_field_is_named(changes: dict[str, str], columns: list[str]) -> None:
    with pytest.raises(FaultyEntry) as raised:
        read_promotion({**CELLS, **changes})

    assert [fault.column for fault in raised.value.rows] == columns


def _product_of(session: Session, plan: Plan) -> Product:
    return session.scalars(
        select(Product).join(Sku, Sku.product_id == Product.id).where(Sku.id == plan.sku_id)
    ).one()


def test_a_promotion_is_added_for_the_plans_chosen_and_is_there_on_its_days(session: Session) -> None:
    plan = make_plan(session)
    product = _product_of(session, plan)

    added = add_promotion(
        session, actor=SYSTEM, product_id=product.public_id, terms=TERMS, plan_ids=[plan.public_id]
    )

    assert [one.terms for one in promotions_for(session, plan_ids=[plan.id], day=date(2026, 6, 30))] == [
        TERMS
    ]
    assert promotions_for(session, plan_ids=[plan.id], day=date(2026, 7, 1)) == []
    entry = session.scalars(select(AuditEntry).where(AuditEntry.subject_id == str(added.public_id))).one()
    assert entry.action == "promotion.add"
    assert entry.after is not None
    assert entry.after["percent"] == "15"
    with pytest.raises(PromotionStands):
        add_promotion(
            session, actor=SYSTEM, product_id=product.public_id, terms=TERMS, plan_ids=[plan.public_id]
        )


def test_plans_of_other_products_are_not_taken(session: Session) -> None:
    product = _product_of(session, make_plan(session))
    other = make_plan(session)

    for chosen in ([], [other.public_id], [uuid4()]):
        with pytest.raises(NoPlanChosen):
            add_promotion(session, actor=SYSTEM, product_id=product.public_id, terms=TERMS, plan_ids=chosen)


def test_a_promotion_ends_earlier_and_never_later(session: Session) -> None:
    plan = make_plan(session)
    terms = replace(TERMS, reference="P-2")
    added = add_promotion(
        session,
        actor=SYSTEM,
        product_id=_product_of(session, plan).public_id,
        terms=terms,
        plan_ids=[plan.public_id],
    )
    for day in (terms.starts_on, terms.ends_on, date(2027, 1, 1)):
        with pytest.raises(EndsOutside):
            end_promotion(session, actor=SYSTEM, promotion_id=added.public_id, end=day)

    end_promotion(session, actor=SYSTEM, promotion_id=added.public_id, end=date(2026, 4, 1))

    assert promotions_for(session, plan_ids=[plan.id], day=date(2026, 4, 1)) == []
    assert promotions_for(session, plan_ids=[plan.id], day=date(2026, 3, 31)) != []
