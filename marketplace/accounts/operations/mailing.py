"""Mails: written in the business transaction, sent after it, kept as they were."""

import smtplib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, formataddr, make_msgid, parseaddr
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import UUID, uuid4

from babel import Locale
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from marketplace.accounts.letters import as_html, with_support
from marketplace.accounts.models import Notification, OutgoingMail, User
from marketplace.core import written
from marketplace.core.actor import Audience
from marketplace.core.errors import N_
from marketplace.core.languages import catalogue
from marketplace.core.look import Letterhead
from marketplace.core.stored_files import FileNotWhole, read_kept
from resellers.models import Customer
from resellers.queries.brands import letterheads

Carrier = Callable[[EmailMessage], None]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A stored PDF that goes with a mail: where it is kept, and what it is called there."""

    path: str
    name: str


#: The job that sends what waits, enqueued by whoever writes a mail or tells somebody something.
SEND_MAILS = "accounts.send_mails"
_SECONDS = 20
_MOST_ATTEMPTS = 8
_AT_ONCE = 500
_LONGEST_SUBJECT = 150
_GREETING = N_("Hello %(name)s,")


def write_mail(
    session: Session,
    *,
    to_address: str,
    subject: str,
    body: str,
    now: datetime,
    link: str = "",
    language: str = "",
    letterhead: Letterhead | None = None,
    attachment: Attachment | None = None,
) -> UUID:
    """Put a mail among those to send; `{link}` in the body stands for the link. Give its id.

    A mail under a reseller's letterhead says in its language whom to ask.
    """
    mail = OutgoingMail(
        id=uuid4(),
        to_address=to_address,
        letterhead=asdict(letterhead) if letterhead else None,
        subject=" ".join(subject.split()),
        body=with_support(body, letterhead, language=language),
        link=link,
        attachment=attachment.path if attachment else "",
        attachment_name=attachment.name if attachment else "",
        created_at=now,
        sent_at=None,
        attempts=0,
        next_attempt_at=None,
        error="",
    )
    session.add(mail)
    return mail.id


def mail_notifications(session: Session, *, site_url: str, now: datetime) -> int:
    """Write the mails of what people were told and want to have by mail; give how many. For a job, as the owner."""
    waiting = session.execute(
        select(Notification, User, Customer.reseller_id)
        .join(User, User.id == Notification.user_id)
        .outerjoin(
            Customer,
            (Customer.id == Notification.party_id) & (Notification.audience == Audience.CUSTOMER.value),
        )
        .where(Notification.awaits_mail)
        .order_by(Notification.id)
        .limit(_AT_ONCE)
        .with_for_update(of=Notification, skip_locked=True)
    ).all()
    worn = letterheads(session, {seller for *_, seller in waiting if seller}, site_url=site_url)
    for notification, user, seller in waiting:
        letterhead = worn.get(seller or 0)
        say = catalogue(user.locale).gettext
        write = partial(written.fact, locale=Locale.parse(user.locale or "en"))
        words = notification.phrase.said_with(say, write)
        write_mail(
            session,
            to_address=user.email,
            subject=words[:_LONGEST_SUBJECT],
            body=f"{say(_GREETING) % {'name': user.name}}\n\n{words}\n\n{{link}}\n",
            link=f"{letterhead.address if letterhead else site_url}{notification.link}",
            language=user.locale,
            letterhead=letterhead,
            now=now,
        )
        notification.awaits_mail = False
    return len(waiting)


def send_next(session: Session, *, carrier: Carrier, sender: str, files: Path, now: datetime) -> bool | None:
    """Send the oldest mail that waits: whether it went, None when nothing waits. For a job, as the owner.

    One mail a transaction, so that a crash repeats one at most. A mail that fails is tried again later, each time
    after a longer wait. Two workers never take the same mail.
    """
    mail = session.scalar(
        select(OutgoingMail)
        .where(
            OutgoingMail.sent_at.is_(None),
            OutgoingMail.attempts < _MOST_ATTEMPTS,
            or_(OutgoingMail.next_attempt_at.is_(None), OutgoingMail.next_attempt_at <= now),
        )
        .order_by(OutgoingMail.created_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if mail is None:
        return None
    mail.attempts += 1
    try:
        carrier(_message(mail, sender=sender, files=files))
    except (OSError, smtplib.SMTPException, FileNotWhole) as error:
        mail.error = f"{type(error).__name__}: {error}"[:500]
        mail.next_attempt_at = now + timedelta(minutes=1 << mail.attempts)
        return False
    mail.sent_at, mail.error, mail.link = now, "", ""
    return True


def _message(mail: OutgoingMail, *, sender: str, files: Path) -> EmailMessage:
    message = EmailMessage()
    letterhead = Letterhead(**mail.letterhead) if mail.letterhead else None
    message["From"] = formataddr((letterhead.sender_name, parseaddr(sender)[1])) if letterhead else sender
    if letterhead and letterhead.support_email:
        message["Reply-To"] = letterhead.support_email
    message["To"] = mail.to_address
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(mail.created_at)
    message["Message-ID"] = make_msgid(
        idstring=mail.id.hex, domain=sender.rpartition("@")[2].rstrip(">") or "localhost"
    )
    # Out-of-office answers to a password link help nobody.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.body.replace("{link}", mail.link))
    if letterhead:
        message.add_alternative(as_html(mail.body, letterhead, link=mail.link), subtype="html")
    if mail.attachment:
        message.add_attachment(
            read_kept(files, mail.attachment),
            maintype="application",
            subtype="pdf",
            filename=mail.attachment_name,
        )
    return message


def carrier_for(*, smtp_url: str, folder: Path) -> Carrier:
    """Give the way mails go: to the mail server, or without one into a folder."""
    if smtp_url:
        return lambda message: _by_smtp(message, smtp_url)
    return lambda message: _into_folder(message, folder)


def _by_smtp(message: EmailMessage, smtp_url: str) -> None:
    parts = urlsplit(smtp_url)
    kind = smtplib.SMTP_SSL if parts.scheme == "smtps" else smtplib.SMTP
    with kind(parts.hostname or "localhost", parts.port or 0, timeout=_SECONDS) as server:
        if parts.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls()
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.send_message(message)


def _into_folder(message: EmailMessage, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = str(message["Message-ID"]).strip("<>").replace("/", "_")
    file = folder / f"{name}.eml"
    file.touch(mode=0o600)
    file.write_bytes(message.as_bytes())
