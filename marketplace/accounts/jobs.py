"""What the worker does for people: sending their mails, forgetting what has been kept long enough."""

from marketplace.accounts.operations.housekeeping import forget_old
from marketplace.accounts.operations.mailing import (
    SEND_MAILS,
    carrier_for,
    mail_notifications,
    send_next,
)
from marketplace.core.clock import utc_now
from marketplace.core.db import Database
from marketplace.jobs import register
from marketplace.settings import Settings
from resellers.operations.moves import carry_out_moves

_RETRIES = 8


class MailRefusedError(RuntimeError):
    """The mail server refused a mail or did not answer; the job is tried again after a pause."""


@register(SEND_MAILS, retries=_RETRIES)
def send_mails(database: Database, settings: Settings) -> None:
    """Write the mails of what people were told, and send every mail that waits."""
    while True:
        with database.owner_transaction() as session:
            if not mail_notifications(session, site_url=settings.site_url, now=utc_now()):
                break
    carrier = carrier_for(smtp_url=settings.smtp_url, folder=settings.mail)
    failed = 0
    while True:
        with database.owner_transaction() as session:
            went = send_next(
                session, carrier=carrier, sender=settings.mail_from, files=settings.files, now=utc_now()
            )
        if went is None:
            break
        failed += not went
    with database.owner_transaction() as session:
        forget_old(session, now=utc_now())
    if failed:
        raise MailRefusedError(f"{failed} mails wait for the mail server")


@register("accounts.carry_out_moves", retries=5, every="3 0 * * *")
def move_customers(database: Database, settings: Settings) -> None:
    """Give customers whose day has come to their new reseller."""
    del settings
    with database.owner_transaction() as session:
        carry_out_moves(session, now=utc_now())
