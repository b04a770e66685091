"""Ordering from a file: one order for each customer and purchase order number, all of the file or nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from catalog.models import Plan, Product, Sku
from catalog.words import PlanStatus, Segment
from marketplace.core.actor import Actor
from marketplace.core.cells import FaultyEntry
from marketplace.core.csv_table import Faults, TableRow, read_table
from marketplace.core.errors import N_, Phrase
from marketplace.core.permit import require
from marketplace.orders.models import Order, OrderLine
from marketplace.orders.operations.cart import BUYABLE, check_buying, new_draft
from marketplace.orders.operations.margins import PricedTooLow, check_margins
from marketplace.orders.operations.placing import CannotBeOrdered, place, priced_and_possible
from marketplace.orders.queries.visible import PLACES, customers_of
from marketplace.orders.rules.bulk import COLUMNS, MOST_ROWS, BulkLine, read_line
from marketplace.subscriptions.queries.offers import offers_of
from marketplace.subscriptions.rules.limits import quantity_fault
from resellers.models import Customer


@dataclass(frozen=True, slots=True)
class BulkOrder:
    """What came of a file."""

    file: str
    rows: int
    orders: tuple[Order, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    line: BulkLine


def order_from_file(
    session: Session, *, actor: Actor, file: str, content: bytes, now: datetime, dry_run: bool = False
) -> BulkOrder:
    """Order the rows of a file, or with `dry_run` only check them. Raises `FaultyFile` naming every faulty row."""
    require(actor, PLACES[actor.audience])
    table, faults = read_table(content, file=file, columns=COLUMNS)
    rows = _read(table, faults)
    customers = _customers(session, actor, rows, faults)
    plans = _plans(session, rows, faults)
    faults.check()
    orders: list[Order] = []
    with session.begin_nested() as attempt:
        for (customer, po_number), of_order in _grouped(rows, customers).items():
            orders.append(
                _place(
                    session,
                    customer,
                    po_number,
                    of_order,
                    plans,
                    faults=faults,
                    actor=actor,
                    now=now,
                    dry_run=dry_run,
                )
            )
        faults.check()
        if dry_run:
            attempt.rollback()
            orders = []
    return BulkOrder(file, len(rows), tuple(orders))


def _place(
    session: Session,
    customer: Customer,
    po_number: str,
    rows: Sequence[_Row],
    plans: Mapping[tuple[str, str, str], int],
    *,
    faults: Faults,
    actor: Actor,
    now: datetime,
    dry_run: bool,
) -> Order:
    check_buying(session, actor=actor, customer=customer)
    order = new_draft(session, actor=actor, customer=customer, po_number=po_number)
    for number, row in enumerate(rows, start=1):
        line = row.line
        plan_id = plans[line.sku, line.term.value, line.billing_cycle.value]
        session.add(OrderLine(order_id=order.id, number=number, plan_id=plan_id, quantity=line.quantity))
    session.flush()
    try:
        priced = priced_and_possible(session, order, now=now)
        check_margins(session, order, priced, actor=actor)
    except (CannotBeOrdered, PricedTooLow) as refusal:
        for fault in refusal.rows:
            row = rows[fault.row - 1]
            faults.rows.append(
                replace(fault, file=faults.file, row=row.number, column="sku", value=row.line.sku)
            )
        return order
    if not dry_run and not faults.rows:
        place(session, order, priced, actor=actor, now=now)
    return order


def _read(table: Sequence[TableRow], faults: Faults) -> list[_Row]:
    rows: list[_Row] = []
    for row in table:
        if row.number > MOST_ROWS:
            reason = Phrase.of(N_("is beyond the %(most)s rows of a file: cut it in several"), most=MOST_ROWS)
            faults.add(row.number, "", "", reason)
            break
        try:
            rows.append(_Row(row.number, read_line(row.cells)))
        except FaultyEntry as faulty:
            faults.add_entry(row.number, faulty)
    return rows


def _customers(session: Session, actor: Actor, rows: Sequence[_Row], faults: Faults) -> dict[str, Customer]:
    found = {
        customer.reference: customer
        for customer in session.scalars(
            customers_of(actor).where(Customer.reference.in_({row.line.customer for row in rows}))
        )
    }
    for row in rows:
        if row.line.customer not in found:
            reason = Phrase.of(N_("is not the reference of one of your customers"))
            faults.add(row.number, "customer", row.line.customer, reason)
    return found


def _plans(session: Session, rows: Sequence[_Row], faults: Faults) -> dict[tuple[str, str, str], int]:
    """Find the plans of all rows, in one query, and name those that are not sold or not in such a quantity."""
    skus = {row.line.sku.rpartition(":")[::2] for row in rows}
    found = {
        (f"{product}:{sku}", term, cycle): plan_id
        for plan_id, product, sku, term, cycle in session.execute(
            select(Plan.id, Product.reference, Sku.reference, Plan.term, Plan.billing_cycle)
            .join(Sku, Sku.id == Plan.sku_id)
            .join(Product, Product.id == Sku.product_id)
            .where(
                tuple_(Product.reference, Sku.reference).in_(skus),
                Plan.status == PlanStatus.ON_SALE.value,
                Plan.segment == Segment.COMMERCIAL.value,
                Product.is_listed,
                Product.kind.in_(BUYABLE),
            )
        )
    }
    offers = offers_of(session, found.values())
    known = {sku for sku, _, _ in found}
    for row in rows:
        line = row.line
        key = (line.sku, line.term.value, line.billing_cycle.value)
        if line.sku not in known:
            faults.add(row.number, "sku", line.sku, Phrase.of(N_("is not on sale: look in the shop")))
        elif key not in found:
            reason = Phrase.of(
                N_("is not sold for this term with this way of paying: look at its page in the shop")
            )
            faults.add(row.number, "billing_cycle", line.billing_cycle.value, reason)
        elif fault := quantity_fault(offers[found[key]], line.quantity):
            faults.add(row.number, "quantity", str(line.quantity), fault)
    return found


def _grouped(
    rows: Sequence[_Row], customers: Mapping[str, Customer]
) -> dict[tuple[Customer, str], list[_Row]]:
    """Put rows of one customer and one of its order numbers together."""
    groups: dict[tuple[Customer, str], list[_Row]] = {}
    for row in rows:
        groups.setdefault((customers[row.line.customer], row.line.po_number), []).append(row)
    return groups
