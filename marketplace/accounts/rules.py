"""Decisions about people: what a password must be, how long a guesser waits, how long a session lasts."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from marketplace.core.errors import N_, Refusal

PASSWORD_LENGTH = 12
PASSWORD_MOST = 256

SESSION_IDLE = timedelta(hours=12)
SESSION_LIFE = timedelta(days=7)
VIEW_AS_LIFE = timedelta(hours=1)
RESET_LIFE = timedelta(hours=1)
INVITATION_LIFE = timedelta(days=7)

#: Attempts older than this are forgotten, for the lock-out and, a month later, altogether.
ATTEMPTS_COUNT_FOR = timedelta(hours=24)
ATTEMPTS_KEPT_FOR = timedelta(days=30)
FREE_GUESSES = 5
FREE_GUESSES_OF_ADDRESS = 20
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)

RESETS_PER_HOUR = 3
RESETS_OF_ADDRESS_PER_HOUR = 20
# Each mails a link to whoever is named.
APPLICATIONS_PER_HOUR = 3
APPLICATIONS_OF_ADDRESS_PER_HOUR = 10

REASON_LENGTH = 5
_EMAIL = re.compile(
    r"[^\s@<>()\[\],;:\\\"]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9-]{2,63}", re.IGNORECASE
)
_LONGEST_EMAIL = 254


class NotAnEmail(Refusal):
    """The text cannot be an e-mail address."""

    sentence = N_('"%(email)s" is not an e-mail address. Write it like name@example.com.')


class PasswordTooShort(Refusal):
    """The password is shorter than allowed."""

    sentence = N_(
        "The password has %(length)s characters. Use at least %(least)s: a few words are easy to remember."
    )


class PasswordTooLong(Refusal):
    """Nobody types this; hashing it would only cost us."""

    sentence = N_("The password is longer than %(most)s characters. Use a shorter one.")


class PasswordTooCommon(Refusal):
    """Guessers try it first."""

    sentence = N_(
        "That password is among the first that guessers try. Use a few words that do not belong together."
    )


class PasswordNamesYou(Refusal):
    """The password is little more than the person's own address or name."""

    sentence = N_(
        "That password is made of your own name or address. Use a few words that do not belong together."
    )


class ReasonMissing(Refusal):
    """Viewing as somebody else needs a reason."""

    sentence = N_("Say why you need to view as them: they will read it in their log.")


@dataclass(frozen=True)
class Guesses:
    """Failed attempts within the time that counts: how many, and when the latest was."""

    count: int
    latest: datetime | None


def check_email(email: str) -> str:
    """Give the address without blanks around it. Only its syntax is looked at. Raises `NotAnEmail`."""
    email = email.strip()
    if len(email) > _LONGEST_EMAIL or not _EMAIL.fullmatch(email):
        raise NotAnEmail(email=email[:80])
    return email


def check_password(password: str, *, common: Collection[str], email: str, name: str) -> None:
    """Refuse passwords that are short, common, monotonous, or the person's own name or address."""
    if len(password) < PASSWORD_LENGTH:
        raise PasswordTooShort(length=len(password), least=PASSWORD_LENGTH)
    if len(password) > PASSWORD_MOST:
        raise PasswordTooLong(most=PASSWORD_MOST)
    plain = re.sub(r"[\W_]+", "", password.casefold())
    stem = plain.strip("0123456789")
    if plain in common or stem in common or _is_monotonous(plain):
        raise PasswordTooCommon
    own = {part for part in re.split(r"[\W_]+", f"{email} {name}".casefold()) if len(part) > 3}  # noqa: PLR2004 - "de", "com"
    rest = plain
    for part in sorted(own, key=len, reverse=True):
        rest = rest.replace(part, "")
    if rest != plain and len(rest) < PASSWORD_LENGTH // 2:
        raise PasswordNamesYou


def _is_monotonous(text: str) -> bool:
    """Whether the text repeats few characters, repeats one short piece, or walks along the alphabet or the keyboard."""
    if len(set(text)) < 5:  # noqa: PLR2004 - aaaabbbbcccc
        return True
    if any(text == (text[:size] * len(text))[: len(text)] for size in range(1, len(text) // 2 + 1)):
        return True
    walks = (
        "abcdefghijklmnopqrstuvwxyz",
        "01234567890123456789",
        "qwertyuiopasdfghjklzxcvbnm",
        "azertyuiopqsdfghjklmwxcvbn",
    )
    return any(text in walk or text in walk[::-1] for walk in walks)


def wait_after(guesses: Guesses, *, free: int) -> timedelta:
    """Tell how long after the latest guess the next one is looked at: nothing at first, then doubling up to an hour."""
    beyond = guesses.count - free
    if beyond < 0:
        return timedelta(0)
    doublings = min(beyond, 10)
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)


def may_try_at(guesses: Guesses, *, free: int) -> datetime | None:
    """Give the instant from which another guess is looked at; None when one may guess at once."""
    wait = wait_after(guesses, free=free)
    return guesses.latest + wait if guesses.latest and wait else None


def check_reason(reason: str) -> str:
    """Give the reason without blanks around it. Raises `ReasonMissing`."""
    reason = " ".join(reason.split())
    if len(reason) < REASON_LENGTH:
        raise ReasonMissing
    return reason[:500]
