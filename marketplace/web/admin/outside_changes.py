"""What was changed at vendors without us: found by the daily comparison, settled by people or by itself."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import ColumnElement, select

from marketplace.core.actor import Audience, Permission
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_
from marketplace.vendors.models import OutsideChange
from marketplace.vendors.outside_changes import settle
from marketplace.web.admin import blueprint
from marketplace.web.guards import requires
from marketplace.web.listing import Column, Filter, Kind, ListView, OnPhone
from marketplace.web.navigation import GROUP_VENDORS, add_to_menu
from marketplace.web.session import current_actor, transaction
from resellers.models import Customer

add_to_menu(
    Audience.WHOLESALER,
    endpoint="admin.outside_changes",
    label=N_("Changes at vendors"),
    icon="git-compare",
    permission=Permission.WHOLESALER_VENDORS_VIEW,
    group=GROUP_VENDORS,
    place=20,
    words="sync comparison differences outside portal",
)

KINDS = {
    "quantity": N_("Other number of seats"),
    "status": N_("Other state"),
    "auto_renew": N_("Renews otherwise"),
    "ends_on": N_("Ends on another day"),
    "next_term": N_("Other next term"),
    "unknown": N_("We do not know it"),
    "missing": N_("The vendor does not have it"),
}


@dataclass(frozen=True)
class ChangeRow:
    """A difference in a list."""

    id: UUID
    name: str
    subscription: str
    customer: str
    vendor: str
    kind: str
    ours: str
    theirs: str
    seen_at: datetime
    status: str


def _row(found: tuple[OutsideChange, str]) -> ChangeRow:
    change, customer = found
    return ChangeRow(
        id=change.public_id,
        name=change.name or change.subscription,
        subscription=change.subscription,
        customer=customer,
        vendor=change.vendor,
        kind=gettext(KINDS[change.kind]),
        ours=change.ours,
        theirs=change.theirs,
        seen_at=change.seen_at,
        status="settled" if change.settled_at else "open",
    )


def _status_is(value: str) -> ColumnElement[bool]:
    return OutsideChange.settled_at.is_(None) if value == "open" else OutsideChange.settled_at.is_not(None)


_CHANGES = ListView[ChangeRow](
    name="outside-changes",
    columns=(
        Column(key="name", label=N_("Subscription"), value=lambda row: row.name, phone=OnPhone.TITLE),
        Column(
            key="customer", label=N_("Customer"), value=lambda row: row.customer, sort=Customer.legal_name
        ),
        Column(key="kind", label=N_("What differs"), value=lambda row: row.kind, sort=OutsideChange.kind),
        Column(key="ours", label=N_("Here"), value=lambda row: row.ours),
        Column(key="theirs", label=N_("At the vendor"), value=lambda row: row.theirs),
        Column(
            key="seen_at",
            label=N_("Found"),
            value=lambda row: row.seen_at,
            sort=OutsideChange.seen_at,
            kind=Kind.DAY,
        ),
        Column(
            key="status",
            label=N_("Status"),
            value=lambda row: row.status,
            kind=Kind.STATUS,
            phone=OnPhone.SIDE,
        ),
        Column(key="act", label=N_("Settle"), value=lambda _row: "", kind=Kind.ACTION),
    ),
    filters=(
        Filter(
            key="status",
            label=N_("Status"),
            choices=(("open", N_("Open")), ("settled", N_("Settled"))),
            where=_status_is,
        ),
        Filter(
            key="kind",
            label=N_("What differs"),
            choices=tuple(KINDS.items()),
            where=lambda value: OutsideChange.kind == value,
        ),
    ),
    search=(OutsideChange.name, OutsideChange.subscription, Customer.legal_name),
    sort="-seen_at",
    tie_break=(OutsideChange.id,),
    row=_row,
)


@blueprint.get("/outside-changes")
@requires(Permission.WHOLESALER_VENDORS_VIEW)
def outside_changes() -> ResponseReturnValue:
    """List what differs between vendors and us."""
    actor = current_actor()
    statement = select(OutsideChange, Customer.legal_name).join(
        Customer, Customer.id == OutsideChange.customer_id
    )
    with transaction() as session:
        return _CHANGES.respond(
            session,
            statement,
            "admin/outside_changes/list.html",
            may_settle=actor.may(Permission.WHOLESALER_VENDORS_MANAGE) and not actor.is_read_only,
        )


@blueprint.post("/outside-changes/<uuid:change_id>/settle")
@requires(Permission.WHOLESALER_VENDORS_MANAGE)
def settle_outside_change(change_id: UUID) -> ResponseReturnValue:
    """Say that a difference needs nothing more."""
    with transaction() as session:
        change = settle(
            session,
            actor=current_actor(),
            change_id=change_id,
            note=request.form.get("note", ""),
            now=utc_now(),
        )
    flash(gettext("%(name)s is settled.", name=change.name or change.subscription), "success")
    return redirect(url_for("admin.outside_changes"), code=303)
