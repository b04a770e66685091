"""Reading people: who a session stands for, who works where, what somebody was told."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, Select, and_, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from marketplace.accounts.models import Membership, Notification, User, UserSession
from marketplace.accounts.roles import Role, looking_permissions, permissions_of
from marketplace.accounts.rules import SESSION_IDLE
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.audit import AuditEntry
from resellers.models import Brand, Customer, Reseller, Wholesaler
from resellers.queries.brands import LOOK_COLUMNS, look_from


@dataclass(frozen=True, kw_only=True)
class MembershipRow:
    """A firm a person can act for."""

    public_id: UUID
    membership_id: int
    audience: Audience
    party_id: int | None
    role: Role
    party_name: str


@dataclass(frozen=True, kw_only=True)
class SessionRow:
    """A browser somebody has signed in with."""

    public_id: UUID
    created_at: datetime
    last_seen_at: datetime
    ip: str
    user_agent: str
    is_current: bool


@dataclass(frozen=True, kw_only=True)
class PersonRow:
    """Somebody who works at a firm, as people pages list them."""

    membership_id: UUID
    user_id: int
    name: str
    email: str
    audience: Audience
    role: Role
    party_name: str
    is_active: bool
    ended_at: datetime | None
    last_seen_at: datetime | None

    @property
    def status(self) -> str:
        """`active`, `ended` for one firm, or `deactivated` altogether."""
        if not self.is_active:
            return "deactivated"
        return "ended" if self.ended_at else "active"


def actor_for_session(session: Session, token_hash: str) -> Actor | None:
    """Tell who a session token stands for; None when it is unknown, expired, revoked, or the person has left.

    Notes, at most once a minute, that the session is in use. Nobody is known yet, so this reads as the owner.
    """
    reseller, customer, of_customer = aliased(Reseller), aliased(Customer), aliased(Reseller)
    seen_reseller, seen_customer, of_seen = aliased(Reseller), aliased(Customer), aliased(Reseller)
    found = session.execute(
        select(
            UserSession,
            Membership,
            User,
            func.coalesce(
                reseller.legal_name, customer.legal_name, select(Wholesaler.legal_name).scalar_subquery()
            ),
            seen_reseller.legal_name,
            seen_customer.legal_name,
            func.coalesce(
                seen_reseller.legal_name, of_seen.legal_name, reseller.legal_name, of_customer.legal_name
            ),
            *LOOK_COLUMNS,
            UserSession.view_as_until > func.now(),
            UserSession.last_seen_at < func.now() - func.make_interval(0, 0, 0, 0, 0, 1),
        )
        .join(Membership, Membership.id == UserSession.membership_id)
        .join(User, User.id == UserSession.user_id)
        .outerjoin(reseller, reseller.id == Membership.reseller_id)
        .outerjoin(customer, customer.id == Membership.customer_id)
        .outerjoin(seen_reseller, seen_reseller.id == UserSession.view_as_reseller_id)
        .outerjoin(seen_customer, seen_customer.id == UserSession.view_as_customer_id)
        .outerjoin(of_customer, of_customer.id == customer.reseller_id)
        .outerjoin(of_seen, of_seen.id == seen_customer.reseller_id)
        .outerjoin(
            Brand,
            Brand.reseller_id == func.coalesce(seen_reseller.id, of_seen.id, reseller.id, of_customer.id),
        )
        .where(
            UserSession.token_hash == token_hash,
            UserSession.revoked_at.is_(None),
            UserSession.expires_at > func.now(),
            UserSession.last_seen_at > func.now() - SESSION_IDLE,
            Membership.ended_at.is_(None),
            User.is_active,
        )
    ).one_or_none()
    if found is None:
        return None
    stored, membership, user, party_name, reseller_seen, customer_seen, seller, *brand = found
    *brand, is_viewing_as, is_stale = brand
    look = look_from(brand, legal_name=seller)
    if is_stale:
        session.execute(
            update(UserSession).where(UserSession.id == stored.id).values(last_seen_at=func.now()),
            execution_options={"synchronize_session": False},
        )
    actor = actor_for_membership(membership, user=user, party_name=party_name)
    if is_viewing_as and actor.may(Permission.WHOLESALER_PARTIES_VIEW_AS):
        actor = looking_actor(
            staff=actor,
            audience=Audience.RESELLER if stored.view_as_reseller_id else Audience.CUSTOMER,
            party_id=stored.view_as_reseller_id or stored.view_as_customer_id or 0,
            party_name=reseller_seen or customer_seen,
        )
    return replace(actor, look=None if actor.audience is Audience.WHOLESALER else look)


def actor_for_membership(membership: Membership, *, user: User, party_name: str) -> Actor:
    """Make the actor a person is at one firm."""
    audience = Audience(membership.audience)
    return Actor(
        name=user.name,
        audience=audience,
        party_id=membership.reseller_id or membership.customer_id,
        user_id=user.id,
        permissions=permissions_of(audience, Role(membership.role)),
        party_name=party_name,
    )


def looking_actor(*, staff: Actor, audience: Audience, party_id: int, party_name: str) -> Actor:
    """Make the actor staff are while they view as a party: its owner's eyes, nobody's hands."""
    return Actor(
        name=party_name,
        audience=audience,
        party_id=party_id,
        permissions=looking_permissions(audience),
        staff_id=staff.user_id,
        staff_name=staff.name,
        is_read_only=True,
        party_name=party_name,
    )


def user_by_email(session: Session, email: str) -> User | None:
    """Find a person by address, whatever its case."""
    return session.scalar(select(User).where(func.lower(User.email) == email.strip().lower()))


def memberships_of(session: Session, user_id: int) -> list[MembershipRow]:
    """List the firms a person can act for, the wholesaler first. Reads across firms, so it needs the owner's eyes."""
    party_name = func.coalesce(
        Reseller.legal_name, Customer.legal_name, select(Wholesaler.legal_name).scalar_subquery(), ""
    )
    found = session.execute(
        select(Membership, party_name)
        .outerjoin(Reseller, Reseller.id == Membership.reseller_id)
        .outerjoin(Customer, Customer.id == Membership.customer_id)
        .where(Membership.user_id == user_id, Membership.ended_at.is_(None))
        .order_by(Membership.audience.desc(), party_name, Membership.id)
    )
    return [
        MembershipRow(
            public_id=membership.public_id,
            membership_id=membership.id,
            audience=Audience(membership.audience),
            party_id=membership.reseller_id or membership.customer_id,
            role=Role(membership.role),
            party_name=name,
        )
        for membership, name in found
    ]


def live_sessions(session: Session, *, user_id: int, current_token_hash: str) -> list[SessionRow]:
    """List where a person is signed in, the latest first."""
    found = session.scalars(
        select(UserSession)
        .where(
            UserSession.user_id == user_id,
            UserSession.revoked_at.is_(None),
            UserSession.expires_at > func.now(),
            UserSession.last_seen_at > func.now() - SESSION_IDLE,
        )
        .order_by(UserSession.last_seen_at.desc(), UserSession.id.desc())
    )
    return [
        SessionRow(
            public_id=one.public_id,
            created_at=one.created_at,
            last_seen_at=one.last_seen_at,
            ip=one.ip,
            user_agent=one.user_agent,
            is_current=one.token_hash == current_token_hash,
        )
        for one in found
    ]


LAST_SEEN = (
    select(func.max(UserSession.last_seen_at))
    .where(UserSession.membership_id == Membership.id)
    .scalar_subquery()
)
PARTY_NAME = func.coalesce(
    Reseller.legal_name, Customer.legal_name, select(Wholesaler.legal_name).scalar_subquery(), ""
)


def people_visible_to(actor: Actor) -> Select[Membership, User, str, datetime]:
    """Select who works where, as far as the actor may know: staff everybody, others their own colleagues."""
    statement = (
        select(Membership, User, PARTY_NAME, LAST_SEEN)
        .join(User, User.id == Membership.user_id)
        .outerjoin(Reseller, Reseller.id == Membership.reseller_id)
        .outerjoin(Customer, Customer.id == Membership.customer_id)
    )
    match actor.audience:
        case Audience.WHOLESALER:
            return statement
        case Audience.RESELLER:
            return statement.where(Membership.reseller_id == actor.party_id)
        case Audience.CUSTOMER:
            return statement.where(Membership.customer_id == actor.party_id)


def person_row(found: Row[Membership, User, str, datetime]) -> PersonRow:
    """Make a row of a people page from what `people_visible_to` gives."""
    membership, user, party_name, last_seen_at = found
    return PersonRow(
        membership_id=membership.public_id,
        user_id=user.id,
        name=user.name,
        email=user.email,
        audience=Audience(membership.audience),
        role=Role(membership.role),
        party_name=party_name,
        is_active=user.is_active,
        ended_at=membership.ended_at,
        last_seen_at=last_seen_at,
    )


def person_visible_to(session: Session, actor: Actor, membership_id: UUID) -> PersonRow | None:
    """Find one person of a people page by the public id of the membership; None for somebody else's."""
    found = session.execute(
        people_visible_to(actor).where(Membership.public_id == membership_id)
    ).one_or_none()
    return person_row(found) if found else None


def notifications_of(session: Session, actor: Actor, *, limit: int = 100) -> list[Notification]:
    """List what the actor was told, the latest first."""
    found = session.scalars(
        _notifications(actor).order_by(Notification.created_at.desc(), Notification.id.desc()).limit(limit)
    )
    return list(found)


def unread_count(session: Session, actor: Actor) -> int:
    """Count what the actor was told and has not read."""
    unread = _notifications(actor).where(Notification.read_at.is_(None)).subquery()
    return session.scalar(select(func.count()).select_from(unread)) or 0


def _notifications(actor: Actor) -> Select[Notification]:
    return select(Notification).where(
        Notification.user_id == (actor.user_id or 0),
        Notification.audience == actor.audience.value,
        func.coalesce(Notification.party_id, 0) == (actor.party_id or 0),
    )


def audit_visible_to(actor: Actor) -> Select[AuditEntry]:
    """Select who did what: staff everything, others what was done in their firm's name."""
    statement = select(AuditEntry)
    if actor.audience is Audience.WHOLESALER:
        return statement
    return statement.where(AuditEntry.audience == actor.audience.value, AuditEntry.party_id == actor.party_id)


def language_chosen_at(session: Session, *, customer_id: int, email: str = "") -> str:
    """Give the language chosen by the person a customer is written to, else by who came first there; blank: nobody."""
    return (
        session.scalar(
            select(User.locale)
            .join(Membership, Membership.user_id == User.id)
            .where(
                Membership.customer_id == customer_id,
                Membership.ended_at.is_(None),
                User.is_active,
                User.locale != "",
            )
            .order_by((func.lower(User.email) == email.lower()).desc(), Membership.id)
            .limit(1)
        )
        or ""
    )


def seller_of(
    session: Session, *, user_id: int | None = None, membership_id: UUID | None = None
) -> int | None:
    """Give the reseller who sells to a person's firms, or to the firm of a membership; None: to them nobody alone does."""
    mine = Membership.user_id == user_id if membership_id is None else Membership.public_id == membership_id
    sellers = session.scalars(
        select(Customer.reseller_id)
        .select_from(Membership)
        .outerjoin(Customer, Customer.id == Membership.customer_id)
        .where(mine, Membership.ended_at.is_(None))
        .distinct()
    ).all()
    return sellers[0] if len(sellers) == 1 else None


def audit_of_reseller(actor: Actor, reseller: Reseller) -> Select[AuditEntry]:
    """Select what was done in a reseller's name, and what others did to its standing, terms and brand."""
    of_its_people = and_(AuditEntry.audience == Audience.RESELLER.value, AuditEntry.party_id == reseller.id)
    about_it = and_(
        AuditEntry.subject == "reseller",
        AuditEntry.subject_id == str(reseller.public_id),
    )
    return audit_visible_to(actor).where(or_(of_its_people, about_it))
