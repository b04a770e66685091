"""The frame of every command: parsing, `--json`, refusals, logs, exit codes."""

import argparse
import errno
import importlib
import io
import json
import os
import signal
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from types import FrameType
from typing import Any, NoReturn

import structlog
from sqlalchemy.exc import OperationalError, ProgrammingError

from marketplace.cli import logs
from marketplace.cli.context import DatabaseUnreachable, close_databases
from marketplace.cli.result import Result
from marketplace.core.errors import N_, FaultyRow, Refusal
from marketplace.schema import SchemaMissing

DONE, REFUSED, WRONG_USAGE = 0, 1, 2
SHOWN_ROWS = 50
_JSON_HELP = "print one JSON object instead of text"


class FileMissing(Refusal):
    """A file named on the command line is not there, or may not be read."""

    sentence = N_("The file %(file)s cannot be read (%(reason)s): check the path.")


class DiskFull(Refusal):
    """There is no room for what the command writes."""

    sentence = N_(
        "The disk is full; nothing of what the command was doing was kept. Free some space, or move "
        "MARKETPLACE_HOME to a larger disk."
    )


class NotText(Refusal):
    """Something was typed in another encoding, such as the name of a file from an old archive."""

    sentence = N_(
        "“%(word)s” is not UTF-8 text, so it can be neither kept nor shown. If it is a file, rename it; if accents "
        "come out wrong everywhere, set a locale such as LC_ALL=C.UTF-8."
    )


class Interrupted(Refusal):
    """Somebody ended the command."""

    sentence = N_("The command was interrupted; nothing of what it was doing was kept.")


class Broken(Refusal):
    """Nobody anticipated this."""

    sentence = N_(
        "Something went wrong that should not: %(error)s. The log above says where; please report it."
    )


class _WrongUsage(Exception):
    """The command line cannot be understood."""

    def __init__(self, usage: str, sentence: str) -> None:
        super().__init__(sentence)
        self.usage = usage


class _Parser(argparse.ArgumentParser):
    """Raises what argparse would print, so that `--json` holds for wrong usage too."""

    def error(self, message: str) -> NoReturn:
        raise _WrongUsage(self.format_usage(), f"{self.prog}: {message}")


def run_command(topics: Mapping[str, str], arguments: Sequence[str] | None) -> int:
    """Parse, run, print; give the exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    _never_fail_to_print()
    try:
        _check_text(given)
        args = _parser(_needed(topics, given)).parse_args(given)
    except _WrongUsage as wrong:
        _print_wrong_usage(wrong, as_json="--json" in given)
        return WRONG_USAGE
    except NotText as refusal:
        _print_refusal(refusal, as_json="--json" in given)
        return REFUSED
    except SystemExit:  # the help was asked for and printed
        return DONE
    logs.configure()
    signal.signal(signal.SIGTERM, _end_orderly)
    try:
        result = _run(args.run, args)
    except Refusal as refusal:
        _print_refusal(refusal, as_json=args.json)
        return REFUSED
    finally:
        close_databases()
    try:
        _print_result(result, as_json=args.json)
    except BrokenPipeError:  # whoever reads has read enough, as `head` does: the work itself is done
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return result.exit_code


def _never_fail_to_print() -> None:
    """Let a terminal that lacks a letter show another in its place."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _check_text(words: Iterable[str]) -> None:
    """Refuse what is no text: the system hands on bytes it cannot read as half characters."""
    for word in words:
        if any("\ud800" <= letter <= "\udfff" for letter in word):
            raise NotText(word=os.fsencode(word).decode(errors="replace"))


def _needed(topics: Mapping[str, str], given: Sequence[str]) -> Iterable[str]:
    """Give the topic of the command that was typed; all of them where none was, or one that nobody knows."""
    return [topics[word] for word in given[:2] if word in topics][:1] or dict.fromkeys(topics.values())


def _run(run: Callable[[argparse.Namespace], Result], args: argparse.Namespace) -> Result:
    """Run the command, and turn the failures of the world around us into sentences."""
    try:
        return run(args)
    except Refusal:
        raise
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DiskFull from error
        if error.filename is None:
            raise _broken(error) from error
        raise FileMissing(file=error.filename, reason=(error.strerror or "").lower()) from error
    except OperationalError as error:
        raise DatabaseUnreachable(error) from error
    except ProgrammingError as error:
        if type(error.orig).__name__ == "UndefinedTable":
            raise SchemaMissing from error
        raise _broken(error) from error
    except KeyboardInterrupt:
        raise Interrupted from None
    except Exception as error:
        raise _broken(error) from error


def _broken(error: Exception) -> Broken:
    structlog.get_logger().exception("command failed", exc_info=error)
    return Broken(error=f"{type(error).__name__}: {str(error).partition(chr(10))[0]}")


def _parser(topics: Iterable[str]) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m marketplace",
        description="A marketplace for cloud distributors: vendor bills in, statements out.",
        epilog="Exit codes: 0 done, 1 refused with a sentence, 2 wrong usage. `COMMAND --help` says more.",
    )
    parser.add_argument("--json", action="store_true", help=_JSON_HELP)
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for topic in topics:
        known = set(subparsers.choices)
        module = importlib.import_module(f"marketplace.cli.{topic}")
        module.add_parser(subparsers)
        for name in set(subparsers.choices) - known:
            command = subparsers.choices[name]
            if command.get_default("run") is None and hasattr(module, "run"):
                command.set_defaults(run=module.run)  # commands within commands name their own
            _add_json(command)
    return parser


def _add_json(command: argparse.ArgumentParser) -> None:
    """Let every command, at whatever depth, take `--json` after its own name too."""
    nested = [action for action in command._actions if isinstance(action, argparse._SubParsersAction)]  # noqa: SLF001
    for action in nested:
        for child in action.choices.values():
            _add_json(child)
    if not nested and "--json" not in command._option_string_actions:  # noqa: SLF001 - argparse offers no other way
        command.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=_JSON_HELP)


def _print_result(result: Result, *, as_json: bool) -> None:
    if as_json:
        _print_json(result.data)
    elif result.text:
        print(result.text, flush=True)  # noqa: T201 - this is what the command is for


def _print_refusal(refusal: Refusal, *, as_json: bool) -> None:
    if as_json:
        _print_json({"error": str(refusal), "rows": [row.as_dict() for row in refusal.rows]})
        return
    lines = [str(refusal), *(_row_in_words(row) for row in refusal.rows[:SHOWN_ROWS])]
    if len(refusal.rows) > SHOWN_ROWS:
        lines.append(f"... and {len(refusal.rows) - SHOWN_ROWS} more rows: --json lists them all.")
    print("\n".join(lines), file=sys.stderr, flush=True)  # noqa: T201 - this is what the command is for


def _print_wrong_usage(wrong: _WrongUsage, *, as_json: bool) -> None:
    if as_json:
        _print_json({"error": str(wrong), "rows": []})
    print(f"{wrong.usage}{wrong}", file=sys.stderr, flush=True)  # noqa: T201 - see above


def _row_in_words(row: FaultyRow) -> str:
    return f"  {row.file}, row {row.row}, {row.column} = {row.value!r}: {row.reason}"


def _print_json(data: dict[str, object]) -> None:
    is_unicode = (sys.stdout.encoding or "").lower().startswith("utf")
    print(json.dumps(data, default=_as_json, ensure_ascii=not is_unicode), flush=True)  # noqa: T201 - see above


def _as_json(value: Any) -> str:
    """Amounts as text with every digit, days and instants as ISO writes them, the rest by its own name."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value)


def _end_orderly(_signal: int, _frame: FrameType | None) -> NoReturn:
    """End on SIGTERM as on Ctrl-C, so that transactions roll back and the database is given back."""
    raise KeyboardInterrupt
