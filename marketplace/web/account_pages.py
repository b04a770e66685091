"""A customer's account at a vendor: opened, or one it has taken up; the same for resellers and staff."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session
from wtforms import StringField
from wtforms.validators import InputRequired, Length, Optional

from marketplace.core.actor import Permission
from marketplace.core.cells import FaultyEntry
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_, Refusal
from marketplace.vendors.connector import Capability
from marketplace.vendors.customer_accounts.following import NothingOnRecord, send_agreement
from marketplace.vendors.customer_accounts.opening import (
    FIELDS,
    customer_to_ask_for,
    link_account,
    open_account,
)
from marketplace.vendors.customer_accounts.queries import (
    accounts_of,
    known_particulars,
    last_asked,
    missing_accounts,
    needs_account,
)
from marketplace.vendors.customer_accounts.rules import DOMAINS, LONGEST_DOMAIN
from marketplace.vendors.provisioning.requests import RequestKind
from marketplace.vendors.provisioning.rules import RequestState
from marketplace.vendors.registry import CONNECTED, address_rules_of, can
from marketplace.vendors.values import KnownAccount
from marketplace.web.forms import PageForm
from marketplace.web.guards import requires
from marketplace.web.session import current_actor, transaction, wiring
from resellers.models import Customer

_LONGEST = 200
#: How far an account is, in words; its badge says it shorter.
STATES = {
    RequestState.QUEUED: N_("It is asked of the vendor when its turn comes."),
    RequestState.SENT: N_("It is being asked of the vendor."),
    RequestState.WAITING: N_("The vendor has it and is not ready yet."),
    RequestState.INQUIRY: N_("The vendor wants to know something before it goes on."),
    RequestState.BY_HAND: N_("The wholesaler's staff look after it and tell you when it is there."),
    RequestState.DONE: N_("The vendor has it; it is being noted as the customer's."),
    RequestState.FAILED: N_("It failed, and nothing more happens by itself."),
}


@dataclass(frozen=True)
class AccountPages:
    """What differs between the shells: the blueprint, and who keeps customers."""

    blueprint: Blueprint
    manages: Permission

    @property
    def shell(self) -> str:
        """The name of the shell, which endpoints begin with."""
        return self.blueprint.name


class OpenForm(PageForm):
    """What a vendor wants to know of a firm that gets an account."""

    domain = StringField(lazy_gettext("Domain"), validators=[InputRequired(lazy_gettext("Write a domain."))])
    line = StringField(
        lazy_gettext("Street"),
        validators=[InputRequired(lazy_gettext("Write the street.")), Length(max=_LONGEST)],
    )
    postal_code = StringField(lazy_gettext("Postal code"), validators=[Optional(), Length(max=20)])
    city = StringField(
        lazy_gettext("City"), validators=[InputRequired(lazy_gettext("Write the city.")), Length(max=100)]
    )
    state = StringField(lazy_gettext("State"), validators=[Optional(), Length(max=20)])
    first_name = StringField(
        lazy_gettext("First name"),
        validators=[InputRequired(lazy_gettext("Write the first name.")), Length(max=60)],
    )
    last_name = StringField(
        lazy_gettext("Last name"),
        validators=[InputRequired(lazy_gettext("Write the last name.")), Length(max=60)],
    )
    email = StringField(
        lazy_gettext("E-mail"),
        validators=[InputRequired(lazy_gettext("Write an e-mail.")), Length(max=_LONGEST)],
    )
    phone = StringField(lazy_gettext("Phone"), validators=[Optional(), Length(max=40)])


class LinkForm(PageForm):
    """Which account a customer has."""

    account = StringField(
        lazy_gettext("Account"),
        validators=[InputRequired(lazy_gettext("Write the account.")), Length(max=_LONGEST)],
    )


def add_account_pages(pages: AccountPages) -> None:
    """Put the pages of customers' accounts on a shell's blueprint."""

    @pages.blueprint.get("/customers/<uuid:customer_id>/accounts/<string:vendor_name>")
    @requires(pages.manages)
    def customer_account(customer_id: UUID, vendor_name: str) -> ResponseReturnValue:
        """Ask for what the vendor wants to know, or for the account there is."""
        return _page(pages, customer_id, vendor_name)

    @pages.blueprint.post("/customers/<uuid:customer_id>/accounts/<string:vendor_name>")
    @requires(pages.manages)
    def open_customer_account(customer_id: UUID, vendor_name: str) -> ResponseReturnValue:
        """Ask the vendor for an account; its address rules are asked for before, while nothing is locked."""
        form = _open_form(vendor_name)
        with transaction() as session:
            country = customer_to_ask_for(
                session, actor=current_actor(), customer_id=customer_id, locks=False
            ).country

        def act(session: Session) -> None:
            open_account(
                session,
                actor=current_actor(),
                customer_id=customer_id,
                vendor=vendor_name,
                cells={name: form[name].data or "" for name in FIELDS if name in form},
                rules=rules,
                now=utc_now(),
            )

        rules = None
        if form.validate_on_submit():
            rules = address_rules_of(wiring().settings, vendor_name, country)
        return _carry_out(
            pages,
            customer_id,
            form,
            act,
            said=gettext("The account is asked for. You are told when it is there."),
            again=lambda: _page(pages, customer_id, vendor_name, open_form=form),
        )

    @pages.blueprint.post("/customers/<uuid:customer_id>/accounts/<string:vendor_name>/link")
    @requires(pages.manages)
    def link_customer_account(customer_id: UUID, vendor_name: str) -> ResponseReturnValue:
        """Ask that an account be taken up."""
        form = LinkForm()
        return _carry_out(
            pages,
            customer_id,
            form,
            lambda session: link_account(
                session,
                actor=current_actor(),
                customer_id=customer_id,
                vendor=vendor_name,
                account=form.account.data or "",
                now=utc_now(),
            ),
            said=gettext("The account is looked up. You are told when it can be used."),
            again=lambda: _page(pages, customer_id, vendor_name, link_form=form),
        )

    @pages.blueprint.post("/customers/<uuid:customer_id>/accounts/<string:vendor_name>/agreement")
    @requires(pages.manages)
    def send_customer_agreement(customer_id: UUID, vendor_name: str) -> ResponseReturnValue:
        """Have the vendor told of the customer's agreement."""
        with transaction() as session:
            send_agreement(
                session,
                actor=current_actor(),
                customer_id=customer_id,
                vendor=vendor_name,
                now=utc_now(),
            )
        flash(gettext("The vendor is told of the agreement."), "success")
        return redirect(_back(pages, customer_id), code=303)


def accounts_context(session: Session, customer: Customer) -> dict[str, object]:
    """Give what the card of a customer's accounts shows."""
    return {
        "accounts": accounts_of(session, customer_id=customer.id, day=utc_now().date()),
        "account_states": STATES,
        "keeps_agreements": {
            vendor for vendor in CONNECTED if can(wiring().settings, vendor, Capability.AGREEMENTS)
        },
    }


def tell_vendor(session: Session, *, customer_id: UUID, vendor: str) -> None:
    """Have the vendor told of an agreement that was just recorded, where it keeps such and has the customer."""
    if can(wiring().settings, vendor, Capability.AGREEMENTS):
        with suppress(NothingOnRecord):
            send_agreement(
                session, actor=current_actor(), customer_id=customer_id, vendor=vendor, now=utc_now()
            )


def _carry_out(
    pages: AccountPages,
    customer_id: UUID,
    form: PageForm,
    act: Callable[[Session], object],
    *,
    said: str,
    again: Callable[[], ResponseReturnValue],
) -> ResponseReturnValue:
    try:
        if form.validate_on_submit():
            with transaction() as session:
                act(session)
    except FaultyEntry as faulty:
        form.refuse_entry(faulty)
    except Refusal as refusal:
        form.refuse(refusal)
    if form.errors:
        return again(), 422  # type: ignore[return-value]
    flash(said, "success")
    return redirect(_back(pages, customer_id), code=303)


def _back(pages: AccountPages, customer_id: UUID) -> str:
    """Give where to go on: the cart that waits for the account, else the customer."""
    order = _order()
    if order is not None:
        return url_for(f"{pages.shell}.order", order_id=order)
    return url_for(f"{pages.shell}.customer", customer_id=customer_id)


def _order() -> UUID | None:
    """Read which cart waits for the account."""
    try:
        return UUID(request.values.get("order", ""))
    except ValueError:
        return None


def _open_form(vendor: str, values: dict[str, str] | None = None) -> OpenForm:
    form = OpenForm(data=values)
    if vendor not in DOMAINS:
        del form.domain
    return form


def _page(
    pages: AccountPages,
    customer_id: UUID,
    vendor: str,
    *,
    open_form: OpenForm | None = None,
    link_form: LinkForm | None = None,
) -> str:
    actor, today = current_actor(), utc_now().date()
    with transaction() as session:
        customer = customer_to_ask_for(session, actor=actor, customer_id=customer_id, locks=False)
        if not needs_account(session, vendor, day=today):
            abort(404)
        found = missing_accounts(session, customer_id=customer.id, vendors=[vendor], day=today)
        missing = found[0] if found else None
        return render_template(
            "accounts/show.html",
            shell=pages.shell,
            customer=customer,
            vendor=vendor,
            missing=missing,
            states=STATES,
            domain_end=DOMAINS.get(vendor, ""),
            longest_domain=LONGEST_DOMAIN,
            open_form=open_form or _open_form(vendor, known_particulars(session, customer, vendor)),
            link_form=link_form or LinkForm(formdata=None, data=_linked(session, customer, vendor)),
            order=_order(),
            back=_back(pages, customer_id),
        )


def _linked(session: Session, customer: Customer, vendor: str) -> dict[str, str]:
    asked = last_asked(session, customer_id=customer.id, vendor=vendor, kind=RequestKind.ACCOUNT)
    return {"account": asked.account} if isinstance(asked, KnownAccount) else {}
