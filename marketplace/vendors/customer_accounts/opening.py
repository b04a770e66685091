"""Asking for an account: a new one, or that one the customer has already is taken up."""

import json
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.cells import Entry, email_or_blank, filled
from marketplace.core.errors import N_, NotFound, Phrase, Refusal
from marketplace.core.permit import require
from marketplace.vendors.addresses import address_faults
from marketplace.vendors.customer_accounts.queries import (
    OF_ACCOUNTS,
    asked_as_text,
    needs_account,
)
from marketplace.vendors.customer_accounts.rules import domain_of
from marketplace.vendors.models import ProvisioningRequest
from marketplace.vendors.provisioning.operations import ask, send_again, tell
from marketplace.vendors.provisioning.requests import NewRequest, asked_as_data
from marketplace.vendors.provisioning.rules import ENDED, RequestState
from marketplace.vendors.values import Address, AddressRules, Contact, KnownAccount, NewCustomer
from resellers.models import Customer
from resellers.queries.accounts import account_at
from resellers.queries.standing import selling_state

#: The job that is told of every turn.
FOLLOW = "vendors.follow_account"
#: What the form asks for.
FIELDS = ("domain", "line", "postal_code", "city", "state", "first_name", "last_name", "email", "phone")
_OPENS = N_("An account for %(name)s")
_LINKS = N_("The account %(account)s of %(name)s")


class HasAccount(Refusal):
    """One customer buys through one account."""

    sentence = N_("%(name)s has the account %(account)s at %(vendor)s already: order with that one.")


class MayNotSell(Refusal):
    """The reseller's own standing is not in order."""

    sentence = N_("An account at %(vendor)s cannot be asked for yet: %(why)s")


class NothingToOpen(Refusal):
    """The vendor sells nothing here, or needs no account."""

    sentence = N_("Nothing on sale of %(vendor)s needs an account before it is ordered: order at once.")


def open_account(
    session: Session,
    *,
    actor: Actor,
    customer_id: UUID,
    vendor: str,
    cells: Mapping[str, str],
    rules: AddressRules | None,
    now: datetime,
) -> ProvisioningRequest:
    """Ask a vendor for an account; what is asked for already is given as it is.

    `rules` are the vendor's for addresses in the customer's country, where it could be asked for them; otherwise it
    judges the address itself. Raises `HasAccount`, `MayNotSell`, `NothingToOpen`, `FaultyEntry`.
    """
    customer = customer_to_ask_for(session, actor=actor, customer_id=customer_id)
    entry = Entry(cells)
    wanted = NewCustomer(
        name=customer.legal_name,
        domain=entry.take("domain", lambda text: domain_of(vendor, text), ""),
        address=Address(
            country=customer.country,
            city=entry.take("city", filled, ""),
            line=entry.take("line", filled, ""),
            postal_code=entry.text("postal_code"),
            state=entry.text("state").upper(),
        ),
        contact=Contact(
            entry.take("first_name", filled, ""),
            entry.take("last_name", filled, ""),
            entry.take("email", lambda text: email_or_blank(filled(text)), ""),
            entry.text("phone"),
        ),
        registration_number=customer.registration_number,
    )
    found = {column for column, _value, _reason in entry.faults}
    for name, why in address_faults(wanted, rules) if rules else ():
        if name not in found:
            entry.fault(name, why)
    entry.check()
    about = Phrase.of(_OPENS, name=customer.legal_name)
    return _ask(
        session, actor, customer, vendor, wanted, about=about, action="customer.open_account", now=now
    )


def link_account(
    session: Session, *, actor: Actor, customer_id: UUID, vendor: str, account: str, now: datetime
) -> ProvisioningRequest:
    """Ask that an account the customer has already be taken up; the vendor confirms it, or staff do.

    Raises as `open_account`.
    """
    customer = customer_to_ask_for(session, actor=actor, customer_id=customer_id)
    entry = Entry({"account": account})
    wanted = KnownAccount(entry.take("account", filled, "").casefold())
    entry.check()
    about = Phrase.of(_LINKS, account=wanted.account, name=customer.legal_name)
    return _ask(
        session, actor, customer, vendor, wanted, about=about, action="customer.link_account", now=now
    )


def customer_to_ask_for(session: Session, *, actor: Actor, customer_id: UUID, locks: bool = True) -> Customer:
    """Give a customer that the actor may ask vendors for. Raises `NotFound`, `NotPermitted`."""
    wanted = select(Customer).where(Customer.public_id == customer_id)
    if actor.audience is Audience.RESELLER:
        require(actor, Permission.RESELLER_CUSTOMERS_MANAGE)
        wanted = wanted.where(Customer.reseller_id == actor.reseller_id)
    else:
        require(actor, Permission.WHOLESALER_PARTIES_MANAGE)
    customer = session.scalars(wanted.with_for_update() if locks else wanted).one_or_none()
    if customer is None:
        raise NotFound
    return customer


def _ask(
    session: Session,
    actor: Actor,
    customer: Customer,
    vendor: str,
    wanted: NewCustomer | KnownAccount,
    *,
    about: Phrase,
    action: str,
    now: datetime,
) -> ProvisioningRequest:
    """Ask, unless it is asked for. The customer is locked, so that of two clicks the second finds the first."""
    if not needs_account(session, vendor, day=now.date()):
        raise NothingToOpen(vendor=vendor)
    account = account_at(session, customer_id=customer.id, vendor=vendor, day=now.date())
    if account is not None:
        raise HasAccount(name=customer.legal_name, account=account, vendor=vendor)
    open_already = session.scalars(
        select(ProvisioningRequest).where(
            ProvisioningRequest.customer_id == customer.id,
            ProvisioningRequest.vendor == vendor,
            ProvisioningRequest.kind.in_(OF_ACCOUNTS),
            ProvisioningRequest.state.not_in(ENDED),
        )
    ).first()
    audit.record(
        session,
        actor=actor,
        action=action,
        subject="customer",
        subject_id=customer.public_id,
        after={"legal_name": customer.legal_name, "vendor": vendor, "text": asked_as_text(wanted)},
    )
    if open_already is not None:
        return open_already
    selling = selling_state(session, customer.reseller_id, vendor, now=now)
    if not selling.may_sell:
        raise MayNotSell(vendor=vendor, why=selling.reasons[0])
    request = ask(
        session,
        actor=actor,
        request=NewRequest(
            # The same particulars are the same request, to the vendor too: its answer may have been lost.
            key=uuid5(customer.public_id, f"{vendor} {json.dumps(asked_as_data(wanted), sort_keys=True)}"),
            vendor=vendor,
            account="",
            reseller_id=customer.reseller_id,
            customer_id=customer.id,
            asked=wanted,
            about=about,
            # The vendor's word on the reseller is asked for first, as it is before anything is bought.
            buys=True,
            told_job=FOLLOW,
            origin=str(customer.public_id),
        ),
    )
    if request.state == RequestState.FAILED:
        send_again(session, request, now=now)
    elif request.state == RequestState.DONE:
        # It was the customer's before, and is to be again.
        tell(session, request)
    return request
