"""What is to happen when terms end, where nobody decides on the subscription itself: for a customer, or for all."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional

from marketplace.core.actor import Permission
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_
from marketplace.subscriptions.models import RenewalPolicy
from marketplace.subscriptions.operations.policies import set_default_policy, set_policy
from marketplace.subscriptions.queries.policies import (
    customers_with_policies,
    holds,
    policy_of,
)
from marketplace.subscriptions.words import Policy
from marketplace.web.forms import PageForm
from marketplace.web.guards import requires
from marketplace.web.listing import Column, Filter, Kind, ListView, OnPhone
from marketplace.web.session import current_actor, order_desk, transaction
from resellers.models import Customer, Reseller

POLICY_LABELS = {
    Policy.RENEW: N_("Renew as it is"),
    Policy.END: N_("End with the term"),
    Policy.EXTEND: N_("Go on by the month, dearer"),
    Policy.ASK: N_("Ask the customer first"),
}
_VENDORS = N_("Vendor's default: renew")


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """A customer, what holds for it, and since when."""

    customer_id: UUID
    customer: str
    reseller: str
    reseller_id: UUID
    choice: str
    is_own: bool
    set_by: str
    set_at: datetime | None


class PolicyForm(PageForm):
    """What is to happen."""

    choice = SelectField(lazy_gettext("When a term ends"), validators=[Optional()])


def policy_said(choice: str) -> str:
    """Say a policy; blank is the vendor's default."""
    return str(gettext(POLICY_LABELS[Policy(choice)] if choice else _VENDORS))


def add_policy_pages(blueprint: Blueprint, *, views: Permission, manages: Permission) -> None:
    """Put the pages on a seller's blueprint."""
    shell = blueprint.name
    listed = _list(has_resellers=shell == "admin")

    @blueprint.get("/renewals/policies")
    @requires(views)
    def renewal_policies() -> ResponseReturnValue:
        """List customers and what happens when their terms end."""
        actor = current_actor()
        with transaction() as session:
            default = None
            if actor.reseller_id is not None:
                default = policy_of(session, reseller_id=actor.reseller_id, customer_id=None)
            return listed.respond(
                session,
                customers_with_policies(actor),
                "renewals/policies.html",
                shell=shell,
                default=default,
                policy_said=policy_said,
                manages=manages,
            )

    @blueprint.route("/renewals/policies/<uuid:customer_id>", methods=["GET", "POST"])
    @requires(manages)
    def renewal_policy(customer_id: UUID) -> ResponseReturnValue:
        """Ask what is to happen for one customer, and keep it."""
        form = _form(gettext("As for all customers"))
        with order_desk() as session:
            customer = _customer_or_404(session, customer_id)
            if form.validate_on_submit():
                choice = Policy(form.choice.data) if form.choice.data else None
                set_policy(
                    session, actor=current_actor(), customer_id=customer_id, choice=choice, now=utc_now()
                )
                return _done(shell)
            standing = policy_of(session, reseller_id=customer.reseller_id, customer_id=customer.id)
            return _page(form, standing, shell=shell, name=customer.legal_name)

    if shell == "admin":

        @blueprint.route("/renewals/policies/reseller/<uuid:reseller_id>", methods=["GET", "POST"])
        @requires(manages)
        def reseller_renewal_policy(reseller_id: UUID) -> ResponseReturnValue:
            """Ask what is to happen for all customers of a reseller, and keep it."""
            return _default(reseller_id, shell=shell)

        return

    @blueprint.route("/renewals/policies/default", methods=["GET", "POST"])
    @requires(manages)
    def default_renewal_policy() -> ResponseReturnValue:
        """Ask what is to happen for all customers, and keep it."""
        with transaction() as session:
            own = session.scalars(
                select(Reseller.public_id).where(Reseller.id == current_actor().reseller_id)
            ).one()
        return _default(own, shell=shell)


def _default(reseller_id: UUID, *, shell: str) -> ResponseReturnValue:
    form = _form(policy_said(""))
    with order_desk() as session:
        reseller = session.scalar(select(Reseller).where(Reseller.public_id == reseller_id))
        if reseller is None:
            abort(404)
        if form.validate_on_submit():
            choice = Policy(form.choice.data) if form.choice.data else None
            set_default_policy(
                session, actor=current_actor(), reseller_id=reseller_id, choice=choice, now=utc_now()
            )
            return _done(shell)
        standing = policy_of(session, reseller_id=reseller.id, customer_id=None)
        return _page(form, standing, shell=shell, name="" if shell != "admin" else reseller.legal_name)


def _form(blank: str) -> PolicyForm:
    form = PolicyForm()
    form.choice.choices = [
        SelectChoice("", blank),
        *(SelectChoice(choice.value, gettext(label)) for choice, label in POLICY_LABELS.items()),
    ]
    return form


def _page(form: PolicyForm, standing: RenewalPolicy | None, *, shell: str, name: str) -> ResponseReturnValue:
    if not form.is_submitted():
        form.choice.data = standing.choice if standing else ""
    page = render_template("renewals/policy.html", form=form, standing=standing, shell=shell, name=name)
    return page, 422 if form.is_submitted() else 200


def _done(shell: str) -> ResponseReturnValue:
    flash(
        gettext("It holds from now on, for every renewal nobody has decided on the subscription itself."),
        "success",
    )
    return redirect(url_for(f"{shell}.renewal_policies"), code=303)


def _customer_or_404(session: Session, customer_id: UUID) -> Customer:
    found = session.execute(
        customers_with_policies(current_actor()).where(Customer.public_id == customer_id)
    ).one_or_none()
    customer: Customer = found[0] if found else abort(404)
    return customer


def _row(found: Any) -> PolicyRow:
    customer, reseller, own, default = found
    holds = own or default
    return PolicyRow(
        customer_id=customer.public_id,
        customer=customer.legal_name,
        reseller=reseller.legal_name,
        reseller_id=reseller.public_id,
        choice=holds.choice if holds else "",
        is_own=own is not None,
        set_by=holds.set_by if holds else "",
        set_at=holds.set_at if holds else None,
    )


def _list(*, has_resellers: bool) -> ListView[PolicyRow]:
    columns: list[Column[PolicyRow]] = [
        Column(
            key="customer",
            label=N_("Customer"),
            value=lambda row: row.customer,
            sort=Customer.legal_name,
            phone=OnPhone.TITLE,
        ),
        Column(key="choice", label=N_("When a term ends"), value=lambda row: policy_said(row.choice)),
        Column(
            key="from",
            label=N_("Said for"),
            value=lambda row: (
                gettext("this customer") if row.is_own else gettext("all customers") if row.choice else ""
            ),
        ),
        Column(key="by", label=N_("By"), value=lambda row: row.set_by),
        Column(key="since", label=N_("Since"), value=lambda row: row.set_at, kind=Kind.DAY),
    ]
    if has_resellers:
        columns.insert(
            1,
            Column(
                key="reseller",
                label=N_("Reseller"),
                value=lambda row: row.reseller,
                sort=Reseller.legal_name,
            ),
        )
    return ListView[PolicyRow](
        name="policies",
        columns=tuple(columns),
        filters=(
            Filter(
                key="choice",
                label=N_("When a term ends"),
                choices=tuple((choice.value, label) for choice, label in POLICY_LABELS.items()),
                where=holds,
            ),
        ),
        search=(Customer.legal_name, Reseller.legal_name) if has_resellers else (Customer.legal_name,),
        sort="customer",
        tie_break=(Customer.id,),
        row=_row,
    )
