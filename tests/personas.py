"""The people of the tests, who are also those of the demonstration: their names say what they may do.

Two resellers, each with a customer. Pavel owns the other reseller: he is the stranger.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts import passwords
from marketplace.accounts.models import Membership, Password, User, UserSession
from marketplace.accounts.queries import actor_for_session
from marketplace.accounts.roles import Role
from marketplace.accounts.rules import SESSION_LIFE
from marketplace.core.actor import Actor, Audience
from marketplace.core.clock import utc_now
from marketplace.core.db import Database
from marketplace.settings import Settings
from resellers.models import Customer, Reseller
from tests.factories import make_customer, make_reseller, make_wholesaler
from tests.page import Site, Visitor, shared_application

PASSWORD = "seven geese over Lyon"


@dataclass(frozen=True)
class Persona:
    """Somebody: name, firm, role."""

    name: str
    audience: Audience
    role: Role
    party: str = ""

    @property
    def email(self) -> str:
        """The address: first name at the firm."""
        return f"{self.name.lower()}@{self.party or 'northwind'}.example"


PERSONAS: Mapping[str, Persona] = {
    "wanda": Persona("Wanda", Audience.WHOLESALER, Role.FINANCE),
    "walter": Persona("Walter", Audience.WHOLESALER, Role.ADMINISTRATOR),
    "clara": Persona("Clara", Audience.WHOLESALER, Role.CATALOGUE),
    "simon": Persona("Simon", Audience.WHOLESALER, Role.SUPPORT),
    "rashid": Persona("Rashid", Audience.RESELLER, Role.OWNER, "nord"),
    "rosa": Persona("Rosa", Audience.RESELLER, Role.SALES, "nord"),
    "fatou": Persona("Fatou", Audience.RESELLER, Role.FINANCE, "nord"),
    "carla": Persona("Carla", Audience.CUSTOMER, Role.OWNER, "carla-works"),
    "victor": Persona("Victor", Audience.CUSTOMER, Role.VIEWER, "carla-works"),
    "pavel": Persona("Pavel", Audience.RESELLER, Role.OWNER, "sud"),
    "stella": Persona("Stella", Audience.CUSTOMER, Role.OWNER, "stella-mills"),
}


@cache
def _password_hash() -> str:
    return passwords.hash_password(PASSWORD)


def make_personas(session: Session) -> None:
    """Make everybody and their firms. The session must be the owner's."""
    make_wholesaler(session)
    resellers = {
        reference: make_reseller(session, reference, legal_name=f"{reference.capitalize()} Cloud SARL")
        for reference in ("nord", "sud")
    }
    customers = {
        reference: make_customer(session, reference, reseller=resellers[reseller])
        for reference, reseller in (("carla-works", "nord"), ("stella-mills", "sud"))
    }
    users = {name: User(email=persona.email, name=persona.name) for name, persona in PERSONAS.items()}
    session.add_all(users.values())
    session.flush()  # what follows needs their ids
    for name, persona in PERSONAS.items():
        session.add(Password(user_id=users[name].id, hash=_password_hash()))
        session.add(
            Membership(
                user_id=users[name].id,
                audience=persona.audience.value,
                role=persona.role.value,
                reseller_id=resellers[persona.party].id if persona.audience is Audience.RESELLER else None,
                customer_id=customers[persona.party].id if persona.audience is Audience.CUSTOMER else None,
            )
        )
    session.flush()


def everybody(_settings: Settings, database: Database) -> None:
    """Begin with the personas."""
    with database.owner_transaction() as session:
        make_personas(session)


def reseller_called(session: Session, reference: str) -> Reseller:
    """Find a reseller by reference."""
    return session.scalars(select(Reseller).where(Reseller.reference == reference)).one()


def customer_called(session: Session, reference: str) -> Customer:
    """Find a customer by reference."""
    return session.scalars(select(Customer).where(Customer.reference == reference)).one()


def user_called(session: Session, persona: str) -> User:
    """Find a persona's account."""
    return session.scalars(select(User).where(User.email == PERSONAS[persona].email)).one()


def begin_session(database: Database, persona: str) -> str:
    """Store a session for a persona; give its token."""
    token = passwords.new_token()
    with database.owner_transaction() as session:
        user = user_called(session, persona)
        membership = session.scalars(select(Membership).where(Membership.user_id == user.id)).first()
        assert membership is not None
        session.add(
            UserSession(
                token_hash=passwords.token_hash(token),
                user_id=user.id,
                membership_id=membership.id,
                expires_at=utc_now() + SESSION_LIFE,
                ip="127.0.0.1",
                user_agent="Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0",
            )
        )
    return token


def actor_called(database: Database, persona: str) -> Actor:
    """Give a persona as an actor."""
    token = begin_session(database, persona)
    with database.owner_transaction() as session:
        actor = actor_for_session(session, passwords.token_hash(token))
    assert actor is not None
    return actor


def sign_in(client: Any, database: Database, persona: str) -> str:
    """Sign a test client in as a persona, past the sign-in page; give the token."""
    token = begin_session(database, persona)
    with client.session_transaction() as cookie:
        cookie.clear()
        cookie["_user_id"] = token
    return token


class PeopledSite(Site):
    """The application with its own accounts, on a database that has the personas in it."""

    def __post_init__(self) -> None:
        """Have the application work for this test."""
        self.app = shared_application(self.settings, self.database)

    def browser_of(self, persona: str, *, language: str = "en") -> Visitor:
        """Open a browser in which a persona has signed in."""
        visitor = self.visitor(language=language)
        sign_in(visitor.client, self.database, persona)
        return visitor
