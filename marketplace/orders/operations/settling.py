"""Noting what was paid of closed statements, by hand or from a file; orders that credit reaches by then go on."""

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.billing.models import PeriodStatus, Statement
from marketplace.core import audit
from marketplace.core.actor import Actor, Permission
from marketplace.core.cells import FaultyEntry, Unusable
from marketplace.core.csv_table import Faults, ImportResult, read_table
from marketplace.core.errors import N_, NotFound, Phrase, Refusal
from marketplace.core.money import Money
from marketplace.core.permit import require
from marketplace.orders.models import StatementPayment
from marketplace.orders.operations.deciding import go_on_where_credit_reaches
from marketplace.orders.queries.exposure import Debtor, debtor_called, debtor_of
from marketplace.orders.queries.unpaid import locked_statements
from marketplace.orders.rules.payments import (
    COLUMNS,
    PaymentLine,
    amount_of,
    check_amount,
    read_payment,
)
from resellers.models import Customer, Reseller
from resellers.words import Hop

_Locked = dict[UUID, tuple[Statement, str, int]]


class StatementNotFinal(Refusal):
    """Only what was closed can be paid."""

    sentence = N_("This statement is not final yet: close its month first.")


class NothingChosen(Refusal):
    """No statement was ticked."""

    sentence = N_("Tick the statements that were paid first.")


def settle(session: Session, *, actor: Actor, statement_ids: Collection[UUID], now: datetime) -> int:
    """Note that closed statements were paid whole today; give how many orders go on. Paid ones stay as they are.

    Raises `NotFound`, `StatementNotFinal`, `NothingChosen`.
    """
    require(actor, Permission.WHOLESALER_CREDIT_MANAGE)
    if not statement_ids:
        raise NothingChosen
    found = locked_statements(session, statement_ids)
    if len(found) < len(set(statement_ids)):
        raise NotFound
    for statement, status, left in found.values():
        if status != PeriodStatus.CLOSED:
            raise StatementNotFinal
        if left:
            _note(session, actor, statement, left, paid_on=now.date(), now=now)
    return _go_on(session, actor, [statement for statement, *_ in found.values()], now=now)


def import_payments(
    session: Session, *, actor: Actor, file: str, content: bytes, now: datetime, dry_run: bool = False
) -> ImportResult:
    """Note the payments of a file, all or none; what was noted already stays. Raises `FaultyFile` naming every row."""
    require(actor, Permission.WHOLESALER_CREDIT_MANAGE)
    table, faults = read_table(content, file=file, columns=COLUMNS)
    lines: list[tuple[int, PaymentLine]] = []
    for row in table:
        try:
            lines.append((row.number, read_payment(row.cells, today=now.date())))
        except FaultyEntry as entry:
            faults.add_entry(row.number, entry)
    ids = {line.statement for _, line in lines}
    found = locked_statements(session, ids)
    known = {
        (one.statement_id, one.paid_on, one.amount_minor)
        for one in session.scalars(select(StatementPayment).where(StatementPayment.statement_id.in_(ids)))
    }
    new = _new_payments(lines, found, known, faults)
    faults.check()
    if not dry_run:
        for statement, amount, paid_on in new:
            _note(session, actor, statement, amount.minor, paid_on=paid_on, now=now)
        _go_on(session, actor, [statement for statement, *_ in new], now=now)
    return ImportResult(
        file=file,
        kind="settlements",
        rows=len(table),
        added=len(new),
        changed=0,
        unchanged=len(lines) - len(new),
        dry_run=dry_run,
    )


def _new_payments(
    lines: list[tuple[int, PaymentLine]],
    found: _Locked,
    known: set[tuple[UUID, date, int]],
    faults: Faults,
) -> list[tuple[Statement, Money, date]]:
    """Give what is to be noted, row by row: each leaves less for the next."""
    left = {id_: one[2] for id_, one in found.items()}
    new = []
    for number, line in lines:
        if line.statement not in found:
            reason = N_("is not a statement: take the file of open statements from the credit page")
            faults.add(number, "statement", str(line.statement), Phrase.of(reason))
            continue
        statement, status, _ = found[line.statement]
        if status != PeriodStatus.CLOSED:
            faults.add(number, "statement", str(line.statement), Phrase.of(StatementNotFinal.sentence))
            continue
        try:
            amount = amount_of(line.amount, statement.currency)
            if (statement.id, line.paid_on, amount.minor) in known:
                continue
            check_amount(amount, left=Money(left[statement.id], statement.currency))
        except Unusable as unusable:
            faults.add(number, "amount", str(line.amount), unusable.reason)
            continue
        left[statement.id] -= amount.minor
        known.add((statement.id, line.paid_on, amount.minor))
        new.append((statement, amount, line.paid_on))
    return new


def _note(
    session: Session, actor: Actor, statement: Statement, minor: int, *, paid_on: date, now: datetime
) -> None:
    session.add(
        StatementPayment(
            statement_id=statement.id,
            amount_minor=minor,
            paid_on=paid_on,
            noted_at=now,
            noted_by=actor.name,
        )
    )
    audit.record(
        session,
        actor=actor,
        action="statement.settle",
        subject="statement",
        subject_id=statement.id,
        after={"amount": str(Money(minor, statement.currency)), "paid_on": paid_on.isoformat()},
    )


def _go_on(session: Session, actor: Actor, statements: list[Statement], *, now: datetime) -> int:
    session.flush()  # held orders are checked against it
    debtors: dict[str, Debtor] = {}
    for statement in statements:
        debtor = _debtor(session, statement, day=now.date())
        debtors[debtor.key] = debtor
    return sum(
        go_on_where_credit_reaches(session, actor=actor, debtor=debtor, now=now)
        for debtor in debtors.values()
    )


def _debtor(session: Session, statement: Statement, *, day: date) -> Debtor:
    if statement.hop == Hop.RETAIL:
        return debtor_of(session, session.get_one(Customer, statement.customer_id), day=day)
    return debtor_called(session.get_one(Reseller, statement.reseller_id))
