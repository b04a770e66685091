"""Which orders need approval: the wholesaler's rules, and each reseller's own."""

from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from sqlalchemy import select
from wtforms import SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional

from marketplace.accounts.roles import ROLE_LABELS, roles_of
from marketplace.core.actor import Audience, Permission
from marketplace.core.clock import utc_now
from marketplace.core.errors import Phrase
from marketplace.core.money import Money
from marketplace.orders.models import OrderRule
from marketplace.orders.operations.checking import as_rule
from marketplace.orders.operations.ruling import add_rule, end_rule
from marketplace.orders.rules.approvals import rule_words
from marketplace.orders.words import OrderKind
from marketplace.web.forms import AmountField, PageForm
from marketplace.web.guards import requires
from marketplace.web.order_labels import KIND_LABELS
from marketplace.web.session import current_actor, order_desk, transaction
from resellers.models import Reseller, Wholesaler


@dataclass(frozen=True)
class RulePages:
    """What differs between the shells."""

    blueprint: Blueprint
    audience: Audience
    manages: Permission


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule in words."""

    id: UUID
    words: Phrase
    by: str
    since: object


class RuleForm(PageForm):
    """Which orders."""

    kind = SelectField(lazy_gettext("What"), validators=[Optional()])
    role = SelectField(lazy_gettext("Ordered by"), validators=[Optional()])
    above = AmountField(lazy_gettext("Above"), validators=[Optional()])


def add_rule_pages(pages: RulePages) -> None:
    """Put the rules on a shell's blueprint."""
    shell = pages.blueprint.name

    @pages.blueprint.get("/order-rules")
    @requires(pages.manages)
    def order_rules() -> ResponseReturnValue:
        """List them."""
        return _page(pages, _form())

    @pages.blueprint.post("/order-rules/new")
    @requires(pages.manages)
    def add_order_rule() -> ResponseReturnValue:
        """Ask for approval of some orders."""
        form = _form()
        if not form.validate_on_submit():
            return _page(pages, form), 422
        with order_desk() as session:
            above = form.above.data
            add_rule(
                session,
                actor=current_actor(),
                kind=OrderKind(form.kind.data) if form.kind.data else None,
                role=form.role.data or "",
                above=Money.rounded(above, _currency()) if above is not None else None,
                now=utc_now(),
            )
        flash(gettext("The rule holds from now on."), "success")
        return redirect(url_for(f"{shell}.order_rules"), code=303)

    @pages.blueprint.post("/order-rules/<uuid:order_rule_id>/end")
    @requires(pages.manages)
    def end_order_rule(order_rule_id: UUID) -> ResponseReturnValue:
        """Ask no more."""
        with order_desk() as session:
            end_rule(session, actor=current_actor(), rule_id=order_rule_id, now=utc_now())
        flash(gettext("The rule has ended."), "success")
        return redirect(url_for(f"{shell}.order_rules"), code=303)


def _form() -> RuleForm:
    form = RuleForm()
    form.kind.choices = [
        SelectChoice("", gettext("Any")),
        *(SelectChoice(value, gettext(label)) for value, label in KIND_LABELS),
    ]
    roles = [*roles_of(Audience.RESELLER), *roles_of(Audience.CUSTOMER)]
    form.role.choices = [
        SelectChoice("", gettext("Anybody")),
        *(SelectChoice(role.value, gettext(ROLE_LABELS[role])) for role in dict.fromkeys(roles)),
    ]
    return form


def _currency() -> str:
    """Give the currency amounts are compared in: the firm's own."""
    actor = current_actor()
    with transaction() as session:
        if actor.reseller_id is not None:
            return session.get_one(Reseller, actor.reseller_id).currency
        return session.scalars(select(Wholesaler.currency)).one()


def _page(pages: RulePages, form: RuleForm) -> str:
    actor = current_actor()
    currency = _currency()
    with transaction() as session:
        rows = [
            RuleRow(rule.public_id, rule_words(as_rule(rule)), rule.created_by, rule.created_at)
            for rule in session.scalars(
                select(OrderRule)
                .where(
                    OrderRule.ended_at.is_(None),
                    OrderRule.reseller_id.is_not_distinct_from(actor.reseller_id),
                )
                .order_by(OrderRule.id)
            )
        ]
    return render_template(
        "orders/rules.html", rows=rows, form=form, shell=pages.blueprint.name, currency=currency
    )
