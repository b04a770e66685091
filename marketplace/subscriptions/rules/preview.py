"""What a change would come to before it is made: the same decision and the same charges as when it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from marketplace.core.period import Period
from marketplace.core.rounding import EXACT
from marketplace.rating.proration import Charge
from marketplace.subscriptions.rules.changes import (
    Change,
    ChangeAtRenewal,
    ChangeBilling,
    ChangeQuantity,
    Upgrade,
)
from marketplace.subscriptions.rules.decisions import Decision, decide
from marketplace.subscriptions.rules.history import (
    Offer,
    Quoted,
    Segment,
    Standing,
    Waiting,
    charges,
    midnight,
)
from marketplace.subscriptions.rules.renewals import at_term_end
from marketplace.subscriptions.rules.steps import Outcome, carry_out, pay_otherwise
from marketplace.subscriptions.rules.windows import open_lots
from marketplace.subscriptions.words import When

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Sums:
    """Charges added up: at cost, at list price where all have one, and units times cycles."""

    cost: Decimal
    listed: Decimal | None
    cycles: Decimal


@dataclass(frozen=True, slots=True)
class Preview:
    """When a change would take effect and what it would cost, beside what is charged without it."""

    decision: Decision
    outcome: Outcome
    # The change's own charges.
    made_now: tuple[Charge, ...] = ()
    # All charges of the month the change is billed in, after it.
    period: Period | None = None
    on_bill: tuple[Charge, ...] = ()
    # All charges from today to the end of the term, after the change and without it.
    until_end: tuple[Charge, ...] = ()
    without: tuple[Charge, ...] = ()
    # The first charges after the renewal, as it would be now, where the change waits for it.
    at_renewal: tuple[Charge, ...] = ()
    # What each of these charges was sold as.
    offers: Mapping[Charge, Offer] = field(default_factory=dict)
    # Until when the change can be taken back.
    deadline: datetime | None = None


def sums(some: Sequence[Charge]) -> Sums:
    """Add charges up, exactly."""
    cost, listed, cycles = _ZERO, _ZERO, _ZERO
    has_list = True
    for charge in some:
        cost = EXACT.add(cost, charge.cost)
        cycles = EXACT.add(cycles, charge.cycles)
        if charge.listed is None:
            has_list = False
        else:
            listed = EXACT.add(listed, charge.listed)
    return Sums(cost, listed if has_list else None, cycles)


def preview(
    change: Change, standing: Standing, now: datetime, *, renewal_price: Quoted | None = None
) -> Preview:
    """Say what a change would come to if it were made now. `renewal_price` is what it would renew at today."""
    decision = decide(change, standing, now)
    into = change.into if isinstance(change, Upgrade) else None
    offers: dict[Charge, Offer] = {}
    stands = [c for one in (standing, into) if one for c in _sold(one.segments, offers)]
    without = tuple(c for c in stands if c.billed_on >= now.date())
    if decision.when is When.NEVER:
        return Preview(decision, Outcome())
    if decision.when is When.AT_RENEWAL or decision.on is None:
        renews = renewal_charges(standing, waiting_for(change, decision), renewal_price)
        offers |= dict.fromkeys(renews, (renewal_price or standing.now.quoted).offer)
        return Preview(
            decision, Outcome(), until_end=without, without=without, at_renewal=renews, offers=offers
        )
    if isinstance(change, ChangeBilling):
        outcome = Outcome((pay_otherwise(change, standing, decision.on),))
    else:
        outcome = carry_out(change, standing, now)
    made, later = _charges_after(standing, outcome, now.date(), into, offers)
    period = Period.of(decision.on)
    after = outcome.applied_to(standing)
    opened = [lot.until for lot in open_lots(after.segments, now) if lot.bought_at == now]
    return Preview(
        decision,
        outcome,
        made_now=tuple(made),
        period=period,
        on_bill=tuple(c for c in (*made, *later) if Period.of(c.billed_on) == period),
        until_end=tuple(c for c in (*made, *later) if c.billed_on >= now.date()),
        without=without,
        offers=offers,
        deadline=max(opened, default=None),
    )


def _charges_after(
    standing: Standing, outcome: Outcome, today: date, into: Standing | None, offers: dict[Charge, Offer]
) -> tuple[list[Charge], list[Charge]]:
    """Give the charges the new segments make today, and all others, of the histories after the change."""
    histories = [(standing.segments, outcome.segments)]
    if outcome.other is not None:
        histories.append((into.segments if into else (), (outcome.other,)))
    made: list[Charge] = []
    later: list[Charge] = []
    for before, added in histories:
        known = sum(one.kind.is_charged for one in before)
        for charge in _sold((*before, *added), offers):
            is_made = charge.number >= known and charge.billed_on <= today
            (made if is_made else later).append(charge)
    return made, later


def _sold(segments: Sequence[Segment], offers: dict[Charge, Offer]) -> list[Charge]:
    """Give the charges of a history, and note what each was sold as."""
    charged = [one for one in segments if one.kind.is_charged]
    found = charges(segments)
    offers |= {one: charged[one.sold_as].quoted.offer for one in found}
    return found


def waiting_for(change: Change, decision: Decision) -> Waiting | None:
    """Give what waits for the renewal or the next charge if a change does; None where nothing of it does."""
    if decision.when not in {When.AT_RENEWAL, When.AT_NEXT_CHARGE} or decision.on is None:
        return None
    match change:
        case ChangeQuantity():
            return Waiting(due_on=decision.on, quantity=change.quantity)
        case ChangeAtRenewal():
            plan_id = change.quoted.offer.plan_id if change.quoted else None
            return Waiting(
                due_on=decision.on,
                quantity=change.quantity,
                plan_id=plan_id,
                custom_end=change.custom_end,
            )
        case _:
            quoted = getattr(change, "quoted", None)
            if quoted is None:
                return None
            return Waiting(
                due_on=decision.on,
                quantity=getattr(change, "quantity", None),
                plan_id=quoted.offer.plan_id,
            )


def renewal_charges(standing: Standing, waiting: Waiting | None, price: Quoted | None) -> tuple[Charge, ...]:
    """Give the first charges after the renewal as it would be with what waits, at a price of today."""
    end = standing.now.term_end
    if end is None or waiting is None:
        return ()
    instructed = Standing(segments=standing.segments, at_term_end=standing.at_term_end, at_renewal=waiting)
    prices = {price.offer.plan_id: price} if price else {}
    renewed: Segment = at_term_end(instructed, prices, None)
    first = charges((renewed,))[:1] if renewed.kind.is_charged else []
    return tuple(one for one in first if midnight(one.billed_on) >= midnight(end))
