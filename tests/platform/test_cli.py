"""The frame of the commands: one JSON object, a sentence for every refusal, exit codes 0, 1 and 2."""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from decimal import Decimal
from pathlib import Path

import pytest

from marketplace.cli import TOPICS, main
from marketplace.cli.frame import _parser, _print_refusal, _print_result
from marketplace.cli.result import Result
from marketplace.core.errors import FaultyRow, Refusal
from marketplace.settings import Settings

ROOT = Path(__file__).parents[2]


def commands(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """Every command at the end of its branch."""
    nested = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not nested:
        return [parser]
    return [command for action in nested for child in action.choices.values() for command in commands(child)]


def run(*arguments: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MARKETPLACE_", "DATABASE_"))
    }
    return subprocess.run(
        [sys.executable, "-m", "marketplace", *arguments],
        cwd=ROOT,
        env={**inherited, "MARKETPLACE_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_every_command_takes_json_after_its_name_and_knows_what_to_run() -> None:
    for command in commands(_parser(dict.fromkeys(TOPICS.values()))):
        assert "--json" in command._option_string_actions, command.prog


@pytest.mark.parametrize("word", TOPICS)
def test_every_command_is_known_by_its_own_module_alone(
    word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([word, "--help"]) == 0
    assert f"marketplace {word}" in capsys.readouterr().out


def test_no_command_is_without_its_module() -> None:
    everything = _parser(dict.fromkeys(TOPICS.values()))

    assert {command.prog.split()[3] for command in commands(everything)} == set(TOPICS)


@pytest.mark.parametrize(
    "arguments", [[], ["nonsense"], ["migrate", "--nonsense"], ["backup"], ["renewals", "x"]]
)
def test_wrong_usage_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code = main(arguments)

    assert code == 2
    assert "usage:" in capsys.readouterr().err


def test_help_exits_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "migrate" in capsys.readouterr().out


def test_a_first_use_from_nothing_to_a_migrated_database(tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"

    too_early = run("backup", str(tmp_path / "b.tar.gz"), "--json", home=home)
    too_early_in_words = run("worker", "--until-idle", home=home)
    first = run("migrate", "--json", home=home)
    second = run("migrate", home=home)
    health = run("doctor", "--json", home=home)

    sentence = "The database has no tables yet: run `python -m marketplace migrate` first."
    assert (too_early.returncode, json.loads(too_early.stdout)) == (1, {"error": sentence, "rows": []})
    assert (too_early_in_words.returncode, too_early_in_words.stdout) == (1, "")
    assert too_early_in_words.stderr.strip() == sentence
    assert first.returncode == 0
    assert json.loads(first.stdout)["applied"][0] == "0001"
    assert "no new" in second.stdout
    assert health.returncode == 0, health.stdout
    assert json.loads(health.stdout)["ok"] is True
    assert not (home / "postgres" / "postmaster.pid").exists(), "the last command stops the embedded server"


def test_an_unreachable_database_is_a_sentence(tmp_path: Path) -> None:
    ended = run(
        "migrate", "--json", home=tmp_path, DATABASE_URL="postgresql://wanda:hunter2@127.0.0.1:1/none"
    )

    assert ended.returncode == 1
    assert "Check DATABASE_URL" in json.loads(ended.stdout)["error"]
    assert "hunter2" not in ended.stdout + ended.stderr


def test_a_missing_file_is_a_sentence(command_line: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    del command_line

    code = main(["restore", "/nowhere/backup.tar.gz", "--json"])

    assert code == 1
    assert "/nowhere/backup.tar.gz cannot be read (no such file or directory)" in capsys.readouterr().out


@pytest.mark.parametrize("encoding", ["ascii", "utf-8", "latin-1"])
def test_json_is_whole_whatever_the_encoding(tmp_path: Path, encoding: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "marketplace", "import", "fx", str(tmp_path / "période—.csv"), "--json"],
        cwd=ROOT,
        env={
            **os.environ,
            "MARKETPLACE_HOME": str(tmp_path),
            "PYTHONUTF8": "1",
            "PYTHONIOENCODING": encoding,
        },
        capture_output=True,
        timeout=120,
        check=False,
    )

    assert ended.returncode == 1
    assert "période—.csv cannot be read" in json.loads(ended.stdout.decode(encoding))["error"]


def test_a_word_that_is_no_text_is_refused_with_the_remedy(
    tmp_path: Path, command_line: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    del command_line
    file = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.csv")
    Path(file).write_bytes(b"month,from,to,rate\n2024-09,USD,EUR,0.9\n")

    code = main(["import", "fx", file, "--json"])

    answer = json.loads(capsys.readouterr().out)
    assert code == 1
    assert answer["error"].endswith("set a locale such as LC_ALL=C.UTF-8.")
    assert "caf\N{REPLACEMENT CHARACTER}.csv” is not UTF-8 text" in answer["error"]


def test_a_letter_that_the_terminal_lacks_is_shown_as_another(tmp_path: Path) -> None:
    ended = run("close", "«", home=tmp_path, PYTHONIOENCODING="ascii")

    assert ended.returncode == 2
    assert '"?" is not a period' in ended.stderr


def test_amounts_are_printed_with_every_digit(capsys: pytest.CaptureFixture[str]) -> None:
    _print_result(Result({"cost": {"USD": Decimal("0.0000000000001")}}), as_json=True)

    assert json.loads(capsys.readouterr().out) == {"cost": {"USD": "0.0000000000001"}}


def test_faulty_rows_are_listed_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    _print_refusal(Refusal([FaultyRow("rules.csv", 3, "percent", "ten", "not a number")]), as_json=False)

    captured = capsys.readouterr()
    assert captured.out == ""
    assert "rules.csv, row 3, percent = 'ten': not a number" in captured.err


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int, path: str = "/sign-in") -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.mark.parametrize("ending", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)])
def test_serve_answers_and_ends_with_its_worker_its_simulator_and_its_database(
    tmp_path: Path, ending: signal.Signals
) -> None:
    run("migrate", home=tmp_path)
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-m", "marketplace", "serve", "--port", str(port)],
        cwd=ROOT,
        env={
            **os.environ,
            "MARKETPLACE_HOME": str(tmp_path),
            "MARKETPLACE_SIMULATOR_PORT": str(simulator_port := free_port()),
        },
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as served:
        try:
            deadline = time.monotonic() + 120
            while not (answers(port) and answers(simulator_port, "/simulator")):
                assert time.monotonic() < deadline, "nothing was served"
                assert served.poll() is None, served.communicate()
                time.sleep(0.2)
            taken = run("serve", "--port", str(port), "--json", home=tmp_path)
            served.send_signal(ending)
            _, errors = served.communicate(timeout=60)
        finally:
            served.kill()

    assert served.returncode == 0, errors
    assert f"http://127.0.0.1:{port}" in errors
    assert taken.returncode == 1
    assert "choose another with --port" in json.loads(taken.stdout)["error"]
    assert not (tmp_path / "postgres" / "postmaster.pid").exists()
    assert not answers(port)
    assert not answers(simulator_port, "/simulator")
