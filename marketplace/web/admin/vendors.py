"""Vendors: whether each can be reached, what is on its way there, and what is configured, without secrets."""

from contextlib import closing
from dataclasses import dataclass

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from pydantic import SecretStr
from sqlalchemy import select

from marketplace.core.actor import Audience, Permission
from marketplace.core.errors import N_
from marketplace.settings import Settings, environment_name
from marketplace.vendors.connector import Connector
from marketplace.vendors.queries import counts_by_vendor
from marketplace.vendors.registry import CONNECTED, MICROSOFT, connector_for
from marketplace.vendors.values import Health
from marketplace.web.admin import blueprint
from marketplace.web.guards import requires
from marketplace.web.navigation import GROUP_VENDORS, add_to_menu
from marketplace.web.session import transaction, wiring
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
    "orders": N_("Orders"),
    "changes": N_("Changes"),
    "upgrades": N_("Upgrades"),
    "subscriptions": N_("Subscriptions"),
    "invoices": N_("Bills"),
    "files": N_("Files of usage and bills"),
}


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


@blueprint.get("/vendors/<string:name>")
@requires(Permission.WHOLESALER_VENDORS_VIEW)
def vendor(name: str) -> ResponseReturnValue:
    """Show a vendor; with `check`, whether it can be reached now."""
    settings = wiring().settings
    with transaction() as session:
        counts = counts_by_vendor(session)
        known = session.scalars(
            select(VendorAccount.vendor).where(VendorAccount.vendor == name).limit(1)
        ).all()
    if name not in {*CONNECTED, *counts, *known}:
        abort(404)
    with closing(connector_for(settings, name)) as connector:
        health = connector.health() if "check" in request.args else None
        return _page(name, settings, connector, counts.get(name, {}), health)


def _page(
    name: str, settings: Settings, connector: Connector, counts: dict[str, int], health: Health | None
) -> str:
    return render_template(
        "admin/vendors/show.html",
        row=_row(name, settings, counts),
        counts=counts,
        health=health,
        is_simulated=name == MICROSOFT and settings.has_simulator,
        capabilities=[
            (gettext(label), key in connector.capabilities) for key, label in _CAPABILITIES.items()
        ],
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
