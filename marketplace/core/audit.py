"""Who changed what: rows that are added in the change's own transaction and never altered."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Text, cast, func, insert, literal, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from marketplace.core.actor import Actor
from marketplace.core.bulk import table_of
from marketplace.core.db import Base


class AuditEntry(Base):
    """One act of one person: what was before, what is after, why. A trigger refuses updates and deletes."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_entry_subject", "subject", "subject_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp(), index=True)
    user_id: Mapped[int | None]
    # The person's name at the time; a machine's name where nobody was there.
    name: Mapped[str]
    # Whom the person acted for.
    audience: Mapped[str]
    party_id: Mapped[int | None]
    # The member of staff who was really there while viewing as somebody else.
    staff_id: Mapped[int | None]
    staff_name: Mapped[str] = mapped_column(default="")
    # A dotted verb, such as `price_rule.add`.
    action: Mapped[str]
    subject: Mapped[str]
    subject_id: Mapped[str]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    reason: Mapped[str] = mapped_column(default="")


def record(
    session: Session,
    *,
    actor: Actor,
    action: str,
    subject: str,
    subject_id: object,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
) -> AuditEntry:
    """Add an entry for what the actor does in this transaction. Values must be fit for JSON."""
    entry = AuditEntry(
        user_id=actor.user_id,
        name=actor.name,
        audience=actor.audience.value,
        party_id=actor.party_id,
        staff_id=actor.staff_id,
        staff_name=actor.staff_name,
        action=action,
        subject=subject,
        subject_id=str(subject_id),
        before=before,
        after=after,
        reason=reason,
    )
    session.add(entry)
    return entry


@dataclass(frozen=True, slots=True)
class Act:
    """One of many acts of the same kind, such as the rows of a file."""

    subject_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


def record_many(
    session: Session, *, actor: Actor, action: str, subject: str, acts: Sequence[Act], reason: str = ""
) -> None:
    """Add an entry for each act, in one statement."""
    if not acts:
        return
    rows = table_of(
        {
            "subject_id": (Text(), [act.subject_id for act in acts]),
            "before": (Text(), [_json(act.before) for act in acts]),
            "after": (Text(), [_json(act.after) for act in acts]),
        }
    )
    session.execute(
        insert(AuditEntry).from_select(
            [
                *("user_id", "name", "audience", "party_id", "staff_id", "staff_name", "action", "subject"),
                *("reason", "subject_id", "before", "after"),
            ],
            select(
                literal(actor.user_id, BigInteger()),
                literal(actor.name),
                literal(actor.audience.value),
                literal(actor.party_id, BigInteger()),
                literal(actor.staff_id, BigInteger()),
                literal(actor.staff_name),
                literal(action),
                literal(subject),
                literal(reason),
                rows.c.subject_id,
                cast(rows.c.before, JSONB),
                cast(rows.c.after, JSONB),
            ).select_from(rows),
        )
    )


def _json(values: dict[str, Any] | None) -> str | None:
    return None if values is None else json.dumps(values, ensure_ascii=False)
