"""The figures of a reseller's pages: they agree with each other, to the cent."""

from decimal import Decimal

import pytest

from tests.factories import make_customer
from tests.page import Page, Visitor, words
from tests.personas import reseller_called
from tests.web.buyers import BuyersSite, Statements

pytestmark = pytest.mark.only_reads


def list_of(page: Page) -> list[list[str]]:
    """Give the rows of the list, which stands below the chart and its data."""
    return [[words(cell) for cell in row] for row in page.all("tbody")[-1]]


def test_what_is_owed_is_the_same_seen_from_every_side(rashid: Visitor) -> None:
    for by in ("customer", "product", "day"):
        assert "October 2024: €134.00" in rashid.get(f"/owed?period=2024-10&by={by}").main

    rows = [
        line.split(",")
        for line in rashid.download("/owed?period=2024-10&by=day&format=csv").decode().splitlines()
    ]
    lines = rashid.download("/owed?period=2024-10&by=line&format=csv").decode("utf-8-sig").splitlines()
    column = lines[0].split(",").index("Amount")

    assert sum(Decimal(row[1]) for row in rows[1:]) == Decimal("134.00")
    assert sum(Decimal(line.split(",")[column]) for line in lines[1:]) == Decimal("134.00")


def test_a_filter_narrows_page_and_file_alike(site: BuyersSite, rashid: Visitor) -> None:
    address = f"/owed?period=2024-10&by=product&customer={site.month.carla}"

    assert list_of(rashid.get(address)) == [
        ["Object storage", "Microsoft", "1", "€55.00"],
        ["Virtual machines", "Microsoft", "1", "€33.00"],
    ]
    assert rashid.download(f"{address}&format=csv").decode("utf-8-sig").splitlines()[1:] == [
        "Object storage,microsoft,1,55.00,EUR",
        "Virtual machines,microsoft,1,33.00,EUR",
    ]


def test_one_day_is_the_part_of_lines_that_falls_on_it(rashid: Visitor) -> None:
    assert "October 2024: €1.53" in rashid.get("/owed?period=2024-10&day=2024-10-20").main


def test_the_month_that_is_not_closed_is_called_an_estimate(rashid: Visitor) -> None:
    assert "its amounts are an estimate" in rashid.get("/owed?period=2024-10").main
    assert "estimate" not in rashid.get("/owed?period=2024-09").main


def test_margin_is_sale_less_purchase(rashid: Visitor) -> None:
    rows = {row[0]: row for row in list_of(rashid.get("/customers?period=2024-09"))}

    assert rows["Customer carla-works"][2:] == ["€1,777.77", "€1,333.33", "€444.44", "25%"]


def test_customers_sold_below_purchase_are_the_next_thing_to_do(rashid: Visitor) -> None:
    home = rashid.get("/")

    assert "1 customer pays less than you do in October 2024." in home.main
    assert [row[0] for row in list_of(rashid.get("/customers?show=losing"))] == ["Dunes Hotels SA"]


def test_a_text_that_is_no_month_is_no_page(rashid: Visitor) -> None:
    rashid.get("/owed?period=September", status=404)


@pytest.mark.writes
def test_a_line_can_be_asked_about_and_its_answer_read(
    site: BuyersSite, carla: Visitor, rashid: Visitor
) -> None:
    carla.post(f"/portal/lines/{site.month.retail_line}/ask", {"text": "Is this ours?"})
    assert "1 customer question waits for your answer." in rashid.get("/").main

    question = rashid.get("/questions?status=asked").link("Is this ours?")
    rashid.post(question, {"text": "It is, since June."})

    assert "It is, since June." in carla.get("/portal" + question).main
    assert "waits for your answer" not in rashid.get("/").main


def test_a_question_needs_words(site: BuyersSite, rashid: Visitor) -> None:
    page = rashid.post(f"/lines/{site.month.wholesale_line}/ask", {"text": "  "}, status=422)

    assert "Write a few words" in page.main


@pytest.mark.writes
def test_a_question_to_the_wholesaler_is_not_waiting_for_us(site: BuyersSite, rashid: Visitor) -> None:
    sent = rashid.post(f"/lines/{site.month.wholesale_line}/ask", {"text": "Which rate?"})

    page = rashid.get(sent.response.headers["Location"])

    assert "To the wholesaler" in page.main
    assert "waits for your answer" not in rashid.get("/").main


@pytest.mark.parametrize(
    ("address", "most"),
    [
        ("/", 14),
        ("/owed", 9),
        ("/owed?by=day", 9),
        ("/owed?by=line", 11),
        ("/statements", 8),
        ("/customers", 9),
        ("/consumption", 9),
        ("/questions", 8),
    ],
)
def test_pages_ask_the_database_few_questions(
    site: BuyersSite, rashid: Visitor, address: str, most: int
) -> None:
    rashid.get(address)

    with Statements(site.database) as statements:
        rashid.get(address)

    assert len(statements.sent) <= most, "\n\n".join(statements.sent)


@pytest.mark.writes
def test_a_reseller_with_nothing_yet_is_told_what_will_come(site: BuyersSite) -> None:
    with site.database.owner_transaction() as session:
        session.connection().exec_driver_sql("TRUNCATE statement, statement_line")
    rashid = site.browser_of("rashid")

    assert "Nothing has been charged yet" in rashid.get("/").main
    assert "You owe nothing yet" in rashid.get("/owed").main
    assert "There is no statement yet" in rashid.get("/statements").main
    assert "Nothing used yet" in rashid.get("/consumption").main
    rashid.get("/customers")


@pytest.mark.writes
def test_a_customer_that_was_just_added_has_a_page_without_figures(site: BuyersSite, rashid: Visitor) -> None:
    with site.database.owner_transaction() as session:
        added = make_customer(session, "nina-forge", reseller=reseller_called(session, "nord")).public_id

    page = rashid.get(f"/customers/{added}")

    assert "Nothing used in" in page.main
    assert "Your margin" not in page.main
