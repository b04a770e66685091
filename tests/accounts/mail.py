"""Mails as they wait to be sent, for tests that follow their links."""

from urllib.parse import urlsplit

from sqlalchemy import select

from marketplace.accounts.models import OutgoingMail
from marketplace.core.db import Database


def mails_to(database: Database, address: str) -> list[OutgoingMail]:
    """List what is written to an address, the oldest first."""
    with database.owner_transaction() as session:
        return list(
            session.scalars(
                select(OutgoingMail)
                .where(OutgoingMail.to_address == address)
                .order_by(OutgoingMail.created_at)
            )
        )


def path_mailed_to(database: Database, address: str) -> str:
    """Give the path of the link in the latest mail to an address."""
    return urlsplit(mails_to(database, address)[-1].link).path
