"""Rashid owns Armor IT: what does he owe, what is left for him, and what if he changed a price."""

import csv
import io
from collections.abc import Callable
from decimal import Decimal

from playwright.sync_api import expect

from tests.journeys.browser import Person


def test_rashid_sees_what_he_owes_by_customer_product_and_day(sits_down: Callable[..., Person]) -> None:
    rashid = sits_down("rashid@demo.example")
    rashid.reads("You owe for January 2026")

    rashid.opens("What I owe", within="nav")
    rashid.page.get_by_role("link", name="the month before").click()
    totals = set()
    for by in ("By customer", "By product", "By day", "Every line"):
        rashid.opens(by)
        content = rashid.downloads("CSV").path().read_text("utf-8-sig")
        totals.add(sum(Decimal(row["Amount"]) for row in csv.DictReader(io.StringIO(content))))

    assert len(totals) == 1, totals
    expect(rashid.page.locator("main")).to_contain_text(f"{totals.pop():,.2f}")


def test_rashid_sees_the_margin_on_each_customer_and_its_days(sits_down: Callable[..., Person]) -> None:
    rashid = sits_down("rashid@demo.example")

    rashid.opens("Customers", within="nav")
    rashid.reads("Your margin")
    rashid.opens("Clinique du Port")
    rashid.is_at("Clinique du Port")
    rashid.reads("Sold by day")
    rashid.page.get_by_text("Show the data").first.click()

    expect(rashid.page.get_by_role("row", name="12 ").first).to_be_visible()


def test_rashid_sees_the_effect_of_a_price_before_he_sets_it(sits_down: Callable[..., Person]) -> None:
    rashid = sits_down("rashid@demo.example")
    rashid.opens("Prices", within="nav")
    rashid.opens("Add a price")
    rashid.page.get_by_label("Customer", exact=True).select_option(label="Hôtel des Voyageurs")
    rashid.page.get_by_label("Percentage").fill("25")

    rashid.presses("See the effect")
    rashid.reads("What would change")
    rashid.reads("Hôtel des Voyageurs")
    rashid.reads("20%")
    rashid.presses("Add this price")

    rashid.reads("your cost +25%")
    rashid.reads("The price stands.", within="#toasts")


def test_rashid_opens_an_amount_and_downloads_a_statement(sits_down: Callable[..., Person]) -> None:
    rashid = sits_down("rashid@demo.example")
    rashid.opens("Statements", within="nav")
    rashid.page.get_by_label("Month").select_option(label="November 2025")
    rashid.reads("Month: November 2025")
    rashid.opens("Conserverie de Carnac")
    total = rashid.page.locator("main .money-strong").first.inner_text()

    content = rashid.downloads("CSV").path().read_text("utf-8-sig")
    rashid.page.locator("main tbody").get_by_role("link", name="why this amount").first.click()

    amounts = [Decimal(row["Amount"]) for row in csv.DictReader(io.StringIO(content))]
    assert f"€{sum(amounts):,.2f}" == total
    rashid.reads("From the wholesaler to Armor IT")
    rashid.reads("1 row of the vendor makes this line")
    expect(rashid.page.locator("main")).not_to_contain_text("The vendor's cost")
