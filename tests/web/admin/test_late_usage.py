"""A month was closed, usage of it comes later, and the next month bills it: each figure says what is whose."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from marketplace.billing.closing import close_period
from marketplace.billing.queries.periods import list_periods
from marketplace.billing.queries.reconciliation import VendorRow, reconcile, sides_in
from marketplace.billing.summary import summarise
from marketplace.core.actor import Actor
from marketplace.core.money import Money
from marketplace.core.period import Period
from tests.billing.lake import Usage, deliver
from tests.page import Visitor
from tests.web.admin.conftest import WholesalersSite

SEPTEMBER, OCTOBER = Period(2024, 9), Period(2024, 10)
NOW = datetime(2024, 11, 5, 8, tzinfo=UTC)


@pytest.fixture
def late_site(site: WholesalersSite) -> WholesalersSite:
    """October, with usage of its own that nobody owns, and two rows of September that came after its close."""
    site.rate(approve=True)
    with site.database.owner_transaction() as session:
        own = [
            Usage(cost="20", day=date(2024, 10, 3)),
            Usage(cost="2.50", account="orphan", day=date(2024, 10, 4)),
        ]
        late = [
            Usage(cost="5", day=date(2024, 9, 29)),
            Usage(cost="0.75", account="orphan", day=date(2024, 9, 29)),
        ]
        deliver(session, Path(site.settings.lake), own, period="2024-10")
        deliver(session, Path(site.settings.lake), late, period="2024-09")
    close_period(
        site.database,
        site.settings,
        period=OCTOBER,
        actor=Actor.system(),
        approve=False,
        dry_run=False,
        now=NOW,
    )
    return site


def sides(session: Session) -> dict[str, Money | None]:
    rows: Sequence[VendorRow] = reconcile(session, OCTOBER)
    return sides_in("EUR", rows)


def test_late_usage_is_a_class_of_its_own(late_site: WholesalersSite) -> None:
    with late_site.database.owner_transaction() as session:
        found = sides(session)

    assert found["bill"] == Money(2250, "EUR")
    assert found["late"] == Money(500, "EUR")
    assert found["unmapped"] == Money(250, "EUR")
    assert found["cost"] == Money(2500, "EUR")


def test_the_classes_lead_from_the_bill_to_the_cost(late_site: WholesalersSite) -> None:
    with late_site.database.owner_transaction() as session:
        found = {name: amount.minor for name, amount in sides(session).items() if amount}

    parts = found["tax"] + found["unmapped"] + found["parked"] + found["rounding"]
    assert found["bill"] - parts + found["late"] == found["cost"]


def test_pages_say_of_the_month_what_the_command_says(late_site: WholesalersSite) -> None:
    with late_site.database.owner_transaction() as session:
        printed = summarise(session, OCTOBER, usage_rows=0)
        (row,) = list_periods(session, currency="EUR", only=OCTOBER)

    assert {one.currency: str(one.amount) for one in row.unmapped} == printed["unmapped"]


def test_the_late_class_opens_onto_its_lines(late_site: WholesalersSite) -> None:
    wanda = late_site.browser_of("wanda")
    page = wanda.get("/admin/reconciliation?period=2024-10")

    (address,) = {
        link.get("href") for link in page.all("a") if (link.text or "") == "Late" and link.get("href")
    }

    assert "Corrects September 2024" in wanda.get(str(address)).main


def test_each_bill_shows_its_own_late_difference(late_site: WholesalersSite) -> None:
    assert (
        "late, September 2024"
        in late_site.browser_of("wanda").get("/admin/reconciliation?period=2024-10").main
    )


def test_home_draws_the_months_side_by_side(late_site: WholesalersSite) -> None:
    page = late_site.browser_of("wanda").get("/admin/").main

    assert "Month by month" in page
    assert "Sep 2024" in page


def test_a_month_that_is_over_is_compared_with_the_one_before(late_site: WholesalersSite) -> None:
    page: Visitor = late_site.browser_of("wanda")

    assert "Against last month" in page.get("/admin/periods/2024-10").main


def test_the_difference_is_known_before_it_is_billed(site: WholesalersSite) -> None:
    site.rate(approve=True)
    wanda = site.browser_of("wanda")
    unchanged = wanda.get("/admin/periods/2024-09/differences").main
    with site.database.owner_transaction() as session:
        deliver(session, Path(site.settings.lake), [Usage(cost="5", day=date(2024, 9, 29))])

    changed = wanda.get("/admin/periods/2024-09/differences").main

    assert "Nothing differs" in unchanged
    assert "+€5.50" in changed
