"""Floors of margins: how low a party's own prices may be entered, by vendor. The wholesaler's and a reseller's are alike."""

from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from catalog.queries.products import vendors_of_products
from marketplace.core.actor import Permission
from marketplace.core.cells import FaultyEntry
from marketplace.web import filters as shown
from marketplace.web.forms import PageForm
from marketplace.web.guards import requires
from marketplace.web.session import current_actor, transaction
from resellers.models import MarginFloor
from resellers.operations.floors import own_floors, remove_floor, set_floor
from resellers.rules.floors import COLUMNS, read_floor


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


@dataclass(frozen=True)
class FloorPages:
    """What differs between the shells: the blueprint, and who may look and set."""

    blueprint: Blueprint
    views: Permission
    manages: Permission

    @property
    def shell(self) -> str:
        """The name of the shell, which endpoints begin with."""
        return self.blueprint.name


def add_floor_pages(pages: FloorPages) -> None:
    """Put the floors on a shell's blueprint."""

    @pages.blueprint.get("/floors")
    @requires(pages.views)
    def floors() -> ResponseReturnValue:
        """List the floors."""
        with transaction() as session:
            rows = session.scalars(own_floors(current_actor()).order_by(MarginFloor.vendor)).all()
        may_manage = current_actor().may(pages.manages)
        return render_template("floors/list.html", rows=rows, shell=pages.shell, may_manage=may_manage)

    @pages.blueprint.get("/floors/new")
    @requires(pages.manages)
    def new_floor() -> ResponseReturnValue:
        """Ask for a floor; `?floor=` fills the form from one that stands."""
        form = FloorForm()
        with transaction() as session:
            if standing := request.args.get("floor"):
                row = _floor_or_404(session, standing)
                form.vendor.data = row.vendor
                form.soft_percent.data = f"{row.soft_percent:f}"
                form.hard_percent.data = f"{row.hard_percent:f}"
            return _form_page(session, form, pages)

    @pages.blueprint.post("/floors/new")
    @requires(pages.manages)
    def save_floor() -> ResponseReturnValue:
        """Set a floor."""
        form = FloorForm()
        with transaction() as session:
            if not form.validate_on_submit():
                return _form_page(session, form, pages), 422
            try:
                vendor, floor = read_floor({name: form[name].data or "" for name in COLUMNS})
            except FaultyEntry as faulty:
                for row in faulty.rows:
                    form[row.column].errors = [*form[row.column].errors, shown.said(row.reason)]
                return _form_page(session, form, pages), 422
            set_floor(session, actor=current_actor(), vendor=vendor, floor=floor)
        flash(gettext("The floor is set. Rules that stand already are left as they are."), "success")
        return redirect(url_for(f"{pages.shell}.floors"), code=303)

    @pages.blueprint.route("/floors/<uuid:floor_id>/remove", methods=["GET", "POST"])
    @requires(pages.manages)
    def drop_floor(floor_id: UUID) -> ResponseReturnValue:
        """Ask whether a floor is to go, and remove it."""
        form = PageForm()
        with transaction() as session:
            row = _floor_or_404(session, str(floor_id))
            if form.validate_on_submit():
                remove_floor(session, actor=current_actor(), floor_id=floor_id)
                flash(gettext("The floor is removed."), "success")
                return redirect(url_for(f"{pages.shell}.floors"), code=303)
            return render_template("floors/remove.html", floor=row, form=form, shell=pages.shell)


def _form_page(session: Session, form: FloorForm, pages: FloorPages) -> str:
    vendors = vendors_of_products(session)
    return render_template("floors/new.html", form=form, vendors=vendors, shell=pages.shell)


def _floor_or_404(session: Session, floor_id: str) -> MarginFloor:
    try:
        wanted = UUID(floor_id)
    except ValueError:
        abort(404)
    found = session.scalars(own_floors(current_actor()).where(MarginFloor.public_id == wanted)).one_or_none()
    return found or abort(404)
