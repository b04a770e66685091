"""`order place`: the rows of a file, ordered all or not at all."""

import argparse
from pathlib import Path
from typing import Any

from marketplace.cli.context import open_database
from marketplace.cli.result import Result
from marketplace.core.actor import Actor, Machine
from marketplace.core.clock import utc_now
from marketplace.orders.operations.bulk import BulkOrder, order_from_file
from marketplace.orders.operations.pricing import commitments
from marketplace.orders.rules.bulk import COLUMNS
from marketplace.orders.words import PriceHop
from marketplace.settings import load_settings


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = subparsers.add_parser("order", help="order for customers")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    place = commands.add_parser("place", help="order the rows of a file, all or none")
    place.add_argument("file", metavar="FILE", type=Path, help=f"CSV with the columns {','.join(COLUMNS)}")
    place.add_argument("--dry-run", action="store_true", help="check every row, and order nothing")
    place.set_defaults(run=_place)


def _place(args: argparse.Namespace) -> Result:
    content = args.file.read_bytes()
    database = open_database(load_settings())
    with database.owner_transaction() as session:
        done = order_from_file(
            session,
            actor=Actor.system(Machine.COMMAND_LINE),
            file=args.file.name,
            content=content,
            now=utc_now(),
            dry_run=args.dry_run,
        )
        totals = commitments(session, [order.id for order in done.orders])
        orders = [
            {
                "id": str(order.public_id),
                "name": order.name,
                "state": order.state,
                "po_number": order.po_number,
                "wholesale": str(totals[order.id][PriceHop.WHOLESALE]),
                "retail": str(totals[order.id][PriceHop.RETAIL]),
            }
            for order in done.orders
        ]
    return Result(
        {"file": done.file, "rows": done.rows, "dry_run": args.dry_run, "orders": orders},
        _text(done, orders, is_dry=args.dry_run),
    )


def _text(done: BulkOrder, orders: list[dict[str, str]], *, is_dry: bool) -> str:
    if is_dry:
        return f"{done.rows} rows can be ordered. Nothing was ordered."
    lines = [
        f"{one['name']}  {one['state']:<18} {one['wholesale']:>18} {one['po_number']}".rstrip()
        for one in orders
    ]
    return "\n".join([f"{done.rows} rows, {len(orders)} orders.", *lines])
