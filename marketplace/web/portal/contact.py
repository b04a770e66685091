"""Whom a customer turns to: its reseller, the only other party it knows."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from resellers.models import Reseller


@dataclass(frozen=True, kw_only=True)
class Contact:
    """The reseller as its customer sees it."""

    name: str
    email: str


def contact(session: Session) -> Contact:
    """Give the actor's reseller: row-level security shows a customer its own and no other."""
    name, email = session.execute(select(Reseller.legal_name, Reseller.email)).one()
    return Contact(name=name, email=email)
