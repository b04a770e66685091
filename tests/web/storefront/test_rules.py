"""A reseller's own prices: added, ended, refused in words, never anybody else's."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from marketplace.core.audit import AuditEntry
from resellers.models import Hop, PriceRule
from tests.factories import make_rule
from tests.page import Visitor
from tests.personas import customer_called, reseller_called
from tests.web.buyers import BuyersSite

RULE = {
    "customer": "carla-works",
    "vendor": "microsoft",
    "basis": "cost",
    "percent": "12,5",
    "valid_from": "2024-10-01",
}
CHANGE = {"basis": "cost", "percent": "15", "start": "2024-12-01"}


def test_the_page_of_prices_says_what_happens_without_any(rashid: Visitor) -> None:
    assert "You have set no price yet" in rashid.get("/rules").main
    rashid.get("/rules/new")


def test_a_price_is_added_and_recorded(site: BuyersSite, rashid: Visitor) -> None:
    rashid.post("/rules/new", {**RULE, "step": "save"})

    page = rashid.get("/rules")
    assert "your cost +12.5%" in page.main
    assert "Customer carla-works" in page.main
    with site.database.owner_transaction() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "price_rule.add")).one()
        assert entry.name == "Rashid"
        assert entry.after is not None
        assert entry.after["percent"] == "12.5"


def test_the_effect_is_shown_and_nothing_saved(site: BuyersSite, rashid: Visitor) -> None:
    page = rashid.post("/rules/new", {**RULE, "step": "effect"}, status=200)

    assert "Nothing changes in the latest months" in page.main
    with site.database.owner_transaction() as session:
        assert session.scalar(select(func.count()).select_from(PriceRule)) == 0


def test_an_overlap_is_refused_in_words_naming_the_other(rashid: Visitor) -> None:
    rashid.post("/rules/new", {**RULE, "step": "save"})

    page = rashid.post(
        "/rules/new", {**RULE, "percent": "20", "valid_from": "2024-11-01", "step": "save"}, status=422
    )

    assert "This overlaps a price that stands for the same: cost +12.5 %, from" in page.main


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"percent": "a lot"}, "Percentage"),
        ({"percent": ""}, "must not be blank"),
        ({"product": "Azure", "vendor": ""}, "needs its vendor"),
        ({"basis": "fixed", "unit_price": ""}, "must not be blank where the basis is fixed"),
        ({"valid_until": "2024-09-01"}, "lies before valid_from"),
    ],
)
def test_what_cannot_be_read_is_named_at_its_field(
    rashid: Visitor, changes: dict[str, str], words: str
) -> None:
    page = rashid.post("/rules/new", {**RULE, **changes, "step": "save"}, status=422)

    assert words in page.main


def test_a_price_ends_on_a_day(rashid: Visitor, site: BuyersSite) -> None:
    rashid.post("/rules/new", {**RULE, "step": "save"})
    address = rashid.get("/rules").link("End")

    rashid.get(address)
    rashid.post(address, {"end": "2024-12-01", "step": "effect"}, status=200)
    rashid.post(address, {"end": "2024-12-01", "step": "save"})

    with site.database.owner_transaction() as session:
        assert session.scalars(select(PriceRule.valid_until)).one() == date(2024, 12, 1)
    page = rashid.post(address, {"end": "2025-01-01", "step": "save"}, status=422)
    assert "ends on 1 Dec 2024 already" in page.main


def test_another_price_follows_the_one_that_stands(rashid: Visitor, site: BuyersSite) -> None:
    rashid.post("/rules/new", {**RULE, "valid_until": "2099-06-01", "step": "save"})
    address = rashid.get("/rules").link("Change")

    rashid.get(address)
    rashid.post(address, {**CHANGE, "step": "save"})

    with site.database.owner_transaction() as session:
        rows = session.execute(
            select(
                PriceRule.scope_id, PriceRule.percent, PriceRule.valid_from, PriceRule.valid_until
            ).order_by(PriceRule.valid_from)
        ).all()
    scope = rows[0].scope_id
    assert [tuple(row) for row in rows] == [
        (scope, Decimal("12.5"), date(2024, 10, 1), date(2024, 12, 1)),
        (scope, Decimal(15), date(2024, 12, 1), date(2099, 6, 1)),
    ]


def test_the_effect_of_another_price_is_shown_and_nothing_changed(rashid: Visitor, site: BuyersSite) -> None:
    rashid.post("/rules/new", {**RULE, "step": "save"})
    address = rashid.get("/rules").link("Change")

    page = rashid.post(address, {**CHANGE, "step": "effect"}, status=200)

    assert "Nothing changes in the latest months" in page.main
    with site.database.owner_transaction() as session:
        assert session.scalars(select(PriceRule.valid_until)).one() is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"percent": "a lot"}, "Percentage"),
        ({"start": ""}, "Choose the day."),
        ({"start": "2024-09-30"}, "it cannot end before"),
    ],
)
def test_a_change_that_cannot_be_is_refused_whole(
    rashid: Visitor, site: BuyersSite, changes: dict[str, str], words: str
) -> None:
    rashid.post("/rules/new", {**RULE, "step": "save"})
    address = rashid.get("/rules").link("Change")

    page = rashid.post(address, {**CHANGE, **changes, "step": "save"}, status=422)

    assert words in page.main
    with site.database.owner_transaction() as session:
        assert session.scalars(select(PriceRule.valid_until)).one() is None


def test_an_end_before_the_start_is_refused(rashid: Visitor) -> None:
    rashid.post("/rules/new", {**RULE, "step": "save"})
    address = rashid.get("/rules").link("End")

    page = rashid.post(address, {"end": "2024-09-01", "step": "save"}, status=422)

    assert "it cannot end before" in page.main


def test_prices_of_others_are_out_of_reach(site: BuyersSite, rashid: Visitor, pavel: Visitor) -> None:
    with site.database.owner_transaction() as session:
        carla = customer_called(session, "carla-works")
        nord = reseller_called(session, "nord")
        own = make_rule(session, Hop.RETAIL, customer=carla, percent="31.25").public_id
        wholesale = make_rule(session, Hop.WHOLESALE, reseller=nord, percent="17.125").public_id
        default = make_rule(session, Hop.RETAIL, percent="8.375").public_id

    assert "31.25" not in pavel.get("/rules").main
    pavel.get(f"/rules/{own}/end", status=404)
    pavel.post(f"/rules/{own}/end", {"end": "2024-12-01", "step": "save"}, status=404)
    for not_his in (wholesale, default):
        rashid.get(f"/rules/{not_his}/end", status=404)
    page = rashid.get("/rules").main
    assert "17.125" not in page
    assert "Wholesaler's default" in page
    refused = pavel.post("/rules/new", {**RULE, "step": "save"}, status=422)
    assert "Not a valid choice" in refused.main


def test_sales_people_do_not_set_prices(site: BuyersSite, rosa: Visitor) -> None:
    rosa.get("/rules", status=403)
    rosa.post("/rules/new", {**RULE, "step": "save"}, status=403)
    with site.database.owner_transaction() as session:
        make_rule(session, Hop.RETAIL, customer=customer_called(session, "carla-works"), percent="31.25")
    assert "31.25" not in rosa.get(f"/customers/{site.month.carla}").main


def test_the_margin_of_a_price_stands_beside_it(site: BuyersSite, rashid: Visitor) -> None:
    with site.database.owner_transaction() as session:
        carla = customer_called(session, "carla-works")
        rule = make_rule(session, Hop.RETAIL, customer=carla, percent="30")
        session.connection().exec_driver_sql(
            f"UPDATE statement_line SET rule_id = {rule.id} WHERE hop = 'retail' AND customer_id = {carla.id}"
        )

    page = rashid.get("/rules").main

    assert "€114.00" in page, "sold"
    assert "€26.00" in page, "114 less 88"


def test_the_owner_sets_a_floor_that_holds_the_prices_of_the_firm(
    site: BuyersSite, rashid: Visitor, pavel: Visitor
) -> None:
    assert rashid.get("/floors").link("Set a floor") == "/floors/new"
    rashid.get("/floors/new")
    rashid.post("/floors/new", {"soft_percent": "20", "hard_percent": "13"})
    assert "+20%" in rashid.get("/floors").main

    refused = rashid.post("/rules/new", {**RULE, "step": "save"}, status=422)

    assert "nobody may go below it" in refused.main
    # Another firm's prices are its own business.
    assert "+20%" not in pavel.get("/floors").main
    rashid.get(rashid.get("/floors").link("Remove"))
    rashid.post(rashid.get("/floors").link("Remove"), {})
    rashid.post("/rules/new", {**RULE, "step": "save"})


def test_who_keeps_no_prices_sees_no_floors(rosa: Visitor, carla: Visitor) -> None:
    rosa.get("/floors", status=403)
    carla.get("/floors", status=404)
