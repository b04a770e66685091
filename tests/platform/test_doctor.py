"""The doctor: finds what is wrong, names the remedy, tells no secrets."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from marketplace import jobs
from marketplace.cli.context import close_databases
from marketplace.cli.doctor import FAULT, GOOD, NOTICE, Finding, examine
from marketplace.core.actor import Actor
from marketplace.core.db import Database
from marketplace.settings import Settings, load_settings
from tests.vendors.simulated import running_simulator


@pytest.fixture(autouse=True)
def _give_back() -> Iterator[None]:
    yield
    close_databases()


def found(settings: Settings) -> dict[str, Finding]:
    return {finding.subject: finding for finding in examine(settings)}


def test_a_fresh_installation_is_well(command_line: Settings) -> None:
    findings = found(command_line)

    assert {finding.state for finding in findings.values()} <= {GOOD, NOTICE}
    assert {"python", "home", "files", "disk", "secret key", "lake", "mail", "database", "schema", "role", "isolation",
            "worker"} <= set(findings)  # fmt: skip


def test_every_fault_and_notice_has_a_remedy(command_line: Settings) -> None:
    assert all(finding.remedy for finding in examine(command_line) if finding.state != GOOD)


def test_an_exposed_secret_is_found(command_line: Settings) -> None:
    (command_line.home / "secret_key").chmod(0o640)

    assert found(command_line)["secret key"].state == FAULT


def test_a_role_that_steps_over_isolation_is_found(command_line: Settings, database: Database) -> None:
    with database.owner_transaction() as session:
        session.execute(text("ALTER ROLE marketplace_app BYPASSRLS"))
    try:
        finding = found(command_line)["role"]
    finally:
        with database.owner_transaction() as session:
            session.execute(text("ALTER ROLE marketplace_app NOBYPASSRLS"))

    assert finding.state == FAULT
    assert "NOBYPASSRLS" in finding.remedy


def test_a_table_without_isolation_is_found(command_line: Settings, database: Database) -> None:
    with database.owner_transaction() as session:
        session.execute(text("ALTER TABLE statement DISABLE ROW LEVEL SECURITY"))

    assert found(command_line)["isolation"].words == "no row-level security on statement"


def test_jobs_that_nobody_does_are_found(command_line: Settings, database: Database) -> None:
    with database.transaction(Actor.system()) as session:
        jobs.defer(session, "close")

    finding = found(command_line)["worker"]

    assert finding.state == FAULT
    assert "1 jobs wait" in finding.words


def test_it_tells_no_secrets(command_line: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARKETPLACE_SMTP_URL", "smtp://wanda:hunter2@mail.example.com:587")
    settings = load_settings()

    told = " ".join(f"{finding.words} {finding.remedy}" for finding in examine(settings))

    assert "mail.example.com" in told
    assert "hunter2" not in told
    assert command_line.secret_key not in told


class TestVendors:
    def test_the_simulator_is_no_vendor_and_is_said_to_be_none(
        self, command_line: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        away = found(command_line)["microsoft"]
        with running_simulator() as simulator:
            monkeypatch.setenv("MARKETPLACE_SIMULATOR_PORT", simulator.address.rpartition(":")[2])
            there = found(load_settings())["microsoft"]

        assert (away.state, there.state) == (NOTICE, NOTICE)
        assert "which `serve` and `demo` start" in away.words
        assert "which runs" in there.words

    def test_without_either_orders_are_fulfilled_by_hand(
        self, command_line: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        del command_line
        monkeypatch.setenv("MARKETPLACE_SIMULATOR_PORT", "0")

        assert found(load_settings())["microsoft"].words == "fulfilled by hand"

    def test_a_real_vendor_needs_credentials_which_are_not_shown(
        self, command_line: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        del command_line
        with running_simulator() as stand_in:
            for name in ("", "_GRAPH", "_SIGN_IN"):
                monkeypatch.setenv(f"MARKETPLACE_MICROSOFT{name}_ADDRESS", stand_in.address)
            bare = found(load_settings())["microsoft"]
            monkeypatch.setenv("MARKETPLACE_MICROSOFT_TENANT", "0e195b37")
            monkeypatch.setenv("MARKETPLACE_MICROSOFT_CLIENT_ID", "app")
            monkeypatch.setenv("MARKETPLACE_MICROSOFT_CLIENT_SECRET", "hunter2")
            settings = load_settings()
            whole = found(settings)["microsoft"]
        gone = found(settings)["microsoft"]

        assert bare.state == FAULT
        assert "MARKETPLACE_MICROSOFT_CLIENT_SECRET" in bare.remedy
        assert (whole.state, gone.state) == (GOOD, FAULT)
        assert not settings.has_simulator
        assert "hunter2" not in f"{bare}{whole}{gone}{settings!r}"
