"""Changing a subscription: now where the rules allow it, else with the next charge or the renewal."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.actor import Actor, Permission
from marketplace.core.errors import N_, NotFound, Refusal
from marketplace.core.permit import require
from marketplace.subscriptions.models import ScheduledChange, Subscription
from marketplace.subscriptions.operations.buying import Purchase, begin_with
from marketplace.subscriptions.operations.saving import (
    Decided,
    add_segments,
    as_json,
    end_waiting,
    lock_order_line,
    note_decision,
)
from marketplace.subscriptions.queries.offers import offers_of
from marketplace.subscriptions.queries.standing import standings
from marketplace.subscriptions.rules.changes import Cancel, Change, RenewAsItIs, Upgrade
from marketplace.subscriptions.rules.decisions import Decision, decide
from marketplace.subscriptions.rules.history import Segment, Standing, Waiting
from marketplace.subscriptions.rules.preview import waiting_for
from marketplace.subscriptions.rules.steps import carry_out
from marketplace.subscriptions.words import AtTermEnd, DecidedBy, When


class ChangeNotPossible(Refusal):
    """The rules do not allow the change at any time."""

    sentence = N_("Nothing was changed. %(why)s")


@dataclass(frozen=True, slots=True)
class Changed:
    """A subscription after a change, and when the change takes effect. None: the order line was carried out before."""

    subscription: Subscription
    decision: Decision | None
    # The subscription that seats were moved to.
    other: Subscription | None = None


def change(
    session: Session,
    *,
    actor: Actor,
    subscription_id: UUID,
    change: Change,
    now: datetime,
    order_line: str = "",
    decided: Decided | None = None,
) -> Changed:
    """Make a change, or let it wait; the same order line again changes nothing.

    `decided` says who wanted it, where that is not the actor. Raises `NotFound`, `ChangeNotPossible`.
    """
    require(actor, Permission.WHOLESALER_SUBSCRIPTIONS_MANAGE)
    if lock_order_line(session, order_line) is not None or _waits_already(session, order_line):
        return Changed(_locked(session, subscription_id)[0], None)
    into_id = change.into_id if isinstance(change, Upgrade) else None
    subscription, *others = _locked(session, subscription_id, *([into_id] if into_id else []))
    into = others[0] if others else None
    known = _standings(session, [subscription, *others])
    standing = known[subscription.id]
    if into is not None and isinstance(change, Upgrade):
        change = replace(change, into=known[into.id])
    decision = decide(change, standing, now)
    if decision.when is When.NEVER:
        raise ChangeNotPossible(why=decision.why)
    other = None
    if decision.when is When.NOW:
        other = _make(
            session, subscription, standing, change, actor=actor, now=now, order_line=order_line, into=into
        )
    else:
        _let_wait(session, subscription, change, decision, actor=actor, now=now, order_line=order_line)
    is_about_renewal = decision.when is When.AT_RENEWAL or isinstance(change, RenewAsItIs)
    if is_about_renewal or subscription.at_term_end != standing.at_term_end:
        own = Decided(DecidedBy(actor.audience.value), actor.name, now)
        note_decision(subscription, decided or own)
    return Changed(subscription, decision, other)


def _make(
    session: Session,
    subscription: Subscription,
    standing: Standing,
    change: Change,
    *,
    actor: Actor,
    now: datetime,
    order_line: str,
    into: Subscription | None,
) -> Subscription | None:
    outcome = carry_out(change, standing, now, order_line=order_line)
    add_segments(session, subscription, outcome.segments)
    before = standing.at_term_end
    if outcome.at_term_end is not None:
        subscription.at_term_end = outcome.at_term_end.value
    if outcome.segments or outcome.is_forgotten or subscription.at_term_end != AtTermEnd.RENEW:
        # The vendor does away with what was scheduled by any change within the term.
        end_waiting(session, subscription, When.AT_RENEWAL, now=now, was_carried_out=False)
    sold_as = standing.offer.product
    other = into
    if outcome.other is not None and into is not None:
        add_segments(session, into, [outcome.other], first_part=len(outcome.segments))
        end_waiting(session, into, When.AT_RENEWAL, now=now, was_carried_out=False)
    elif outcome.other is not None:
        name = _renamed(subscription.friendly_name, sold_as, outcome.other)
        other = _begin_apart(session, subscription, outcome.other, name=name, actor=actor)
    if outcome.segments:
        subscription.friendly_name = _renamed(subscription.friendly_name, sold_as, outcome.segments[-1])
    _record(
        session,
        actor,
        subscription,
        before={**as_json(standing.now), "at_term_end": before.value},
        after={
            **as_json(outcome.segments[-1] if outcome.segments else standing.now),
            "at_term_end": subscription.at_term_end,
        },
    )
    return other


def _renamed(name: str, sold_as: str, segment: Segment) -> str:
    """Give the name of what became another product; one that somebody gave it stays."""
    return segment.quoted.offer.product if name == sold_as else name


def _begin_apart(
    session: Session, source: Subscription, first: Segment, *, name: str, actor: Actor
) -> Subscription:
    """Begin the subscription that upgraded seats go to. The vendor's id for it comes with its answer."""
    return begin_with(
        session,
        actor=actor,
        purchase=Purchase(
            customer_id=source.customer_id,
            vendor_account=source.vendor_account,
            quoted=first.quoted,
            quantity=first.quantity,
            friendly_name=name,
            order_line=first.order_line,
        ),
        first=first,
    )


def _let_wait(
    session: Session,
    subscription: Subscription,
    change: Change,
    decision: Decision,
    *,
    actor: Actor,
    now: datetime,
    order_line: str,
) -> None:
    if isinstance(change, Cancel):
        before = subscription.at_term_end
        subscription.at_term_end = AtTermEnd.END.value
        end_waiting(session, subscription, When.AT_RENEWAL, now=now, was_carried_out=False)
        _record(
            session,
            actor,
            subscription,
            before={"at_term_end": before},
            after={"at_term_end": subscription.at_term_end},
        )
        return
    waiting = waiting_for(change, decision)
    if waiting is None:
        raise ChangeNotPossible(why=decision.why)
    end_waiting(session, subscription, decision.when, now=now, was_carried_out=False)
    session.add(
        ScheduledChange(
            subscription_id=subscription.id,
            waits_for=decision.when.value,
            due_on=waiting.due_on,
            quantity=waiting.quantity,
            plan_id=waiting.plan_id,
            custom_end=waiting.custom_end,
            order_line=order_line,
            created_by=actor.name,
        )
    )
    _record(session, actor, subscription, before=None, after=_waiting_json(waiting, decision))
    session.flush()


def _waiting_json(waiting: Waiting, decision: Decision) -> dict[str, object]:
    return {
        "waits_for": decision.when.value,
        "due_on": waiting.due_on.isoformat(),
        "quantity": waiting.quantity,
        "plan_id": waiting.plan_id,
        "custom_end": waiting.custom_end.isoformat() if waiting.custom_end else "",
    }


def _record(
    session: Session,
    actor: Actor,
    subscription: Subscription,
    *,
    before: dict[str, object] | None,
    after: dict[str, object],
) -> None:
    audit.record(
        session,
        actor=actor,
        action="subscription.change",
        subject="subscription",
        subject_id=subscription.public_id,
        before=before,
        after=after,
    )


def _locked(session: Session, *ids: UUID) -> list[Subscription]:
    """Lock subscriptions against other changes, in one order whoever asks. Raises `NotFound`."""
    found = {
        one.public_id: one
        for one in session.scalars(
            select(Subscription)
            .where(Subscription.public_id.in_(ids))
            .order_by(Subscription.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    }
    if len(found) < len(set(ids)):
        raise NotFound
    return [found[one] for one in ids]


def _standings(session: Session, subscriptions: list[Subscription]) -> dict[int, Standing]:
    offers = offers_of(session, {one.plan_id for one in subscriptions})
    return standings(session, subscriptions, offers=offers)


def _waits_already(session: Session, order_line: str) -> bool:
    if not order_line:
        return False
    known = select(ScheduledChange.id).where(ScheduledChange.order_line == order_line).limit(1)
    return session.scalar(known) is not None
