"""Finding parties by their references, for whole files at once."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Text, select
from sqlalchemy.orm import Session

from marketplace.core.bulk import table_of
from marketplace.core.errors import N_, Phrase
from resellers.models import Customer, Reseller


@dataclass(frozen=True, slots=True)
class KnownCustomer:
    """A customer's id, and its reseller's."""

    id: int
    reseller_id: int


def resellers_by_reference(session: Session, references: Iterable[str]) -> dict[str, int]:
    """Give the ids of those resellers that exist."""
    wanted = table_of({"reference": (Text(), sorted(set(references)))})
    rows = session.execute(
        select(Reseller.reference, Reseller.id).where(Reseller.reference.in_(select(*wanted.c)))
    )
    return {row.reference: row.id for row in rows}


def customers_by_reference(session: Session, references: Iterable[str]) -> dict[str, KnownCustomer]:
    """Give the ids of those customers that exist, and their resellers'."""
    wanted = table_of({"reference": (Text(), sorted(set(references)))})
    found = session.execute(
        select(Customer.reference, Customer.id, Customer.reseller_id).where(
            Customer.reference.in_(select(*wanted.c))
        )
    )
    return {reference: KnownCustomer(id_, reseller_id) for reference, id_, reseller_id in found}


def unknown_reseller(reference: str) -> Phrase:
    """Say that a reseller is not known, and what to do."""
    return Phrase.of(N_('reseller "%(reference)s" is not known: import resellers first'), reference=reference)


def unknown_customer(reference: str) -> Phrase:
    """Say that a customer is not known, and what to do."""
    return Phrase.of(N_('customer "%(reference)s" is not known: import customers first'), reference=reference)
