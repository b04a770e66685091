"""`migrate`: make the tables, or bring them up to date."""

import argparse
from typing import Any

from marketplace.cli.context import open_database
from marketplace.cli.result import Result
from marketplace.schema import migrate, newest_step
from marketplace.settings import load_settings


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    subparsers.add_parser("migrate", help="make the tables, or bring them up to date")


def run(_args: argparse.Namespace) -> Result:
    """Migrate; doing it again does nothing."""
    settings = load_settings()
    steps = migrate(open_database(settings, needs_schema=False))
    text = f"The database is at step {newest_step()}; {len(steps) or 'no'} new."
    return Result({"step": newest_step(), "applied": steps, "home": str(settings.home)}, text)
