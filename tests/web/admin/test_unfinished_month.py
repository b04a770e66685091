"""A month that is not over is shown as far as it is, and compared with none: it would always be less."""

from datetime import UTC, datetime

import pytest

from marketplace.web.admin import months
from tests.page import Visitor
from tests.web.admin.conftest import WholesalersSite


@pytest.fixture
def wanda(site: WholesalersSite, monkeypatch: pytest.MonkeyPatch) -> Visitor:
    """Wanda, on the 20th of September."""
    monkeypatch.setattr(months, "utc_now", lambda: datetime(2024, 9, 20, 12, tzinfo=UTC))
    return site.browser_of("wanda")


def test_its_page_compares_with_no_other_month(wanda: Visitor) -> None:
    page = wanda.get("/admin/periods/2024-09").main

    assert "September 2024 is not over" in page
    assert "compared with last month once it is over" in page
    assert "Against last month" not in page


def test_home_does_not_ask_for_its_close(wanda: Visitor) -> None:
    assert "September 2024 is not over" in wanda.get("/admin/").main
