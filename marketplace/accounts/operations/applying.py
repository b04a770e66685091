"""How often strangers may begin an application: each begins with a mail to whoever is named."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.accounts import rules
from marketplace.accounts.models import SignInAttempt
from marketplace.accounts.operations.signing_in import take_turns
from marketplace.core.errors import N_, Refusal

APPLICATION = "application"


class TooManyApplications(Refusal):
    """Too many applications were begun for this address, or from this place."""

    sentence = N_(
        "Too many applications were begun from here within an hour. Use the link that was mailed, or try again later."
    )


def count_application(session: Session, *, email: str, ip: str, now: datetime) -> None:
    """Note that somebody begins an application. Raises `TooManyApplications`. Commit before anything is mailed."""
    key = email.strip().lower()[:254]
    take_turns(session, email=key, ip=ip)
    begun = (
        select(func.count())
        .select_from(SignInAttempt)
        .where(SignInAttempt.kind == APPLICATION, SignInAttempt.at > now - timedelta(hours=1))
    )
    of_email = session.scalar(begun.where(SignInAttempt.email == key)) or 0
    of_ip = session.scalar(begun.where(SignInAttempt.ip == ip)) or 0
    if of_email >= rules.APPLICATIONS_PER_HOUR or of_ip >= rules.APPLICATIONS_OF_ADDRESS_PER_HOUR:
        raise TooManyApplications
    session.add(SignInAttempt(at=now, kind=APPLICATION, email=key, ip=ip))
