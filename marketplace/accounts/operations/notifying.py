"""Telling people something: kept as template and facts, read in their own language, under the bell and by mail.

The worker writes the mails, to those who want them: who tells need not be allowed to see who is told.
"""

from uuid import UUID

from sqlalchemy import BigInteger, Text, func, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Session

from marketplace import jobs
from marketplace.accounts.models import Notification
from marketplace.accounts.operations.mailing import SEND_MAILS
from marketplace.accounts.roles import permissions_of, roles_of
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.errors import Phrase


def notify_party(
    session: Session,
    *,
    audience: Audience,
    party_id: int | None,
    permission: Permission,
    phrase: Phrase,
    link: str = "",
) -> int:
    """Tell everybody at a party who holds a permission; give how many were told. `link` is a path of ours."""
    roles = [role.value for role in roles_of(audience) if permission in permissions_of(audience, role)]
    return _notify(
        session,
        audience=audience,
        party_id=party_id,
        roles=roles,
        user_id=None,
        phrase=phrase,
        link=link,
    )


def notify_user(
    session: Session,
    *,
    user_id: int,
    audience: Audience,
    party_id: int | None = None,
    phrase: Phrase,
    link: str = "",
) -> int:
    """Tell one person who works at a party, such as who started a close that has ended; give 1, or 0 if gone."""
    roles = [role.value for role in roles_of(audience)]
    return _notify(
        session,
        audience=audience,
        party_id=party_id,
        roles=roles,
        user_id=user_id,
        phrase=phrase,
        link=link,
    )


def _notify(
    session: Session,
    *,
    audience: Audience,
    party_id: int | None,
    roles: list[str],
    user_id: int | None,
    phrase: Phrase,
    link: str,
) -> int:
    said = phrase.as_data()
    told = session.scalar(
        select(
            func.notify_people(
                literal(audience.value, Text()),
                literal(party_id, BigInteger()),
                literal(roles, ARRAY(Text())),
                literal(user_id, BigInteger()),
                literal(said["sentence"], Text()),
                literal(said["facts"], JSONB()),
                literal(link, Text()),
            )
        )
    )
    if told:
        jobs.defer(session, SEND_MAILS, queueing_lock=SEND_MAILS)
    return told or 0


def mark_read(session: Session, *, actor: Actor, notification_id: UUID | None = None) -> None:
    """Note that the actor has read one notification, or all of them."""
    mine = update(Notification).where(
        Notification.user_id == (actor.user_id or 0),
        Notification.audience == actor.audience.value,
        func.coalesce(Notification.party_id, 0) == (actor.party_id or 0),
        Notification.read_at.is_(None),
    )
    if notification_id is not None:
        mine = mine.where(Notification.public_id == notification_id)
    session.execute(mine.values(read_at=func.now()))
