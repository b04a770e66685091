"""The wholesaler's own particulars: its legal identity, the currency it reckons in, and whether two persons approve."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from wtforms import BooleanField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from marketplace.core.actor import Audience, Permission
from marketplace.core.cells import FaultyEntry
from marketplace.core.currency import CURRENCIES
from marketplace.core.errors import N_
from marketplace.web.admin import blueprint
from marketplace.web.admin.wholesaler import wholesaler_of
from marketplace.web.forms import PageForm
from marketplace.web.guards import requires
from marketplace.web.navigation import GROUP_SYSTEM, add_to_menu
from marketplace.web.session import current_actor, transaction
from resellers.operations.wholesaler import change_wholesaler
from resellers.rules.identity import WholesalerEntry, read_wholesaler

add_to_menu(
    Audience.WHOLESALER,
    endpoint="admin.settings",
    label=N_("Settings"),
    icon="settings",
    permission=Permission.WHOLESALER_SETTINGS_MANAGE,
    group=GROUP_SYSTEM,
    place=85,
    words="identity currency four eyes approval company",
)

_IDENTITY = ("legal_name", "country", "vat_number", "registration_number", "email", "currency")
_LONGEST = 200


class SettingsForm(PageForm):
    """Who the wholesaler is, and how it works."""

    legal_name = StringField(
        lazy_gettext("Legal name"),
        validators=[InputRequired(lazy_gettext("Write the legal name.")), Length(max=_LONGEST)],
    )
    country = StringField(
        lazy_gettext("Country"), validators=[InputRequired(lazy_gettext("Write the country's two letters."))]
    )
    vat_number = StringField(lazy_gettext("VAT number"), validators=[Length(max=_LONGEST)])
    registration_number = StringField(lazy_gettext("Registration number"), validators=[Length(max=_LONGEST)])
    email = StringField(lazy_gettext("E-mail"), validators=[Length(max=_LONGEST)])
    currency = SelectField(lazy_gettext("Currency of margins"), validators=[InputRequired()])
    four_eyes = BooleanField(lazy_gettext("A month is approved by another person than the one who rated it"))


@blueprint.get("/settings")
@requires(Permission.WHOLESALER_SETTINGS_MANAGE)
def settings() -> ResponseReturnValue:
    """Show the particulars, to be changed."""
    form = _form()
    with transaction() as session:
        wholesaler = wholesaler_of(session)
        for name in (*_IDENTITY, "four_eyes"):
            form[name].data = getattr(wholesaler, name)
    return render_template("admin/settings/edit.html", form=form)


@blueprint.post("/settings")
@requires(Permission.WHOLESALER_SETTINGS_MANAGE)
def change_settings() -> ResponseReturnValue:
    """Change the particulars."""
    form = _form()
    entry = _read(form)
    if entry is None:
        return render_template("admin/settings/edit.html", form=form), 422
    with transaction() as session:
        change_wholesaler(session, actor=current_actor(), entry=entry, four_eyes=bool(form.four_eyes.data))
    flash(gettext("The settings are saved."), "success")
    return redirect(url_for("admin.settings"), code=303)


def _form() -> SettingsForm:
    form = SettingsForm()
    form.currency.choices = [SelectChoice(code, code) for code in sorted(CURRENCIES)]
    return form


def _read(form: SettingsForm) -> WholesalerEntry | None:
    """Read the particulars; faults are shown at their fields."""
    if not form.validate_on_submit():
        return None
    try:
        return read_wholesaler({name: form[name].data or "" for name in _IDENTITY})
    except FaultyEntry as faulty:
        form.refuse_entry(faulty)
        return None
