"""Hashing of passwords (Argon2) and of tokens, and the rules for passwords with our list of common ones."""

import hashlib
import secrets
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from marketplace.accounts import rules

_hasher = PasswordHasher()
_WORDS = 4
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def hash_password(password: str) -> str:
    """Hash a password for keeping."""
    return _hasher.hash(password)


def is_right(password_hash: str | None, password: str) -> bool:
    """Whether the password is the one hashed. Takes as long when there is no hash to compare with."""
    try:
        return _hasher.verify(password_hash or _nobodys_hash(), password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(password_hash: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


def check(password: str, *, email: str, name: str) -> None:
    """Refuse a password that is too easy to guess."""
    rules.check_password(password, common=_common(), email=email, name=name)


def new_token() -> str:
    """Make a token nobody guesses: 256 bits."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Hash a token as it is stored. A plain hash will do: there is nothing to guess in 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def generated_password() -> str:
    """Make a password a person can copy by hand: 100 bits in groups of five, without look-alikes."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(_WORDS))


@cache
def _nobodys_hash() -> str:
    return _hasher.hash(secrets.token_urlsafe())


@cache
def _common() -> frozenset[str]:
    return frozenset(Path(__file__).with_name("common_passwords.txt").read_text(encoding="utf-8").split())
