"""`user create`, `user list`, `user deactivate`: people, from the command line."""

import argparse
import sys
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts import passwords
from marketplace.accounts.operations.people import NoAccount, Party, create_user, set_active
from marketplace.accounts.queries import PersonRow, people_visible_to, person_row, user_by_email
from marketplace.accounts.roles import roles_of
from marketplace.cli.context import open_database
from marketplace.cli.result import Result
from marketplace.core.actor import Actor, Audience, Machine
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_, Refusal
from marketplace.settings import load_settings
from resellers.models import Customer, Reseller


class PartyNotNamed(Refusal):
    """The audience and the party do not go together."""

    sentence = N_(
        "Say which firm: --reseller REF with --audience reseller, --customer REF with --audience customer, "
        "neither with --audience wholesaler."
    )


class NoSuchReference(Refusal):
    """No firm has the reference."""

    sentence = N_('There is no %(kind)s with the reference "%(reference)s".')


def add_parser(subparsers: Any) -> None:
    """Add the commands."""
    user = subparsers.add_parser("user", help="create, list and deactivate people")
    commands = user.add_subparsers(metavar="COMMAND", required=True)
    create = commands.add_parser("create", help="create a person with a role at a firm")
    create.add_argument("--email", required=True, help="the address the person signs in with")
    create.add_argument("--name", required=True, help="the person's name")
    create.add_argument("--audience", required=True, choices=[audience.value for audience in Audience])
    firm = create.add_mutually_exclusive_group()
    firm.add_argument("--reseller", metavar="REF", help="the reseller the person works for")
    firm.add_argument("--customer", metavar="REF", help="the customer the person works for")
    known = "; ".join(
        f"{audience.value}: {', '.join(role.value for role in roles_of(audience))}" for audience in Audience
    )
    create.add_argument("--role", required=True, help=known)
    create.add_argument(
        "--password-stdin",
        action="store_true",
        help="read the password from standard input instead of making one",
    )
    create.set_defaults(run=_create)
    commands.add_parser("list", help="list people, their firms and roles").set_defaults(run=_list)
    deactivate = commands.add_parser("deactivate", help="shut a person's account and end its sessions")
    deactivate.add_argument("email", metavar="EMAIL", help="the address the person signs in with")
    deactivate.set_defaults(run=_deactivate)


def _create(args: argparse.Namespace) -> Result:
    database = open_database(load_settings())
    password = sys.stdin.readline().rstrip("\r\n") if args.password_stdin else passwords.generated_password()
    with database.owner_transaction() as session:
        party = _party(session, args)
        create_user(
            session,
            actor=Actor.system(Machine.COMMAND_LINE),
            party=party,
            email=args.email,
            name=args.name,
            role=args.role,
            password=password,
        )
    data: dict[str, object] = {"email": args.email, "audience": args.audience, "role": args.role}
    text = f"{args.name} can sign in as {args.email}."
    if not args.password_stdin:
        # Printed once: what is kept is its hash.
        data["password"] = password
        text += f"\nPassword: {password}"
    return Result(data, text)


def _list(_args: argparse.Namespace) -> Result:
    database = open_database(load_settings())
    actor = Actor.system(Machine.COMMAND_LINE)
    with database.transaction(actor) as session:
        people = [person_row(found) for found in session.execute(people_visible_to(actor))]
    people.sort(key=lambda person: (person.audience.value, person.party_name, person.email))
    lines = [
        f"{person.email}  {person.name}  {person.audience.value} {person.party_name}  {person.role.value}  "
        f"{person.status}"
        for person in people
    ]
    return Result(
        {"users": [_as_data(person) for person in people]}, "\n".join(lines) or "There is nobody yet."
    )


def _deactivate(args: argparse.Namespace) -> Result:
    database = open_database(load_settings())
    with database.owner_transaction() as session:
        user = user_by_email(session, args.email)
        if user is None:
            raise NoAccount(email=args.email)
        set_active(
            session, actor=Actor.system(Machine.COMMAND_LINE), user_id=user.id, is_active=False, now=utc_now()
        )
    return Result({"email": args.email, "active": False}, f"{args.email} can no longer sign in.")


def _party(session: Session, args: argparse.Namespace) -> Party:
    """Find the firm named on the command line. Raises `PartyNotNamed`, `NoSuchReference`."""
    audience = Audience(args.audience)
    named = {Audience.RESELLER: args.reseller, Audience.CUSTOMER: args.customer}
    if any(reference for its, reference in named.items() if its is not audience):
        raise PartyNotNamed
    if audience is Audience.WHOLESALER:
        return Party(audience)
    reference = named[audience]
    if not reference:
        raise PartyNotNamed
    model = Reseller if audience is Audience.RESELLER else Customer
    found = session.scalar(select(model.id).where(model.reference == reference))
    if found is None:
        raise NoSuchReference(kind=audience.value, reference=reference)
    return Party(audience, found)


def _as_data(person: PersonRow) -> dict[str, object]:
    return {
        "email": person.email,
        "name": person.name,
        "audience": person.audience.value,
        "party": person.party_name,
        "role": person.role.value,
        "status": person.status,
        "last_seen_at": person.last_seen_at,
    }
