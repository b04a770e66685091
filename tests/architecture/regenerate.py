"""Write again what is generated: `python -m tests.architecture.regenerate`, which `make docs` does."""

import argparse
import importlib
import importlib.util
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from marketplace.accounts import roles
from marketplace.app import create_app
from marketplace.cli import TOPICS
from marketplace.core.db import Database
from marketplace.settings import Settings
from tests.architecture.routes import STORED, stored_text

DOCS = Path(__file__).parents[2] / "docs"


def commands() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Give every command by its words, `user create`, with its parser."""
    parser = argparse.ArgumentParser(prog="python -m marketplace")
    subparsers = parser.add_subparsers()
    for topic in dict.fromkeys(TOPICS.values()):
        if importlib.util.find_spec(f"marketplace.cli.{topic}") is not None:
            importlib.import_module(f"marketplace.cli.{topic}").add_parser(subparsers)
    yield from _leaves("", subparsers)


def _leaves(before: str, subparsers: Any) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for name, parser in subparsers.choices.items():
        nested = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
        for action in nested:
            yield from _leaves(f"{before}{name} ", action)
        if not nested:
            yield f"{before}{name}", parser


def commands_text() -> str:
    """Write `docs/commands.md`."""
    text = (
        "# Commands\n\nEach takes `--json` and then prints one JSON object on standard output; logs go to standard error. Exit "
        'codes: 0 done, 1 refused with a sentence, 2 wrong usage. What is refused is `{"error": "...", "rows": [...]}`.\n'
        "This page is generated: `make docs`.\n"
    )
    for words, parser in commands():
        text += f"\n## {words}\n\n"
        options = [action for action in parser._actions if not isinstance(action, argparse._HelpAction)]
        text += f"    python -m marketplace {words}{''.join(f' {_usage(option)}' for option in options)}\n"
        told = [option for option in options if option.help and option.dest != "json"]
        if told:
            text += "\n" + "".join(f"- `{_name(option)}`: {option.help}\n" for option in told)
    return text


def _name(option: argparse.Action) -> str:
    return option.option_strings[0] if option.option_strings else str(option.metavar or option.dest)


def _usage(option: argparse.Action) -> str:
    value = option.metavar or ("|".join(map(str, option.choices)) if option.choices else option.dest.upper())
    if not option.option_strings:
        return f"{value}..." if option.nargs in {"+", "*"} else str(value)
    words = option.option_strings[0] if option.nargs == 0 else f"{option.option_strings[0]} {value}"
    return words if option.required else f"[{words}]"


def main() -> None:
    """Write the list of addresses, and the pages of docs that are made from code."""
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home))
        # Nothing is asked of the database: the addresses are known without it.
        app = create_app(settings, Database("postgresql+psycopg://"))
        STORED.write_text(stored_text(app), encoding="utf-8")
    (DOCS / "permissions.md").write_text(roles.documentation(), encoding="utf-8")
    (DOCS / "commands.md").write_text(commands_text(), encoding="utf-8")


if __name__ == "__main__":
    main()
