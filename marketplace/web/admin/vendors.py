"""Vendors: whether each can be reached, what is on its way there, and what is configured, without secrets."""

from contextlib import closing
from dataclasses import dataclass

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from pydantic import SecretStr
from sqlalchemy import select
from wtforms.validators import InputRequired

from marketplace.core.actor import Audience, Permission
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_
from marketplace.core.period import Period
from marketplace.settings import Settings, environment_name
from marketplace.usage.jobs import queue_fetching
from marketplace.usage.operations.fetch_log import last_fetches, next_night, periods_due
from marketplace.vendors.connector import Capability
from marketplace.vendors.queries import counts_by_vendor
from marketplace.vendors.registry import CONNECTED, MICROSOFT, connector_for
from marketplace.web import filters as shown
from marketplace.web.admin import blueprint
from marketplace.web.forms import PageForm, PeriodField
from marketplace.web.guards import requires
from marketplace.web.navigation import GROUP_VENDORS, add_to_menu
from marketplace.web.session import current_actor, transaction, wiring
from resellers.models import VendorAccount

add_to_menu(
    Audience.WHOLESALER,
    endpoint="admin.vendors",
    label=N_("Connections"),
    icon="plug",
    permission=Permission.WHOLESALER_VENDORS_VIEW,
    group=GROUP_VENDORS,
    place=30,
    words="vendors microsoft partner center simulator connector health settings",
)

_SETTINGS = {
    MICROSOFT: (
        "microsoft_address",
        "microsoft_graph_address",
        "microsoft_sign_in_address",
        "microsoft_tenant",
        "microsoft_client_id",
        "microsoft_client_secret",
        "simulator_port",
    )
}
_CAPABILITIES = {
    "catalogue": N_("Catalogue"),
    "customers": N_("Customers"),
    "agreements": N_("Agreements"),
    "partners": N_("Partners on record"),
    "promotions": N_("Promotions"),
    "orders": N_("Orders"),
    "changes": N_("Changes"),
    "upgrades": N_("Upgrades"),
    "subscriptions": N_("Subscriptions"),
    "invoices": N_("Bills"),
    "files": N_("Files"),
}


class MonthForm(PageForm):
    """Which month's files are to be fetched."""

    month = PeriodField(
        lazy_gettext("Month"), validators=[InputRequired(lazy_gettext("Choose a month, such as 2024-09."))]
    )


@dataclass(frozen=True)
class VendorRow:
    """A vendor, how it is served, and what waits for it."""

    name: str
    kind: str
    moving: int
    stuck: int
    done: int


@dataclass(frozen=True)
class SettingRow:
    """A setting: its name, and its value unless that is a secret."""

    name: str
    value: str
    is_secret: bool
    is_set: bool


@blueprint.get("/vendors")
@requires(Permission.WHOLESALER_VENDORS_VIEW)
def vendors() -> ResponseReturnValue:
    """List the vendors that have accounts or requests here, and those that are connected."""
    with transaction() as session:
        counts = counts_by_vendor(session)
        known = session.scalars(select(VendorAccount.vendor).distinct()).all()
    settings = wiring().settings
    names = sorted({*CONNECTED, *counts, *known})
    rows = [_row(name, settings, counts.get(name, {})) for name in names]
    return render_template("admin/vendors/list.html", rows=rows)


@blueprint.get("/vendors/<string:vendor_name>")
@requires(Permission.WHOLESALER_VENDORS_VIEW)
def vendor(vendor_name: str) -> ResponseReturnValue:
    """Show a vendor; with `check`, whether it can be reached now."""
    form = MonthForm(formdata=None)
    form.month.data = Period.of(utc_now().date()).previous()
    return _page(vendor_name, form, is_checked="check" in request.args)


@blueprint.post("/vendors/<string:vendor_name>/fetch")
@requires(Permission.WHOLESALER_USAGE_IMPORT)
def fetch_files(vendor_name: str) -> ResponseReturnValue:
    """Have the worker fetch a month's files and import them."""
    if vendor_name not in CONNECTED:
        abort(404)
    form = MonthForm()
    period: Period | None = form.month.data
    if not form.validate_on_submit() or period is None:
        return _page(vendor_name, form), 422
    with transaction() as session:
        queue_fetching(session, actor=current_actor(), vendor=vendor_name, period=period)
    flash(gettext("The files of %(month)s are being fetched.", month=shown.period(period)), "success")
    return redirect(url_for("admin.vendor", vendor_name=vendor_name), code=303)


@blueprint.post("/vendors/<string:vendor_name>/fetch-now")
@requires(Permission.WHOLESALER_USAGE_IMPORT)
def fetch_now(vendor_name: str) -> ResponseReturnValue:
    """Have the worker fetch now what it fetches every night."""
    if vendor_name not in CONNECTED:
        abort(404)
    with transaction() as session:
        for period in periods_due(session, vendor_name, today=utc_now().date()):
            queue_fetching(session, actor=current_actor(), vendor=vendor_name, period=period)
    flash(gettext("The files are being fetched."), "success")
    return redirect(url_for("admin.vendor", vendor_name=vendor_name), code=303)


def _page(name: str, form: MonthForm, *, is_checked: bool = False) -> str:
    settings = wiring().settings
    with transaction() as session:
        counts = counts_by_vendor(session)
        known = session.scalars(
            select(VendorAccount.vendor).where(VendorAccount.vendor == name).limit(1)
        ).all()
        fetches = last_fetches(session, name)
    if name not in {*CONNECTED, *counts, *known}:
        abort(404)
    with closing(connector_for(settings, name)) as connector:
        health = connector.health() if is_checked else None
        capabilities = connector.capabilities
    actor = current_actor()
    return render_template(
        "admin/vendors/show.html",
        row=_row(name, settings, counts.get(name, {})),
        health=health,
        form=form,
        has_files=Capability.FILES in capabilities,
        fetches=[(one, Period.from_number(one.period)) for one in fetches],
        next_fetch=next_night(utc_now()),
        may_fetch=Capability.FILES in capabilities
        and actor.may(Permission.WHOLESALER_USAGE_IMPORT)
        and not actor.is_read_only,
        is_simulated=name == MICROSOFT and settings.has_simulator,
        capabilities=[(gettext(label), key in capabilities) for key, label in _CAPABILITIES.items()],
        settings=[_setting(settings, field) for field in _SETTINGS.get(name, ())],
    )


def _row(name: str, settings: Settings, counts: dict[str, int]) -> VendorRow:
    if name != MICROSOFT or not (settings.microsoft_address or settings.has_simulator):
        kind = gettext("By hand")
    elif settings.has_simulator:
        kind = gettext("Simulator")
    else:
        kind = gettext("Connected")
    return VendorRow(
        name=name,
        kind=kind,
        moving=sum(counts.get(state, 0) for state in ("queued", "sent", "waiting")),
        stuck=sum(counts.get(state, 0) for state in ("inquiry", "by_hand", "failed")),
        done=counts.get("done", 0),
    )


def _setting(settings: Settings, field: str) -> SettingRow:
    value = getattr(settings, field)
    is_secret = isinstance(value, SecretStr)
    plain = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
    return SettingRow(
        environment_name(field), "" if is_secret else plain, is_secret=is_secret, is_set=bool(plain)
    )
