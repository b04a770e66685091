"""Wanda closes December: the vendor's file comes in, statements go out, and every amount says why."""

import csv
import io
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import expect

from marketplace.demo.firms import AZURE, CUSTOMERS, tenant
from tests.journeys.browser import Person
from tests.journeys.world import CARNAC, TO_CLOSE

HEADER = "account,product,sku,meter,usage_date,quantity,unit,list_unit_price,cost,currency"
#: It names its owner, which is how it is found.
ORPHAN = "tenant-of-cabinet-duroc"
DAYS = TO_CLOSE.days


@pytest.fixture
def vendor_file(tmp_path: Path) -> Path:
    """Write the vendor's file of the month: 31 days of a customer, 31 of an account nobody has been told about."""
    carnac = tenant(next(customer for customer in CUSTOMERS if customer.reference == CARNAC))
    path = tmp_path / "december.csv"
    rows = [
        f"{account},{product},SKU-1,meter-1,{TO_CLOSE}-{day:02d},24,Hours,0.20,{cost},EUR"
        for account, product, cost in ((carnac, "Virtual Machines", "4.70"), (ORPHAN, "Backup", "1.11"))
        for day in range(1, DAYS + 1)
    ]
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path


def test_wanda_closes_december_and_follows_an_amount_to_its_rows(
    sits_down: Callable[..., Person], vendor_file: Path
) -> None:
    wanda = sits_down("wanda@demo.example")

    # The file comes in.
    wanda.opens("Imports", within="nav")
    wanda.opens("Import files")
    wanda.page.locator("#upload-files").set_input_files(vendor_file)
    wanda.page.locator("#vendor").fill(AZURE)
    wanda.presses("Import")
    wanda.is_at("december.csv")
    wanda.reads("Current")
    expect(wanda.row("December 2025")).to_contain_text(str(2 * DAYS))

    # The draft is made, and watched.
    wanda.opens("Close", within="nav")
    wanda.opens("December 2025")
    wanda.presses("Close December 2025")
    wanda.reads("Resellers pay")
    wanda.reads("€34.41")

    # An account nobody owns is mapped by one click.
    wanda.opens("Unmapped")
    wanda.reads("its reference is part of the account")
    wanda.presses("Map to cabinet-duroc")
    wanda.opens("Close", within="nav")
    wanda.opens("December 2025")
    wanda.presses("Rate again")
    wanda.reads("All mapped")

    # It is reviewed, approved and closed.
    wanda.presses("Approve")
    wanda.opens("Close for good")
    wanda.page.locator("#typed").fill("2025-12")
    wanda.presses("Close December 2025")
    wanda.reads("December 2025 is closed. Its statements stand.", within="#toasts")

    # An amount is followed to its rows.
    wanda.opens("Statements")
    wanda.opens("Armor IT")
    wanda.opens("Conserverie de Carnac")
    wanda.row("Virtual Machines").get_by_role("link", name="why this amount").click()
    wanda.reads("The vendor's cost of these rows")
    wanda.reads(f"{DAYS} rows of the vendor make this line")
    wanda.reads("december.csv")


def test_wanda_downloads_exactly_what_is_filtered(sits_down: Callable[..., Person]) -> None:
    wanda = sits_down("wanda@demo.example")
    wanda.goes_to("/admin/lines?period=2025-11&hop=wholesale")
    wanda.page.get_by_label("Search lines").fill("Backup")
    wanda.reads("Search: Backup")

    as_csv = wanda.downloads("CSV").path().read_text("utf-8-sig")
    as_excel = wanda.downloads("Excel").path().read_bytes()

    rows = list(csv.DictReader(io.StringIO(as_csv)))
    sheet = openpyxl.load_workbook(io.BytesIO(as_excel)).active
    assert sheet is not None
    assert rows
    assert all("Backup" in row["Product"] for row in rows)
    assert sheet.max_row == 1 + len(rows)
    shown = wanda.page.locator("main tbody tr").count()
    assert shown == len(rows)
    assert sum(Decimal(row["Amount"]) for row in rows) > 0


def test_an_open_menu_stays_open_while_the_list_behind_it_changes(sits_down: Callable[..., Person]) -> None:
    wanda = sits_down("wanda@demo.example")
    wanda.goes_to("/admin/lines?period=2025-11&hop=wholesale")
    wanda.page.get_by_label("Search lines").fill("Backup")
    wanda.page.locator("main details.download > summary").click()

    wanda.reads("Search: Backup")

    expect(wanda.page.locator("main").get_by_role("link", name="CSV").first).to_be_visible()
