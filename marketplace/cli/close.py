"""`close PERIOD`: rate, price, round, balance and write a period's statements; approve and close it when told to."""

import argparse
from typing import Any

from marketplace.billing.closing import close_period
from marketplace.cli.context import open_database
from marketplace.cli.result import Result
from marketplace.core.actor import Actor, Machine
from marketplace.core.clock import utc_now
from marketplace.core.period import NotAPeriod, Period
from marketplace.settings import load_settings


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = subparsers.add_parser("close", help="rate a period and write its draft statements")
    parser.add_argument("period", type=period_argument, help="the month, such as 2024-09")
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--dry-run", action="store_true", help="say what it would give, change nothing")
    group.add_argument("--approve", action="store_true", help="approve and close what was rated")


def period_argument(value: str) -> Period:
    """Read a period of the command line."""
    try:
        return Period.parse(value)
    except NotAPeriod as refusal:
        raise argparse.ArgumentTypeError(str(refusal)) from None


def run(args: argparse.Namespace) -> Result:
    """Carry the command out."""
    settings = load_settings()
    database = open_database(settings)
    figures = close_period(
        database,
        settings,
        period=args.period,
        actor=Actor.system(Machine.COMMAND_LINE),
        approve=args.approve,
        dry_run=args.dry_run,
        now=utc_now(),
    )
    return Result(figures, _words(figures))


def _words(figures: dict[str, Any]) -> str:
    """Say the figures in a few lines."""

    def money(amounts: dict[str, str]) -> str:
        return ", ".join(f"{value} {currency}" for currency, value in amounts.items()) or "0"

    balance = figures["balance"]
    return "\n".join(
        (
            (
                f"{figures['period']} is {figures['status']}: {figures['usage_rows']} usage rows, "
                f"{figures['lines']['wholesale']} wholesale and {figures['lines']['retail']} retail lines."
            ),
            f"  cost on statements  {money(figures['totals']['cost'])}",
            f"  wholesale           {money(figures['totals']['wholesale'])}",
            f"  retail              {money(figures['totals']['retail'])}",
            f"  vendor tax          {money(figures['vendor_tax'])}",
            f"  unmapped            {money(figures['unmapped'])}",
            f"  parked              {money(figures['parked'])}",
            f"  vendor rounding     {money(figures['vendor_rounding'])}",
            (
                f"  rule gaps           {figures['rule_gaps']['wholesale']} wholesale, "
                f"{figures['rule_gaps']['retail']} retail"
            ),
            *(
                f"  waits for a rate    the {document['hop']} statement of {document['customer']}: {document['pair']}"
                " (python -m marketplace import fx FILE, then close again)"
                for document in figures["parked_documents"]
            ),
            f"  balance             {'adds up' if balance['ok'] else 'DIFFERS by ' + money(balance['difference'])}",
        )
    )
