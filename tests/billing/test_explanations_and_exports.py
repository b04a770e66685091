"""Why an amount is what it is, for each party; and the same lines as files."""

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import text

from marketplace.billing.closing import close_period
from marketplace.billing.explanations import UnknownLine, as_data, explain, source_page
from marketplace.billing.exports import COLUMNS, NoStatements, UnknownParty, Wanted, write_statements
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.db import Database
from marketplace.core.period import Period
from marketplace.settings import Settings
from marketplace.usage.lake import Lake
from resellers.models import Basis, Hop
from tests.billing.lake import Usage, deliver
from tests.factories import make_customer, make_fx, make_mapping, make_reseller, make_rule

NOW = datetime(2024, 10, 5, 8, tzinfo=UTC)
SEPTEMBER = Period(2024, 9)
SECRET_COST = "7.31"


@pytest.fixture
def month(database: Database, settings: Settings) -> dict[str, int]:
    """One reseller with one customer: cost plus at wholesale, list less 10 % and cost plus at retail."""
    with database.owner_transaction() as session:
        rashid = make_reseller(session, "R1")
        carla = make_customer(session, "C1", reseller=rashid)
        make_mapping(session, customer=carla, account="a1", vendor="cloud")
        make_rule(session, Hop.WHOLESALE, percent="10")
        make_rule(session, Hop.RETAIL, percent="20", reseller=rashid)
        make_rule(
            session,
            Hop.RETAIL,
            basis=Basis.LIST,
            percent="-10",
            reseller=rashid,
            vendor="cloud",
            product="Listed",
        )
        make_fx(session, "0.5")
        rows = [
            Usage(cost=SECRET_COST, quantity="3", currency="USD"),
            Usage(cost="0.5", quantity="2", currency="USD", product="Listed", list_cost="20"),
            Usage(cost="0.25", quantity="1", currency="USD", product="=Formula"),
        ]
        deliver(session, Path(settings.lake), rows)
        ids = {"reseller": rashid.id, "customer": carla.id}
    close_period(
        database, settings, period=SEPTEMBER, actor=Actor.system(), approve=False, dry_run=False, now=NOW
    )
    return ids


def viewer(audience: Audience, month: dict[str, int]) -> Actor:
    everything = frozenset(Permission)
    return Actor("somebody", audience, party_id=month.get(audience.value), permissions=everything)


def explained(
    database: Database,
    settings: Settings,
    audience: Audience,
    month: dict[str, int],
    *,
    hop: str,
    product: str,
) -> dict[str, Any]:
    with database.owner_transaction() as session:
        query = text("SELECT id FROM statement_line WHERE hop = :hop AND product = :product")
        line = session.scalar(query, {"hop": hop, "product": product})
    actor = viewer(audience, month)
    with database.transaction(actor) as session:
        explanation = explain(session, line, actor=actor)
        return as_data(explanation, source_page(session, line, actor=actor, lake=Lake(settings.lake)))


def test_the_wholesaler_sees_the_whole_arithmetic_down_to_the_source_row(
    database: Database, settings: Settings, month: dict[str, int]
) -> None:
    data = explained(database, settings, Audience.WHOLESALER, month, hop="retail", product="Compute")

    wholesale, retail = data["hops"]
    assert [step["step"] for step in wholesale["steps"]] == [
        *("quantity", "vendor_cost", "rule", "priced", "exchange", "exact", "rounded"),
    ]
    assert wholesale["steps"][1]["amount"] == SECRET_COST
    assert wholesale["steps"][3]["amount"] == "8.041"
    assert wholesale["amount"] == "4.02"
    assert retail["steps"][1] == {"step": "wholesale_amount", "amount": "4.0205", "currency": "EUR"}
    assert retail["steps"][-1]["difference"] == str(Decimal(retail["amount"]) - Decimal("4.8246"))
    assert (data["rows_total"], data["rows"][0]["row"], data["rows"][0]["cost"]) == (1, 1, SECRET_COST)


@pytest.mark.parametrize(
    ("audience", "hop"), [(Audience.RESELLER, "wholesale"), (Audience.CUSTOMER, "retail")]
)
def test_a_buyer_sees_no_cost_its_seller_starts_from(
    database: Database, settings: Settings, month: dict[str, int], audience: Audience, hop: str
) -> None:
    data = explained(database, settings, audience, month, hop=hop, product="Compute")

    assert len(data["hops"]) == 1
    assert [step["step"] for step in data["hops"][0]["steps"]] == [
        "quantity",
        "sellers_price",
        "exact",
        "rounded",
    ]
    assert SECRET_COST not in json.dumps(data, default=str)
    assert "cost" not in data["rows"][0]
    assert data["rows"][0]["quantity"] == "3"


def test_a_customer_sees_the_list_price_and_discount_it_was_given(
    database: Database, settings: Settings, month: dict[str, int]
) -> None:
    data = explained(database, settings, Audience.CUSTOMER, month, hop="retail", product="Listed")

    steps = {step["step"]: step for step in data["hops"][0]["steps"]}
    assert steps["list_price"]["amount"] == "20"
    assert steps["rule"]["rule"]["percent"] == "-10"
    assert data["hops"][0]["amount"] == "9.00"


def test_a_customer_cannot_open_what_its_reseller_pays(
    database: Database, settings: Settings, month: dict[str, int]
) -> None:
    with pytest.raises(UnknownLine):
        explained(database, settings, Audience.CUSTOMER, month, hop="wholesale", product="Compute")


def export(database: Database, wanted: Wanted, format_: str) -> bytes:
    file = io.BytesIO()
    with database.transaction(Actor.system()) as session:
        write_statements(session, wanted, format_=format_, file=file)
    return file.getvalue()


def test_lines_as_csv_have_the_published_columns_and_guarded_cells(
    database: Database, month: dict[str, int]
) -> None:
    content = export(database, Wanted(SEPTEMBER, Hop.RETAIL, seller="R1", buyer="C1"), "csv").decode()

    rows = list(csv.DictReader(io.StringIO(content)))
    assert tuple(rows[0]) == COLUMNS
    assert {row["product"] for row in rows} == {"'=Formula", "Compute", "Listed"}
    listed = next(row for row in rows if row["product"] == "Listed")
    assert (listed["seller"], listed["buyer"], listed["basis"], listed["percent"]) == (
        "R1",
        "C1",
        "list",
        "-10",
    )
    assert (listed["basis_amount"], listed["fx_rate"], listed["amount"], listed["currency"]) == (
        "20",
        "0.5",
        "9.00",
        "EUR",
    )


def test_lines_as_parquet_and_focus_say_the_same(database: Database, month: dict[str, int]) -> None:
    wanted = Wanted(SEPTEMBER, Hop.WHOLESALE, buyer="R1")

    parquet = pq.read_table(io.BytesIO(export(database, wanted, "parquet"))).to_pylist()
    focus = list(csv.DictReader(io.StringIO(export(database, wanted, "focus").decode())))

    assert sum(Decimal(row["amount"]) for row in parquet) == sum(Decimal(row["BilledCost"]) for row in focus)
    assert focus[0]["BillingPeriodEnd"] == "2024-10-01T00:00:00Z"
    assert SECRET_COST not in str(focus)


def test_a_period_without_statements_and_an_unknown_party_are_refused(
    database: Database, month: dict[str, int]
) -> None:
    with pytest.raises(NoStatements):
        export(database, Wanted(Period(2024, 8), Hop.RETAIL), "csv")
    with pytest.raises(UnknownParty):
        export(database, Wanted(SEPTEMBER, Hop.RETAIL, buyer="nobody"), "csv")
