"""People, for the wholesaler: everybody, wherever they work."""

from uuid import UUID

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from marketplace.accounts.operations import people
from marketplace.accounts.operations.people import NoSuchPerson, Party
from marketplace.accounts.operations.sessions import party_to_view_as
from marketplace.accounts.queries import person_visible_to
from marketplace.core.actor import Audience, Permission
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_
from marketplace.web.admin import blueprint
from marketplace.web.audit_trail import add_audit_page
from marketplace.web.guards import requires
from marketplace.web.navigation import GROUP_SYSTEM, add_to_menu
from marketplace.web.people import PeoplePages, add_people_pages, invite, invite_page, new_invite_form
from marketplace.web.session import current_actor, transaction

PAGES = PeoplePages(
    blueprint, Audience.WHOLESALER, Permission.WHOLESALER_USERS_VIEW, Permission.WHOLESALER_USERS_MANAGE
)
add_people_pages(PAGES)
add_audit_page(
    blueprint,
    permission=Permission.WHOLESALER_AUDIT_VIEW,
    pages={
        "billing_period": lambda number: url_for("admin.period", period=number),
        "customer": lambda number: url_for("admin.customer", customer_id=number),
        "delivery": lambda number: url_for("admin.delivery", delivery_id=number),
        "membership": lambda number: url_for("admin.user", membership_id=number),
        "question": lambda number: url_for("admin.question", question_id=number),
        "reseller": lambda number: url_for("admin.reseller", reseller_id=number),
    },
)
add_to_menu(
    Audience.WHOLESALER,
    endpoint="admin.users",
    label=N_("People"),
    icon="users",
    permission=Permission.WHOLESALER_USERS_VIEW,
    group=GROUP_SYSTEM,
    place=80,
    words="users roles access invite",
)
add_to_menu(
    Audience.WHOLESALER,
    endpoint="admin.audit",
    label=N_("Audit trail"),
    icon="history",
    permission=Permission.WHOLESALER_AUDIT_VIEW,
    group=GROUP_SYSTEM,
    place=81,
    words="log who did what history",
)


@blueprint.get("/resellers/<uuid:reseller_id>/invite")
@requires(Permission.WHOLESALER_USERS_MANAGE)
def invite_to_reseller(reseller_id: UUID) -> ResponseReturnValue:
    """Ask whom to invite to a reseller."""
    return _invitation(Audience.RESELLER, reseller_id)


@blueprint.post("/resellers/<uuid:reseller_id>/invite")
@requires(Permission.WHOLESALER_USERS_MANAGE)
def send_invitation_to_reseller(reseller_id: UUID) -> ResponseReturnValue:
    """Invite somebody to a reseller."""
    return _send(Audience.RESELLER, reseller_id)


@blueprint.get("/customers/<uuid:customer_id>/invite")
@requires(Permission.WHOLESALER_USERS_MANAGE)
def invite_to_customer(customer_id: UUID) -> ResponseReturnValue:
    """Ask whom to invite to a customer."""
    return _invitation(Audience.CUSTOMER, customer_id)


@blueprint.post("/customers/<uuid:customer_id>/invite")
@requires(Permission.WHOLESALER_USERS_MANAGE)
def send_invitation_to_customer(customer_id: UUID) -> ResponseReturnValue:
    """Invite somebody to a customer."""
    return _send(Audience.CUSTOMER, customer_id)


@blueprint.post("/users/<uuid:membership_id>/deactivate")
@requires(Permission.WHOLESALER_USERS_MANAGE)
def deactivate_user(membership_id: UUID) -> ResponseReturnValue:
    """Shut the person's account, at every firm."""
    return _set_active(membership_id, is_active=False)


@blueprint.post("/users/<uuid:membership_id>/activate")
@requires(Permission.WHOLESALER_USERS_MANAGE)
def activate_user(membership_id: UUID) -> ResponseReturnValue:
    """Open the person's account again."""
    return _set_active(membership_id, is_active=True)


def _set_active(membership_id: UUID, *, is_active: bool) -> ResponseReturnValue:
    with transaction() as session:
        person = person_visible_to(session, current_actor(), membership_id)
        if person is None:
            raise NoSuchPerson
        people.set_active(
            session, actor=current_actor(), user_id=person.user_id, is_active=is_active, now=utc_now()
        )
    if is_active:
        flash(gettext("%(name)s can sign in again.", name=person.name), "success")
    else:
        flash(gettext("%(name)s can no longer sign in anywhere.", name=person.name), "success")
    return redirect(url_for("admin.user", membership_id=membership_id), code=303)


def _invitation(audience: Audience, party_id: UUID) -> ResponseReturnValue:
    _party, name = _party_named(audience, party_id)
    return invite_page(
        PAGES, form=new_invite_form(audience), party_name=name, action=_action(audience, party_id)
    )


def _send(audience: Audience, party_id: UUID) -> ResponseReturnValue:
    party, name = _party_named(audience, party_id)
    return invite(PAGES, party=party, party_name=name, action=_action(audience, party_id))


def _party_named(audience: Audience, party_id: UUID) -> tuple[Party, str]:
    with transaction() as session:
        found = party_to_view_as(session, audience=audience, party_id=party_id)
        return Party(audience, found.id), found.legal_name


def _action(audience: Audience, party_id: UUID) -> str:
    if audience is Audience.RESELLER:
        return url_for("admin.send_invitation_to_reseller", reseller_id=party_id)
    return url_for("admin.send_invitation_to_customer", customer_id=party_id)
