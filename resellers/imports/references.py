"""Finding parties by their references, for whole files at once."""

from collections.abc import Container, Sequence
from dataclasses import dataclass

from sqlalchemy import Text, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import TableValuedAlias

from marketplace.core.bulk import table_of
from marketplace.core.csv_table import Faults, TableRow
from marketplace.core.errors import N_, Phrase
from resellers.models import Customer, Reseller


@dataclass(frozen=True, slots=True)
class KnownCustomer:
    """A customer's id, and its reseller's."""

    id: int
    reseller_id: int


def known_resellers(session: Session, rows: Sequence[TableRow], *, faults: Faults) -> dict[str, int]:
    """Give the ids of the resellers that rows name; each row that names one nobody knows is a fault."""
    wanted = _named(rows, "reseller")
    found = session.execute(
        select(Reseller.reference, Reseller.id).where(Reseller.reference.in_(select(*wanted.c)))
    )
    known = {row.reference: row.id for row in found}
    unknown = N_('reseller "%(reference)s" is not known: import resellers first')
    _refuse_unknown(rows, "reseller", known, unknown, faults=faults)
    return known


def known_customers(
    session: Session, rows: Sequence[TableRow], *, faults: Faults
) -> dict[str, KnownCustomer]:
    """Give the customers that rows name; each row that names one nobody knows is a fault."""
    wanted = _named(rows, "customer")
    found = session.execute(
        select(Customer.reference, Customer.id, Customer.reseller_id).where(
            Customer.reference.in_(select(*wanted.c))
        )
    )
    known = {reference: KnownCustomer(id_, reseller_id) for reference, id_, reseller_id in found}
    unknown = N_('customer "%(reference)s" is not known: import customers first')
    _refuse_unknown(rows, "customer", known, unknown, faults=faults)
    return known


def _named(rows: Sequence[TableRow], column: str) -> TableValuedAlias:
    return table_of({"reference": (Text(), sorted({row.cells[column] for row in rows}))})


def _refuse_unknown(
    rows: Sequence[TableRow], column: str, known: Container[str], sentence: str, *, faults: Faults
) -> None:
    for row in rows:
        reference = row.cells[column]
        if reference and reference not in known:
            faults.add(row.number, column, reference, Phrase.of(sentence, reference=reference))
