"""`demo`: a wholesaler to look at, made through the product's own doors, then served."""

import argparse
import sys
import time
from typing import Any

from marketplace.cli.context import open_database
from marketplace.cli.result import Result
from marketplace.cli.serve import serve
from marketplace.core.clock import utc_now
from marketplace.demo.make import PASSWORD, PEOPLE, is_made, make
from marketplace.schema import migrate
from marketplace.settings import Settings, load_settings


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = subparsers.add_parser("demo", help="make a demonstration and serve it")
    parser.add_argument("--no-serve", action="store_true", help="end after the summary")


def run(args: argparse.Namespace) -> Result:
    """Migrate, make what is missing, say how to sign in, and serve."""
    settings = load_settings()
    database = open_database(settings, needs_schema=False)
    migrate(database)
    figures: dict[str, Any] = {}
    started = time.monotonic()
    if not is_made(database):
        figures = make(database, settings, today=utc_now().date(), say=_say)
        _say(f"made in {int(time.monotonic() - started)} seconds")
    data: dict[str, object] = {
        "address": settings.site_url,
        "password": PASSWORD,
        "people": [
            {"email": p.email, "name": p.name, "audience": p.audience.value, "role": p.role} for p in PEOPLE
        ],
        "closed": figures,
    }
    text = _summary(settings, figures)
    if args.no_serve:
        return Result(data, text)
    print(text, flush=True)  # noqa: T201 - the summary must be read while the pages are served
    serve(settings, host=settings.host, port=settings.port)
    return Result(data, "Stopped.")


def _say(step: str) -> None:
    print(f"  {step}", file=sys.stderr, flush=True)  # noqa: T201 - progress, apart from what the command prints


def _summary(settings: Settings, figures: dict[str, Any]) -> str:
    lines = ["Nuage Distribution: a demonstration of the marketplace.", ""]
    if figures:
        totals = figures["totals"]
        lines += [
            (
                f"{figures['period']} is closed: {figures['usage_rows']} usage rows became "
                f"{figures['lines']['wholesale']} wholesale and {figures['lines']['retail']} retail lines."
            ),
            *(
                f"  {label:<20}{_money(amounts)}"
                for label, amounts in (
                    ("vendors' bills", figures["vendor_bill"]),
                    ("cost on statements", totals["cost"]),
                    ("wholesale", totals["wholesale"]),
                    ("retail", totals["retail"]),
                    ("unmapped", figures["unmapped"]),
                    ("vendor tax", figures["vendor_tax"]),
                    ("licence differences", figures["licences"]),
                    ("vendor rounding", figures["vendor_rounding"]),
                )
            ),
            "  The parts add up to the vendors' bills, to the cent."
            if figures["balance"]["ok"]
            else "  THE PARTS DO NOT ADD UP: run `python -m marketplace doctor`.",
            "",
        ]
    lines += [f"Open {settings.site_url} and sign in; everybody's password is: {PASSWORD}", ""]
    lines += [f"  {p.email:<22}{p.name:<16}{p.audience.value}, {p.role}" for p in PEOPLE]
    return "\n".join(lines)


def _money(amounts: dict[str, str]) -> str:
    return ", ".join(f"{value} {currency}" for currency, value in amounts.items()) or "0"
