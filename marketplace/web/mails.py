"""Mails that screens write: rendered in the reader's language, stored with what caused them, sent by the worker."""

from sqlalchemy.orm import Session

from marketplace import jobs
from marketplace.accounts.operations.mailing import SEND_MAILS, Attachment, write_mail
from marketplace.core.clock import utc_now
from marketplace.web.session import wiring


def post_mail(
    session: Session,
    *,
    to_address: str,
    subject: str,
    body: str,
    path: str,
    sender_name: str = "",
    attachment: Attachment | None = None,
) -> None:
    """Store a mail and have it sent once the transaction is committed.

    The link is made with the address from the settings, never with what the request said our name is: else anybody
    could have us mail links that lead to them.
    """
    write_mail(
        session,
        to_address=to_address,
        subject=subject,
        body=body,
        link=external(path),
        sender_name=sender_name,
        attachment=attachment,
        now=utc_now(),
    )
    session.flush()  # the job must not be there without the mail
    jobs.defer(session, SEND_MAILS, queueing_lock=SEND_MAILS)


def external(path: str) -> str:
    """Give the whole address of a page, as it is written in mails and on paper."""
    return f"{wiring().settings.site_url}{path}"
