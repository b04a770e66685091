"""A rule whose effect takes longer than a page may wait for: the page fills itself, and saves what it showed."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from marketplace.billing.previews import MOST_ROWS_AT_ONCE
from marketplace.demo.make import STAFF
from marketplace.usage.operations import GivenFile, import_files
from tests.journeys.browser import Person
from tests.journeys.conftest import Server
from tests.journeys.test_ordering import is_well
from tests.journeys.world import RUNNING

HEADER = "account,product,sku,meter,usage_date,quantity,unit,list_unit_price,cost,currency"

#: So many rows belong in nobody else's month.
pytestmark = pytest.mark.long


def test_the_page_of_a_rule_fills_itself_with_what_the_worker_finds(
    server: Server, sits_down: Callable[..., Person], tmp_path: Path
) -> None:
    row = f"nobody-1,Storage,s,m,{RUNNING}-05,1,GB,,0.01,EUR"
    file = tmp_path / "many.csv"
    file.write_text("\n".join([HEADER, *[row] * MOST_ROWS_AT_ONCE]))
    import_files(
        server.database, server.settings, actor=STAFF, files=[GivenFile(file, file.name)], vendor="many"
    )
    wanda = sits_down("wanda@demo.example")
    wanda.goes_to("/admin/rules/new")
    wanda.page.locator("#field-hop").select_option("wholesale")
    wanda.page.locator("#field-reseller").fill("armor-it")
    wanda.page.locator("#field-vendor").fill("microsoft")
    wanda.page.locator("#field-product").fill("Bandwidth")
    wanda.page.locator("#field-basis").select_option("cost")
    wanda.page.locator("#field-percent").fill("40")
    wanda.page.locator("#field-valid_from").fill(f"{RUNNING}-01")

    wanda.presses("See the effect")

    wanda.reads(re.compile(r"Waiting for the worker|\d+\s?%"))
    is_well(wanda)
    # Without a click: the page asks until the worker is done.
    wanda.reads(re.compile(r"\d+ customers? changes?"))
    is_well(wanda)
    wanda.presses("Save")
    wanda.is_at("Price rules")
    expect(wanda.row("Bandwidth")).to_be_visible()
