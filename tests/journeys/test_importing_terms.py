"""A file of terms is tried, looked at and imported: the file is chosen once."""

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.journeys.browser import Person

RATES = b"month,from,to,rate\n2024-03,USD,EUR,0.91\n2024-04,USD,EUR,0.92\n"


def test_a_file_that_was_tried_is_imported_without_being_chosen_again(
    sits_down: Callable[..., Person],
) -> None:
    wanda = sits_down("wanda@demo.example")
    wanda.goes_to("/admin/exchange-rates/import")
    wanda.page.get_by_label("File").set_input_files(
        {"name": "rates.csv", "mimeType": "text/csv", "buffer": RATES}
    )

    wanda.page.get_by_role("button", name="Try it").click()
    expect(wanda.page.get_by_text("2 rows: 2 would be added")).to_be_visible()
    wanda.page.get_by_role("button", name="Import", exact=True).click()

    expect(wanda.page).to_have_url(re.compile("/admin/exchange-rates$"))
    expect(wanda.page.get_by_text("0.92").first).to_be_visible()


def test_faulty_rows_are_named_beside_the_chosen_file(sits_down: Callable[..., Person]) -> None:
    wanda = sits_down("wanda@demo.example")
    wanda.goes_to("/admin/exchange-rates/import")
    wanda.page.get_by_label("File").set_input_files(
        {"name": "rates.csv", "mimeType": "text/csv", "buffer": RATES.replace(b"0.92", b"none")}
    )
    wanda.forgiven = 1  # the browser's console notes the refusal

    wanda.page.get_by_role("button", name="Try it").click()

    expect(wanda.page.get_by_text("Nothing was imported")).to_be_visible()
    assert wanda.page.get_by_label("File").input_value().endswith("rates.csv")
