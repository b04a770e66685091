"""`import`: parties, mappings, price rules, exchange rates and payments from CSV files."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy.orm import Session

from catalog.operations.exchange_rates import import_fx_rates
from marketplace.cli.context import open_database
from marketplace.cli.result import Result
from marketplace.core.actor import Actor, Machine
from marketplace.core.clock import utc_now
from marketplace.core.csv_table import ImportResult
from marketplace.orders.operations.settling import import_payments
from marketplace.settings import load_settings
from resellers.imports.accounts import import_accounts
from resellers.imports.parties import import_customers, import_resellers
from resellers.imports.price_rules import import_price_rules

SHOWN_WARNINGS = 20


class Import(Protocol):
    """An import of one kind of file."""

    def __call__(
        self, session: Session, *, actor: Actor, file: str, content: bytes, dry_run: bool = False
    ) -> ImportResult:
        """Carry it out."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file, and how it is taken in."""

    carry_out: Import
    what: str
    # Credit decides which orders go on by a payment: that is worked out past row-level security, as on pages.
    is_for_owner: bool = False


def _import_settlements(
    session: Session, *, actor: Actor, file: str, content: bytes, dry_run: bool = False
) -> ImportResult:
    return import_payments(session, actor=actor, file=file, content=content, now=utc_now(), dry_run=dry_run)


KINDS = {
    "resellers": Kind(import_resellers, "add or change resellers, by reference"),
    "customers": Kind(import_customers, "add or change customers, by reference"),
    "accounts": Kind(import_accounts, "map vendor accounts to customers"),
    "rules": Kind(import_price_rules, "add price rules"),
    "fx": Kind(import_fx_rates, "set exchange rates of months"),
    "settlements": Kind(_import_settlements, "note what was paid of closed statements", is_for_owner=True),
}


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("import", help="import parties, terms and payments from CSV files")
    kinds = parser.add_subparsers(metavar="KIND", dest="kind", required=True)
    for name, kind in KINDS.items():
        command = kinds.add_parser(name, help=kind.what)
        command.add_argument("file", metavar="FILE", type=Path, help="UTF-8 CSV with a header")
        command.add_argument("--dry-run", action="store_true", help="say what would change, change nothing")


def run(args: argparse.Namespace) -> Result:
    """Import the file whole, or refuse it whole."""
    kind = KINDS[args.kind]
    content = args.file.read_bytes()
    actor = Actor.system(Machine.FILE_IMPORT)
    database = open_database(load_settings())
    with database.owner_transaction() if kind.is_for_owner else database.transaction(actor) as session:
        result = kind.carry_out(
            session, actor=actor, file=args.file.name, content=content, dry_run=args.dry_run
        )
    return Result(result.as_dict(), _in_words(result))


def _in_words(result: ImportResult) -> str:
    would = "would be " if result.dry_run else ""
    counted = (
        f"{result.added} {would}added, {result.changed} {would}changed, {result.unchanged} as they were."
    )
    lines = [f"{result.file}: {result.rows} rows of {result.kind}; {counted}"]
    lines += [
        f"  look at row {warning.row}, {warning.column} {warning.value!r}: {warning.reason}"
        for warning in result.warnings[:SHOWN_WARNINGS]
    ]
    if len(result.warnings) > SHOWN_WARNINGS:
        lines.append(
            f"  ... and {len(result.warnings) - SHOWN_WARNINGS} more rows to look at: --json lists them all."
        )
    return "\n".join(lines)
