"""The request's own world: who is asking, and the one transaction the request may open.

Flask-Login's `current_user` is read here and nowhere else; everything inwards receives a plain `Actor`.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from flask import Flask, abort, current_app, g
from flask_login import LoginManager, current_user, login_user, logout_user
from sqlalchemy.orm import Session

from marketplace.core.actor import Actor
from marketplace.core.db import Database
from marketplace.settings import Settings

ActorSource = Callable[[Session, str], Actor | None]

_EXTENSION = "marketplace"


@dataclass(frozen=True)
class Wiring:
    """What `create_app` was given and the screens need."""

    settings: Settings
    database: Database
    actor_for_session: ActorSource


class SignedIn:
    """What Flask-Login keeps for us: the token of a stored session, and the actor it stands for."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def __init__(self, token: str, actor: Actor) -> None:
        """Pair a session token with its actor."""
        self.token = token
        self.actor = actor

    def get_id(self) -> str:
        """Give the token: revoking the stored session signs the browser out."""
        return self.token


def token_hash(token: str) -> str:
    """Hash a session token as it is stored; whoever reads the table cannot sign in with it."""
    return hashlib.sha256(token.encode()).hexdigest()


def wiring() -> Wiring:
    """Give what the running application was made with."""
    return cast("Wiring", current_app.extensions[_EXTENSION])


def database() -> Database:
    """Give the application's database."""
    return wiring().database


def init_session(
    app: Flask, *, settings: Settings, database: Database, actor_for_session: ActorSource
) -> None:
    """Let the application know its database and how a session token becomes an actor."""
    app.extensions[_EXTENSION] = Wiring(settings, database, actor_for_session)
    manager = LoginManager(app)
    # The stored session is what can be revoked; Flask-Login's own fingerprint of browser and address would sign
    # people out when their train changes networks.
    manager.session_protection = None
    manager.user_loader(_load)


def _load(token: str) -> SignedIn | None:
    with accounts_transaction() as session:
        actor = wiring().actor_for_session(session, token_hash(token))
    return SignedIn(token, actor) if actor else None


@contextmanager
def accounts_transaction() -> Iterator[Session]:
    """Open a transaction as the owner, past row-level security.

    For finding out who is asking, and for their own password and sessions.
    """
    with database().owner_transaction() as session:
        yield session


@contextmanager
def order_desk() -> Iterator[Session]:
    """Open a transaction as the owner, for prices and orders: costs and credit decide about them, and are nobody's to see.

    Operations ask what the actor may do; prices are cut to what the viewer may see before they leave it.
    """
    with database().owner_transaction() as session:
        yield session


@contextmanager
def visitors_transaction() -> Iterator[Session]:
    """Open a transaction for visitors: firms that apply, known by a private link, and the brand of an address."""
    with database().owner_transaction() as session:
        yield session


def start_session(token: str, actor: Actor) -> None:
    """Sign the browser in with the token of a session that was just stored."""
    login_user(SignedIn(token, actor))


def end_session() -> None:
    """Forget the browser's session token."""
    logout_user()


def session_token() -> str | None:
    """Give the token of the browser's session, None for a visitor."""
    user = current_user._get_current_object()  # noqa: SLF001 - the proxy has no public way to its object
    return user.token if isinstance(user, SignedIn) else None


def actor_or_none() -> Actor | None:
    """Give who is asking, None for a visitor who has not signed in."""
    user = current_user._get_current_object()  # noqa: SLF001 - as above
    return user.actor if isinstance(user, SignedIn) else None


def known_actor() -> Actor | None:
    """Give who is asking if the request has found that out already; never asks the database."""
    user = g.get("_login_user")
    return user.actor if isinstance(user, SignedIn) else None


def current_actor() -> Actor:
    """Give who is asking. Only for views behind a guard: a visitor is answered 401."""
    actor = actor_or_none()
    if actor is None:
        abort(401)
    return actor


@contextmanager
def transaction() -> Iterator[Session]:
    """Open the request's transaction as the current actor; inside an open one, join it.

    Commits when the outermost block ends, rolls back on any error.
    """
    already_open = g.get("transaction")
    if already_open is not None:
        yield already_open
        return
    with database().transaction(current_actor()) as session:
        g.transaction = session
        try:
            yield session
        finally:
            g.pop("transaction", None)
