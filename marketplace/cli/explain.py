"""`explain LINE`: why a statement line costs what it costs, as one of its parties sees it."""

import argparse
from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import select

from marketplace.billing.explanations import UnknownLine, as_data, explain, source_page
from marketplace.billing.models import StatementLine
from marketplace.cli.context import open_database
from marketplace.cli.result import Result
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.db import Database
from marketplace.settings import load_settings
from marketplace.usage.lake import Lake

_ROWS = 20
_MOST_ROWS = 10_000


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = subparsers.add_parser("explain", help="say why a statement line costs what it costs")
    parser.add_argument("line", help="the line's id, as in the column `line` of a statement export")
    parser.add_argument(
        "--as",
        dest="audience",
        choices=[audience.value for audience in Audience],
        default=Audience.WHOLESALER.value,
        help="whose view: a party sees its own hops and nothing above",
    )
    parser.add_argument(
        "--start", type=whole_number(0), default=0, help="leave out so many source rows (default 0)"
    )
    parser.add_argument(
        "--rows",
        type=whole_number(1, _MOST_ROWS),
        default=_ROWS,
        help=f"give so many source rows (default {_ROWS})",
    )


def whole_number(least: int, most: int | None = None) -> Callable[[str], int]:
    """Give what reads a whole number of the command line that lies within bounds."""

    def read(value: str) -> int:
        number = int(value) if value.isdecimal() else -1
        if number < least or (most is not None and number > most):
            bounds = f"{least} or more" if most is None else f"{least} to {most}"
            raise argparse.ArgumentTypeError(f"{value} is not a whole number: write {bounds}")
        return number

    return read


def run(args: argparse.Namespace) -> Result:
    """Carry the command out."""
    settings = load_settings()
    database = open_database(settings)
    try:
        line_id = UUID(args.line)
    except ValueError:
        raise UnknownLine(line=args.line) from None
    actor = _party_of(database, line_id, Audience(args.audience))
    with database.transaction(actor) as session:
        explanation = explain(session, line_id, actor=actor)
        page = source_page(
            session, line_id, actor=actor, lake=Lake(settings.lake), limit=args.rows, offset=args.start
        )
    data = as_data(explanation, page)
    return Result(data, _words(data, start=args.start))


def _party_of(database: Database, line_id: UUID, audience: Audience) -> Actor:
    """Give the actor for one of the line's own parties, with all that its audience may do."""
    with database.owner_transaction() as session:
        columns = (StatementLine.reseller_id, StatementLine.customer_id)
        row = session.execute(select(*columns).where(StatementLine.id == line_id)).first()
    if row is None:
        raise UnknownLine(line=line_id)
    party = {Audience.WHOLESALER: None, Audience.RESELLER: row[0], Audience.CUSTOMER: row[1]}[audience]
    return Actor(name="command line", audience=audience, party_id=party, permissions=frozenset(Permission))


def _words(data: dict[str, Any], *, start: int) -> str:
    """Say the steps in a few lines."""
    heading = (
        f"{data['product']} {data['sku']} {data['meter']} of {data['account']} at {data['vendor']}, "
        f"{data['charge_from']} to {data['charge_until']}"
    )
    out = [heading]
    for hop in data["hops"]:
        out.append(f"{hop['hop']}: {hop['seller']} -> {hop['buyer']}: {hop['amount']} {hop['currency']}")
        out += [_step(step) for step in hop["steps"]]
    last = start + len(data["rows"])
    out.append(f"made of {data['rows_total']} source rows, of which {start + 1} to {last}:")
    out += [
        f"  file {row['file_no']} row {row['row']}: {row['usage_date']} quantity {row['quantity']}"
        for row in data["rows"]
    ]
    if last < data["rows_total"]:
        out.append(f"  (the next rows: --start {last})")
    return "\n".join(out)


_STEP_WORDS = {
    "quantity": "quantity",
    "vendor_cost": "the vendor's cost",
    "wholesale_amount": "the reseller's cost, before rounding",
    "list_price": "the vendor's list price",
    "rule": "price rule",
    "no_rule": "no price rule: at cost",
    "fall_back": "no list price: at cost",
    "sellers_price": "the seller's price",
    "priced": "priced",
    "exchange": "exchanged",
    "billed_before": "less what was billed before",
    "exact": "exact amount",
    "rounded": "billed",
}


def _step(step: dict[str, Any]) -> str:
    facts = {k: v for k, v in step.items() if k not in {"step", "amount", "currency"}}
    rule = facts.pop("rule", None)
    if rule:
        # What a rule says stands in the rule.
        facts = {"": rule} if step["step"] == "rule" else {**facts, "rule": rule}
    amount = "" if step["amount"] is None else f"{step['amount']} {step['currency'] or ''}".strip()
    return f"  {_STEP_WORDS[step['step']]:<36}{amount:>28}  {_facts(facts)}".rstrip()


def _facts(facts: dict[str, Any]) -> str:
    said = {name: _facts(v) if isinstance(v, dict) else v for name, v in facts.items()}
    return ", ".join(f"{name} {value}".strip() for name, value in said.items() if value not in {None, ""})
