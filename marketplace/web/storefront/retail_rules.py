"""What customers pay: the reseller's retail rules, with its margin beside them."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Optional

from marketplace.billing.queries.margins import RuleFigures, customers_with_margin, figures_by_rule
from marketplace.billing.queries.months import months
from marketplace.billing.queries.owed import choices_of
from marketplace.billing.queries.selection import Selection
from marketplace.billing.trials import Change
from marketplace.core.actor import Audience, Permission
from marketplace.core.cells import FaultyEntry
from marketplace.core.clock import utc_now
from marketplace.core.currency import CURRENCIES
from marketplace.core.errors import N_, Refusal
from marketplace.core.period import Period
from marketplace.web import filters as shown
from marketplace.web.forms import DayField, PageForm
from marketplace.web.guards import requires
from marketplace.web.listing import Column, Filter, Kind, ListView, OnPhone
from marketplace.web.navigation import GROUP_TERMS, add_to_menu
from marketplace.web.previews import FactsChanged, overtaken, wants_effect
from marketplace.web.session import current_actor, transaction
from marketplace.web.storefront import blueprint
from marketplace.web.storefront.rule_effects import RuleEffect, effect_asked_here, effect_of
from resellers.models import Basis, Hop
from resellers.operations.retail_rules import add_retail_rule, change_retail_rule, end_retail_rule
from resellers.queries.retail_rules import RetailRuleRow, find_retail_rule, list_retail_rules
from resellers.rules.price_rules import RuleTerms, read_rule

add_to_menu(
    Audience.RESELLER,
    endpoint="storefront.rules",
    label=N_("Prices"),
    icon="tags",
    permission=Permission.RESELLER_RULES_MANAGE,
    place=50,
    group=GROUP_TERMS,
    words="rules retail margin markup",
)

_SCOPE_CELLS = ("vendor", "product", "sku", "subscription")
_PRICE_CELLS = ("basis", "percent", "unit_price", "currency")

_EVERYBODY = "*"


class PriceForm(PageForm):
    """How much."""

    basis = SelectField(
        lazy_gettext("Starts from"),
        choices=[
            SelectChoice(Basis.COST.value, lazy_gettext("What you pay the wholesaler")),
            SelectChoice(Basis.LIST.value, lazy_gettext("The vendor's list price")),
            SelectChoice(Basis.FIXED.value, lazy_gettext("A fixed price per unit")),
        ],
        default=Basis.COST.value,
        validators=[InputRequired()],
    )
    percent = StringField(lazy_gettext("Percentage"))
    unit_price = StringField(lazy_gettext("Price per unit"))
    currency = SelectField(lazy_gettext("Currency of the price"), validators=[Optional()])

    def cells(self) -> dict[str, str]:
        """Give the form as the cells of a file of rules: the same reader reads both."""
        cells = {name: (self[name].data or "").strip() for name in _PRICE_CELLS}
        cells["hop"] = Hop.RETAIL.value
        cells["percent"] = cells["percent"].replace("%", "").strip()
        # What the chosen basis does not use was left over from another choice.
        if cells["basis"] == Basis.FIXED:
            cells["percent"] = ""
        else:
            cells["unit_price"] = cells["currency"] = ""
        return cells


class RuleForm(PriceForm):
    """A price: for whom, for what, how much, when."""

    customer = SelectField(lazy_gettext("Customer"), validators=[InputRequired()])
    vendor = StringField(lazy_gettext("Vendor"))
    product = StringField(lazy_gettext("Product"))
    sku = StringField(lazy_gettext("SKU"))
    subscription = StringField(lazy_gettext("Subscription"))
    valid_from = DayField(lazy_gettext("From"), validators=[Optional()])
    valid_until = DayField(lazy_gettext("Until (this day excluded)"), validators=[Optional()])

    def cells(self) -> dict[str, str]:
        """Add for whom, for what and when."""
        cells = super().cells() | {name: (self[name].data or "").strip() for name in _SCOPE_CELLS}
        cells["customer"] = "" if self.customer.data == _EVERYBODY else self.customer.data
        for name in ("valid_from", "valid_until"):
            day = self[name].data
            cells[name] = day.isoformat() if day else ""
        return cells


class ChangeForm(PriceForm):
    """Another price for the same, from a day on."""

    start = DayField(
        lazy_gettext("First day with the new price"),
        validators=[InputRequired(lazy_gettext("Choose the day."))],
    )


class EndForm(PageForm):
    """The day from which a price no longer holds."""

    end = DayField(
        lazy_gettext("First day without this price"),
        validators=[InputRequired(lazy_gettext("Choose the day."))],
    )


@blueprint.get("/rules")
@requires(Permission.RESELLER_RULES_MANAGE)
def rules() -> ResponseReturnValue:
    """List the rules with what they sold last and the margin on it."""
    actor = current_actor()
    today = utc_now().date()
    with transaction() as session:
        rows = list_retail_rules(session, actor=actor)
        latest = months(session, actor=actor, hop=Hop.RETAIL, most=1)
        period = latest[0].period if latest else None
        figures = figures_by_rule(session, actor=actor, period=period) if period else {}
    return _list(figures, today=today).respond_with_rows(
        rows, "storefront/rules/list.html", figures=figures, period=period, today=today
    )


@blueprint.get("/rules/new")
@requires(Permission.RESELLER_RULES_MANAGE)
def new_rule() -> ResponseReturnValue:
    """Ask for a price."""
    with transaction() as session:
        effect = effect_asked_here(session)
        form = _form(session, effect)
        return _new_page(session, form, effect=effect)


@blueprint.post("/rules/new")
@requires(Permission.RESELLER_RULES_MANAGE)
def add_rule() -> ResponseReturnValue:
    """Show what a price would do, or add it."""
    actor = current_actor()
    with transaction() as session:
        form = _form(session)
        terms = _read(form)
        if terms is None:
            return _new_page(session, form), 422
        facts_changed = overtaken()
        try:
            if wants_effect() or facts_changed:
                change = Change(kind="add_price", facts=form.cells())
                effect = effect_of(session, change=change, first_day=terms.span.start)
                status = _refused(form, facts_changed)
                return _new_page(session, form, effect=effect), status
            with session.begin_nested():
                add_retail_rule(session, actor=actor, terms=terms)
        except Refusal as refusal:
            form.refuse(refusal)
            return _new_page(session, form), 422
    flash(gettext("The price stands. It counts when the month is rated next."), "success")
    return redirect(url_for("storefront.rules"), code=303)


@blueprint.get("/rules/<uuid:rule_id>/change")
@requires(Permission.RESELLER_RULES_MANAGE)
def ask_change(rule_id: UUID) -> ResponseReturnValue:
    """Ask for another price, and from when."""
    with transaction() as session:
        rule = _rule_or_404(session, rule_id)
        effect = effect_asked_here(session)
        form = ChangeForm(_typed(effect))
        _offer_currencies(form)
        if effect:
            return _change_page(rule, form, effect=effect)
        price = rule.terms.price
        form.basis.data, form.currency.data = price.basis.value, price.currency or "EUR"
        form.start.data = _first_open_day(session)
    return _change_page(rule, form)


@blueprint.post("/rules/<uuid:rule_id>/change")
@requires(Permission.RESELLER_RULES_MANAGE)
def change_rule(rule_id: UUID) -> ResponseReturnValue:
    """Show what another price would do, or let it follow the one that stands."""
    actor = current_actor()
    form = ChangeForm()
    _offer_currencies(form)
    with transaction() as session:
        rule = _rule_or_404(session, rule_id)
        terms = _read(form)
        if terms is None:
            return _change_page(rule, form), 422
        start: date = form.start.data
        facts_changed = overtaken()
        try:
            if wants_effect() or facts_changed:
                facts = {**form.cells(), "rule": str(rule_id), "start": start.isoformat()}
                effect = effect_of(session, change=Change(kind="change_price", facts=facts), first_day=start)
                status = _refused(form, facts_changed)
                return _change_page(rule, form, effect=effect), status
            with session.begin_nested():
                change_retail_rule(session, actor=actor, rule_id=rule_id, price=terms.price, start=start)
        except Refusal as refusal:
            form.refuse(refusal)
            return _change_page(rule, form), 422
    flash(gettext("The new price holds from %(start)s.", start=shown.day(start)), "success")
    return redirect(url_for("storefront.rules"), code=303)


@blueprint.get("/rules/<uuid:rule_id>/end")
@requires(Permission.RESELLER_RULES_MANAGE)
def ask_end(rule_id: UUID) -> ResponseReturnValue:
    """Ask from when a price no longer holds."""
    with transaction() as session:
        rule = _rule_or_404(session, rule_id)
        effect = effect_asked_here(session)
    return _end_page(rule, EndForm(_typed(effect)), effect=effect)


@blueprint.post("/rules/<uuid:rule_id>/end")
@requires(Permission.RESELLER_RULES_MANAGE)
def end_rule(rule_id: UUID) -> ResponseReturnValue:
    """Show what ending a price would do, or end it."""
    actor = current_actor()
    form = EndForm()
    with transaction() as session:
        rule = _rule_or_404(session, rule_id)
        if not form.validate_on_submit():
            return _end_page(rule, form), 422
        end: date = form.end.data
        facts_changed = overtaken()
        try:
            if wants_effect() or facts_changed:
                facts = {"rule": str(rule_id), "end": end.isoformat()}
                effect = effect_of(session, change=Change(kind="end_price", facts=facts), first_day=end)
                status = _refused(form, facts_changed)
                return _end_page(rule, form, effect=effect), status
            end_retail_rule(session, actor=actor, rule_id=rule_id, end=end)
        except Refusal as refusal:
            form.refuse(refusal)
            return _end_page(rule, form), 422
    flash(gettext("The price ends on %(end)s.", end=shown.day(end)), "success")
    return redirect(url_for("storefront.rules"), code=303)


def _typed(effect: RuleEffect | None) -> MultiDict[str, str] | None:
    """Give what was typed when an effect was asked for, to fill the form again."""
    if effect is None:
        return None
    facts = effect.job.row.facts
    return MultiDict({**facts, "customer": facts.get("customer") or _EVERYBODY})


def _refused(form: PageForm, facts_changed: FactsChanged | None) -> int:
    """Say on the form why it was not saved, if it was to be; give the answer's status."""
    if facts_changed is None:
        return 200
    form.refuse(facts_changed)
    return 422


def _end_page(rule: RetailRuleRow, form: EndForm, *, effect: RuleEffect | None = None) -> str:
    return render_template("storefront/rules/end.html", rule=rule, form=form, effect=effect)


def _change_page(rule: RetailRuleRow, form: ChangeForm, *, effect: RuleEffect | None = None) -> str:
    return render_template("storefront/rules/change.html", rule=rule, form=form, effect=effect)


def _rule_or_404(session: Session, rule_id: UUID) -> RetailRuleRow:
    rule = find_retail_rule(session, actor=current_actor(), rule_id=rule_id)
    if rule is None:
        abort(404)
    return rule


def _form(session: Session, effect: RuleEffect | None = None) -> RuleForm:
    """Make the form with the reseller's customers to choose from, filled in as an effect was asked for."""
    form = RuleForm(_typed(effect)) if effect else RuleForm()
    customers = customers_with_margin(session, actor=current_actor(), period=None)
    form.customer.choices = [
        SelectChoice(_EVERYBODY, gettext("All your customers")),
        *(SelectChoice(row.reference, row.name) for row in customers),
    ]
    _offer_currencies(form)
    if not (effect or form.is_submitted()):
        form.customer.data = request.args.get("customer", _EVERYBODY)
        form.currency.data = "EUR"
        form.valid_from.data = _first_open_day(session)
    return form


def _offer_currencies(form: PriceForm) -> None:
    form.currency.choices = [SelectChoice(code, code) for code in sorted(CURRENCIES)]


def _first_open_day(session: Session) -> date:
    """Give the first day whose month is not closed: an earlier start would change what was billed."""
    today = utc_now().date()
    rows = months(session, actor=current_actor(), hop=Hop.RETAIL, most=1)
    if not rows:
        return today.replace(day=1)
    newest = rows[0]
    period: Period = newest.period.next() if newest.is_final else newest.period
    return period.start


def _read(form: PriceForm) -> RuleTerms | None:
    """Read the terms; faults are shown at their fields."""
    if not form.validate_on_submit():
        return None
    try:
        return read_rule(form.cells(), allow_comma=True)
    except FaultyEntry as faulty:
        for row in faulty.rows:
            name = row.column if row.column in form else ""
            errors = form[name].errors if name else form.form_errors
            said = shown.said(row.reason)
            if name:
                form[name].errors = [*errors, said]
            else:
                form.form_errors.append(said)
        return None


def _new_page(session: Session, form: RuleForm, *, effect: RuleEffect | None = None) -> str:
    """Draw the form, with what is known of names beside its fields."""
    actor = current_actor()
    latest = months(session, actor=actor, hop=Hop.RETAIL, most=1)
    known = None
    if latest:
        selection = Selection(hop=Hop.RETAIL, period=latest[0].period)
        known = choices_of(session, actor=actor, selection=selection)
    return render_template("storefront/rules/new.html", form=form, effect=effect, known=known)


def _list(figures: Mapping[int, RuleFigures], *, today: date) -> ListView[RetailRuleRow]:
    def sold(row: RetailRuleRow) -> object:
        found = figures.get(row.number)
        return found.sale[0] if found and found.sale else None

    def margin(row: RetailRuleRow) -> object:
        found = figures.get(row.number)
        return found.margin.amount if found and found.margin else None

    columns: list[Column[RetailRuleRow]] = [
        Column(
            key="what",
            label=N_("For"),
            value=lambda row: shown.scope(row.terms.scope),
            sort=True,
            phone=OnPhone.TITLE,
        ),
        Column(key="customer", label=N_("Customer"), value=lambda row: row.customer, sort=True),
        Column(key="price", label=N_("Price"), value=lambda row: shown.said(row.price)),
        Column(key="span", label=N_("Holds"), value=lambda row: row.terms.span, kind=Kind.DAY),
        Column(
            key="status",
            label=N_("Status"),
            value=lambda row: row.status(today),
            kind=Kind.STATUS,
            phone=OnPhone.SIDE,
        ),
        Column(key="sold", label=N_("Sold"), value=sold, sort=True, kind=Kind.MONEY),  # type: ignore[arg-type]
        Column(key="margin", label=N_("Margin"), value=margin, sort=True, kind=Kind.MONEY),  # type: ignore[arg-type]
        Column(key="act", label=N_("Act"), value=lambda _row: "", kind=Kind.ACTION),
    ]
    return ListView[RetailRuleRow](
        name="prices",
        columns=columns,
        filters=(
            Filter(
                key="status",
                label=N_("Status"),
                choices=(("active", N_("Active")), ("to_come", N_("To come")), ("ended", N_("Ended"))),
                keeps=lambda row, value: row.status(today) == value,
            ),
        ),
        finds=lambda row, text: (
            text in f"{row.customer} {row.terms.scope.vendor} {shown.scope(row.terms.scope)}".casefold()
        ),
    )
