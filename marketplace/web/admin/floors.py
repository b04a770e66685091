"""Floors of margins: how low the wholesaler's own prices may be entered, by vendor."""

from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from catalog.queries.products import vendors_of_products
from marketplace.core.actor import Audience, Permission
from marketplace.core.cells import FaultyEntry
from marketplace.core.errors import N_
from marketplace.web import filters as shown
from marketplace.web.admin import blueprint
from marketplace.web.forms import PageForm
from marketplace.web.guards import requires
from marketplace.web.navigation import GROUP_TERMS, add_to_menu
from marketplace.web.session import current_actor, transaction
from resellers.models import MarginFloor
from resellers.operations.floors import remove_floor, set_floor
from resellers.rules.floors import COLUMNS, read_floor

add_to_menu(
    Audience.WHOLESALER,
    endpoint="admin.floors",
    label=N_("Floors of margins"),
    icon="scale",
    permission=Permission.WHOLESALER_TERMS_VIEW,
    group=GROUP_TERMS,
    place=45,
    words="minimum margin markup limit price rules",
)


class FloorForm(PageForm):
    """A vendor, and what is to be earned on its cost at least."""

    vendor = StringField(lazy_gettext("Vendor"), validators=[Length(max=100)])
    soft_percent = StringField(
        lazy_gettext("Soft floor, in percent of the cost"),
        validators=[InputRequired(lazy_gettext("Write the percentage."))],
    )
    hard_percent = StringField(
        lazy_gettext("Hard floor, in percent of the cost"),
        validators=[InputRequired(lazy_gettext("Write the percentage."))],
    )


@blueprint.get("/floors")
@requires(Permission.WHOLESALER_TERMS_VIEW)
def floors() -> ResponseReturnValue:
    """List the floors."""
    with transaction() as session:
        rows = session.scalars(select(MarginFloor).order_by(MarginFloor.vendor)).all()
    return render_template("admin/floors/list.html", rows=rows)


@blueprint.get("/floors/new")
@requires(Permission.WHOLESALER_FLOORS_MANAGE)
def new_floor() -> ResponseReturnValue:
    """Ask for a floor; `?floor=` fills the form from one that stands."""
    form = FloorForm()
    with transaction() as session:
        if standing := request.args.get("floor"):
            row = _floor_or_404(session, standing)
            form.vendor.data = row.vendor
            form.soft_percent.data, form.hard_percent.data = f"{row.soft_percent:f}", f"{row.hard_percent:f}"
        return _form_page(session, form)


@blueprint.post("/floors/new")
@requires(Permission.WHOLESALER_FLOORS_MANAGE)
def save_floor() -> ResponseReturnValue:
    """Set a floor."""
    form = FloorForm()
    with transaction() as session:
        if not form.validate_on_submit():
            return _form_page(session, form), 422
        try:
            vendor, floor = read_floor({name: form[name].data or "" for name in COLUMNS})
        except FaultyEntry as faulty:
            for row in faulty.rows:
                form[row.column].errors = [*form[row.column].errors, shown.said(row.reason)]
            return _form_page(session, form), 422
        set_floor(session, actor=current_actor(), vendor=vendor, floor=floor)
    flash(gettext("The floor is set. Rules that stand already are left as they are."), "success")
    return redirect(url_for("admin.floors"), code=303)


@blueprint.route("/floors/<uuid:floor_id>/remove", methods=["GET", "POST"])
@requires(Permission.WHOLESALER_FLOORS_MANAGE)
def drop_floor(floor_id: UUID) -> ResponseReturnValue:
    """Ask whether a floor is to go, and remove it."""
    form = PageForm()
    with transaction() as session:
        row = _floor_or_404(session, str(floor_id))
        if form.validate_on_submit():
            remove_floor(session, actor=current_actor(), floor_id=floor_id)
            flash(gettext("The floor is removed."), "success")
            return redirect(url_for("admin.floors"), code=303)
        return render_template("admin/floors/remove.html", floor=row, form=form)


def _form_page(session: Session, form: FloorForm) -> str:
    return render_template("admin/floors/new.html", form=form, vendors=vendors_of_products(session))


def _floor_or_404(session: Session, floor_id: str) -> MarginFloor:
    try:
        wanted = UUID(floor_id)
    except ValueError:
        abort(404)
    found = session.scalars(select(MarginFloor).where(MarginFloor.public_id == wanted)).one_or_none()
    return found or abort(404)
