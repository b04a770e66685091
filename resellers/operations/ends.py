"""Ending what stands: a mapping, a price rule. A price never changes; it ends and another begins."""

from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.actor import Actor, Permission
from marketplace.core.errors import N_, NotFound, Refusal
from marketplace.core.permit import require
from resellers.models import AccountMapping, PriceRule


class EndBeforeStart(Refusal):
    """The end lies before the start."""

    sentence = N_("It starts on %(start)s: it cannot end before.")


class EndedEarlier(Refusal):
    """There is an earlier end already."""

    sentence = N_("It ends on %(end)s already. Add another one to go on from there.")


def end_mapping(session: Session, *, actor: Actor, mapping_id: UUID, end: date) -> AccountMapping:
    """End a mapping: `end` is the first day the account is nobody's. Raises `NotFound` and the refusals above."""
    require(actor, Permission.WHOLESALER_TERMS_MANAGE)
    mapping = session.scalars(
        select(AccountMapping).where(AccountMapping.public_id == mapping_id).with_for_update()
    ).one_or_none()
    if mapping is None:
        raise NotFound
    _end(session, mapping, end=end, actor=actor, subject="account_mapping")
    return mapping


def end_price_rule(session: Session, *, actor: Actor, rule_id: UUID, end: date) -> PriceRule:
    """End any price rule: `end` is the first usage day it no longer prices. Raises as `end_mapping` does."""
    require(actor, Permission.WHOLESALER_TERMS_MANAGE)
    rule = session.scalars(
        select(PriceRule).where(PriceRule.public_id == rule_id).with_for_update()
    ).one_or_none()
    if rule is None:
        raise NotFound
    _end(session, rule, end=end, actor=actor, subject="price_rule")
    return rule


def _end(
    session: Session, what: AccountMapping | PriceRule, *, end: date, actor: Actor, subject: str
) -> None:
    if what.valid_from is not None and end < what.valid_from:
        raise EndBeforeStart(start=what.valid_from)
    if what.valid_until is not None and what.valid_until <= end:
        raise EndedEarlier(end=what.valid_until)
    before = what.valid_until
    what.valid_until = end
    audit.record(
        session,
        actor=actor,
        action=f"{subject}.end",
        subject=subject,
        subject_id=what.public_id,
        before={"valid_until": before.isoformat() if before else None},
        after={"valid_until": end.isoformat()},
    )
    session.flush()
