"""The reseller's customers written: added by hand or by a file, changed, their agreement recorded, people invited."""

import csv
import io
from collections.abc import Mapping
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, gettext, lazy_gettext
from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from marketplace.accounts.operations.people import Party
from marketplace.core.actor import Audience, Permission
from marketplace.core.cells import FaultyEntry
from marketplace.core.clock import utc_now
from marketplace.core.country import COUNTRIES
from marketplace.core.csv_table import ImportResult
from marketplace.core.currency import CURRENCIES
from marketplace.core.errors import Refusal
from marketplace.web.account_pages import tell_vendor
from marketplace.web.filters import said as translated
from marketplace.web.forms import DayField, PageForm
from marketplace.web.guards import accepts_upload, requires
from marketplace.web.people import PeoplePages, invite, invite_page, new_invite_form
from marketplace.web.session import current_actor, transaction
from marketplace.web.storefront import blueprint
from resellers.imports.parties import import_own_customers
from resellers.models import Customer, Reseller
from resellers.operations.agreements import record_customer_agreement
from resellers.rules.identity import OWN_CUSTOMER_COLUMNS

MANAGE = Permission.RESELLER_CUSTOMERS_MANAGE
#: Microsoft's customer agreement, by the id its interface gives the text.
CUSTOMER_AGREEMENT = "117a77b0-9360-443b-8795-c6dedc750cf9"
_LONGEST = 200
_MOST_BYTES = 20 << 20
_PAGES = PeoplePages(blueprint, Audience.RESELLER, Permission.RESELLER_USERS_MANAGE, MANAGE)


class CustomerForm(PageForm):
    """Who a customer is."""

    reference = StringField(
        lazy_gettext("Reference"),
        validators=[InputRequired(lazy_gettext("Write a reference.")), Length(max=_LONGEST)],
    )
    legal_name = StringField(
        lazy_gettext("Legal name"),
        validators=[InputRequired(lazy_gettext("Write the legal name.")), Length(max=_LONGEST)],
    )
    country = SelectField(lazy_gettext("Country"), validators=[InputRequired(lazy_gettext("Choose one."))])
    vat_number = StringField(lazy_gettext("VAT number"), validators=[Length(max=_LONGEST)])
    registration_number = StringField(lazy_gettext("Registration number"), validators=[Length(max=_LONGEST)])
    currency = SelectField(lazy_gettext("Currency"), validators=[InputRequired(lazy_gettext("Choose one."))])
    email = StringField(lazy_gettext("E-mail"), validators=[Length(max=_LONGEST)])


class AgreementForm(PageForm):
    """Who at the customer accepted which text, and when."""

    vendor = StringField(
        lazy_gettext("Vendor"), validators=[InputRequired(lazy_gettext("Name the vendor.")), Length(max=100)]
    )
    template = StringField(
        lazy_gettext("Template"),
        validators=[InputRequired(lazy_gettext("Name the text that was accepted.")), Length(max=100)],
    )
    first_name = StringField(lazy_gettext("First name"), validators=[Length(max=60)])
    last_name = StringField(lazy_gettext("Last name"), validators=[Length(max=60)])
    email = StringField(lazy_gettext("E-mail"), validators=[Length(max=_LONGEST)])
    phone = StringField(lazy_gettext("Phone"), validators=[Length(max=40)])
    agreed_on = DayField(
        lazy_gettext("Accepted on"), validators=[InputRequired(lazy_gettext("Choose the day."))]
    )


@blueprint.get("/customers/new")
@requires(MANAGE)
def new_customer() -> ResponseReturnValue:
    """Ask for a customer, which is as a rule where its reseller is."""
    with transaction() as session:
        own = session.scalars(select(Reseller).where(Reseller.id == current_actor().reseller_id)).one()
        values = {"country": own.country, "currency": own.currency}
    return _form(_customer_form(values))


@blueprint.post("/customers/new")
@requires(MANAGE)
def add_customer() -> ResponseReturnValue:
    """Add one; a reference that is there already is refused, since it would change that customer."""
    form = _customer_form()
    if form.validate_on_submit() and _is_known(form.reference.data or ""):
        form.reference.errors = [gettext("You have a customer with this reference. Choose another.")]
    return _save(form, None)


@blueprint.get("/customers/<uuid:customer_id>/edit")
@requires(MANAGE)
def edit_customer(customer_id: UUID) -> ResponseReturnValue:
    """Ask what changes."""
    with transaction() as session:
        customer = _own_or_404(session, customer_id)
    values = {name: getattr(customer, name) for name in OWN_CUSTOMER_COLUMNS}
    return _form(_customer_form(values), customer)


@blueprint.post("/customers/<uuid:customer_id>/edit")
@requires(MANAGE)
def change_customer(customer_id: UUID) -> ResponseReturnValue:
    """Change it. The reference stays: files and commands know the customer by it."""
    with transaction() as session:
        customer = _own_or_404(session, customer_id)
    form = _customer_form()
    form.reference.data = customer.reference
    form.validate_on_submit()
    return _save(form, customer)


@blueprint.get("/customers/import")
@requires(MANAGE)
def ask_customers_file() -> ResponseReturnValue:
    """Ask for a file."""
    return _upload()


@blueprint.post("/customers/import")
@accepts_upload(most_bytes=_MOST_BYTES)
@requires(MANAGE)
def import_customers_file() -> ResponseReturnValue:
    """Say what a file would change, or import it whole."""
    file = request.files.get("files")
    if file is None or not file.filename:
        return _upload(), 422
    is_trial = request.form.get("step") != "save"
    try:
        with transaction() as session:
            result = import_own_customers(
                session,
                actor=current_actor(),
                file=file.filename,
                content=file.read(),
                dry_run=is_trial,
            )
    except Refusal as refusal:
        return _upload(refusal=refusal), 422
    if is_trial:
        return _upload(result=result)
    said = gettext(
        "%(added)s added, %(changed)s changed, %(unchanged)s as they were.",
        added=result.added,
        changed=result.changed,
        unchanged=result.unchanged,
    )
    flash(said, "success")
    return redirect(url_for("storefront.customers"), code=303)


@blueprint.get("/customers/<uuid:customer_id>/agreement")
@requires(MANAGE)
def ask_customer_agreement(customer_id: UUID) -> ResponseReturnValue:
    """Ask who accepted a vendor's terms."""
    with transaction() as session:
        customer = _own_or_404(session, customer_id)
    return _agreement(
        AgreementForm(
            data={"vendor": "microsoft", "template": CUSTOMER_AGREEMENT, "agreed_on": utc_now().date()}
        ),
        customer,
    )


@blueprint.post("/customers/<uuid:customer_id>/agreement")
@requires(MANAGE)
def record_agreement(customer_id: UUID) -> ResponseReturnValue:
    """Record it."""
    form = AgreementForm()
    with transaction() as session:
        customer = _own_or_404(session, customer_id)
    try:
        if form.validate_on_submit():
            with transaction() as session:
                record_customer_agreement(
                    session,
                    actor=current_actor(),
                    customer_id=customer_id,
                    vendor=form.vendor.data or "",
                    template=form.template.data or "",
                    cells={
                        name: form[name].data or "" for name in ("first_name", "last_name", "email", "phone")
                    },
                    agreed_on=form.agreed_on.data,
                    today=utc_now().date(),
                )
                tell_vendor(session, customer_id=customer_id, vendor=form.vendor.data or "")
    except FaultyEntry as faulty:
        form.refuse_entry(faulty)
    if form.errors:
        return _agreement(form, customer), 422
    flash(gettext("The agreement is recorded."), "success")
    return redirect(url_for("storefront.customer", customer_id=customer_id), code=303)


@blueprint.get("/customers/<uuid:customer_id>/invite")
@requires(MANAGE)
def invite_to_customer(customer_id: UUID) -> ResponseReturnValue:
    """Ask whom to invite to the customer's portal."""
    with transaction() as session:
        customer = _own_or_404(session, customer_id)
    action = url_for("storefront.send_invitation_to_customer", customer_id=customer_id)
    return invite_page(
        _PAGES, form=new_invite_form(Audience.CUSTOMER), party_name=customer.legal_name, action=action
    )


@blueprint.post("/customers/<uuid:customer_id>/invite")
@requires(MANAGE)
def send_invitation_to_customer(customer_id: UUID) -> ResponseReturnValue:
    """Invite somebody to the customer's portal."""
    with transaction() as session:
        customer = _own_or_404(session, customer_id)
    return invite(
        _PAGES,
        party=Party(Audience.CUSTOMER, customer.id),
        party_name=customer.legal_name,
        action=url_for("storefront.send_invitation_to_customer", customer_id=customer_id),
        then=url_for("storefront.customer", customer_id=customer_id),
    )


def _own_or_404(session: Session, customer_id: UUID) -> Customer:
    """Find a customer that is the firm's own today; those that have left it are only looked at."""
    customer = session.scalars(
        select(Customer).where(
            Customer.public_id == customer_id, Customer.reseller_id == current_actor().reseller_id
        )
    ).one_or_none()
    return customer if customer is not None else abort(404)


def _called(session: Session, reference: str) -> UUID | None:
    """Give the reseller's customer of a reference."""
    return session.scalar(
        select(Customer.public_id).where(
            Customer.reference == reference.strip(), Customer.reseller_id == current_actor().reseller_id
        )
    )


def _is_known(reference: str) -> bool:
    with transaction() as session:
        return _called(session, reference) is not None


def _customer_form(values: Mapping[str, str] | None = None) -> CustomerForm:
    form = CustomerForm(data=values)
    locale = get_locale()
    names = {code: str(locale.territories.get(code, code)) if locale else code for code in COUNTRIES}
    blank = SelectChoice("", gettext("Choose"))
    countries = sorted(names.items(), key=lambda one: one[1])
    form.country.choices = [blank, *(SelectChoice(code, name) for code, name in countries)]
    form.currency.choices = [blank, *(SelectChoice(code, code) for code in sorted(CURRENCIES))]
    return form


def _save(form: CustomerForm, customer: Customer | None) -> ResponseReturnValue:
    """Pass what was typed through the same import as a file."""
    if not form.errors:
        file = io.StringIO(newline="")
        writer = csv.DictWriter(file, OWN_CUSTOMER_COLUMNS)
        writer.writeheader()
        writer.writerow({name: form[name].data or "" for name in OWN_CUSTOMER_COLUMNS})
        try:
            with transaction() as session:
                import_own_customers(
                    session, actor=current_actor(), file="customers", content=file.getvalue().encode()
                )
                saved = _called(session, form.reference.data or "")
        except Refusal as refusal:
            for row in refusal.rows:
                form[row.column].errors = [*form[row.column].errors, translated(row.reason)]
            if not refusal.rows:
                form.refuse(refusal, "reference")
    if form.errors:
        return _form(form, customer), 422
    flash(gettext("%(name)s is saved.", name=form.legal_name.data), "success")
    return redirect(url_for("storefront.customer", customer_id=saved), code=303)


def _form(form: CustomerForm, customer: Customer | None = None) -> str:
    return render_template("storefront/customers/edit.html", form=form, customer=customer)


def _agreement(form: AgreementForm, customer: Customer) -> str:
    return render_template("storefront/customers/agreement.html", form=form, customer=customer)


def _upload(*, result: ImportResult | None = None, refusal: Refusal | None = None) -> str:
    return render_template(
        "storefront/customers/upload.html", result=result, refusal=refusal, columns=OWN_CUSTOMER_COLUMNS
    )
