"""Carla buys from Armor IT: what has she used, what does she pay, and why."""

import csv
import io
from collections.abc import Callable
from decimal import Decimal

from playwright.sync_api import expect

from tests.journeys.browser import Person


def test_carla_sees_the_month_so_far_and_her_last_statements(sits_down: Callable[..., Person]) -> None:
    carla = sits_down("carla@demo.example")

    carla.is_at("Conserverie de Carnac")
    carla.reads("January 2026 so far")
    carla.reads("November 2025")
    expect(carla.row("November 2025")).to_contain_text("Closed")


def test_carla_sees_consumption_by_service_and_day(sits_down: Callable[..., Person]) -> None:
    carla = sits_down("carla@demo.example")
    carla.opens("See consumption")
    carla.reads("By service")

    carla.page.get_by_label("Service", exact=True).select_option(label="Blob Storage")
    carla.reads("Service: Blob Storage")
    content = carla.downloads("CSV").path().read_text("utf-8-sig")

    rows = list(csv.DictReader(io.StringIO(content)))
    assert {row["Service"] for row in rows} == {"Blob Storage"}
    assert len({row["Day"] for row in rows}) == 12
    total = sum(Decimal(row["Amount"]) for row in rows)
    expect(carla.page.locator("#consumption-picture")).to_contain_text(f"€{total:,.2f}")


def test_carla_opens_an_amount_and_sees_her_price_alone(sits_down: Callable[..., Person]) -> None:
    carla = sits_down("carla@demo.example")
    carla.opens("November 2025")
    content = carla.downloads("CSV").path().read_text("utf-8-sig")
    total = carla.page.locator("main .money-strong").first.inner_text()
    carla.page.locator("main tbody").get_by_role("link", name="why this amount").first.click()

    assert f"€{sum(Decimal(row['Amount']) for row in csv.DictReader(io.StringIO(content))):,.2f}" == total
    carla.reads("From Armor IT to Conserverie de Carnac")
    carla.reads("Exact amount")
    for secret in ("What the reseller pays", "The vendor's cost", "+18"):
        expect(carla.page.locator("main")).not_to_contain_text(secret)
