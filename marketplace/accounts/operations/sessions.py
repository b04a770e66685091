"""Sessions after sign-in: ending them, acting for another firm, and staff viewing as somebody else."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from marketplace.accounts import rules
from marketplace.accounts.models import Membership, User, UserSession
from marketplace.accounts.queries import PARTY_NAME, actor_for_membership, looking_actor, memberships_of
from marketplace.core import audit
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.errors import N_, NotFound, NotPermitted
from resellers.models import Customer, Reseller


class NoSuchSession(NotFound):
    """The session is not one of the person's own."""

    sentence = N_("There is no such session. It may have ended already.")


class NoSuchMembership(NotFound):
    """The person does not work there."""

    sentence = N_("You are not a member of that firm any more.")


class NoSuchParty(NotFound):
    """There is nobody of that identity to view as."""

    sentence = N_("There is no such reseller or customer.")


class MayNotViewAs(NotPermitted):
    """Only staff with the permission view as somebody else, and not while they already do."""

    sentence = N_("Your role does not allow viewing as somebody else.")


def end_session(session: Session, *, token_hash: str, now: datetime) -> None:
    """Sign out the browser of a token. Doing it twice changes nothing."""
    stored = session.scalar(
        select(UserSession)
        .where(UserSession.token_hash == token_hash, UserSession.revoked_at.is_(None))
        .with_for_update()
    )
    if stored is None:
        return
    stored.revoked_at = now
    audit.record(
        session,
        actor=_person_of(session, stored),
        action="session.end",
        subject="session",
        subject_id=stored.public_id,
    )


def revoke_session(session: Session, *, actor: Actor, session_id: UUID, now: datetime) -> None:
    """End one of the actor's own sessions. Raises `NoSuchSession`."""
    mine = session.scalar(
        select(UserSession).where(
            UserSession.public_id == session_id,
            UserSession.user_id == actor.user_id,
            UserSession.revoked_at.is_(None),
        )
    )
    if mine is None:
        raise NoSuchSession
    mine.revoked_at = now
    audit.record(session, actor=actor, action="session.revoke", subject="session", subject_id=session_id)


def revoke_sessions_of(session: Session, *, user_id: int, now: datetime, keep_token_hash: str = "") -> int:
    """End all sessions of a person, but the one in use where it is named; give how many."""
    ended = session.execute(
        update(UserSession)
        .where(
            UserSession.user_id == user_id,
            UserSession.revoked_at.is_(None),
            UserSession.token_hash != keep_token_hash,
        )
        .values(revoked_at=now)
        .returning(UserSession.id)
    )
    return len(ended.all())


def revoke_other_sessions(session: Session, *, actor: Actor, token_hash: str, now: datetime) -> int:
    """End all of the actor's sessions but the one in use; give how many."""
    count = revoke_sessions_of(session, user_id=actor.user_id or 0, now=now, keep_token_hash=token_hash)
    audit.record(
        session,
        actor=actor,
        action="session.revoke_others",
        subject="user",
        subject_id=actor.user_id,
        after={"sessions": count},
    )
    return count


def choose_membership(session: Session, *, token_hash: str, user_id: int, membership_id: UUID) -> Audience:
    """Act for another of one's firms in this browser. Reads across firms, so it needs the owner's eyes."""
    chosen = next((one for one in memberships_of(session, user_id) if one.public_id == membership_id), None)
    if chosen is None:
        raise NoSuchMembership
    stored = _session_of(session, token_hash)
    stored.membership_id = chosen.membership_id
    _look_no_more(stored)
    session.flush()  # the person is read as of the firm chosen
    audit.record(
        session,
        actor=_person_of(session, stored),
        action="session.choose_firm",
        subject="session",
        subject_id=stored.public_id,
    )
    return chosen.audience


def view_as(
    session: Session,
    *,
    staff: Actor,
    token_hash: str,
    audience: Audience,
    party_id: UUID,
    reason: str,
    now: datetime,
) -> Actor:
    """Let staff see what a party sees, for an hour, without changing anything; the party can read that it happened.

    Raises `MayNotViewAs`, `NoSuchParty`, and `ReasonMissing`.
    """
    if not staff.may(Permission.WHOLESALER_PARTIES_VIEW_AS) or staff.staff_id:
        raise MayNotViewAs
    reason = rules.check_reason(reason)
    party = party_to_view_as(session, audience=audience, party_id=party_id)
    stored = _session_of(session, token_hash)
    stored.view_as_reseller_id = party.id if isinstance(party, Reseller) else None
    stored.view_as_customer_id = party.id if isinstance(party, Customer) else None
    stored.view_as_reason = reason
    stored.view_as_until = now + rules.VIEW_AS_LIFE
    looking = looking_actor(staff=staff, audience=audience, party_id=party.id, party_name=party.legal_name)
    audit.record(
        session,
        actor=looking,
        action="view_as.begin",
        subject=audience.value,
        subject_id=party.public_id,
        after={"until": stored.view_as_until.isoformat()},
        reason=reason,
    )
    return looking


def stop_viewing_as(session: Session, *, token_hash: str) -> Actor:
    """Be oneself again; give who that is."""
    stored = _session_of(session, token_hash)
    staff = _person_of(session, stored)
    if stored.view_as_until is not None:
        audience = Audience.RESELLER if stored.view_as_reseller_id else Audience.CUSTOMER
        party = _seen_party(session, stored)
        audit.record(
            session,
            actor=looking_actor(
                staff=staff, audience=audience, party_id=party.id, party_name=party.legal_name
            ),
            action="view_as.end",
            subject=audience.value,
            subject_id=party.public_id,
            reason=stored.view_as_reason,
        )
        _look_no_more(stored)
    return staff


def party_to_view_as(session: Session, *, audience: Audience, party_id: UUID) -> Reseller | Customer:
    """Find the party staff ask to view as. Raises `NoSuchParty`."""
    party: Reseller | Customer | None = None
    if audience is Audience.RESELLER:
        party = session.scalar(select(Reseller).where(Reseller.public_id == party_id))
    elif audience is Audience.CUSTOMER:
        party = session.scalar(select(Customer).where(Customer.public_id == party_id))
    if party is None:
        raise NoSuchParty
    return party


def _session_of(session: Session, token_hash: str) -> UserSession:
    return session.scalars(
        select(UserSession).where(UserSession.token_hash == token_hash).with_for_update()
    ).one()


def _person_of(session: Session, stored: UserSession) -> Actor:
    """Give the person of a session, at the firm chosen in it, whoever is viewed as."""
    membership, user, party_name = session.execute(
        select(Membership, User, PARTY_NAME)
        .join(User, User.id == Membership.user_id)
        .outerjoin(Reseller, Reseller.id == Membership.reseller_id)
        .outerjoin(Customer, Customer.id == Membership.customer_id)
        .where(Membership.id == stored.membership_id)
    ).one()
    return actor_for_membership(membership, user=user, party_name=party_name)


def _seen_party(session: Session, stored: UserSession) -> Reseller | Customer:
    if stored.view_as_reseller_id:
        return session.get_one(Reseller, stored.view_as_reseller_id)
    return session.get_one(Customer, stored.view_as_customer_id)


def _look_no_more(stored: UserSession) -> None:
    stored.view_as_reseller_id = None
    stored.view_as_customer_id = None
    stored.view_as_reason = ""
    stored.view_as_until = None
