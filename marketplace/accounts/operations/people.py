"""Who works where: inviting, changing roles, ending a membership, deactivating an account.

An administrator of the wholesaler does it for everybody, an owner for the people of the own firm. Row-level security
holds the same line below.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from marketplace.accounts import passwords, rules
from marketplace.accounts.models import Membership, Password, User, UserSession
from marketplace.accounts.operations.password_change import new_link
from marketplace.accounts.queries import PersonRow, person_visible_to, user_by_email
from marketplace.accounts.roles import KEEPER, Role, role_of
from marketplace.core import audit
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.errors import N_, NotFound, NotPermitted, Refusal
from marketplace.core.permit import require
from resellers.models import Customer

MANAGES = {
    Audience.WHOLESALER: Permission.WHOLESALER_USERS_MANAGE,
    Audience.RESELLER: Permission.RESELLER_USERS_MANAGE,
    Audience.CUSTOMER: Permission.CUSTOMER_USERS_MANAGE,
}
_LONGEST_NAME = 120


class NoSuchPerson(NotFound):
    """Nobody of that identity works at a firm the actor may see."""

    sentence = N_("There is no such person here.")


class NameMissing(Refusal):
    """A person needs a name."""

    sentence = N_("Write the person's name, in at most %(most)s characters.")


class AlreadyMember(Refusal):
    """The person works there already."""

    sentence = N_("%(email)s works here already as %(role)s. Change the role instead of inviting again.")


class AccountDeactivated(Refusal):
    """The wholesaler has shut the account."""

    sentence = N_("The account of %(email)s is deactivated. Ask the wholesaler to open it again.")


class LastKeeper(Refusal):
    """Nobody would be left to decide about the others."""

    sentence = N_("%(name)s is the last %(role)s of %(party)s. Give somebody else that role first.")


class NotYourself(Refusal):
    """People do not lock themselves out by mistake."""

    sentence = N_("You cannot take away your own access or role. Ask a colleague who manages people.")


class EmailTaken(Refusal):
    """The address has an account."""

    sentence = N_("There is an account for %(email)s already. `user list` shows it.")


class NoAccount(NotFound):
    """The address has no account."""

    sentence = N_("There is no account for %(email)s. `user list` shows those there are.")


@dataclass(frozen=True)
class Party:
    """Where somebody is to work: the wholesaler, or one reseller or customer."""

    audience: Audience
    id: int | None = None

    @classmethod
    def of(cls, actor: Actor) -> "Party":
        """Give the actor's own firm."""
        return cls(actor.audience, actor.party_id)


@dataclass(frozen=True)
class Invitation:
    """What the mail to an invited person must say. No token: the person has a password already."""

    to_address: str
    name: str
    locale: str
    token: str | None
    membership_id: UUID
    audience: Audience


def invite(
    session: Session,
    *,
    actor: Actor,
    party: Party,
    email: str,
    name: str,
    role: str,
    locale: str,
    now: datetime,
) -> Invitation:
    """Let somebody work at a firm. An address that is known somewhere else keeps its account and password.

    Raises `NotPermitted`, `NotAnEmail`, `NameMissing`, `UnknownRole`, `AlreadyMember`, `AccountDeactivated`.
    """
    _check_may_invite(session, actor, party)
    email, name = rules.check_email(email), _checked_name(name)
    chosen = role_of(party.audience, role)
    account = session.execute(
        text("SELECT user_id, has_password, is_active FROM account_for(:email, :name, :locale)"),
        {"email": email, "name": name, "locale": locale},
    ).one()
    if not account.is_active:
        raise AccountDeactivated(email=email)
    membership = _join(session, user_id=account.user_id, party=party, role=chosen, email=email)
    audit.record(
        session,
        actor=actor,
        action="membership.add",
        subject="membership",
        subject_id=membership.public_id,
        after={"email": email, "name": name, "audience": party.audience.value, "role": chosen.value},
    )
    token = None
    if not account.has_password:
        session.flush()  # the policy of links looks for the membership
        token = new_link(session, user_id=account.user_id, life=rules.INVITATION_LIFE, now=now)
    return Invitation(email, name, locale, token, membership.public_id, party.audience)


def invite_again(session: Session, *, actor: Actor, membership_id: UUID, now: datetime) -> Invitation:
    """Give a fresh link for somebody who has lost the first one. Raises `NoSuchPerson`."""
    person = _manageable(session, actor=actor, membership_id=membership_id)
    token = new_link(session, user_id=person.user_id, life=rules.INVITATION_LIFE, now=now)
    audit.record(
        session, actor=actor, action="membership.invite_again", subject="membership", subject_id=membership_id
    )
    return Invitation(person.email, person.name, "", token, membership_id, person.audience)


def change_role(session: Session, *, actor: Actor, membership_id: UUID, role: str) -> None:
    """Give somebody another role. Raises `NoSuchPerson`, `UnknownRole`, `NotYourself`, `LastKeeper`."""
    person = _manageable(session, actor=actor, membership_id=membership_id)
    chosen = role_of(person.audience, role)
    if chosen is person.role:
        return
    _check_dispensable(session, actor=actor, person=person, membership_id=membership_id)
    _membership(session, membership_id).role = chosen.value
    audit.record(
        session,
        actor=actor,
        action="membership.change_role",
        subject="membership",
        subject_id=membership_id,
        before={"email": person.email, "role": person.role.value},
        after={"email": person.email, "role": chosen.value},
    )


def end_membership(session: Session, *, actor: Actor, membership_id: UUID, now: datetime) -> None:
    """Take somebody's access to a firm away, and sign the person out of it. Access elsewhere stays."""
    person = _manageable(session, actor=actor, membership_id=membership_id)
    if person.ended_at is not None:
        return
    _check_dispensable(session, actor=actor, person=person, membership_id=membership_id)
    membership = _membership(session, membership_id)
    membership.ended_at = now
    session.execute(
        update(UserSession)
        .where(UserSession.membership_id == membership.id, UserSession.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    audit.record(
        session,
        actor=actor,
        action="membership.end",
        subject="membership",
        subject_id=membership_id,
        before={"email": person.email, "role": person.role.value},
    )


def restore_membership(session: Session, *, actor: Actor, membership_id: UUID) -> None:
    """Give ended access back, in the role it had."""
    person = _manageable(session, actor=actor, membership_id=membership_id)
    if person.ended_at is None:
        return
    _membership(session, membership_id).ended_at = None
    audit.record(
        session,
        actor=actor,
        action="membership.restore",
        subject="membership",
        subject_id=membership_id,
        after={"email": person.email, "role": person.role.value},
    )


def set_active(session: Session, *, actor: Actor, user_id: int, is_active: bool, now: datetime) -> None:
    """Shut somebody's account everywhere, or open it again. The wholesaler's administrators decide.

    Raises `NotPermitted`, `NoSuchPerson`, `NotYourself`, `LastKeeper`.
    """
    require(actor, Permission.WHOLESALER_USERS_MANAGE)
    user = session.get(User, user_id)
    if user is None:
        raise NoSuchPerson
    if user.is_active == is_active:
        return
    if not is_active:
        if user.id == actor.user_id:
            raise NotYourself
        _check_not_last_administrator(session, user)
        session.execute(
            update(UserSession)
            .where(UserSession.user_id == user.id, UserSession.revoked_at.is_(None))
            .values(revoked_at=now)
        )
    user.is_active = is_active
    audit.record(
        session,
        actor=actor,
        action="user.activate" if is_active else "user.deactivate",
        subject="user",
        subject_id=user.public_id,
        before={"email": user.email, "active": not is_active},
        after={"email": user.email, "active": is_active},
    )


def create_user(
    session: Session, *, actor: Actor, party: Party, email: str, name: str, role: str, password: str
) -> UUID:
    """Create an account with a password and its first membership: for commands, which work as the owner.

    Gives the public id of the membership.
    """
    email, name = rules.check_email(email), _checked_name(name)
    chosen = role_of(party.audience, role)
    passwords.check(password, email=email, name=name)
    if user_by_email(session, email) is not None:
        raise EmailTaken(email=email)
    user = User(email=email, name=name)
    session.add(user)
    session.flush()  # the password and the membership need its id
    session.add(Password(user_id=user.id, hash=passwords.hash_password(password)))
    membership = _join(session, user_id=user.id, party=party, role=chosen, email=email)
    audit.record(
        session,
        actor=actor,
        action="user.create",
        subject="user",
        subject_id=user.public_id,
        after={"email": email, "name": name, "audience": party.audience.value, "role": chosen.value},
    )
    return membership.public_id


def save_profile(
    session: Session, *, actor: Actor, name: str, locale: str, theme: str, wants_mail: bool
) -> None:
    """Change the actor's own name, language and theme, and whether what one is told comes by mail too."""
    user = session.get_one(User, actor.user_id)
    before = {"name": user.name, "locale": user.locale, "theme": user.theme, "wants_mail": user.wants_mail}
    after = {
        "name": (checked := _checked_name(name)),
        "locale": locale,
        "theme": theme,
        "wants_mail": wants_mail,
    }
    if before == after:
        return
    user.name, user.locale, user.theme, user.wants_mail = checked, locale, theme, wants_mail
    audit.record(
        session,
        actor=actor,
        action="user.profile",
        subject="user",
        subject_id=user.public_id,
        before=before,
        after=after,
    )


def _join(session: Session, *, user_id: int, party: Party, role: Role, email: str) -> Membership:
    mine = select(Membership).where(
        Membership.user_id == user_id, Membership.audience == party.audience.value
    )
    if party.audience is not Audience.WHOLESALER:
        mine = mine.where(func.coalesce(Membership.reseller_id, Membership.customer_id) == party.id)
    membership = session.scalar(mine)
    if membership is not None:
        if membership.ended_at is None:
            raise AlreadyMember(email=email, role=membership.role)
        membership.ended_at, membership.role = None, role.value
        return membership
    membership = Membership(
        user_id=user_id,
        audience=party.audience.value,
        reseller_id=party.id if party.audience is Audience.RESELLER else None,
        customer_id=party.id if party.audience is Audience.CUSTOMER else None,
        role=role.value,
    )
    session.add(membership)
    session.flush()  # its public id and key are needed at once
    return membership


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > _LONGEST_NAME:
        raise NameMissing(most=_LONGEST_NAME)
    return name


def _check_may_invite(session: Session, actor: Actor, party: Party) -> None:
    """Staff invite everybody, owners their own firm; whoever approves a reseller its people, and it its customers'."""
    if actor.audience is Audience.WHOLESALER and party.audience is Audience.RESELLER:
        approves = actor.may(Permission.WHOLESALER_APPLICATIONS_REVIEW)
        require(actor, Permission.WHOLESALER_APPLICATIONS_REVIEW if approves else MANAGES[actor.audience])
        return
    if actor.audience is Audience.RESELLER and party.audience is Audience.CUSTOMER:
        require(actor, Permission.RESELLER_CUSTOMERS_MANAGE)
        own = select(Customer.id).where(Customer.id == party.id, Customer.reseller_id == actor.party_id)
        if session.scalar(own) is None:
            raise NoSuchPerson
        return
    require(actor, MANAGES[actor.audience])
    if actor.audience is not Audience.WHOLESALER and party != Party.of(actor):
        raise NotPermitted


def _manageable(session: Session, *, actor: Actor, membership_id: UUID) -> PersonRow:
    require(actor, MANAGES[actor.audience])
    person = person_visible_to(session, actor, membership_id)
    if person is None:
        raise NoSuchPerson
    return person


def _membership(session: Session, membership_id: UUID) -> Membership:
    return session.scalars(select(Membership).where(Membership.public_id == membership_id)).one()


def _check_dispensable(session: Session, *, actor: Actor, person: PersonRow, membership_id: UUID) -> None:
    """Refuse when the actor is the person, or when the firm would lose its last keeper."""
    if person.user_id == actor.user_id:
        raise NotYourself
    if person.role is not KEEPER[person.audience] or person.ended_at is not None:
        return
    membership = _membership(session, membership_id)
    _lock_keepers(session)
    others = session.scalar(
        select(func.count())
        .select_from(Membership)
        .join(User, User.id == Membership.user_id)
        .where(
            Membership.audience == membership.audience,
            Membership.reseller_id.is_not_distinct_from(membership.reseller_id),
            Membership.customer_id.is_not_distinct_from(membership.customer_id),
            Membership.role == person.role.value,
            Membership.id != membership.id,
            Membership.ended_at.is_(None),
            User.is_active,
        )
    )
    # Staff may empty a firm, for instance one that has left; nobody empties the wholesaler.
    if not others and not (
        actor.audience is Audience.WHOLESALER and person.audience is not Audience.WHOLESALER
    ):
        raise LastKeeper(name=person.name, role=person.role.value, party=person.party_name)


def _check_not_last_administrator(session: Session, user: User) -> None:
    _lock_keepers(session)
    administrators = set(
        session.scalars(
            select(Membership.user_id)
            .join(User, User.id == Membership.user_id)
            .where(
                Membership.audience == Audience.WHOLESALER.value,
                Membership.role == Role.ADMINISTRATOR.value,
                Membership.ended_at.is_(None),
                User.is_active,
            )
        )
    )
    if administrators == {user.id}:
        raise LastKeeper(name=user.name, role=Role.ADMINISTRATOR.value, party=Audience.WHOLESALER.value)


def _lock_keepers(session: Session) -> None:
    """Two administrators who remove each other at the same moment take turns."""
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('keepers', 0))"))
