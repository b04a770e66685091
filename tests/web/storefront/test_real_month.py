"""Pages on a month that was really rated: days that add up, source rows without cost, effects of a new price."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select

from marketplace.billing.closing import close_period
from marketplace.billing.models import StatementLine
from marketplace.core.actor import Actor
from marketplace.core.db import Database
from marketplace.core.period import Period
from marketplace.settings import Settings
from resellers.models import Basis, Hop
from tests.billing.lake import Usage, deliver
from tests.conftest import World
from tests.factories import make_mapping, make_rule
from tests.page import Visitor
from tests.personas import PeopledSite, customer_called, everybody
from tests.web.storefront.test_figures import list_of

pytestmark = pytest.mark.only_reads

NOW = datetime(2024, 10, 5, 8, tzinfo=UTC)
SECRET = "7.13131313"


def thirds_of_cents(settings: Settings, database: Database) -> None:
    """Begin with a month whose daily parts have endless fractions: thirds of cents, priced by a tenth and a fifth."""
    everybody(settings, database)
    with database.owner_transaction() as session:
        make_mapping(session, customer=customer_called(session, "carla-works"), account="a1", vendor="cloud")
        make_rule(session, Hop.WHOLESALE, basis=Basis.COST, percent="10")
        make_rule(session, Hop.RETAIL, basis=Basis.COST, percent="20")
        rows = [Usage(cost="0.3333333333", day=date(2024, 9, day)) for day in range(1, 29)]
        rows += [Usage(cost="0.0071", product="Queue", day=date(2024, 9, day)) for day in range(1, 29)]
        rows.append(Usage(cost=SECRET, product="Disk", day=date(2024, 9, 3)))
        deliver(session, Path(settings.lake), rows)
    close_period(
        database,
        settings,
        period=Period(2024, 9),
        actor=Actor.system(),
        approve=False,
        dry_run=False,
        now=NOW,
    )


@pytest.fixture
def world() -> World:
    return thirds_of_cents


@pytest.fixture
def site(settings: Settings, database: Database) -> PeopledSite:
    return PeopledSite(settings, database)


@pytest.fixture
def rashid(site: PeopledSite) -> Visitor:
    return site.browser_of("rashid")


def line_of(site: PeopledSite, hop: Hop, product: str) -> str:
    with site.database.owner_transaction() as session:
        wanted = select(StatementLine.id).where(
            StatementLine.hop == hop.value, StatementLine.product == product
        )
        return str(session.scalars(wanted).one())


def test_days_customers_products_and_lines_come_to_the_same_cent(rashid: Visitor) -> None:
    totals = set()
    for by in ("customer", "product", "day", "line"):
        rows = rashid.download(f"/owed?by={by}&format=csv").decode("utf-8-sig").splitlines()
        column = rows[0].split(",").index("Amount")
        totals.add(sum(Decimal(row.split(",")[column]) for row in rows[1:]))

    assert len(totals) == 1


def test_days_of_one_day_at_a_time_come_to_the_month(rashid: Visitor) -> None:
    month = sum(Decimal(row[1].strip("€")) for row in list_of(rashid.get("/owed?by=day")))
    days = Decimal(0)
    for day in range(1, 29):
        for row in list_of(rashid.get(f"/owed?by=product&day=2024-09-{day:02d}")):
            days += Decimal(row[-1].strip("€"))

    assert days == month


def test_a_line_opens_on_its_source_rows_without_their_cost(site: PeopledSite, rashid: Visitor) -> None:
    page = rashid.get(f"/lines/{line_of(site, Hop.WHOLESALE, 'Disk')}")

    assert "1 row of the vendor makes this line" in page.main
    assert SECRET not in page.response.get_data(as_text=True)
    assert "7.84444" in page.main, "what the reseller pays, exactly"


def test_a_sale_shows_its_seller_what_it_starts_from(site: PeopledSite, rashid: Visitor) -> None:
    page = rashid.get(f"/lines/{line_of(site, Hop.RETAIL, 'Disk')}")

    assert "cost +20%" in page.main
    assert SECRET not in page.response.get_data(as_text=True)


def test_its_customer_sees_the_price_alone(site: PeopledSite) -> None:
    carla = site.browser_of("carla")

    page = carla.get(f"/portal/lines/{line_of(site, Hop.RETAIL, 'Disk')}")
    sent = page.response.get_data(as_text=True)

    assert "9.41333" in page.main
    for secret in (SECRET, "7.84444", "20%", "10%"):
        assert secret not in sent


def test_the_margin_a_price_would_leave_is_shown_before_it_is_saved(rashid: Visitor) -> None:
    rule = {"customer": "carla-works", "basis": "cost", "percent": "50", "valid_from": "2024-09-01"}

    page = rashid.post("/rules/new", {**rule, "step": "effect"}, status=200)

    change = list_of(page)[0]
    assert change[0] == "Customer carla-works"
    assert change[2:] == ["€22.00", "€27.49 +€5.49", "€3.67 16.7%", "€9.16 33.3%"]
    assert "You have set no price yet" not in rashid.get("/rules").main, "the wholesaler's default is listed"
    assert "+50" not in rashid.get("/rules").main


def test_effects_on_others_are_not_shown(site: PeopledSite) -> None:
    pavel = site.browser_of("pavel")
    rule = {"customer": "*", "basis": "cost", "percent": "50", "valid_from": "2024-09-01", "step": "effect"}

    page = pavel.post("/rules/new", rule, status=200)

    assert "Nothing changes in the latest months" in page.main
