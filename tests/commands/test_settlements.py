"""`import settlements`: what the page of payments takes in, by the command line."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from marketplace.billing.models import PeriodStatus
from resellers.models import Hop
from tests.factories import make_customer, make_reseller
from tests.oracle.commands import Marketplace
from tests.statement_factories import make_line, make_period

HEAD = "statement,amount,paid_on\n"


@pytest.fixture
def installed(migrated: Marketplace) -> Marketplace:
    """An installation in which R1 owes 300 of a closed month."""
    with migrated.session() as session:
        customer = make_customer(session, "C1", reseller=make_reseller(session, "R1"))
        period = make_period(session, "2026-04", status=PeriodStatus.CLOSED)
        period.closed_at = datetime(2026, 5, 3, tzinfo=UTC)
        make_line(session, period="2026-04", hop=Hop.WHOLESALE, customer=customer, amount="300")
    return migrated


def stored(marketplace: Marketplace, query: str) -> list[str]:
    """Give what the database holds, as text."""
    with marketplace.session() as session:
        return [str(one) for one in session.scalars(text(query))]


def paid(marketplace: Marketplace) -> list[str]:
    return stored(marketplace, "SELECT amount_minor FROM statement_payment ORDER BY id")


def test_a_file_is_tried_noted_and_known_again(installed: Marketplace, tmp_path: Path) -> None:
    (statement,) = stored(installed, "SELECT id FROM statement")
    file = tmp_path / "settlements.csv"
    file.write_text(f"{HEAD}{statement},100.50,2026-06-10\n{statement},20,2026-06-11\n")

    tried = installed.run("import", "settlements", file, "--dry-run")
    assert (tried["added"], tried["dry_run"], paid(installed)) == (2, True, [])

    done = installed.run("import", "settlements", file)
    again = installed.run("import", "settlements", file)

    assert (done["kind"], done["rows"], done["added"], done["unchanged"]) == ("settlements", 2, 2, 0)
    assert (again["added"], again["unchanged"]) == (0, 2)
    assert paid(installed) == ["10050", "2000"]
    assert len(stored(installed, "SELECT id FROM audit_entry WHERE action = 'statement.settle'")) == 2


def test_a_faulty_row_refuses_the_file_by_its_number(installed: Marketplace, tmp_path: Path) -> None:
    (statement,) = stored(installed, "SELECT id FROM statement")
    file = tmp_path / "settlements.csv"
    file.write_text(f"{HEAD}{statement},100,2026-06-10\n{statement},200.01,2026-06-11\n")

    refused = installed.run("import", "settlements", file, code=1)

    assert [(row["row"], row["column"]) for row in refused["rows"]] == [(2, "amount")]
    assert paid(installed) == []
