"""Mails that screens write: rendered in the reader's language, stored with what caused them, sent by the worker."""

from flask_babel import get_locale
from sqlalchemy.orm import Session

from marketplace import jobs
from marketplace.accounts.operations.mailing import SEND_MAILS, Attachment, write_mail
from marketplace.core.clock import utc_now
from marketplace.core.look import Letterhead
from marketplace.web.session import wiring
from resellers.queries.brands import letterhead_of


def post_mail(
    session: Session,
    *,
    to_address: str,
    subject: str,
    body: str,
    path: str,
    letterhead: Letterhead | None = None,
    attachment: Attachment | None = None,
) -> None:
    """Store a mail and have it sent once the transaction is committed.

    The link is made with the address from the settings or of the letterhead, never with what the request said our
    name is: else anybody could have us mail links that lead to them.
    """
    write_mail(
        session,
        to_address=to_address,
        subject=subject,
        body=body,
        link=external(path, letterhead),
        language=str(get_locale() or ""),
        letterhead=letterhead,
        attachment=attachment,
        now=utc_now(),
    )
    session.flush()  # the job must not be there without the mail
    jobs.defer(session, SEND_MAILS, queueing_lock=SEND_MAILS)


def external(path: str, letterhead: Letterhead | None = None) -> str:
    """Give the whole address of a page, as it is written in mails and on paper."""
    return f"{letterhead.address if letterhead else wiring().settings.site_url}{path}"


def letterhead_for(session: Session, reseller_id: int | None) -> Letterhead | None:
    """Give what a mail to a reseller's customers wears; to all others it is our own."""
    if reseller_id is None:
        return None
    return letterhead_of(session, reseller_id, site_url=wiring().settings.site_url)
