"""Pages about people, the same for the three audiences: each registers them on its own blueprint.

Staff see everybody and where they work; owners see the people of their own firm.
"""

from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale, gettext, lazy_gettext
from sqlalchemy import ColumnElement, and_, false
from sqlalchemy.orm import Session
from wtforms import RadioField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from marketplace.accounts.models import Membership, User
from marketplace.accounts.operations import people
from marketplace.accounts.operations.people import Invitation, Party
from marketplace.accounts.queries import (
    LAST_SEEN,
    PARTY_NAME,
    PersonRow,
    people_visible_to,
    person_row,
    person_visible_to,
    seller_of,
)
from marketplace.accounts.roles import AUDIENCE_LABELS, ROLE_HINTS, ROLE_LABELS, Role, roles_of
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_, Refusal
from marketplace.web.forms import PageForm
from marketplace.web.guards import requires
from marketplace.web.listing import Column, Filter, Kind, ListView, OnPhone
from marketplace.web.mails import letterhead_for, post_mail
from marketplace.web.preferences import language
from marketplace.web.session import current_actor, transaction


@dataclass(frozen=True)
class PeoplePages:
    """What differs between the shells: the blueprint, who may look, who may change."""

    blueprint: Blueprint
    audience: Audience
    views: Permission
    manages: Permission

    @property
    def layout(self) -> str:
        """The shell's layout."""
        return f"layouts/{self.blueprint.name}.html"


class InviteForm(PageForm):
    """Whom to invite, and to do what."""

    email = StringField(lazy_gettext("E-mail"), validators=[InputRequired(lazy_gettext("Write an e-mail."))])
    name = StringField(lazy_gettext("Name"), validators=[InputRequired(lazy_gettext("Write a name."))])
    role = RadioField(lazy_gettext("Role"), validators=[InputRequired(lazy_gettext("Choose a role."))])


class RoleForm(PageForm):
    """Another role."""

    role = RadioField(lazy_gettext("Role"), validators=[InputRequired(lazy_gettext("Choose a role."))])


_STATUSES = (("active", N_("Active")), ("ended", N_("Ended")), ("deactivated", N_("Deactivated")))


def _has_status(word: str) -> ColumnElement[bool]:
    match word:
        case "active":
            return and_(User.is_active, Membership.ended_at.is_(None))
        case "ended":
            return and_(User.is_active, Membership.ended_at.is_not(None))
        case "deactivated":
            return ~User.is_active
        case _:
            return false()


def _role_in_words(row: PersonRow) -> str:
    return str(gettext(ROLE_LABELS[row.role]))


_PERSON = Column[PersonRow](
    key="name", label=N_("Name"), value=lambda row: row.name, sort=User.name, phone=OnPhone.TITLE
)
_EMAIL = Column[PersonRow](key="email", label=N_("E-mail"), value=lambda row: row.email, sort=User.email)
_ROLE = Column[PersonRow](key="role", label=N_("Role"), value=_role_in_words, sort=Membership.role)
_SEEN = Column[PersonRow](
    key="seen", label=N_("Last seen"), value=lambda row: row.last_seen_at, sort=LAST_SEEN, kind=Kind.DAY
)
_STATUS = Column[PersonRow](
    key="status", label=N_("Status"), value=lambda row: row.status, kind=Kind.STATUS, phone=OnPhone.SIDE
)
_STATUS_FILTER = Filter[PersonRow](key="status", label=N_("Status"), choices=_STATUSES, where=_has_status)

COLLEAGUES = ListView[PersonRow](
    name="people",
    columns=(_PERSON, _EMAIL, _ROLE, _SEEN, _STATUS),
    filters=(_STATUS_FILTER,),
    search=(User.name, User.email),
    sort="name",
    tie_break=(Membership.id,),
    row=person_row,
)
EVERYBODY = ListView[PersonRow](
    name="people",
    columns=(
        _PERSON,
        _EMAIL,
        Column(
            key="audience",
            label=N_("Kind of firm"),
            value=lambda row: gettext(AUDIENCE_LABELS[row.audience]),
            sort=Membership.audience,
        ),
        Column(key="party", label=N_("Firm"), value=lambda row: row.party_name, sort=PARTY_NAME),
        _ROLE,
        _SEEN,
        _STATUS,
    ),
    filters=(
        Filter(
            key="audience",
            label=N_("Kind of firm"),
            choices=tuple((audience.value, label) for audience, label in AUDIENCE_LABELS.items()),
            where=lambda value: Membership.audience == value,
        ),
        _STATUS_FILTER,
    ),
    search=(User.name, User.email, PARTY_NAME),
    sort="name",
    tie_break=(Membership.id,),
    row=person_row,
)


def add_people_pages(pages: PeoplePages) -> None:
    """Put the pages on a shell's blueprint: list, invite, one person, change role, end and give back access."""
    blueprint = pages.blueprint
    shell = blueprint.name

    @blueprint.get("/users")
    @requires(pages.views)
    def users() -> ResponseReturnValue:
        """List people."""
        actor = current_actor()
        view = EVERYBODY if actor.audience is Audience.WHOLESALER else COLLEAGUES
        with transaction() as session:
            return view.respond(
                session,
                people_visible_to(actor),
                "people/list.html",
                pages=pages,
                may_manage=_may(pages, actor),
            )

    @blueprint.get("/users/invite")
    @requires(pages.manages)
    def invite_user() -> ResponseReturnValue:
        """Ask whom to invite to the own firm."""
        return invite_page(pages, form=_invite_form(pages.audience))

    @blueprint.post("/users/invite")
    @requires(pages.manages)
    def send_invitation() -> ResponseReturnValue:
        """Invite somebody to the own firm."""
        return invite(pages, party=Party.of(current_actor()), party_name=current_actor().party_name)

    @blueprint.get("/users/<uuid:membership_id>")
    @requires(pages.views)
    def user(membership_id: UUID) -> ResponseReturnValue:
        """Show one person at one firm."""
        person = _person(membership_id)
        return _show(pages, person, form=_role_form(person))

    @blueprint.post("/users/<uuid:membership_id>/role")
    @requires(pages.manages)
    def change_user_role(membership_id: UUID) -> ResponseReturnValue:
        """Change a role."""
        person = _person(membership_id)
        form = _role_form(person)
        if not form.validate_on_submit():
            return _show(pages, person, form=form), 422
        try:
            with transaction() as session:
                people.change_role(
                    session, actor=current_actor(), membership_id=membership_id, role=form.role.data or ""
                )
        except Refusal as refusal:
            form.refuse(refusal, "role")
            return _show(pages, person, form=form), 422
        flash(gettext("%(name)s has a new role.", name=person.name), "success")
        return redirect(url_for(f"{shell}.user", membership_id=membership_id), code=303)

    @blueprint.post("/users/<uuid:membership_id>/end")
    @requires(pages.manages)
    def end_user(membership_id: UUID) -> ResponseReturnValue:
        """Take access to the firm away."""
        person = _person(membership_id)
        with transaction() as session:
            people.end_membership(session, actor=current_actor(), membership_id=membership_id, now=utc_now())
        flash(gettext("%(name)s has no access here any more.", name=person.name), "success")
        return redirect(url_for(f"{shell}.user", membership_id=membership_id), code=303)

    @blueprint.post("/users/<uuid:membership_id>/restore")
    @requires(pages.manages)
    def restore_user(membership_id: UUID) -> ResponseReturnValue:
        """Give access back."""
        person = _person(membership_id)
        with transaction() as session:
            people.restore_membership(session, actor=current_actor(), membership_id=membership_id)
        flash(gettext("%(name)s has access again.", name=person.name), "success")
        return redirect(url_for(f"{shell}.user", membership_id=membership_id), code=303)

    @blueprint.post("/users/<uuid:membership_id>/invite-again")
    @requires(pages.manages)
    def invite_user_again(membership_id: UUID) -> ResponseReturnValue:
        """Mail a fresh link to choose a password."""
        with transaction() as session:
            invitation = people.invite_again(
                session, actor=current_actor(), membership_id=membership_id, now=utc_now()
            )
            mail_invitation(session, invitation, party_name=_person(membership_id).party_name)
        flash(gettext("A new link is on its way to %(email)s.", email=invitation.to_address), "success")
        return redirect(url_for(f"{shell}.user", membership_id=membership_id), code=303)


def invite(
    pages: PeoplePages, *, party: Party, party_name: str, action: str = "", then: str = ""
) -> ResponseReturnValue:
    """Invite somebody to a firm, mail the invitation, and go on to `then`, else to the person's page."""
    form = _invite_form(party.audience)
    if not form.validate_on_submit():
        return invite_page(pages, form=form, party_name=party_name, action=action), 422
    try:
        with transaction() as session:
            invitation = people.invite(
                session,
                actor=current_actor(),
                party=party,
                email=form.email.data or "",
                name=form.name.data or "",
                role=form.role.data or "",
                locale=language(),
                now=utc_now(),
            )
            mail_invitation(session, invitation, party_name=party_name)
    except Refusal as refusal:
        form.refuse(refusal, "email")
        return invite_page(pages, form=form, party_name=party_name, action=action), 422
    flash(gettext("An invitation is on its way to %(email)s.", email=invitation.to_address), "success")
    shown = then or url_for(f"{pages.blueprint.name}.user", membership_id=invitation.membership_id)
    return redirect(shown, code=303)


def invite_page(pages: PeoplePages, *, form: InviteForm, party_name: str = "", action: str = "") -> str:
    """Show the form of an invitation."""
    return render_template(
        "people/new.html",
        pages=pages,
        form=form,
        party_name=party_name or current_actor().party_name,
        action=action or url_for(f"{pages.blueprint.name}.send_invitation"),
    )


def mail_invitation(session: Session, invitation: Invitation, *, party_name: str) -> None:
    """Mail a link to choose a password; or, to somebody who has one, that there is a new firm to act for."""
    seller = seller_of(session, membership_id=invitation.membership_id)
    with force_locale(invitation.locale or language()):
        body = render_template(
            "emails/invitation.txt",
            name=invitation.name,
            inviter=current_actor().name,
            party_name=party_name,
            has_password=invitation.token is None,
        )
        path = (
            url_for("sign_in.choose_password", token=invitation.token)
            if invitation.token
            else url_for("sign_in.sign_in")
        )
        post_mail(
            session,
            to_address=invitation.to_address,
            subject=gettext("Your access to %(party)s", party=party_name),
            body=body,
            path=path,
            letterhead=letterhead_for(session, seller),
        )


def new_invite_form(audience: Audience) -> InviteForm:
    """Make an empty form with the roles of an audience."""
    return _invite_form(audience)


def _invite_form(audience: Audience) -> InviteForm:
    form = InviteForm()
    form.role.choices = _role_choices(audience)
    return form


def _role_form(person: PersonRow) -> RoleForm:
    form = RoleForm(data={"role": person.role.value})
    form.role.choices = _role_choices(person.audience)
    return form


def _role_choices(audience: Audience) -> list[SelectChoice]:
    return [SelectChoice(role.value, _described(audience, role)) for role in roles_of(audience)]


def _described(audience: Audience, role: Role) -> str:
    return f"{gettext(ROLE_LABELS[role])} – {gettext(ROLE_HINTS[audience, role])}"


def _person(membership_id: UUID) -> PersonRow:
    with transaction() as session:
        person = person_visible_to(session, current_actor(), membership_id)
    if person is None:
        abort(404)
    return person


def _show(pages: PeoplePages, person: PersonRow, *, form: RoleForm) -> str:
    actor = current_actor()
    return render_template(
        "people/show.html",
        pages=pages,
        person=person,
        form=form,
        role_label=ROLE_LABELS[person.role],
        audience_label=AUDIENCE_LABELS[person.audience],
        may_manage=_may(pages, actor),
        is_self=person.user_id == actor.user_id,
    )


def _may(pages: PeoplePages, actor: Actor) -> bool:
    return actor.may(pages.manages) and not actor.is_read_only
