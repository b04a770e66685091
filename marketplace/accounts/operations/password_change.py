"""Choosing a password: by the link of a mail, or by somebody who is signed in and knows the old one."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from marketplace.accounts import passwords, rules
from marketplace.accounts.models import Password, PasswordReset, SignInAttempt, User
from marketplace.accounts.operations.sessions import revoke_sessions_of
from marketplace.accounts.operations.signing_in import RESET, count_attempt, take_turns
from marketplace.accounts.queries import memberships_of, seller_of, user_by_email
from marketplace.core import audit
from marketplace.core.actor import Actor
from marketplace.core.errors import N_, Refusal


class LinkUnusable(Refusal):
    """The link was used, is too old, or was never given out."""

    sentence = N_("This link cannot be used any more: it works once, and not for long. Ask for a new one.")


class WrongPassword(Refusal):
    """The present password given with the new one is wrong."""

    sentence = N_("That is not your present password. Nothing was changed.")


@dataclass(frozen=True)
class ResetLink:
    """What a mail must say: to whom, in which language, and the token of its link."""

    to_address: str
    name: str
    locale: str
    token: str
    # The reseller who sells to the person's firm, where the person is nobody else's.
    seller: int | None = None


def ask_for_reset(session: Session, *, email: str, ip: str, now: datetime) -> ResetLink | None:
    """Give a link to mail where somebody has the address and has not asked too often, else None.

    Whoever asked is told the same either way. Commits nothing; the attempt counts in any case.
    """
    key = email.strip().lower()[:254]
    take_turns(session, email=key, ip=ip)
    since = now - timedelta(hours=1)
    asked = (
        select(func.count())
        .select_from(SignInAttempt)
        .where(SignInAttempt.kind == RESET, SignInAttempt.at > since)
    )
    of_email = session.scalar(asked.where(SignInAttempt.email == key)) or 0
    of_ip = session.scalar(asked.where(SignInAttempt.ip == ip)) or 0
    session.add(SignInAttempt(at=now, kind=RESET, email=key, ip=ip))
    user = user_by_email(session, email)
    too_often = of_email >= rules.RESETS_PER_HOUR or of_ip >= rules.RESETS_OF_ADDRESS_PER_HOUR
    if user is None or not user.is_active or too_often or not memberships_of(session, user.id):
        return None
    token = new_link(session, user_id=user.id, life=rules.RESET_LIFE, now=now)
    return ResetLink(
        to_address=user.email,
        name=user.name,
        locale=user.locale,
        token=token,
        seller=seller_of(session, user_id=user.id),
    )


def new_link(session: Session, *, user_id: int, life: timedelta, now: datetime) -> str:
    """Store a link's hash and give its token."""
    token = passwords.new_token()
    session.add(
        PasswordReset(
            token_hash=passwords.token_hash(token),
            user_id=user_id,
            created_at=now,
            expires_at=now + life,
            used_at=None,
        )
    )
    return token


def user_of_link(session: Session, *, token: str, now: datetime) -> User:
    """Tell whose password a link sets. Raises `LinkUnusable`."""
    return _link(session, token=token, now=now)[1]


def set_password_by_link(session: Session, *, token: str, password: str, now: datetime) -> User:
    """Set the password, use the link up, sign the person out everywhere, and end a lock-out."""
    link, user = _link(session, token=token, now=now)
    passwords.check(password, email=user.email, name=user.name)
    link.used_at = now
    # Older links would let somebody who saw an earlier mail set it again.
    session.execute(
        update(PasswordReset)
        .where(PasswordReset.user_id == user.id, PasswordReset.used_at.is_(None))
        .values(used_at=now)
    )
    _set(session, user=user, password=password, now=now)
    session.execute(
        update(SignInAttempt).where(SignInAttempt.email == user.email.lower()).values(is_forgiven=True)
    )
    audit.record(
        session,
        actor=_self(session, user),
        action="password.reset",
        subject="user",
        subject_id=user.public_id,
    )
    return user


def count_own_attempt(session: Session, *, actor: Actor, password: str, ip: str, now: datetime) -> int:
    """Note an attempt by somebody signed in, as when signing in. Commit before looking at the present password.

    A new password that the rules refuse is refused first: that is no guess.
    """
    user = session.get_one(User, actor.user_id)
    passwords.check(password, email=user.email, name=user.name)
    return count_attempt(session, email=user.email, ip=ip, now=now)


def change_password(
    session: Session,
    *,
    actor: Actor,
    present: str,
    password: str,
    token_hash: str,
    attempt_id: int,
    now: datetime,
) -> int:
    """Change the actor's own password; give how many other sessions ended.

    Raises `WrongPassword`, and what the rules for passwords refuse.
    """
    user = session.get_one(User, actor.user_id)
    stored = session.get(Password, user.id)
    if not passwords.is_right(stored.hash if stored else None, present):
        raise WrongPassword
    session.execute(update(SignInAttempt).where(SignInAttempt.id == attempt_id).values(is_forgiven=True))
    ended = _set(session, user=user, password=password, now=now, keep_token_hash=token_hash)
    audit.record(session, actor=actor, action="password.change", subject="user", subject_id=user.public_id)
    return ended


def _set(session: Session, *, user: User, password: str, now: datetime, keep_token_hash: str = "") -> int:
    session.merge(Password(user_id=user.id, hash=passwords.hash_password(password), changed_at=now))
    return revoke_sessions_of(session, user_id=user.id, now=now, keep_token_hash=keep_token_hash)


def _link(session: Session, *, token: str, now: datetime) -> tuple[PasswordReset, User]:
    found = session.execute(
        select(PasswordReset, User)
        .join(User, User.id == PasswordReset.user_id)
        .where(
            PasswordReset.token_hash == passwords.token_hash(token),
            PasswordReset.used_at.is_(None),
            PasswordReset.expires_at > now,
            User.is_active,
        )
        .with_for_update(of=PasswordReset)
    ).one_or_none()
    if found is None:
        raise LinkUnusable
    return found[0], found[1]


def _self(session: Session, user: User) -> Actor:
    """Give the person as an actor of the first of their firms: nobody is signed in when a link is used."""
    memberships = memberships_of(session, user.id)
    if not memberships:
        raise LinkUnusable
    return Actor(
        name=user.name, audience=memberships[0].audience, party_id=memberships[0].party_id, user_id=user.id
    )
