"""Closes that are killed with SIGKILL, cancelled, or run at the same time: the old draft stands or the new one."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from marketplace.billing.jobs import queue_rating
from marketplace.core.actor import Actor
from marketplace.core.db import Database
from marketplace.core.period import Period
from tests.conftest import ThrowAwayPostgres
from tests.oracle.commands import Marketplace, fresh_marketplace

MONTH = "2024-09"
ROOT = Path(__file__).parents[2]
# The last function a process of ours enters, by the stage it dies in. Stages of the short run come first.
_KILLED_AT = {
    "reading": "marketplace.billing.attribution:Attribution.read",
    "grouping": "marketplace.billing.attribution:Attribution.group",
    "pricing and rounding": "marketplace.billing.pricing:round_document",
    "balancing": "marketplace.billing.rating_run:balance",
    "exchanging drafts": "marketplace.billing.drafts:Draft._exchange",
    "approving": "marketplace.billing.periods:approve",
    "closing": "marketplace.billing.periods:close",
    "before it has begun": "marketplace.billing.rating_run:_periods_to_rate",
    "attributing": "marketplace.billing.attribution:Attribution.attribute",
    "copying lines": "marketplace.billing.drafts:_copy_lot",
    "proving that no row is lost": "marketplace.billing.rated_period:_parts",
    "writing figures": "marketplace.billing.rating_run:write_costs",
    "summing up": "marketplace.billing.summary:summarise",
}
_SHORT = 7
_KILLING = """
import importlib, os, signal, sys
from marketplace import cli
place, *arguments = sys.argv[1:]
module, _, name = place.partition(":")
owner = importlib.import_module(module)
*path, last = name.split(".")
for step in path:
    owner = getattr(owner, step)
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(owner, last, die)
sys.exit(cli.main(arguments))
"""
# Dies before its statement of that number on any connection.
_KILLED_AT_STATEMENT = """
import os, signal, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from marketplace import cli
left = int(sys.argv[1])
@event.listens_for(Engine, "before_cursor_execute")
def count(*_):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
sys.exit(cli.main(sys.argv[2:]))
"""


@dataclass
class Desk:
    """A wholesaler whose month is rated, and whose next rating gives other amounts."""

    marketplace: Marketplace
    database: Database
    old: dict[str, Any]
    new: dict[str, Any]

    def start(self, *command: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command,
            env={**os.environ, **self.marketplace.environment},
            cwd=ROOT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def closing(self, *options: str) -> subprocess.Popen[str]:
        return self.start(sys.executable, "-m", "marketplace", "close", MONTH, *options, "--json")

    def drafted(self) -> dict[str, Any]:
        return draft(self.database)

    def value(self, query: str) -> Any:
        with self.database.owner_transaction() as session:
            return session.scalar(text(query))


def draft(database: Database) -> dict[str, Any]:
    """Everything that is shown of the month, in a form that can be compared."""
    found = {}
    with database.owner_transaction() as session:
        for table, columns in (
            ("statement_line", "id, statement_id, amount_minor, exact_amount, quantity, source_rows"),
            ("statement", "id, total_minor, exact_total, lines, parked_pair"),
            ("period_balance", "vendor, currency, bill_minor, cost_minor, unmapped_minor"),
            ("statement_cost", "statement_id, cost, cost_minor"),
            ("unmapped_amount", "account, cost, cost_minor"),
        ):
            rows = session.execute(
                text(f"SELECT {columns} FROM {table} WHERE period = 202409 ORDER BY 1, 2, 3")
            )
            found[table] = [tuple(map(str, row)) for row in rows]
        tables = session.scalars(
            text(
                "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname ~ '^statement(_line)?_p202409'"
            )
        )
        found["tables"] = tables.one()
    return found


def usage(cost: str, accounts: int) -> list[dict[str, str]]:
    row = {"product": "p", "sku": "s", "meter": "m", "quantity": "1", "unit": "u", "list_unit_price": ""}
    row |= {"usage_date": f"{MONTH}-05", "currency": "EUR", "cost": cost}
    return [row | {"account": f"a{number}"} for number in range(accounts)]


@pytest.fixture
def desk(postgres: ThrowAwayPostgres, tmp_path: Path) -> Iterator[Desk]:
    with fresh_marketplace(postgres, tmp_path) as marketplace:
        marketplace.import_terms(
            "resellers", [{"reference": "R", "legal_name": "R", "country": "FR", "currency": "EUR"}]
        )
        marketplace.import_terms(
            "customers",
            [
                {"reference": f"C{n}", "reseller": "R", "legal_name": "C", "country": "FR", "currency": "EUR"}
                for n in range(3)
            ],
        )
        marketplace.import_terms(
            "accounts", [{"vendor": "v", "account": f"a{n}", "customer": f"C{n}"} for n in range(3)]
        )
        database = Database(marketplace.database_url)
        marketplace.deliver_own(usage("2.005", 4), vendor="v")
        marketplace.close(MONTH)
        new = draft(database)
        marketplace.deliver_own(usage("1.005", 4), vendor="v")
        marketplace.close(MONTH)
        old = draft(database)
        marketplace.deliver_own(usage("2.005", 4), vendor="v")
        yield Desk(marketplace, database, old, new)
        database.dispose()


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(place, id=stage, marks=[] if number < _SHORT else [pytest.mark.long])
        for number, (stage, place) in enumerate(_KILLED_AT.items())
    ],
)
def test_a_killed_close_leaves_one_whole_draft_and_the_next_finishes(desk: Desk, place: str) -> None:
    killed = desk.start(sys.executable, "-c", _KILLING, place, "close", MONTH, "--approve", "--json")
    output, errors = killed.communicate(timeout=60)

    assert killed.returncode == -signal.SIGKILL, output + errors
    is_rated = ":approve" in place or ":close" in place
    assert desk.drafted() == (desk.new if is_rated else desk.old)
    assert desk.value("SELECT status FROM billing_period") == "rated"
    assert desk.marketplace.close(MONTH, "--approve")["status"] == "closed"
    assert desk.drafted() == desk.new
    assert desk.value("SELECT count(*) FROM close_run WHERE status IN ('running', 'queued')") == 0


@pytest.mark.long
def test_a_close_killed_before_any_of_its_statements_leaves_one_whole_draft(desk: Desk) -> None:
    for number in range(1, 1000):
        arguments = ("close", MONTH, "--approve", "--json")
        process = desk.start(sys.executable, "-c", _KILLED_AT_STATEMENT, str(number), *arguments)
        output, errors = process.communicate(timeout=60)
        if process.returncode == 0:
            break

        assert process.returncode == -signal.SIGKILL, output + errors
        assert desk.drafted() in (desk.old, desk.new), f"killed before statement {number}"
        if desk.value("SELECT status FROM billing_period") == "closed":
            assert desk.drafted() == desk.new
    else:
        pytest.fail("it never came to its end")
    assert number > 50
    assert desk.value("SELECT status FROM billing_period") == "closed"
    assert desk.drafted() == desk.new


def test_a_killed_worker_leaves_the_old_draft_and_the_next_worker_finishes(desk: Desk) -> None:
    with desk.database.owner_transaction() as session:
        run = queue_rating(session, period=Period.parse(MONTH), actor=Actor.system("Wanda"))
    killed = desk.start(sys.executable, "-c", _KILLING, _KILLED_AT["pricing and rounding"], "worker")
    output, errors = killed.communicate(timeout=60)
    after_kill = desk.drafted()
    with (
        desk.database.owner_transaction() as session
    ):  # so that nobody waits for the dead worker's time to be up
        session.execute(text("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour'"))

    desk.marketplace.run("worker", "--until-idle")

    assert killed.returncode == -signal.SIGKILL, output + errors
    assert after_kill == desk.old
    assert desk.drafted() == desk.new
    assert desk.value(f"SELECT status FROM close_run WHERE id = {run.id}") == "done"
    assert desk.value("SELECT status::text FROM procrastinate_jobs") == "succeeded"


def test_of_two_closes_at_once_one_closes_and_the_other_is_told(desk: Desk) -> None:
    processes = [desk.closing("--approve") for _ in range(2)]

    answers = [(process.communicate(timeout=60)[0], process.returncode) for process in processes]

    assert 0 in [code for _, code in answers], answers
    for answer, code in answers:
        assert code == 0 or "A close is running already" in answer or "2024-09 is closed" in answer
    assert desk.value("SELECT status FROM billing_period") == "closed"
    assert desk.drafted() == desk.new


def test_a_close_and_a_job_at_once_double_nothing(desk: Desk) -> None:
    with desk.database.owner_transaction() as session:
        queue_rating(session, period=Period.parse(MONTH), actor=Actor.system("Wanda"))
    processes = [desk.start(sys.executable, "-m", "marketplace", "worker", "--until-idle"), desk.closing()]

    answers = [process.communicate(timeout=60)[0] for process in processes]

    assert processes[0].returncode == 0
    assert processes[1].returncode == 0 or "A close is running already" in answers[1]
    assert desk.drafted() == desk.new
    assert desk.value("SELECT count(*) FROM close_run WHERE status = 'running'") == 0
