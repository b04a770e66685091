"""`usage import`, `usage fetch` and `usage undo`: vendor files into the lake, and out of account again."""

import argparse
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

from marketplace.cli.close import period_argument
from marketplace.cli.context import open_database
from marketplace.cli.result import Result
from marketplace.core.actor import Actor, Machine
from marketplace.core.clock import utc_now
from marketplace.core.db import Database
from marketplace.core.period import Period
from marketplace.rating.exact import plain
from marketplace.settings import Settings, load_settings
from marketplace.usage.errors import NoSuchDelivery
from marketplace.usage.operations import (
    GivenFile,
    Received,
    fetch_month,
    find_delivery,
    first_rejects,
    import_files,
    undo_delivery,
)
from marketplace.usage.queries import DeliveryPage, ExactTotals, SliceChange, added, find_delivery_page
from marketplace.vendors.registry import connector_for
from resellers.models import Wholesaler

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
    fetched = commands.add_parser("fetch", help="fetch a month's files from the vendor and import them")
    fetched.add_argument("period", type=period_argument, help="the month")
    fetched.add_argument("--vendor", required=True, help="the vendor, which must be connected")
    fetched.set_defaults(run=_fetch)
    undo = commands.add_parser("undo", help="take a delivery back; what it replaced counts again")
    undo.add_argument("delivery", help="the delivery's number")
    undo.add_argument("--reason", default="", help="why, for the audit trail")
    undo.set_defaults(run=_undo)


def _import(args: argparse.Namespace) -> Result:
    settings = load_settings()
    for file in args.files:
        file.open("rb").close()  # a missing file is refused before anything else happens
    database = open_database(settings)
    actor = Actor.system(Machine.COMMAND_LINE)
    received = import_files(
        database,
        settings,
        actor=actor,
        files=[GivenFile(file, file.name) for file in args.files],
        vendor=args.vendor,
        billing_account=args.billing_account,
        period=args.period,
        is_addition=args.add,
        is_replacement_meant=args.replace,
    )
    data = _data(database, settings, received, actor)
    return Result(data, _words(data))


def _fetch(args: argparse.Namespace) -> Result:
    settings = load_settings()
    database = open_database(settings)
    actor = Actor.system(Machine.COMMAND_LINE)
    with database.transaction(actor) as session:
        currency = session.get_one(Wholesaler, 1).currency
    with closing(connector_for(settings, args.vendor)) as connector:
        received = fetch_month(
            database,
            settings,
            actor=actor,
            connector=connector,
            period=args.period,
            today=utc_now().date(),
            currency=currency,
            key=uuid4(),
            pause=time.sleep,
        )
    deliveries = [_data(database, settings, one, actor) for one in received]
    return Result({"deliveries": deliveries}, "\n".join(_words(one) for one in deliveries))


def _undo(args: argparse.Namespace) -> Result:
    actor = Actor.system(Machine.COMMAND_LINE)
    with open_database(load_settings()).transaction(actor) as session:
        delivery = undo_delivery(session, actor=actor, delivery=args.delivery, reason=args.reason)
        data: dict[str, object] = {"delivery": delivery.id, "status": delivery.status}
    return Result(data, f"Delivery {data['delivery']} counts no longer; what it had replaced counts again.")


def _data(database: Database, settings: Settings, received: Received, actor: Actor) -> dict[str, Any]:
    """Give what was imported, as it is printed with `--json`."""
    with database.transaction(actor) as session:
        delivery = find_delivery(session, str(received.delivery_id))
        page = find_delivery_page(session, actor=actor, delivery_id=delivery.public_id)
        if page is None:
            raise NoSuchDelivery(delivery=delivery.id)
        return {
            "delivery": delivery.id,
            "duplicate": received.is_duplicate,
            "replaces": delivery.replaces_id,
            "files": [
                {"file": file.name, "sha256": file.sha256, "format": file.format} for file in page.files
            ],
            "rows": delivery.rows,
            "accepted": delivery.accepted,
            "rejected": delivery.rejected,
            "look_alikes": delivery.look_alikes,
            "notes": [f"{file.name}: {note}" for file in page.files for note in file.notes],
            "periods": _periods(page),
            "days": {
                currency: {str(day): plain(cost) for day, cost in sorted(days.items())}
                for currency, days in sorted(page.by_day.items())
            },
            "rejects": [reject.as_dict() for reject in first_rejects(settings, delivery, page.files)],
        }


def _periods(page: DeliveryPage) -> list[dict[str, Any]]:
    """Give the sums of each month. Together they have every row of the files.

    A reject that does not tell its month, or tells another than the one given, counts with the month given or the
    only one of the files, or else stands under none.
    """
    months: dict[str | None, list[SliceChange]] = {}
    for piece in page.slices:
        months.setdefault(str(piece.period), []).append(piece)
    monthless = page.delivery.rejected - sum(piece.rejected for piece in page.slices)
    rejected_besides: dict[str | None, int] = {}
    if monthless:
        told = [str(Period.from_number(page.delivery.period))] if page.delivery.period else list(months)
        (of_month,) = told if len(told) == 1 else (None,)
        months.setdefault(of_month, [])
        rejected_besides[of_month] = monthless
    return [_period(month, pieces, rejected_besides.get(month, 0)) for month, pieces in months.items()]


def _period(month: str | None, pieces: Sequence[SliceChange], rejected_besides: int) -> dict[str, Any]:
    accepted = sum(piece.rows for piece in pieces)
    rejected = sum(piece.rejected for piece in pieces) + rejected_besides
    return {
        "period": month,
        "rows": accepted + rejected,
        "accepted": accepted,
        "rejected": rejected,
        "cost": _exact(added(dict(piece.cost) for piece in pieces)),
        "change": _change([piece for piece in pieces if piece.rows_before is not None]),
    }


def _change(pieces: Sequence[SliceChange]) -> dict[str, Any] | None:
    """Give by how much rows and cost differ from what was replaced, None where nothing was."""
    if not pieces:
        return None
    return {
        "rows": sum(piece.rows - (piece.rows_before or 0) for piece in pieces),
        "cost": _exact(added(dict(piece.change) for piece in pieces)),
    }


def _exact(totals: ExactTotals) -> dict[str, str]:
    return {currency: plain(cost) for currency, cost in totals}


def _change_in_words(change: dict[str, Any]) -> str:
    cost = [
        f"{'' if value.startswith('-') else '+'}{value} {currency}"
        for currency, value in change["cost"].items()
    ]
    return ", ".join([f"{change['rows']:+} rows", *cost])


def _words(data: dict[str, Any]) -> str:
    if data["duplicate"]:
        return f"These bytes are delivery {data['delivery']} already; nothing changed."
    lines = [
        f"Delivery {data['delivery']}: {data['rows']} rows, {data['accepted']} accepted, {data['rejected']} rejected"
        + (f"; it replaces delivery {data['replaces']}." if data["replaces"] else ".")
    ]
    for one in data["periods"]:
        cost = ", ".join(f"{value} {currency}" for currency, value in one["cost"].items()) or "0"
        change = f" ({_change_in_words(one['change'])} against what it replaces)" if one["change"] else ""
        lines.append(f"  {one['period'] or 'no month'}: {one['accepted']} rows, {cost}{change}")
    if data["look_alikes"]:
        lines.append(f"  {data['look_alikes']} rows look like another one; all of them count.")
    lines += [f"  {note}" for note in data["notes"]]
    lines += [
        f"  rejected: {r['file']} row {r['row']}, {r['column']} {r['value']!r}: {r['reason']}"
        for r in data["rejects"][:_SHOWN]
    ]
    return "\n".join(lines)
