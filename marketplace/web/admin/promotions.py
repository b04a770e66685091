"""Promotions: what vendors take off their prices, for whom and until when."""

from datetime import date
from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from sqlalchemy import and_, select
from sqlalchemy.orm import Session
from wtforms import BooleanField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from catalog.models import Promotion
from catalog.operations.promotions import add_promotion, end_promotion
from catalog.queries.products import ProductPage, find_product
from catalog.queries.promotions import plans_of_promotion, promotion_list
from catalog.rules.promotions import COLUMNS, PromotionTerms, read_promotion
from marketplace.core.actor import Audience, Permission
from marketplace.core.cells import FaultyEntry
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_, Refusal
from marketplace.web import catalogue_words
from marketplace.web import filters as shown
from marketplace.web.admin import blueprint
from marketplace.web.forms import DayField, PageForm
from marketplace.web.guards import requires
from marketplace.web.listing import Column, Filter, Kind, ListView, OnPhone
from marketplace.web.navigation import GROUP_CATALOGUE, add_to_menu
from marketplace.web.session import current_actor, transaction

add_to_menu(
    Audience.WHOLESALER,
    endpoint="admin.promotions",
    label=N_("Promotions"),
    icon="percentage",
    permission=Permission.WHOLESALER_CATALOGUE_VIEW,
    group=GROUP_CATALOGUE,
    place=14,
    words="discounts offers catalogue eligibility",
)

_LONGEST = 200
_STATES = (("running", N_("Running")), ("coming", N_("Coming")), ("ended", N_("Ended")))


class PromotionForm(PageForm):
    """What a promotion gives, and to whom."""

    reference = StringField(
        lazy_gettext("The vendor’s reference"),
        validators=[InputRequired(lazy_gettext("Write the vendor’s reference.")), Length(max=_LONGEST)],
    )
    title = StringField(
        lazy_gettext("Title"),
        validators=[InputRequired(lazy_gettext("Write a title.")), Length(max=_LONGEST)],
    )
    percent = StringField(
        lazy_gettext("Percent off the cost"),
        validators=[InputRequired(lazy_gettext("Write the percentage."))],
    )
    starts_on = DayField(
        lazy_gettext("First day"), validators=[InputRequired(lazy_gettext("Choose the first day."))]
    )
    ends_on = DayField(
        lazy_gettext("First day on which it no longer holds"),
        validators=[InputRequired(lazy_gettext("Choose the day."))],
    )
    segment = SelectField(lazy_gettext("Segment"))
    minimum_quantity = StringField(lazy_gettext("Seats at least"))
    maximum_quantity = StringField(lazy_gettext("Seats at most"))
    is_first_purchase_only = BooleanField(lazy_gettext("Only for a customer’s first purchase of the SKU"))


class EndForm(PageForm):
    """The day from which a promotion no longer holds."""

    end = DayField(
        lazy_gettext("First day on which it no longer holds"),
        validators=[InputRequired(lazy_gettext("Choose the day."))],
    )


def _state(promotion: Promotion, today: date) -> str:
    if promotion.starts_on > today:
        return "coming"
    return "running" if promotion.ends_on > today else "ended"


def _view(today: date) -> ListView[Any]:
    conditions = {
        "running": and_(Promotion.starts_on <= today, Promotion.ends_on > today),
        "coming": Promotion.starts_on > today,
        "ended": Promotion.ends_on <= today,
    }
    return ListView[Any](
        name="promotions",
        columns=(
            Column(
                key="title",
                label=N_("Promotion"),
                value=lambda row: row.Promotion.title,
                sort=Promotion.title,
                phone=OnPhone.TITLE,
            ),
            Column(
                key="vendor",
                label=N_("Vendor"),
                value=lambda row: row.Promotion.vendor,
                kind=Kind.VENDOR,
                sort=Promotion.vendor,
            ),
            Column(
                key="percent",
                label=N_("Off the cost"),
                value=lambda row: shown.percent(row.Promotion.percent),
                sort=Promotion.percent,
                kind=Kind.NUMBER,
            ),
            Column(
                key="starts",
                label=N_("From"),
                value=lambda row: row.Promotion.starts_on,
                sort=Promotion.starts_on,
                kind=Kind.DAY,
            ),
            Column(
                key="ends",
                label=N_("Until (excluded)"),
                value=lambda row: row.Promotion.ends_on,
                sort=Promotion.ends_on,
                kind=Kind.DAY,
            ),
            Column(key="plans", label=N_("Plans"), value=lambda row: row.plans, kind=Kind.NUMBER),
            Column(
                key="state",
                label=N_("Status"),
                value=lambda row: gettext(dict(_STATES)[_state(row.Promotion, today)]),
                phone=OnPhone.SIDE,
            ),
        ),
        filters=(
            Filter(key="state", label=N_("Status"), choices=_STATES, where=lambda value: conditions[value]),
        ),
        search=(Promotion.title, Promotion.reference, Promotion.vendor),
        search_label=N_("Search title or reference"),
        sort="-ends",
        tie_break=(Promotion.id,),
    )


@blueprint.get("/promotions")
@requires(Permission.WHOLESALER_CATALOGUE_VIEW)
def promotions() -> ResponseReturnValue:
    """List promotions."""
    today = utc_now().date()
    with transaction() as session:
        return _view(today).respond(
            session, promotion_list(), "admin/promotions/list.html", state=lambda one: _state(one, today)
        )


@blueprint.get("/promotions/<uuid:promotion_id>")
@requires(Permission.WHOLESALER_CATALOGUE_VIEW)
def promotion(promotion_id: UUID) -> ResponseReturnValue:
    """Show a promotion and the plans it is for."""
    with transaction() as session:
        found = _promotion_or_404(session, promotion_id)
        return render_template(
            "admin/promotions/show.html",
            promotion=found,
            plans=session.execute(plans_of_promotion(found.id)).all(),
            state=_state(found, utc_now().date()),
            words=catalogue_words,
        )


@blueprint.get("/products/<uuid:product_id>/promotions/new")
@requires(Permission.WHOLESALER_CATALOGUE_MANAGE)
def new_promotion(product_id: UUID) -> ResponseReturnValue:
    """Ask for a promotion of a product's plans."""
    with transaction() as session:
        return _form_page(_product_or_404(session, product_id), _form())


@blueprint.post("/products/<uuid:product_id>/promotions/new")
@requires(Permission.WHOLESALER_CATALOGUE_MANAGE)
def save_promotion(product_id: UUID) -> ResponseReturnValue:
    """Add a promotion of a product's plans."""
    form = _form()
    with transaction() as session:
        page = _product_or_404(session, product_id)
        chosen = [
            plan.public_id
            for plans in page.plans.values()
            for plan in plans
            if str(plan.public_id) in request.form.getlist("plans")
        ]
        terms = _read(form)
        if terms is None:
            return _form_page(page, form), 422
        try:
            with session.begin_nested():
                added = add_promotion(
                    session, actor=current_actor(), product_id=product_id, terms=terms, plan_ids=chosen
                )
        except Refusal as refusal:
            form.refuse(refusal)
            return _form_page(page, form), 422
        address = url_for("admin.promotion", promotion_id=added.public_id)
    flash(gettext("The promotion is added."), "success")
    return redirect(address, code=303)


@blueprint.route("/promotions/<uuid:promotion_id>/end", methods=["GET", "POST"])
@requires(Permission.WHOLESALER_CATALOGUE_MANAGE)
def stop_promotion(promotion_id: UUID) -> ResponseReturnValue:
    """Ask from when a promotion no longer holds, and end it."""
    form = EndForm()
    status = 422 if request.method == "POST" else 200
    with transaction() as session:
        found = _promotion_or_404(session, promotion_id)
        if form.validate_on_submit():
            try:
                with session.begin_nested():
                    end_promotion(
                        session, actor=current_actor(), promotion_id=promotion_id, end=form.end.data
                    )
                flash(gettext("It ends on %(day)s.", day=shown.day(form.end.data)), "success")
                return redirect(url_for("admin.promotion", promotion_id=promotion_id), code=303)
            except Refusal as refusal:
                form.refuse(refusal, "end")
        return render_template("admin/promotions/end.html", promotion=found, form=form), status


def _form() -> PromotionForm:
    form = PromotionForm()
    form.segment.choices = [
        SelectChoice("", gettext("Any")),
        *(SelectChoice(one.value, gettext(label)) for one, label in catalogue_words.SEGMENTS.items()),
    ]
    return form


def _read(form: PromotionForm) -> PromotionTerms | None:
    """Read the terms; faults are shown at their fields."""
    if not form.validate_on_submit():
        return None
    cells = {name: form[name].data for name in COLUMNS}
    try:
        return read_promotion(
            {
                name: value.isoformat() if isinstance(value, date) else str(value or "")
                for name, value in cells.items()
            }
        )
    except FaultyEntry as faulty:
        for row in faulty.rows:
            form[row.column].errors = [*form[row.column].errors, shown.said(row.reason)]
        return None


def _form_page(page: ProductPage, form: PromotionForm) -> str:
    return render_template(
        "admin/promotions/new.html",
        page=page,
        product=page.product,
        form=form,
        chosen=request.form.getlist("plans"),
        words=catalogue_words,
    )


def _product_or_404(session: Session, product_id: UUID) -> ProductPage:
    return find_product(session, product_id) or abort(404)


def _promotion_or_404(session: Session, promotion_id: UUID) -> Promotion:
    found = session.scalars(select(Promotion).where(Promotion.public_id == promotion_id)).one_or_none()
    return found or abort(404)
