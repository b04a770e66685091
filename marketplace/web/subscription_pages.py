"""Subscriptions as every shell shows them: the list, one with its history, and what renews when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import abort
from flask_babel import gettext
from markupsafe import Markup
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.core.actor import Actor
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_
from marketplace.orders.operations.cart import BuyingNotAllowed, check_buying
from marketplace.orders.queries.visible import PLACES
from marketplace.subscriptions.models import ScheduledChange, Subscription
from marketplace.subscriptions.queries.choices import Aim, aims_of
from marketplace.subscriptions.queries.listed import (
    LATEST,
    SubscriptionRow,
    list_subscriptions,
    subscription_row,
)
from marketplace.subscriptions.queries.offers import offers_of
from marketplace.subscriptions.queries.standing import standings
from marketplace.subscriptions.queries.visible import visible_to
from marketplace.subscriptions.rules.changes import (
    Cancel,
    Change,
    ChangeQuantity,
    RenewAsItIs,
    Resume,
    SetTermEnd,
    Suspend,
)
from marketplace.subscriptions.rules.cycles import next_cycle_start
from marketplace.subscriptions.rules.decisions import Decision, decide
from marketplace.subscriptions.rules.history import Standing
from marketplace.subscriptions.rules.windows import Lot, open_lots
from marketplace.subscriptions.words import STANDING, AtTermEnd, SegmentKind, Status
from marketplace.vendors.commitments import Source
from marketplace.web.listing import Column, Filter, Kind, ListView, OnPhone
from marketplace.web.seat_charts import seats_chart
from resellers.models import Customer, Reseller

STATUS_LABELS = {
    Status.ACTIVE: N_("Active"),
    Status.SUSPENDED: N_("Suspended"),
    Status.CANCELLED: N_("Cancelled"),
    Status.EXPIRED: N_("Expired"),
}
TERM_END_LABELS = {
    AtTermEnd.RENEW: N_("Renews"),
    AtTermEnd.END: N_("Ends"),
    AtTermEnd.EXTEND: N_("Goes on by the month, dearer"),
}
EVENT_LABELS = {
    SegmentKind.NEW: N_("Bought"),
    SegmentKind.RENEW: N_("Renewed"),
    SegmentKind.ADD_QUANTITY: N_("Seats added"),
    SegmentKind.REMOVE_QUANTITY: N_("Seats given back"),
    SegmentKind.CANCEL_IMMEDIATE: N_("Cancelled"),
    SegmentKind.CONVERT: N_("Changed to another plan"),
    SegmentKind.MOVE_QUANTITY: N_("Seats moved in"),
    SegmentKind.CHANGE_BILLING_PLAN: N_("Paid another way"),
    SegmentKind.SUSPEND: N_("Suspended"),
    SegmentKind.RESUME: N_("Resumed"),
    SegmentKind.EXPIRE: N_("Expired"),
}
#: What is asked about on every page: a word for the address, its label, and the change.
ACTIONS: Sequence[tuple[str, str, Change]] = (
    ("cancel", N_("Cancel it"), Cancel()),
    ("suspend", N_("Suspend it"), Suspend()),
    ("resume", N_("Resume it"), Resume()),
    ("as_it_is", N_("Renew as it is"), RenewAsItIs()),
    ("renew", N_("Let it renew"), SetTermEnd(AtTermEnd.RENEW)),
    ("end", N_("Let it end with its term"), SetTermEnd(AtTermEnd.END)),
    ("extend", N_("Let it go on by the month"), SetTermEnd(AtTermEnd.EXTEND)),
)


#: What is nothing to speak of where there is nothing to undo.
_UNDOING = frozenset({"resume", "as_it_is"})
#: What is changed to another plan, which is chosen first: its label, and what it is about.
AIM_LABELS: dict[str, str] = {
    Aim.UPGRADE: N_("Upgrade it"),
    Aim.PLAN: N_("Another term or way of paying"),
    Aim.CONVERT: N_("Make the trial a subscription"),
    Aim.AT_RENEWAL: N_("Change what it renews as"),
}
AIM_WORDS: dict[str, str] = {
    Aim.UPGRADE: N_("All seats or some of them become a better product, at once."),
    Aim.PLAN: N_("A longer term begins at once; most other changes wait for the renewal."),
    Aim.CONVERT: N_("What was tried is paid from then on."),
    Aim.AT_RENEWAL: N_("Seats, product, term and end of the next term are set now and wait for the renewal."),
}


@dataclass(frozen=True, slots=True)
class Event:
    """One turn of a history, as the timeline shows it."""

    moment: datetime
    title: str
    who: str
    detail: str
    icon_name: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """Something that can be asked of a subscription, and the answer."""

    what: str
    label: str
    decision: Decision


@dataclass(frozen=True, slots=True)
class SubscriptionPage:
    """Everything a subscription's page shows, whatever the shell."""

    row: SubscriptionRow
    standing: Standing
    chart: Markup
    events: Sequence[Event]
    lots: Sequence[Lot]
    # What can be done, and what cannot.
    answers: Sequence[Asked]
    closed: Sequence[Asked]
    # What else it can become: a word for the address, its label, and what it is about.
    aims: Sequence[tuple[str, str, str]]
    more: Decision
    fewer: Decision
    waiting: Sequence[ScheduledChange]
    sources: dict[str, Source]
    # The day of the next charge of the term, if any.
    next_charge: Any
    now: datetime
    # Whether the viewer may order a change of it.
    may_change: bool


def subscription_list(
    *,
    has_resellers: bool = False,
    has_customers: bool = True,
) -> ListView[SubscriptionRow]:
    """Describe the list; customers see no column of customers, resellers none of resellers."""
    columns: list[Column[SubscriptionRow]] = [
        Column(
            key="name",
            label=N_("Subscription"),
            value=lambda row: row.name,
            sort=LATEST.c.product,
            phone=OnPhone.TITLE,
        )
    ]
    if has_customers:
        columns.append(
            Column(
                key="customer",
                label=N_("Customer"),
                value=lambda row: row.customer,
                sort=Customer.legal_name,
            )
        )
    if has_resellers:
        columns.append(
            Column(
                key="reseller",
                label=N_("Reseller"),
                value=lambda row: row.reseller,
                sort=Reseller.legal_name,
            )
        )
    columns += [
        Column(
            key="seats",
            label=N_("Seats"),
            value=lambda row: row.quantity,
            sort=Subscription.quantity,
            kind=Kind.NUMBER,
            phone=OnPhone.SIDE,
        ),
        Column(key="term", label=N_("Term"), value=lambda row: row.term, sort=LATEST.c.term),
        Column(
            key="ends",
            label=N_("Ends"),
            value=lambda row: row.term_end,
            sort=Subscription.term_end,
            kind=Kind.DAY,
        ),
        Column(
            key="then",
            label=N_("Then"),
            value=lambda row: gettext(TERM_END_LABELS[AtTermEnd(row.at_term_end)]),
        ),
        Column(key="status", label=N_("Status"), value=lambda row: row.status, kind=Kind.STATUS),
    ]
    return ListView[SubscriptionRow](
        name="subscriptions",
        columns=tuple(columns),
        filters=(
            Filter(
                key="status",
                label=N_("Status"),
                choices=tuple((status.value, label) for status, label in STATUS_LABELS.items()),
                where=lambda value: Subscription.status == value,
            ),
            Filter(
                key="then",
                label=N_("At the end of the term"),
                choices=tuple((choice.value, label) for choice, label in TERM_END_LABELS.items()),
                where=lambda value: Subscription.at_term_end == value,
            ),
            Filter(
                key="window",
                label=N_("Window"),
                choices=(("open", N_("Can still be given up")),),
                where=lambda _value: (
                    Subscription.status.in_(STANDING) & (Subscription.window_until > func.now())
                ),
            ),
        ),
        search=(
            LATEST.c.product,
            Subscription.friendly_name,
            Customer.legal_name,
            Subscription.vendor_subscription_id,
        ),
        sort="ends",
        tie_break=(Subscription.id,),
        row=subscription_row,
    )


def subscription_or_404(session: Session, subscription_id: UUID, *, actor: Actor) -> SubscriptionPage:
    """Give what the page of a subscription shows, if the actor may see it."""
    subscription = session.scalar(visible_to(actor).where(Subscription.public_id == subscription_id))
    if subscription is None:
        abort(404)
    now = utc_now()
    found = session.execute(list_subscriptions(actor).where(Subscription.id == subscription.id)).one()
    offers = offers_of(session, {subscription.plan_id})
    standing = standings(session, [subscription], offers=offers)[subscription.id]
    quantity = standing.now.quantity
    asked = [Asked(what, label, decide(change, standing, now)) for what, label, change in ACTIONS]
    return SubscriptionPage(
        row=subscription_row(found),
        standing=standing,
        chart=seats_chart(standing.segments, today=now.date()),
        events=_events(standing),
        lots=open_lots(standing.segments, now),
        answers=[one for one in asked if one.decision.is_possible],
        closed=[one for one in asked if not one.decision.is_possible and one.what not in _UNDOING],
        aims=[(aim, AIM_LABELS[aim], AIM_WORDS[aim]) for aim in aims_of(standing)],
        more=decide(ChangeQuantity(quantity + 1), standing, now),
        fewer=decide(ChangeQuantity(max(1, quantity - 1)), standing, now),
        waiting=session.scalars(
            select(ScheduledChange).where(
                ScheduledChange.subscription_id == subscription.id, ScheduledChange.ended_at.is_(None)
            )
        ).all(),
        sources=dict(standing.offer.commitments(now.date()).sources),
        next_charge=next_cycle_start(standing.now, now.date()) if standing.is_standing else None,
        now=now,
        may_change=standing.is_standing and _may_order(session, actor, subscription),
    )


def _may_order(session: Session, actor: Actor, subscription: Subscription) -> bool:
    """Whether the viewer orders at all; a customer only where its reseller allows it."""
    if not actor.may(PLACES[actor.audience]):
        return False
    try:
        check_buying(session, actor=actor, customer=session.get_one(Customer, subscription.customer_id))
    except BuyingNotAllowed:
        return False
    return True


def _events(standing: Standing) -> list[Event]:
    events = []
    before = 0
    for one in standing.segments:
        moved = 0 if one.quoted.offer.is_metered else one.quantity - before
        detail = gettext("%(before)s → %(after)s seats", before=before, after=one.quantity) if moved else ""
        who = one.quoted.offer.product
        tone = "danger" if one.status in (Status.CANCELLED, Status.EXPIRED) else ""
        events.append(Event(one.at, gettext(EVENT_LABELS[one.kind]), who, detail, tone=tone))
        before = one.quantity
    return events[::-1]
