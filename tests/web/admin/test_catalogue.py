"""The catalogue on the wholesaler's pages: products, price lists from file to force, promotions, and its own words."""

import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from catalog.models import Plan, PriceList, Product, Promotion
from marketplace.core.clock import utc_now
from marketplace.subscriptions.models import Subscription
from tests.catalog.lists import matrix, sheet
from tests.offer_factories import make_plan, make_price, make_sku
from tests.page import Page, Visitor
from tests.personas import actor_called, customer_called
from tests.web.admin.conftest import WholesalersSite


@pytest.fixture
def clara(site: WholesalersSite) -> Visitor:
    return site.browser_of("clara")


@pytest.fixture
def simon(site: WholesalersSite) -> Visitor:
    return site.browser_of("simon")


def send(
    visitor: Visitor,
    content: bytes,
    fields: dict[str, str] | None = None,
    *,
    status: int = 303,
    changes: bool = True,
) -> Page:
    return visitor.post(
        "/admin/price-lists/new",
        {
            "files": (io.BytesIO(content), "list.csv"),
            "vendor": "microsoft",
            "segment": "commercial",
            **(fields or {}),
        },
        status=status,
        changes=changes,
        content_type="multipart/form-data",
    )


def newest_list(site: WholesalersSite) -> PriceList:
    with site.database.owner_transaction() as session:
        return session.scalars(select(PriceList).order_by(PriceList.id.desc()).limit(1)).one()


def with_owner(site: WholesalersSite, make: Callable[[Session], Any]) -> Any:
    with site.database.owner_transaction() as session:
        return make(session)


def product_called(site: WholesalersSite, reference: str) -> Product:
    with site.database.owner_transaction() as session:
        return session.scalars(select(Product).where(Product.reference == reference)).one()


def test_the_empty_catalogue_says_what_to_do_to_who_may_and_to_nobody_else(
    clara: Visitor, simon: Visitor
) -> None:
    for address in ("/admin/products", "/admin/price-lists"):
        assert clara.get(address).link("Import a price list") == "/admin/price-lists/new"
        page = simon.get(address)
        assert "/admin/price-lists/new" not in page.main
    assert clara.get("/admin/promotions").link("Products") == "/admin/products"
    assert "Nothing matches" in clara.get("/admin/products?q=nothing").main


def test_a_price_list_is_read_shown_and_put_in_force(site: WholesalersSite, clara: Visitor) -> None:
    send(clara, sheet({}, {"TermDuration": "P1M", "BillingPlan": "Monthly", "UnitPrice": "11.52"}))
    first = newest_list(site)
    page = clara.get(f"/admin/price-lists/{first.public_id}")
    assert [row[2] for row in page.rows()] == ["New", "New"]
    assert "Draft" in page.text
    product = product_called(site, "CFQ7TTC0HDK0")
    assert "No price" in clara.get(f"/admin/products/{product.public_id}").main

    clara.get(f"/admin/price-lists/{first.public_id}/activate")
    clara.post(f"/admin/price-lists/{first.public_id}/activate", {})

    page = clara.get(f"/admin/products/{product.public_id}")
    assert "€115.20" in page.main
    assert "€144.00" in page.main
    assert "No price" not in page.main


def test_what_a_new_version_changes_is_shown_in_money_for_who_has_it(
    site: WholesalersSite, clara: Visitor
) -> None:
    send(clara, sheet({}, {"TermDuration": "P1M", "BillingPlan": "Monthly", "UnitPrice": "11.52"}))
    clara.post(f"/admin/price-lists/{newest_list(site).public_id}/activate", {})
    with site.database.owner_transaction() as session:
        plan = session.scalars(select(Plan).where(Plan.term == "P1Y")).one()
        session.add(
            Subscription(
                customer_id=customer_called(session, "carla-works").id,
                vendor="microsoft",
                vendor_account="tenant",
                currency="EUR",
                plan_id=plan.id,
                quantity=7,
                term_start=date(2026, 1, 1),
                term_end=date(2027, 1, 1),
            )
        )

    send(clara, sheet({"UnitPrice": "120.2"}, {"SkuId": "0002", "SkuTitle": "Another"}))

    page = clara.get(f"/admin/price-lists/{newest_list(site).public_id}")
    found = {row[2]: row for row in page.rows()}
    assert set(found) == {"New", "Ended", "Dearer"}
    assert found["Dearer"][3:7] == ["€115.20", "€120.20", "7", "+€35.00"]
    only = clara.get(f"/admin/price-lists/{newest_list(site).public_id}?kind=dearer&live=yes")
    assert [row[2] for row in only.rows()] == ["Dearer"]


def test_a_version_is_scheduled_for_a_later_day_and_discarded(site: WholesalersSite, clara: Visitor) -> None:
    send(clara, sheet({}))
    address = f"/admin/price-lists/{newest_list(site).public_id}"
    clara.post(f"{address}/schedule", {"day": "2020-01-01"}, status=422)
    clara.post(f"{address}/schedule", {}, status=422)
    day = utc_now().date() + timedelta(days=9)

    clara.post(f"{address}/schedule", {"day": day.isoformat()})

    scheduled = newest_list(site)
    assert scheduled.status == "scheduled"
    assert scheduled.active_from == datetime(day.year, day.month, day.day, tzinfo=UTC)
    clara.get(f"{address}/discard")
    clara.post(f"{address}/discard", {})
    assert newest_list(site).status == "discarded"
    page = clara.post(f"{address}/activate", {}, status=422)
    assert "only a draft or a scheduled one can change" in page.main


def test_the_same_bytes_again_change_nothing_and_say_so(site: WholesalersSite, clara: Visitor) -> None:
    send(clara, sheet({}))
    send(clara, sheet({}), changes=False)

    with site.database.owner_transaction() as session:
        assert len(session.scalars(select(PriceList)).all()) == 1
    assert "Nothing was changed" in clara.get("/admin/price-lists").text


def test_faulty_rows_are_named_with_their_reason(site: WholesalersSite, clara: Visitor) -> None:
    send(clara, sheet({}, {"SkuId": "0002", "UnitPrice": "-1"}))

    address = f"/admin/price-lists/{newest_list(site).public_id}"
    page = clara.get(address)
    (fault,) = page.rows("rejects")
    assert fault[1:4] == ["2", "UnitPrice", "-1"]
    assert page.link("Download rejects") == f"{address}/rejects.csv"


def test_what_could_not_be_used_is_downloaded_later_and_by_staff_alone(
    site: WholesalersSite, clara: Visitor
) -> None:
    send(clara, sheet({}, {"SkuId": "=1+1", "UnitPrice": "-1"}))
    address = f"/admin/price-lists/{newest_list(site).public_id}/rejects.csv"

    lines = clara.download(address).decode("utf-8-sig").splitlines()

    assert lines[0] == "Row,Column,Value,Reason"
    assert [line.split(",")[:3] for line in lines[1:]] == [["2", "SkuId", "'=1+1"], ["2", "UnitPrice", "'-1"]]
    assert "negative" in lines[2]
    with site.database.transaction(actor_called(site.database, "rashid")) as session:
        assert session.scalars(text("SELECT value FROM price_list_reject")).all() == []


def test_an_offer_matrix_is_read_and_its_unknown_skus_are_named(
    site: WholesalersSite, clara: Visitor
) -> None:
    send(clara, sheet({}))

    page = send(clara, matrix({"MinLicenses": "5"}, {"SkuId": "00FF"}), status=200)

    assert [row[1:4] for row in page.rows()] == [["2", "SkuId", "CFQ7TTC0HDK0:00FF"]]


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        (b"", {}),
        (b"a,b\n1,2\n", {}),
        (sheet({}, {"Market": "DE"}), {}),
        (sheet({}), {"market": "US"}),
        (sheet({}), {"vendor": ""}),
    ],
)
def test_what_is_no_price_list_is_refused_with_the_form(
    site: WholesalersSite, clara: Visitor, content: bytes, fields: dict[str, str]
) -> None:
    page = send(clara, content, fields, status=422)

    assert page.all("div", id="error-summary")
    with site.database.owner_transaction() as session:
        assert not session.scalars(select(PriceList)).all()


def test_one_of_several_markets_is_taken(site: WholesalersSite, clara: Visitor) -> None:
    send(clara, sheet({}, {"Market": "DE"}), {"market": "de"})

    assert newest_list(site).market == "DE"


def test_own_words_stay_when_the_list_is_imported_anew(site: WholesalersSite, clara: Visitor) -> None:
    send(clara, sheet({}))
    product = product_called(site, "CFQ7TTC0HDK0")
    with site.database.owner_transaction() as session:
        plan = session.scalars(select(Plan)).one()
    address = f"/admin/products/{product.public_id}/edit"
    clara.get(address)

    clara.post(
        address,
        {
            "own_title": "Talk",
            "own_category": "Telephony",
            f"status-{plan.public_id}": "private",
        },
    )
    send(clara, sheet({"UnitPrice": "99", "ProductTitle": "Renamed by the vendor"}))

    page = clara.get("/admin/products?shown=no&category=Telephony")
    assert [row[0].split()[0] for row in page.rows()] == ["Talk"]
    with site.database.owner_transaction() as session:
        kept = session.get_one(Product, product.id)
        assert (kept.own_title, kept.own_category, kept.is_listed) == ("Talk", "Telephony", False)
        assert session.get_one(Plan, plan.id).status == "private"


def test_a_new_name_of_the_vendors_is_shown_and_taken(
    site: WholesalersSite, clara: Visitor, simon: Visitor
) -> None:
    send(clara, sheet({}))
    send(clara, sheet({"ProductTitle": "Teams Talk", "UnitPrice": "99"}))
    product = product_called(site, "CFQ7TTC0HDK0")
    shown = clara.get(f"/admin/price-lists/{newest_list(site).public_id}")
    assert shown.rows("renamed") == [["Advanced Communications", "Teams Talk"]]
    address = f"/admin/products/{product.public_id}"
    assert "The vendor now calls it Teams Talk" in clara.get(address).main
    assert "Take the new name" not in simon.get(address).main
    assert "Advanced Communications" in clara.get("/admin/products?q=teams").main

    clara.get(f"{address}/rename")
    clara.post(f"{address}/rename", {"day": ""}, status=422)
    clara.post(f"{address}/rename", {"day": "2026-06-01"})

    assert product_called(site, "CFQ7TTC0HDK0").title == "Teams Talk"
    assert "now calls it" not in clara.get(address).main
    clara.get(f"{address}/rename", status=404)


def test_products_are_filtered_by_what_their_plans_are(site: WholesalersSite, clara: Visitor) -> None:
    def make(session: Session) -> None:
        make_plan(session, make_sku(session, "By the year"))
        make_sku(session, "Without plans", vendor="backup")

    with_owner(site, make)

    for query, expected in (
        ("term=P1Y", ["By"]),
        ("term=P3Y", []),
        ("segment=commercial", ["By"]),
        ("vendor=backup", ["Without"]),
        ("kind=licence", ["By", "Without"]),
        ("q=YEAR", ["By"]),
    ):
        page = clara.get(f"/admin/products?{query}")
        assert [row[0].split()[0] for row in page.rows()] == expected, query


def test_a_promotion_is_added_shown_and_ended(site: WholesalersSite, clara: Visitor) -> None:
    plan = with_owner(site, lambda session: make_plan(session, make_sku(session, reference="P1")))
    address = f"/admin/products/{product_called(site, 'P1').public_id}/promotions/new"
    today = utc_now().date()
    fields = {
        "title": "Spring",
        "reference": "P1:0001:X",
        "percent": "12,5 %",
        "segment": "",
        "starts_on": (today - timedelta(days=9)).isoformat(),
        "ends_on": (today + timedelta(days=9)).isoformat(),
        "maximum_quantity": "1000",
    }
    clara.get(address)
    assert "Choose the plans" in clara.post(address, fields, status=422).main
    faulty = clara.post(address, {**fields, "percent": "200", "plans": str(plan.public_id)}, status=422)
    assert faulty.one("input", id="percent").get("aria-invalid") == "true"

    clara.post(address, {**fields, "plans": str(plan.public_id)})

    page = clara.get("/admin/promotions?state=running")
    assert [row[2] for row in page.rows()] == ["12.5%"]
    with site.database.owner_transaction() as session:
        promotion = session.scalars(select(Promotion)).one()
    shown = f"/admin/promotions/{promotion.public_id}"
    assert "1,000" in clara.get(shown).main
    clara.get(f"{shown}/end")
    clara.post(f"{shown}/end", {"end": (today + timedelta(days=30)).isoformat()}, status=422)
    clara.post(f"{shown}/end", {"end": today.isoformat()})
    assert "Ended" in clara.get(shown).text


def test_a_product_page_needs_as_many_queries_however_many_plans_it_has(
    site: WholesalersSite, clara: Visitor
) -> None:
    def statements(address: str) -> int:
        count = 0

        def counted(*_: object) -> None:
            nonlocal count
            count += 1

        event.listen(site.database.engine, "before_cursor_execute", counted)
        clara.get(address)
        event.remove(site.database.engine, "before_cursor_execute", counted)
        return count

    def few(session: Session) -> None:
        make_plan(session, make_sku(session, reference="P1"))

    def many(session: Session) -> None:
        sku = make_sku(session, reference="P2")
        for term, cycle in (("P1M", "monthly"), ("P1Y", "annual"), ("P1Y", "monthly"), ("P3Y", "monthly")):
            plan = Plan(sku_id=sku.id, term=term, billing_cycle=cycle)
            session.add(plan)
            session.flush()
            make_price(session, plan, quantity_until=10)
            make_price(session, plan, quantity_from=11)

    with_owner(site, few)
    with_owner(site, many)
    clara.get("/admin/products")

    one = statements(f"/admin/products/{product_called(site, 'P1').public_id}")
    assert statements(f"/admin/products/{product_called(site, 'P2').public_id}") == one
    assert one <= 20


@pytest.mark.parametrize("address", ["products", "price-lists", "promotions", "price-lists/new"])
def test_resellers_and_customers_do_not_know_these_pages(site: WholesalersSite, address: str) -> None:
    for persona in ("rashid", "carla"):
        site.browser_of(persona).get(f"/admin/{address}", status=404)


def test_support_looks_and_changes_nothing(site: WholesalersSite, simon: Visitor) -> None:
    with_owner(site, lambda session: make_plan(session, make_sku(session, reference="P1")))
    product = product_called(site, "P1")
    page = simon.get(f"/admin/products/{product.public_id}")

    assert "New promotion" not in page.main
    simon.get(f"/admin/products/{product.public_id}/edit", status=403)
    simon.get("/admin/price-lists/new", status=403)


def test_a_floor_is_set_on_its_page_and_holds_the_rules_typed_after_it(
    site: WholesalersSite, clara: Visitor, walter: Visitor
) -> None:
    assert walter.get("/admin/floors").link("Set a floor") == "/admin/floors/new"
    walter.get("/admin/floors/new")
    faulty = walter.post("/admin/floors/new", {"soft_percent": "1", "hard_percent": "2"}, status=422)
    assert faulty.one("input", id="hard_percent").get("aria-invalid") == "true"
    walter.post("/admin/floors/new", {"vendor": "cloud", "soft_percent": "8", "hard_percent": "0"})
    rule = {"hop": "wholesale", "vendor": "cloud", "product": "P", "basis": "cost", "percent": "3"}

    refused = clara.post("/admin/rules/new", {**rule, "step": "save"}, status=422)
    assert "below the floor of 8 %" in refused.main
    walter.post("/admin/rules/new", {**rule, "step": "save"})
    lower = walter.post(
        "/admin/rules/new", {**rule, "product": "Q", "percent": "-1", "step": "save"}, status=422
    )
    assert "nobody may go below" in lower.main

    clara.get("/admin/floors/new", status=403)
    assert "/admin/floors/new" not in clara.get("/admin/floors").main
    walter.get(walter.get("/admin/floors").link("Change"))
    address = walter.get("/admin/floors").link("Remove")
    walter.get(address)
    walter.post(address, {})
    assert "No floor is set" in walter.get("/admin/floors").main
