"""Forgetting: attempts to sign in, links and sessions that have served, mails that went."""

from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from marketplace.accounts.models import OutgoingMail, PasswordReset, SignInAttempt, UserSession
from marketplace.accounts.rules import ATTEMPTS_KEPT_FOR

SESSIONS_KEPT_FOR = timedelta(days=90)
MAILS_KEPT_FOR = timedelta(days=365)


def forget_old(session: Session, *, now: datetime) -> None:
    """Delete what nobody needs any more. As the owner; doing it again changes nothing."""
    session.execute(delete(SignInAttempt).where(SignInAttempt.at < now - ATTEMPTS_KEPT_FOR))
    session.execute(delete(PasswordReset).where(PasswordReset.expires_at < now - ATTEMPTS_KEPT_FOR))
    session.execute(delete(UserSession).where(UserSession.expires_at < now - SESSIONS_KEPT_FOR))
    session.execute(delete(OutgoingMail).where(OutgoingMail.sent_at < now - MAILS_KEPT_FOR))
