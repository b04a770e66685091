"""The close of small months, from rows in the lake to statements, by hand-made figures."""

import threading
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from marketplace.billing import attribution, attribution_sql, drafts
from marketplace.core.db import Database
from marketplace.core.period import Period
from resellers.models import Basis, Hop
from tests.billing.conftest import Close
from tests.billing.lake import Usage, deliver
from tests.factories import make_customer, make_fx, make_mapping, make_reseller, make_rule


def lines(database: Database, period: str = "2024-09") -> list[Any]:
    with database.owner_transaction() as session:
        query = "SELECT * FROM statement_line WHERE period = :p ORDER BY hop DESC, exact_amount DESC, product"
        return list(session.execute(text(query), {"p": Period.parse(period).number}).mappings())


def test_cost_plus_at_both_hops_is_priced_once_on_the_exact_sum(
    database: Database, lake: Path, close: Close
) -> None:
    with database.owner_transaction() as session:
        reseller = make_reseller(session, "R1")
        customer = make_customer(session, "C1", reseller=reseller)
        make_mapping(session, customer=customer, account="a1", vendor="cloud")
        make_rule(session, Hop.WHOLESALE, basis=Basis.COST, percent="10")
        make_rule(session, Hop.RETAIL, basis=Basis.COST, percent="20")
        deliver(
            session,
            lake,
            [Usage(cost="0.0049999"), Usage(cost="0.0050001"), Usage(cost="10", product="Disk")],
        )

    figures = close()

    assert figures["totals"]["cost"] == {"EUR": "10.01"}
    assert figures["totals"]["wholesale"] == {"EUR": "11.01"}
    assert figures["totals"]["retail"] == {"EUR": "13.21"}
    assert figures["lines"] == {"wholesale": 2, "retail": 2}
    assert figures["balance"]["ok"] is True
    assert figures["rule_gaps"] == {"wholesale": 0, "retail": 0}
    wholesale = lines(database)[0]
    assert wholesale["exact_amount"] == Decimal(11)
    assert wholesale["days"] == [date(2024, 9, 10)]
    assert wholesale["day_basis"][0] * wholesale["day_factor"] == Decimal(11)


def test_a_list_rule_falls_back_to_cost_where_there_is_no_list_price(
    database: Database, lake: Path, close: Close
) -> None:
    with database.owner_transaction() as session:
        customer = make_customer(session, "C1")
        make_mapping(session, customer=customer, account="a1", vendor="cloud")
        make_rule(session, Hop.WHOLESALE, basis=Basis.LIST, percent="-10")
        rows = [
            Usage(quantity="3", list_price="0.3333333333", list_fx="0.9"),
            Usage(quantity="2", list_price="0.5"),
            Usage(list_cost="7"),
            Usage(cost="4"),
            Usage(cost="5", list_cost="50", committed=True),
        ]
        deliver(session, lake, rows)

    figures = close()

    found = [line for line in lines(database) if line["hop"] == "wholesale"]
    assert [(line["basis"], line["gap"] != "", line["source_rows"]) for line in found] == [
        ("cost", True, 2),
        ("list", False, 3),
    ]
    assert found[1]["basis_amount"] == Decimal("0.3333333333") * Decimal("2.7") + 1 + 7
    assert sum(b * found[1]["day_factor"] for b in found[1]["day_basis"]) == found[1]["exact_amount"]
    assert figures["rule_gaps"] == {"wholesale": 1, "retail": 2}


def test_what_nobody_owns_is_unmapped_and_a_missing_rate_parks_only_its_documents(
    database: Database, lake: Path, close: Close
) -> None:
    with database.owner_transaction() as session:
        for name in ("C1", "C2"):
            customer = make_customer(session, name)
            make_mapping(session, customer=customer, account=name, vendor="cloud")
        make_fx(session, "0.5", source="USD", target="EUR", month="2024-09")
        rows = [
            Usage(account="C1", cost="2", currency="USD"),
            Usage(account="C2", cost="3", currency="GBP"),
            Usage(account="nobody", cost="4", currency="USD"),
            Usage(account="C1", cost="1.5", currency="USD", category="Tax"),
        ]
        deliver(session, lake, rows)

    figures = close()

    assert figures["totals"]["wholesale"] == {"EUR": "1.00"}
    assert figures["unmapped"] == {"GBP": "0.00", "USD": "4.00"}
    assert figures["parked"] == {"GBP": "3.00", "USD": "0.00"}
    assert figures["vendor_tax"]["USD"] == "1.50"
    assert {p["customer"] for p in figures["parked_documents"]} == {"C2"}
    assert figures["parked_documents"][0]["pair"] == "GBP>EUR 2024-09"
    assert figures["balance"]["ok"] is True


def test_rating_again_gives_the_same_lines(database: Database, lake: Path, close: Close) -> None:
    with database.owner_transaction() as session:
        customer = make_customer(session, "C1")
        make_mapping(session, customer=customer, account="a1", vendor="cloud")
        deliver(session, lake, [Usage(cost="1.234"), Usage(cost="2", product="Disk")])
    close()
    first = lines(database)

    again = close()

    assert lines(database) == first
    assert again["changes"] == {}


def test_late_usage_after_the_close_is_billed_as_a_difference_that_names_its_period(
    database: Database, lake: Path, close: Close
) -> None:
    with database.owner_transaction() as session:
        customer = make_customer(session, "C1")
        make_mapping(session, customer=customer, account="a1", vendor="cloud")
        deliver(session, lake, [Usage(cost="1.004"), Usage(cost="2", product="Disk")])
    assert close(approve=True)["status"] == "closed"
    before = lines(database)
    with database.owner_transaction() as session:
        deliver(session, lake, [Usage(cost="0.004"), Usage(cost="9", product="New", account="late")])
        make_mapping(session, customer=customer, account="late", vendor="cloud")

    figures = close("2024-10", approve=True)

    assert lines(database) == before
    late = lines(database, "2024-10")
    assert {(line["corrects"], line["hop"], line["product"]) for line in late} == {
        (202409, "wholesale", "Compute"),
        (202409, "wholesale", "New"),
        (202409, "retail", "Compute"),
        (202409, "retail", "New"),
    }
    assert figures["totals"]["wholesale"] == {"EUR": "9.01"}
    assert figures["late"]["cost"] == {"EUR": "9.01"}
    assert figures["balance"]["ok"] is True
    with pytest.raises(Exception, match="There is no usage"):
        close("2024-11")


def test_a_month_made_a_few_customers_at_a_time_has_the_same_lines(
    database: Database, lake: Path, close: Close, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.owner_transaction() as session:
        for number, currency in enumerate(("EUR", "USD", "JPY")):
            customer = make_customer(session, f"C{number}", currency=currency)
            make_mapping(session, customer=customer, account=f"a{number}", vendor="cloud")
            make_rule(session, Hop.WHOLESALE, basis=Basis.COST, percent=str(number), customer=customer)
        # There is no rate to JPY: that customer's retail document waits.
        make_fx(session, "1.1", source="EUR", target="USD", month="2024-09")
        some = [("a0", 9), ("a1", 9), ("a1", 10), ("a2", 9), ("nobody", 9)]
        rows = [
            Usage(cost="1.5", product=product, account=account, day=date(2024, 9, day))
            for account, day in some
            for product in ("Disk", "Virtual machine")
        ]
        deliver(session, lake, rows)
    close()
    before = lines(database)
    monkeypatch.setattr(attribution, "_DAYS_AT_ONCE", 1)

    a_few = close()

    assert lines(database) == before
    assert (a_few["changes"], a_few["balance"]["ok"]) == ({}, True)
    assert a_few["lines"] == {"wholesale": 6, "retail": 4}


def test_things_whose_digests_are_equal_are_told_apart_by_others(
    database: Database, lake: Path, close: Close, monkeypatch: pytest.MonkeyPatch
) -> None:
    number_of = attribution_sql.number_of_subject
    monkeypatch.setattr(
        attribution_sql,
        "number_of_subject",
        lambda attempt: number_of(attempt) if attempt > 1 else "7::UBIGINT",
    )
    with database.owner_transaction() as session:
        customer = make_customer(session, "C1")
        make_mapping(session, customer=customer, account="a1", vendor="cloud")
        deliver(session, lake, [Usage(cost="1"), Usage(cost="2", product="Disk")])

    close()

    found = [(line["product"], line["cost"]) for line in lines(database) if line["hop"] == "wholesale"]
    assert found == [("Disk", Decimal(2)), ("Compute", Decimal(1))]


def test_where_copying_fails_nothing_is_being_made_when_duckdb_is_closed(
    database: Database, lake: Path, close: Close, monkeypatch: pytest.MonkeyPatch
) -> None:
    makers: list[str] = []
    leave = attribution.Attribution.__exit__

    def leaving(self: attribution.Attribution, *error: Any) -> None:
        makers.extend(one.name for one in threading.enumerate() if "ThreadPoolExecutor" in one.name)
        leave(self, *error)

    def failing(*_: Any) -> None:
        raise LookupError("no room")

    monkeypatch.setattr(attribution.Attribution, "__exit__", leaving)
    monkeypatch.setattr(drafts, "_copy_lot", failing)
    monkeypatch.setattr(
        attribution, "_FETCH", 1
    )  # many tables of few lines, so that most are still to be made
    accounts = [f"a{number}" for number in range(20)]
    with database.owner_transaction() as session:
        for account in accounts:
            make_mapping(session, customer=make_customer(session, account), account=account, vendor="cloud")
        deliver(session, lake, [Usage(cost="1", account=account) for account in accounts])

    with pytest.raises(LookupError, match="no room"):
        close()

    assert makers == []
