"""`account open` and `account link`: a customer's account at a vendor, as its page asks for it."""

import argparse
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.cli.context import open_database
from marketplace.cli.result import Result
from marketplace.cli.users import NoSuchReference
from marketplace.core.actor import Actor, Machine
from marketplace.core.clock import utc_now
from marketplace.core.db import Database
from marketplace.settings import Settings, load_settings
from marketplace.vendors.customer_accounts.opening import FIELDS, link_account, open_account
from marketplace.vendors.customer_accounts.queries import known_particulars
from marketplace.vendors.models import ProvisioningRequest
from marketplace.vendors.registry import address_rules_of
from resellers.models import Customer

_HELP: Mapping[str, str] = {
    "domain": "the first part of the domain it gets, where the vendor gives one",
    "line": "street and number",
    "postal_code": "postal code",
    "city": "city",
    "state": "state, where the country has such",
    "first_name": "first name of whom the vendor may write to",
    "last_name": "last name",
    "email": "e-mail",
    "phone": "telephone",
}


def add_parser(subparsers: Any) -> None:
    """Describe the commands."""
    parser = subparsers.add_parser("account", help="ask for a customer's account at a vendor")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    opening = _command(
        commands, "open", "have a new one opened; what is left out is taken from what is known"
    )
    for name, help_ in _HELP.items():
        opening.add_argument(f"--{name.replace('_', '-')}", dest=name, metavar=name.upper(), help=help_)
    opening.set_defaults(run=_open)
    linking = _command(commands, "link", "have one taken up that the customer has")
    linking.add_argument(
        "account", metavar="ACCOUNT", help="as the vendor names it; at Microsoft also its domain"
    )
    linking.set_defaults(run=_link)


def _command(commands: Any, name: str, help_: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=help_)
    command.add_argument("customer", metavar="CUSTOMER", help="its reference")
    command.add_argument("vendor", metavar="VENDOR", help="such as microsoft")
    return command


def _open(args: argparse.Namespace) -> Result:
    settings, database = _opened()
    with database.owner_transaction() as session:
        country = _customer(session, args.customer).country
    # Asked for while nothing is locked.
    rules = address_rules_of(settings, args.vendor, country)
    with database.owner_transaction() as session:
        customer = _customer(session, args.customer)
        known = known_particulars(session, customer, args.vendor)
        request = open_account(
            session,
            actor=Actor.system(Machine.COMMAND_LINE),
            customer_id=customer.public_id,
            vendor=args.vendor,
            cells={
                name: known.get(name, "") if (said := getattr(args, name)) is None else said
                for name in FIELDS
            },
            rules=rules,
            now=utc_now(),
        )
        return _asked(request, customer)


def _link(args: argparse.Namespace) -> Result:
    _, database = _opened()
    with database.owner_transaction() as session:
        customer = _customer(session, args.customer)
        request = link_account(
            session,
            actor=Actor.system(Machine.COMMAND_LINE),
            customer_id=customer.public_id,
            vendor=args.vendor,
            account=args.account,
            now=utc_now(),
        )
        return _asked(request, customer)


def _opened() -> tuple[Settings, Database]:
    settings = load_settings()
    return settings, open_database(settings)


def _customer(session: Session, reference: str) -> Customer:
    found = session.scalars(select(Customer).where(Customer.reference == reference)).one_or_none()
    if found is None:
        raise NoSuchReference(kind="customer", reference=reference)
    return found


def _asked(request: ProvisioningRequest, customer: Customer) -> Result:
    data: dict[str, object] = {
        "customer": customer.reference,
        "vendor": request.vendor,
        "request": str(request.public_id),
        "about": str(request.about),
        "state": request.state,
    }
    return Result(
        data, f"{request.about}: {request.state}. The worker asks {request.vendor}, and maps it then."
    )
