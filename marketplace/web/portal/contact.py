"""Whom a customer turns to: the reseller it buys from today. Those it bought from before are names on what they billed."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from resellers.models import Customer, Reseller


@dataclass(frozen=True, kw_only=True)
class Contact:
    """The reseller as its customer sees it."""

    name: str
    email: str


def contact(session: Session) -> Contact:
    """Give the actor's reseller: row-level security shows a customer itself and no other."""
    name, email = session.execute(
        select(Reseller.legal_name, Reseller.email).join(Customer, Customer.reseller_id == Reseller.id)
    ).one()
    return Contact(name=name, email=email)
