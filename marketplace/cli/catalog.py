"""`catalog import FILE`: a vendor's price list into the catalogue, as a new version."""

import argparse
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from catalog.operations.price_lists import ImportedList, activate, import_price_list, schedule
from catalog.rules.differences import Kind
from catalog.words import PriceListStatus, Segment
from marketplace.cli.context import open_database
from marketplace.cli.result import Result
from marketplace.core.actor import Actor, Machine
from marketplace.core.clock import utc_now
from marketplace.settings import load_settings
from resellers.models import Wholesaler

_MOST_REJECTS = 100
_SHOWN = 20
_UTC = ZoneInfo("UTC")


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = subparsers.add_parser("catalog", help="keep the catalogue")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    imports = commands.add_parser("import", help="read a vendor's price list into a new version")
    imports.add_argument(
        "file", metavar="FILE", type=Path, help="CSV or JSON as the vendor publishes it, plain or zipped"
    )
    imports.add_argument("--vendor", required=True, help="whose list it is, such as microsoft")
    imports.add_argument("--market", default="", help="the country to take, where the file has several")
    imports.add_argument("--currency", default="", help="the currency to take, where the file has several")
    imports.add_argument(
        "--segment",
        choices=[segment.value for segment in Segment],
        default=Segment.COMMERCIAL.value,
        help="whom plans are for where rows do not say (default commercial)",
    )
    when = imports.add_mutually_exclusive_group()
    when.add_argument("--activate", action="store_true", help="put it in force at once")
    when.add_argument(
        "--schedule", type=day_argument, metavar="DAY", help="put it in force on a day, at its start in UTC"
    )
    imports.add_argument("--dry-run", action="store_true", help="say what would change, change nothing")


def day_argument(value: str) -> date:
    """Read a day of the command line."""
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{value} is not a day: write 2026-12-01") from None


def run(args: argparse.Namespace) -> Result:
    """Carry the command out."""
    content = args.file.read_bytes()
    actor, now = Actor.system(Machine.FILE_IMPORT), utc_now()
    with open_database(load_settings()).transaction(actor) as session:
        imported = import_price_list(
            session,
            actor=actor,
            vendor=args.vendor,
            file=args.file.name,
            content=content,
            market=args.market.upper(),
            currency=args.currency.upper(),
            segment=Segment(args.segment),
            otherwise_currency=session.scalars(select(Wholesaler.currency)).one(),
            is_trial=args.dry_run,
        )
        status = imported.status
        is_open = status in {PriceListStatus.DRAFT.value, PriceListStatus.SCHEDULED.value}
        if imported.price_list_id is not None and is_open:
            chosen: dict[str, Any] = {"actor": actor, "price_list_id": imported.price_list_id, "now": now}
            if args.activate:
                status = activate(session, **chosen).status
            elif args.schedule:
                at = datetime.combine(args.schedule, time(), tzinfo=_UTC)
                status = schedule(session, at=at, **chosen).status
    data = _as_data(imported, status)
    return Result(data, _words(args.file.name, data))


def _as_data(imported: ImportedList, status: str) -> dict[str, Any]:
    return {
        "price_list": imported.price_list_id and str(imported.price_list_id),
        "kind": imported.kind,
        "market": imported.market,
        "currency": imported.currency,
        "version": imported.version,
        "status": status,
        "duplicate": imported.is_duplicate,
        "dry_run": imported.is_trial,
        "rows": imported.rows,
        "accepted": imported.accepted,
        "rejected": imported.rejected,
        "left_out": imported.left_out,
        **{kind.value: imported.counted(kind) for kind in Kind if kind is not Kind.UNCHANGED},
        "unchanged": imported.unchanged,
        "renamed": [
            {"product": one.product, "title": one.title, "new_title": one.new_title}
            for one in imported.renames
        ],
        "rejects": [reject.as_dict() for reject in imported.rejects[:_MOST_REJECTS]],
    }


def _words(file: str, data: dict[str, Any]) -> str:
    what = f"{data['kind']} list for {data['market']} in {data['currency']}"
    if data["duplicate"]:
        return f"{file}: these are the bytes of version {data['version']} of the {what}, which is {data['status']}."
    if not data["market"]:
        would = "would have" if data["dry_run"] else "have"
        lines = [f"{file}: {data['accepted']} of {data['rows']} SKUs {would} their limits and relations."]
        return "\n".join([*lines, *_rejected(data)])
    would = "would be " if data["dry_run"] else ""
    lines = [f"{file}: version {data['version']} of the {what} {would or 'is '}{data['status']}."]
    lines.append(
        f"  {data['rows']} rows: {data['accepted']} accepted, {data['rejected']} rejected, "
        f"{data['left_out']} of other markets or currencies left out"
    )
    lines.append(
        f"  prices: {data['new']} new, {data['ended']} ended, {data['dearer']} dearer, "
        f"{data['cheaper']} cheaper, {data['unchanged']} unchanged"
    )
    return "\n".join([*lines, *_renamed(data), *_rejected(data)])


def _renamed(data: dict[str, Any]) -> list[str]:
    lines = [
        f"  renamed by the vendor: {one['title']!r} is now {one['new_title']!r} ({one['product']})"
        for one in data["renamed"][:_SHOWN]
    ]
    if (more := len(data["renamed"]) - _SHOWN) > 0:
        lines.append(f"  ... and {more} more are renamed: --json lists them all.")
    if lines:
        lines.append("  Rules and statements keep the first names until the new ones are taken on the page.")
    return lines


def _rejected(data: dict[str, Any]) -> list[str]:
    return [
        f"  row {reject['row']}, {reject['column']} {reject['value']!r}: {reject['reason']}"
        for reject in data["rejects"][:_SHOWN]
    ]
