"""Noting what was paid of closed statements, by hand or from a file; orders that credit reaches by then go on.

The wholesaler notes what is paid to it and to its resellers, a reseller what its customers pay to it.
"""

from collections.abc import Collection
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.billing.models import PeriodStatus, Statement, StatementPayment
from marketplace.core import audit
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.cells import FaultyEntry, Unusable
from marketplace.core.csv_table import Faults, ImportResult, read_table
from marketplace.core.errors import N_, NotFound, Phrase, Refusal
from marketplace.core.money import Money
from marketplace.core.permit import require
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
from resellers.rules.applications import check_reason
from resellers.words import Hop

_Locked = dict[UUID, tuple[Statement, str, int]]


class StatementNotFinal(Refusal):
    """Only what was closed can be paid."""

    sentence = N_("This statement is not final yet: close its month first.")


class NothingChosen(Refusal):
    """No statement was ticked."""

    sentence = N_("Tick the statements that were paid first.")


class InvoicedByWholesaler(Refusal):
    """What a customer owes the wholesaler is not its reseller's to note."""

    sentence = N_("The wholesaler invoices this customer: ask it to note what was paid.")


class CannotBeNoted(Refusal):
    """The amount does not fit what is left."""

    sentence = N_("The amount %(reason)s.")


class NotedAlready(Refusal):
    """The same amount of the same day is there."""

    sentence = N_("This amount of this day is noted already. Note two payments of a day as one amount.")


NOTES = {
    Audience.WHOLESALER: Permission.WHOLESALER_CREDIT_MANAGE,
    Audience.RESELLER: Permission.RESELLER_PAYMENTS_MANAGE,
}


def note_payment(
    session: Session, *, actor: Actor, statement_id: UUID, amount: Decimal, paid_on: date, now: datetime
) -> int:
    """Note that something was paid of a closed statement; give how many orders go on.

    Raises `NotFound`, `StatementNotFinal`, `InvoicedByWholesaler`, `CannotBeNoted`, `NotedAlready`.
    """
    statement, left = _to_be_noted(session, actor, statement_id, now=now)
    try:
        paid = amount_of(amount, statement.currency)
        check_amount(paid, left=Money(left, statement.currency))
    except Unusable as unusable:
        raise CannotBeNoted(reason=unusable.reason) from None
    same = select(StatementPayment.id).where(
        StatementPayment.statement_id == statement.id,
        StatementPayment.paid_on == paid_on,
        StatementPayment.amount_minor == paid.minor,
    )
    if session.scalar(same) is not None:
        raise NotedAlready
    _note(session, actor, statement, paid.minor, paid_on=paid_on, now=now)
    return _go_on(session, actor, [statement], now=now)


def payment_to_undo(
    session: Session, *, actor: Actor, statement_id: UUID, payment_id: int, now: datetime
) -> tuple[Statement, StatementPayment]:
    """Give a payment that the actor may take back, held. Raises `NotFound`, `InvoicedByWholesaler`."""
    statement, _ = _to_be_noted(session, actor, statement_id, now=now)
    payment = session.get(StatementPayment, payment_id)
    if payment is None or payment.statement_id != statement.id:
        raise NotFound
    return statement, payment


def undo_payment(
    session: Session, *, actor: Actor, statement_id: UUID, payment_id: int, reason: str, now: datetime
) -> None:
    """Take back what was noted as paid by mistake. Raises `NotFound`, `InvoicedByWholesaler`, `ReasonNeeded`."""
    statement, payment = payment_to_undo(
        session, actor=actor, statement_id=statement_id, payment_id=payment_id, now=now
    )
    why = check_reason(reason)
    session.delete(payment)
    audit.record(
        session,
        actor=actor,
        action="statement.unsettle",
        subject="statement",
        subject_id=statement.id,
        before={
            "amount": str(Money(payment.amount_minor, statement.currency)),
            "paid_on": payment.paid_on.isoformat(),
        },
        reason=why,
    )


def may_note(session: Session, *, actor: Actor, statement: Statement, day: date) -> bool:
    """Whether an actor may note what is paid of a statement: a reseller, where its customer owes nobody above it."""
    if actor.audience not in NOTES or not actor.may(NOTES[actor.audience]):
        return False
    if actor.audience is Audience.WHOLESALER:
        return True
    return _is_of(actor, statement) and _debtor(session, statement, day=day).hop != statement.hop


def _to_be_noted(
    session: Session, actor: Actor, statement_id: UUID, *, now: datetime
) -> tuple[Statement, int]:
    """Give a closed statement of the actor's to note payments of, held, and what is left of it."""
    require(actor, NOTES.get(actor.audience, Permission.WHOLESALER_CREDIT_MANAGE))
    found = locked_statements(session, [statement_id]).get(statement_id)
    if found is None or not _is_of(actor, found[0]):
        raise NotFound
    statement, status, left = found
    if status != PeriodStatus.CLOSED:
        raise StatementNotFinal
    if not may_note(session, actor=actor, statement=statement, day=now.date()):
        raise InvoicedByWholesaler
    return statement, left


def _is_of(actor: Actor, statement: Statement) -> bool:
    return actor.audience is Audience.WHOLESALER or (
        statement.hop == Hop.RETAIL and statement.reseller_id == actor.party_id
    )


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
            hop=statement.hop,
            reseller_id=statement.reseller_id,
            customer_id=statement.customer_id,
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
        if debtor.hop == statement.hop:  # what customers pay their reseller frees no credit at the wholesaler
            debtors[debtor.key] = debtor
    return sum(
        go_on_where_credit_reaches(session, actor=actor, debtor=debtor, now=now)
        for debtor in debtors.values()
    )


def _debtor(session: Session, statement: Statement, *, day: date) -> Debtor:
    if statement.hop == Hop.RETAIL:
        customer = session.get_one(Customer, statement.customer_id)
        return debtor_of(session, customer, day=day, reseller_id=statement.reseller_id)
    return debtor_called(session.get_one(Reseller, statement.reseller_id))
