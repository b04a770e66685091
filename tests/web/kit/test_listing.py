"""Lists: what the address may ask, what comes out, and the same rows as a file."""

import csv
import io
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from sqlalchemy import Column as SqlColumn
from sqlalchemy import Integer, MetaData, String, Table, select
from sqlalchemy.dialects import postgresql

from marketplace.core.actor import Audience
from marketplace.documents.tables import exported, guarded
from marketplace.web.gallery import SAMPLES, samples
from marketplace.web.listing import Column, Filter, ListView
from tests.page import Site, Visitor
from tests.web.kit.conftest import actor_of

pytestmark = pytest.mark.only_reads

ITEMS = Table(
    "item", MetaData(), SqlColumn("id", Integer), SqlColumn("name", String), SqlColumn("state", String)
)
VIEW: ListView[Any] = ListView(
    name="items",
    columns=(
        Column(key="name", label="Name", value=lambda row: row.name, sort=ITEMS.c.name),
        Column(key="secret", label="Secret", value=lambda row: row.name),
    ),
    filters=(
        Filter(
            key="state", label="State", choices=(("on", "On"),), where=lambda value: ITEMS.c.state == value
        ),
    ),
    search=(ITEMS.c.name,),
    sort="name",
    tie_break=(ITEMS.c.id,),
)


def sql_of(**args: str) -> str:
    state = VIEW.state(args)
    statement = VIEW.ordered(VIEW.narrowed(select(ITEMS), state), state)
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    return str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True})).replace("\n", "")


def test_only_named_columns_sort(site: Site) -> None:
    with site.app.test_request_context():
        assert "ORDER BY item.name DESC NULLS LAST, item.id" in sql_of(sort="-name")
        assert "ORDER BY item.name ASC NULLS LAST, item.id" in sql_of(sort="secret")
        assert "ORDER BY item.name ASC NULLS LAST, item.id" in sql_of(sort="id; DROP TABLE item")


def test_only_named_filters_and_choices_count(site: Site) -> None:
    with site.app.test_request_context():
        assert "item.state = 'on'" in sql_of(state="on")
        assert "WHERE" not in sql_of(state="off", name="x")


def test_signs_of_like_are_searched_as_letters(site: Site) -> None:
    with site.app.test_request_context():
        assert r"%%50\%%\_%%" in sql_of(q="50%_") or r"%50\%\_%" in sql_of(q="50%_")


@pytest.mark.parametrize("number", ["0", "-1", "x", "99999999999", "\u0663"])
def test_a_nonsense_page_is_the_first(site: Site, number: str) -> None:
    with site.app.test_request_context():
        assert VIEW.state({"page": number}).page == 1


def test_a_page_beyond_the_end_is_the_last(wanda: Visitor) -> None:
    page = wanda.get("/admin/gallery?page=900")

    assert len(page.rows("list-samples")) == 8
    assert "51 to 58 of 58" in page.text


def test_headings_say_how_the_list_is_sorted(wanda: Visitor) -> None:
    page = wanda.get("/admin/gallery?sort=amount")

    sorts = {
        " ".join("".join(head.itertext()).split()): head.get("aria-sort")
        for head in page.all("th")
        if head.get("aria-sort")
    }
    assert sorts["Amount"] == "ascending"
    assert sorts["Customer"] == "none"
    assert page.link("Amount") == "/admin/gallery?sort=-amount"


def test_an_active_filter_is_a_chip_that_leads_to_the_list_without_it(wanda: Visitor) -> None:
    page = wanda.get("/admin/gallery?q=hôtel&status=open&sort=day")

    chips = {
        " ".join("".join(chip.itertext()).split()): chip.get("href") for chip in page.all("a", class_="chip")
    }
    assert chips == {
        "Search: hôtel": "/admin/gallery?status=open&sort=day",
        "Status: Open": "/admin/gallery?q=h%C3%B4tel&sort=day",
    }
    assert page.link("Clear all") == "/admin/gallery?sort=day"


def test_a_list_without_matches_offers_to_clear_the_filters(wanda: Visitor) -> None:
    page = wanda.get("/admin/gallery?q=nobody")

    assert "Nothing matches" in page.main
    assert page.all("p", class_="list-count")[0].text == "No results"


def test_csv_holds_exactly_the_filtered_rows_with_amounts_exact(wanda: Visitor) -> None:
    data = wanda.download("/admin/gallery?q=hyperlink&sort=number&format=csv&page=2")

    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    assert rows[0] == [
        "Statement",
        "Customer",
        "Period",
        "Written on",
        "Lines",
        "Amount",
        "Amount, currency",
        "Status",
    ]
    assert [row[0] for row in rows[1:]] == ["1008", "1020", "1032", "1044", "1056"]
    assert {row[1] for row in rows[1:]} == {"'=HYPERLINK(formula)"}
    assert rows[1][5:7] == ["79338.64", "EUR"]


def test_french_excel_gets_semicolons(site: Site) -> None:
    data = site.visitor(actor_of(Audience.WHOLESALER), language="fr").download("/admin/gallery?format=csv")

    assert data.decode("utf-8-sig").splitlines()[1].count(";") == 7


def test_excel_holds_the_same_rows_with_decimals_as_text(wanda: Visitor) -> None:
    sheet = openpyxl.load_workbook(
        io.BytesIO(wanda.download("/admin/gallery?status=closed&format=xlsx"))
    ).active

    assert sheet is not None
    rows = list(sheet.values)
    assert len(rows) == 1 + len([row for row in samples() if row.status == "closed"])
    assert isinstance(rows[1][5], str)
    assert isinstance(rows[1][4], int)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\nx"])
def test_text_that_a_spreadsheet_would_run_is_guarded(text: str) -> None:
    assert guarded(text) == f"'{text}"


def test_numbers_are_not_guarded_and_never_rounded() -> None:
    assert exported(Decimal("-0.000000000000000001")) == "-0.000000000000000001"
    assert exported(Decimal("1E+3")) == "1000"


def test_every_row_is_on_exactly_one_page(wanda: Visitor) -> None:
    numbers = [
        row[0]
        for number in range(1, 7)
        for row in wanda.get(f"/admin/gallery?sort=customer&page={number}").rows("list-samples")
    ]

    assert len(numbers) == len(set(numbers)) == 58
    assert SAMPLES.page_size == 10
