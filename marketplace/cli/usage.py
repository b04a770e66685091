"""`usage import` and `usage undo`: vendor files into the lake, and out of account again."""

import argparse
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from marketplace.cli.close import period_argument
from marketplace.cli.context import open_database
from marketplace.cli.result import Result
from marketplace.core.actor import Actor
from marketplace.core.db import Database
from marketplace.core.period import Period
from marketplace.settings import Settings, load_settings
from marketplace.usage.models import Delivery
from marketplace.usage.operations import (
    GivenFile,
    Received,
    exact_text,
    first_rejects,
    import_files,
    undo_delivery,
)

_SHOWN = 10


def add_parser(subparsers: Any) -> None:
    """Describe the commands."""
    parser = subparsers.add_parser("usage", help="import vendor files, or take an import back")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    read = commands.add_parser("import", help="import a vendor's files, together as one delivery")
    read.add_argument(
        "files", metavar="FILE", nargs="+", type=Path, help="CSV, JSON lines or Parquet, gzip or not"
    )
    read.add_argument(
        "--vendor", required=True, help="whose files these are: the name space of their accounts"
    )
    read.add_argument(
        "--billing-account", default="", help="the account billed, where the files do not tell it"
    )
    read.add_argument("--period", type=period_argument, help="the month, where the files do not tell it")
    meant = read.add_mutually_exclusive_group()
    meant.add_argument("--add", action="store_true", help="add to what is there instead of replacing it")
    meant.add_argument("--replace", action="store_true", help="replace even if rows or money would be lost")
    read.set_defaults(run=_import)
    undo = commands.add_parser("undo", help="take a delivery back; what it replaced counts again")
    undo.add_argument("delivery", help="the delivery's number")
    undo.add_argument("--reason", default="", help="why, for the audit trail")
    undo.set_defaults(run=_undo)


def _import(args: argparse.Namespace) -> Result:
    settings = load_settings()
    for file in args.files:
        file.open("rb").close()  # a missing file is refused before anything else happens
    database = open_database(settings)
    received = import_files(
        database,
        settings,
        actor=Actor.system("command line"),
        files=[GivenFile(file, file.name) for file in args.files],
        vendor=args.vendor,
        billing_account=args.billing_account,
        period=args.period,
        is_addition=args.add,
        is_replacement_meant=args.replace,
    )
    data = _data(database, settings, received)
    return Result(data, _words(data))


def _undo(args: argparse.Namespace) -> Result:
    actor = Actor.system("command line")
    with open_database(load_settings()).transaction(actor) as session:
        delivery = undo_delivery(session, actor=actor, delivery=args.delivery, reason=args.reason)
        data: dict[str, object] = {"delivery": delivery.id, "status": delivery.status}
    return Result(data, f"Delivery {data['delivery']} counts no longer; what it had replaced counts again.")


def _data(database: Database, settings: Settings, received: Received) -> dict[str, Any]:
    """Give what was imported, as it is printed with `--json`."""
    with database.owner_transaction() as session:
        delivery = session.scalars(
            select(Delivery)
            .where(Delivery.id == received.delivery_id)
            .options(selectinload(Delivery.files), selectinload(Delivery.slices))
        ).one()
        files = sorted(delivery.files, key=lambda file: file.number)
        periods: dict[int, dict[str, Any]] = {}
        for piece in sorted(delivery.slices, key=lambda piece: piece.period):
            one = periods.setdefault(piece.period, {"accepted": 0, "rejected": 0, "cost": {}})
            one["accepted"] += piece.accepted
            one["rejected"] += piece.facts.get("rejected", 0)
            for currency, cost in piece.cost.items():
                one["cost"][currency] = one["cost"].get(currency, Decimal(0)) + Decimal(cost)
        return {
            "delivery": delivery.id,
            "duplicate": received.is_duplicate,
            "replaces": delivery.replaces_id,
            "files": [{"file": file.name, "sha256": file.sha256, "format": file.format} for file in files],
            "rows": delivery.rows,
            "accepted": delivery.accepted,
            "rejected": delivery.rejected,
            "look_alikes": delivery.look_alikes,
            "notes": [f"{file.name}: {note}" for file in files for note in file.notes],
            "periods": [
                {
                    "period": str(Period.from_number(number)),
                    "rows": one["accepted"] + one["rejected"],
                    "accepted": one["accepted"],
                    "rejected": one["rejected"],
                    "cost": {currency: exact_text(cost) for currency, cost in sorted(one["cost"].items())},
                }
                for number, one in periods.items()
            ],
            "rejects": [reject.as_dict() for reject in first_rejects(settings, delivery, files)],
        }


def _words(data: dict[str, Any]) -> str:
    if data["duplicate"]:
        return f"These bytes are delivery {data['delivery']} already; nothing changed."
    lines = [
        f"Delivery {data['delivery']}: {data['rows']} rows, {data['accepted']} accepted, {data['rejected']} rejected"
        + (f"; it replaces delivery {data['replaces']}." if data["replaces"] else ".")
    ]
    for one in data["periods"]:
        cost = ", ".join(f"{value} {currency}" for currency, value in one["cost"].items()) or "0"
        lines.append(f"  {one['period']}: {one['accepted']} rows, {cost}")
    if data["look_alikes"]:
        lines.append(f"  {data['look_alikes']} rows look like another one; all of them count.")
    lines += [f"  {note}" for note in data["notes"]]
    lines += [
        f"  rejected: {r['file']} row {r['row']}, {r['column']} {r['value']!r}: {r['reason']}"
        for r in data["rejects"][:_SHOWN]
    ]
    return "\n".join(lines)
