"""Signing in: attempts are counted first, in a transaction of their own, then the password is looked at.

So guesses made at the same moment count against one another, and a failure that rolls back is still remembered.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, text, update
from sqlalchemy.orm import Session, aliased

from marketplace.accounts import passwords, rules
from marketplace.accounts.models import Password, SignInAttempt, User, UserSession
from marketplace.accounts.queries import MembershipRow, memberships_of, user_by_email
from marketplace.core import audit
from marketplace.core.actor import Actor
from marketplace.core.errors import N_, Refusal

PASSWORD, RESET = "password", "reset"


class TooManyAttempts(Refusal):
    """Too many wrong passwords for this address, or from this place. Nobody is told which, or whether it exists."""

    sentence = N_(
        "There were too many attempts. Try again in %(minutes)s min, or choose a new password by the link we can mail."
    )


class WrongSignIn(Refusal):
    """The address is unknown or the password is wrong: one answer for both."""

    sentence = N_("That e-mail and password do not go together. Check both, or choose a new password.")


class NothingToSignInTo(Refusal):
    """The password is right, but the person works nowhere any more."""

    sentence = N_(
        "Your account is not linked to any firm at present. Ask your firm's administrator for access."
    )


@dataclass(frozen=True)
class SignedInSession:
    """A session that was just made: the token for the browser's cookie, and the firms to choose from."""

    token: str
    token_hash: str
    memberships: list[MembershipRow]
    locale: str
    theme: str


def count_attempt(session: Session, *, email: str, ip: str, now: datetime, kind: str = PASSWORD) -> int:
    """Note an attempt as failed, and give its id. Raises `TooManyAttempts` while somebody must wait.

    Commit before looking at the password.
    """
    email = email.strip().lower()[:254]
    take_turns(session, email=email, ip=ip)
    until = _wait_until(session, email=email, ip=ip, now=now)
    if until is not None and until > now:
        raise TooManyAttempts(minutes=max(1, -int(-(until - now).total_seconds() // 60)))
    attempt = SignInAttempt(at=now, kind=kind, email=email, ip=ip)
    session.add(attempt)
    session.flush()  # its id is what the caller remembers
    return attempt.id


def take_turns(session: Session, *, email: str, ip: str) -> None:
    """Let one attempt at a time be counted per address of either kind, always locked in the same order."""
    for key in (f"ip {ip}", f"email {email}"):
        session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})


def _wait_until(session: Session, *, email: str, ip: str, now: datetime) -> datetime | None:
    theirs = SignInAttempt.email == email
    if _has_come_in_from(session, email=email, ip=ip):
        # Strangers who guess elsewhere cannot keep somebody out of their own office.
        theirs &= SignInAttempt.ip == ip
    by_email = _guesses(session, theirs, now=now)
    by_ip = _guesses(session, SignInAttempt.ip == ip, now=now)
    instants = [
        rules.may_try_at(by_email, free=rules.FREE_GUESSES),
        rules.may_try_at(by_ip, free=rules.FREE_GUESSES_OF_ADDRESS),
    ]
    return max((instant for instant in instants if instant), default=None)


def _has_come_in_from(session: Session, *, email: str, ip: str) -> bool:
    """Whether the person was let in from this place within the time attempts are kept."""
    came_in = select(SignInAttempt.id).where(
        SignInAttempt.email == email, SignInAttempt.ip == ip, SignInAttempt.succeeded
    )
    return bool(session.scalar(select(came_in.exists())))


def _guesses(session: Session, whose: ColumnElement[bool], *, now: datetime) -> rules.Guesses:
    """Count failures within the time that counts.

    A later success forgives those of the same person from the same place. Not those of others from there, else whoever
    has one account could guess at everybody's, signing in between; nor those from elsewhere, which strangers made.
    """
    later = aliased(SignInAttempt)
    came_in_later = (
        select(later.id)
        .where(
            later.email == SignInAttempt.email,
            later.ip == SignInAttempt.ip,
            later.succeeded,
            later.id > SignInAttempt.id,
        )
        .exists()
    )
    count, latest = session.execute(
        select(func.count(), func.max(SignInAttempt.at)).where(
            SignInAttempt.kind == PASSWORD,
            whose,
            SignInAttempt.at > now - rules.ATTEMPTS_COUNT_FOR,
            ~SignInAttempt.succeeded,
            ~SignInAttempt.is_forgiven,
            ~came_in_later,
        )
    ).one()
    return rules.Guesses(count=count, latest=latest)


def sign_in(
    session: Session, *, attempt_id: int, email: str, password: str, ip: str, user_agent: str, now: datetime
) -> SignedInSession:
    """Look at the password, and begin a session with a fresh token. Raises `WrongSignIn`, `NothingToSignInTo`."""
    user = user_by_email(session, email)
    stored = session.get(Password, user.id) if user else None
    is_right = passwords.is_right(stored.hash if stored else None, password)
    if user is None or not is_right or not user.is_active:
        raise WrongSignIn
    memberships = memberships_of(session, user.id)
    if not memberships:
        raise NothingToSignInTo
    if stored is not None and passwords.is_outdated(stored.hash):
        stored.hash = passwords.hash_password(password)
    session.execute(update(SignInAttempt).where(SignInAttempt.id == attempt_id).values(succeeded=True))
    return begin_session(session, user=user, memberships=memberships, ip=ip, user_agent=user_agent, now=now)


def begin_session(
    session: Session, *, user: User, memberships: list[MembershipRow], ip: str, user_agent: str, now: datetime
) -> SignedInSession:
    """Begin a session at the firm the person acted for last."""
    latest = session.scalar(
        select(UserSession.membership_id)
        .where(UserSession.user_id == user.id)
        .order_by(UserSession.last_seen_at.desc())
        .limit(1)
    )
    chosen = next((one for one in memberships if one.membership_id == latest), memberships[0])
    token = passwords.new_token()
    stored = UserSession(
        token_hash=passwords.token_hash(token),
        user_id=user.id,
        membership_id=chosen.membership_id,
        created_at=now,
        last_seen_at=now,
        expires_at=now + rules.SESSION_LIFE,
        ip=ip,
        user_agent=user_agent[:300],
    )
    session.add(stored)
    session.flush()  # the audit entry names it
    audit.record(
        session,
        actor=Actor(name=user.name, audience=chosen.audience, party_id=chosen.party_id, user_id=user.id),
        action="session.begin",
        subject="user",
        subject_id=user.public_id,
        after={"ip": ip},
    )
    return SignedInSession(
        token=token,
        token_hash=stored.token_hash,
        memberships=memberships,
        locale=user.locale,
        theme=user.theme,
    )
