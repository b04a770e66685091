"""resellers.csv and customers.csv: parties by their references, added or brought up to date."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from operator import attrgetter
from typing import Any, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, Text, Uuid, insert, select, true, update
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from marketplace.core import audit
from marketplace.core.actor import Actor, Permission
from marketplace.core.bulk import many_at_once, table_of
from marketplace.core.cells import FaultyEntry
from marketplace.core.csv_table import Faults, ImportResult, TableRow, faulty_row, read_table
from marketplace.core.errors import N_, FaultyRow, Phrase
from marketplace.core.permit import require
from marketplace.core.upsert import Given, Standing, Upsert, plan_upsert
from resellers.conflicts import conflicts_in_words
from resellers.imports.references import known_resellers
from resellers.models import Customer, CustomerMove, Reseller
from resellers.rules.identity import (
    CUSTOMER_COLUMNS,
    OWN_CUSTOMER_COLUMNS,
    RESELLER_COLUMNS,
    CustomerEntry,
    ResellerEntry,
    read_customer,
    read_reseller,
)

Party = TypeVar("Party", ResellerEntry, CustomerEntry)
_Columns = Mapping[str, tuple[TypeEngine[Any], Callable[[Party], object]]]


def import_resellers(
    session: Session, *, actor: Actor, file: str, content: bytes, dry_run: bool = False
) -> ImportResult:
    """Add or change the resellers of a file, all or none. Raises `FaultyFile` naming every faulty row."""
    require(actor, Permission.WHOLESALER_PARTIES_MANAGE)
    rows, faults = read_table(content, file=file, columns=RESELLER_COLUMNS)
    with many_at_once(session, len(rows)):
        given = _entries(rows, read_reseller, faults=faults)
        plan = plan_upsert(
            given,
            _standing_resellers(session, [one.key for one in given]),
            faults=faults,
            key_column="reference",
        )
        faults.check()
        if not dry_run:
            columns = _texts(RESELLER_COLUMNS)
            _write(session, Reseller, plan, subject="reseller", actor=actor, file=file, columns=columns)
    return _result(plan, file=file, kind="resellers", dry_run=dry_run, warnings=_moved_money(plan, file))


def import_customers(
    session: Session, *, actor: Actor, file: str, content: bytes, dry_run: bool = False
) -> ImportResult:
    """Add or change the customers of a file, all or none. Raises `FaultyFile` naming every faulty row."""
    require(actor, Permission.WHOLESALER_PARTIES_MANAGE)
    rows, faults = read_table(content, file=file, columns=CUSTOMER_COLUMNS)
    return _import_customers(session, rows, faults=faults, actor=actor, file=file, dry_run=dry_run)


def import_own_customers(
    session: Session, *, actor: Actor, file: str, content: bytes, dry_run: bool = False
) -> ImportResult:
    """Add or change a reseller's own customers, all or none: the file need not say whose they are.

    Raises `FaultyFile`, and `ReferenceTaken` for a reference of somebody else's customer.
    """
    require(actor, Permission.RESELLER_CUSTOMERS_MANAGE)
    own = session.scalars(select(Reseller.reference).where(Reseller.id == actor.reseller_id)).one()
    given, faults = read_table(content, file=file, columns=OWN_CUSTOMER_COLUMNS)
    rows = [TableRow(row.number, {**row.cells, "reseller": own}) for row in given]
    return _import_customers(session, rows, faults=faults, actor=actor, file=file, dry_run=dry_run)


def _import_customers(
    session: Session, rows: Sequence[TableRow], *, faults: Faults, actor: Actor, file: str, dry_run: bool
) -> ImportResult:
    with many_at_once(session, len(rows)):
        given = _entries(rows, read_customer, faults=faults)
        resellers = known_resellers(session, rows, faults=faults)
        plan = plan_upsert(
            given,
            _standing_customers(session, [one.key for one in given], of=actor.reseller_id),
            faults=faults,
            key_column="reference",
        )
        _refuse_moved(session, plan, faults=faults)
        faults.check()
        if not dry_run:
            columns: _Columns[CustomerEntry] = {
                **_texts(name for name in CUSTOMER_COLUMNS if name != "reseller"),
                "reseller_id": (BigInteger(), lambda entry: resellers[entry.reseller]),
            }
            _write(session, Customer, plan, subject="customer", actor=actor, file=file, columns=columns)
    warnings = [*_moved_money(plan, file), *_moved_customers(plan, file)]
    return _result(plan, file=file, kind="customers", dry_run=dry_run, warnings=warnings)


def _entries(
    rows: Sequence[TableRow], read: Callable[[Mapping[str, str]], Party], *, faults: Faults
) -> list[Given[str, Party]]:
    given: list[Given[str, Party]] = []
    for row in rows:
        try:
            entry = read(row.cells)
        except FaultyEntry as faulty:
            faults.add_entry(row.number, faulty)
        else:
            given.append(Given(row.number, entry.reference, entry))
    return given


def _standing_resellers(
    session: Session, references: Sequence[str]
) -> dict[str, Standing[UUID, ResellerEntry]]:
    wanted = table_of({"reference": (Text(), references)})
    columns = [getattr(Reseller, name) for name in RESELLER_COLUMNS]
    found = session.execute(
        select(Reseller.public_id, *columns).where(Reseller.reference.in_(select(*wanted.c)))
    )
    return {
        values[0]: Standing(id_, ResellerEntry(**dict(zip(RESELLER_COLUMNS, values, strict=True))))
        for id_, *values in found
    }


def _standing_customers(
    session: Session, references: Sequence[str], *, of: int | None
) -> dict[str, Standing[UUID, CustomerEntry]]:
    wanted = table_of({"reference": (Text(), references)})
    columns = [
        Reseller.reference.label("reseller") if name == "reseller" else getattr(Customer, name)
        for name in CUSTOMER_COLUMNS
    ]
    found = session.execute(
        select(Customer.public_id, *columns)
        .join(Reseller, Reseller.id == Customer.reseller_id)
        # A reseller also sees customers that have left it: they are not its to change.
        .where(
            Customer.reference.in_(select(*wanted.c)), true() if of is None else Customer.reseller_id == of
        )
    )
    return {
        values[0]: Standing(id_, CustomerEntry(**dict(zip(CUSTOMER_COLUMNS, values, strict=True))))
        for id_, *values in found
    }


def _write(
    session: Session,
    table: type[Reseller | Customer],
    plan: Upsert[UUID, str, Party],
    *,
    subject: str,
    actor: Actor,
    file: str,
    columns: _Columns[Party],
) -> None:
    """Write what a plan adds and changes, with an entry in the audit trail for each party."""
    ids = [uuid4() for _ in plan.added]
    added = table_of({"public_id": (Uuid(), ids), **_arrays(columns, [one.entry for one in plan.added])})
    changed = table_of(
        {
            "public_id": (Uuid(), [one.id for one in plan.changed]),
            **_arrays(columns, [one.after for one in plan.changed]),
        }
    )
    with conflicts_in_words():
        session.execute(insert(table).from_select(["public_id", *columns], select(*added.c)))
        session.execute(
            update(table)
            .where(table.public_id == changed.c.public_id)
            .values({name: changed.c[name] for name in columns})
            .execution_options(synchronize_session=False)
        )
    additions = [
        audit.Act(str(id_), None, asdict(one.entry)) for id_, one in zip(ids, plan.added, strict=True)
    ]
    changes = [audit.Act(str(one.id), asdict(one.before), asdict(one.after)) for one in plan.changed]
    audit.record_many(
        session, actor=actor, action=f"{subject}.add", subject=subject, acts=additions, reason=file
    )
    audit.record_many(
        session, actor=actor, action=f"{subject}.change", subject=subject, acts=changes, reason=file
    )


def _arrays(
    columns: _Columns[Party], entries: Sequence[Party]
) -> dict[str, tuple[TypeEngine[Any], Sequence[object]]]:
    return {name: (type_, [value(entry) for entry in entries]) for name, (type_, value) in columns.items()}


def _texts(names: Iterable[str]) -> dict[str, tuple[TypeEngine[Any], Callable[[Any], object]]]:
    return {name: (Text(), attrgetter(name)) for name in names}


def _moved_money(plan: Upsert[UUID, str, Party], file: str) -> list[FaultyRow]:
    reason = N_("was %(before)s: statements already closed stay in the old currency")
    return [
        faulty_row(
            file, one.row, "currency", one.after.currency, Phrase.of(reason, before=one.before.currency)
        )
        for one in plan.changed
        if one.before.currency != one.after.currency
    ]


def _moved_customers(plan: Upsert[UUID, str, CustomerEntry], file: str) -> list[FaultyRow]:
    reason = N_("was %(before)s: the customer moves, with every period that is rated from now on")
    return [
        faulty_row(
            file, one.row, "reseller", one.after.reseller, Phrase.of(reason, before=one.before.reseller)
        )
        for one in plan.changed
        if one.before.reseller != one.after.reseller
    ]


def _refuse_moved(session: Session, plan: Upsert[UUID, str, CustomerEntry], *, faults: Faults) -> None:
    """Refuse another reseller for customers that have moved by a date: a file knows of none."""
    going = {one.after.reference: one for one in plan.changed if one.before.reseller != one.after.reseller}
    if not going:
        return
    wanted = table_of({"reference": (Text(), list(going))})
    moved = session.scalars(
        select(Customer.reference)
        .join(CustomerMove, CustomerMove.customer_id == Customer.id)
        .where(Customer.reference.in_(select(*wanted.c)))
        .distinct()
    )
    reason = Phrase.of(N_("has moved by a date before: move it on its page, with the day it moves on"))
    for reference in moved:
        one = going[reference]
        faults.add(one.row, "reseller", one.after.reseller, reason)


def _result(
    plan: Upsert[UUID, str, Party],
    *,
    file: str,
    kind: str,
    dry_run: bool,
    warnings: Sequence[FaultyRow],
) -> ImportResult:
    return ImportResult(
        file=file,
        kind=kind,
        rows=len(plan.added) + len(plan.changed) + plan.unchanged,
        added=len(plan.added),
        changed=len(plan.changed),
        unchanged=plan.unchanged,
        dry_run=dry_run,
        warnings=tuple(warnings),
    )
