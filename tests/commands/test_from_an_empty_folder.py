"""The whole path in real processes, from a folder that is not there yet: what a person types on the first day."""

import csv
import json
import os
import stat
import subprocess
import sys
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from marketplace.core import embedded_postgres
from marketplace.settings import Settings, environment_name
from tests.commands.month import PERIOD, write_files

ROOT = Path(__file__).parents[2]


@dataclass
class Shell:
    """Types commands and keeps what they answered."""

    home: Path
    folder: Path
    ended: dict[str, subprocess.CompletedProcess[str]] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """The embedded database in the shell's own home, whatever is set where the tests run."""
        ours = {environment_name(setting) for setting in Settings.model_fields}
        others = {name: value for name, value in os.environ.items() if name not in ours}
        return {**others, "MARKETPLACE_HOME": str(self.home), "PYTHONPATH": str(ROOT)}

    def type(self, name: str, *arguments: str | Path) -> None:
        """Run one command."""
        self.ended[name] = subprocess.run(
            [sys.executable, "-m", "marketplace", *map(str, arguments)],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def answer(self, name: str) -> Any:
        """Give the object a command printed: the whole of standard output is one."""
        return json.loads(self.ended[name].stdout)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """Type everything, in the order of a first day."""
    folder = tmp_path_factory.mktemp("first-day")
    write_files(folder)
    shell = Shell(folder / "not" / "there" / "yet", folder)
    shell.type("too early", "close", PERIOD, "--json")
    shell.type("migrate", "migrate", "--json")
    # The first two commands started a server and stopped it; the others join this one, as beside `serve`.
    server = embedded_postgres.start(shell.home)
    for kind in ("resellers", "customers", "accounts", "rules", "fx"):
        shell.type(kind, "import", kind, f"{kind}.csv", "--json")
    shell.type("usage", "usage", "import", "usage.csv", "focus.csv", "--vendor", "cloud", "--json")
    shell.type("close", "--json", "close", PERIOD)
    (folder / "chf.csv").write_text(f"month,from,to,rate\n{PERIOD},EUR,CHF,0.9453\n{PERIOD},GBP,EUR,1.19\n")
    shell.type("rates", "import", "fx", "chf.csv", "--json")
    shell.type("approve", "close", PERIOD, "--approve", "--json")
    export = ("statements", "export", PERIOD, "--hop", "retail", "--format", "csv", "--output", "retail.csv")
    shell.type("export", *export, "--json")
    with (folder / "retail.csv").open(newline="") as stream:
        line = next(csv.DictReader(stream))["line"]
    shell.type("explain", "explain", line, "--as", "customer", "--json")
    shell.type("words", "explain", line)
    person = ("--email", "w@nord.example", "--name", "W", "--audience", "wholesaler", "--role", "finance")
    shell.type("user", "user", "create", *person, "--json")
    server.stop()
    shell.type("doctor", "doctor", "--json")
    return shell


def test_every_command_ends_well_once_there_are_tables(shell: Shell) -> None:
    failed = {name: ended.stdout for name, ended in shell.ended.items() if ended.returncode}

    assert list(failed) == ["too early"]


def test_every_answer_is_one_object_and_nothing_else(shell: Shell) -> None:
    answers = [shell.answer(name) for name in shell.ended if name != "words"]

    assert all(isinstance(answer, dict) for answer in answers)


def test_a_first_use_without_tables_names_the_remedy(shell: Shell) -> None:
    assert shell.answer("too early") == {
        "error": "The database has no tables yet: run `python -m marketplace migrate` first.",
        "rows": [],
    }


def test_no_command_leaves_a_traceback(shell: Shell) -> None:
    assert [name for name, ended in shell.ended.items() if "Traceback" in ended.stderr + ended.stdout] == []


def test_the_data_folder_is_made_with_its_parents_and_a_secret_of_its_owner(shell: Shell) -> None:
    secret = shell.home / "secret_key"

    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert len(secret.read_text()) >= 32


def test_files_given_together_are_one_delivery(shell: Shell) -> None:
    answer = shell.answer("usage")

    assert [file["format"] for file in answer["files"]] == ["own", "focus"]
    assert [(one["period"], one["rows"], one["rejected"]) for one in answer["periods"]] == [(PERIOD, 23, 1)]


def test_a_missing_rate_is_told_and_leaves_the_close_rated(shell: Shell) -> None:
    answer = shell.answer("close")

    assert answer["status"] == "rated"
    assert answer["parked"] == {"EUR": "0.00", "GBP": "4.00", "USD": "0.00"}


def test_with_all_rates_the_month_closes_and_nothing_is_parked(shell: Shell) -> None:
    answer = shell.answer("approve")

    assert answer["status"] == "closed"
    assert answer["parked"] == {"EUR": "0.00", "GBP": "0.00", "USD": "0.00"}
    assert answer["balance"]["ok"] is True


def test_the_exported_lines_add_up_to_the_closed_totals(shell: Shell) -> None:
    totals: dict[str, Fraction] = {}
    with (shell.folder / "retail.csv").open(newline="") as stream:
        for line in csv.DictReader(stream):
            totals[line["currency"]] = totals.get(line["currency"], Fraction(0)) + Fraction(line["amount"])

    closed = shell.answer("approve")["totals"]["retail"]
    assert {currency: Fraction(amount) for currency, amount in closed.items()} == totals


def test_without_json_an_explanation_is_words(shell: Shell) -> None:
    words = shell.ended["words"].stdout

    assert "retail: R1 -> C1" in words
    assert "price rule" in words
    assert "row 1" in words


def test_a_created_person_gets_a_password_that_is_told_once(shell: Shell) -> None:
    answer = shell.answer("user")

    assert answer["email"] == "w@nord.example"
    assert len(answer["password"]) >= 12


def test_the_doctor_is_content(shell: Shell) -> None:
    answer = shell.answer("doctor")

    assert answer["ok"] is True
    assert (shell.home / "secret_key").read_text() not in json.dumps(answer)


def test_the_last_command_leaves_no_server_behind(shell: Shell) -> None:
    assert not (shell.home / "postgres" / "postmaster.pid").exists()


def test_a_reader_who_has_read_enough_is_no_failure(shell: Shell) -> None:
    command = [sys.executable, "-m", "marketplace", "doctor"]
    with subprocess.Popen(
        command, cwd=shell.folder, env=shell.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()

        complaints = process.stderr.read().decode()

    assert "BrokenPipe" not in complaints
    assert process.returncode == 0
