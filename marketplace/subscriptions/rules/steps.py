"""What a change that takes effect now adds to histories. `decide` must have said so before."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime

from catalog.words import Term
from marketplace.subscriptions.rules.changes import (
    Cancel,
    Change,
    ChangeBilling,
    ChangeQuantity,
    ChangeTerm,
    ConvertTrial,
    RenewAsItIs,
    Resume,
    SetTermEnd,
    Suspend,
    Upgrade,
)
from marketplace.subscriptions.rules.history import Offer, Quoted, Segment, Standing, midnight
from marketplace.subscriptions.rules.windows import lots, open_lots
from marketplace.subscriptions.words import AtTermEnd, SegmentKind, Status


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a change comes to: segments of this subscription, one of another, and what is to happen at the term's end."""

    segments: tuple[Segment, ...] = ()
    # Where seats are moved: the next segment of the subscription they go into, or the first of a new one.
    other: Segment | None = None
    at_term_end: AtTermEnd | None = None
    # What waited for the renewal does so no more.
    is_forgotten: bool = False

    def applied_to(self, standing: Standing) -> Standing:
        """Give the subscription after the change."""
        after = standing.followed_by(*self.segments)
        if self.is_forgotten:
            after = replace(after, at_renewal=None)
        if self.at_term_end is None:
            return after
        keeps = after.at_renewal if self.at_term_end is AtTermEnd.RENEW else None
        return replace(after, at_term_end=self.at_term_end, at_renewal=keeps)


def begin(
    quoted: Quoted,
    quantity: int,
    *,
    at: datetime,
    custom_end: date | None = None,
    order_line: str = "",
) -> Segment:
    """Give the first segment of what is bought."""
    start = at.date()
    return Segment(
        number=1,
        kind=SegmentKind.NEW,
        at=at,
        since=start,
        status=Status.ACTIVE,
        quantity=quantity,
        quoted=quoted,
        term_start=start,
        term_end=custom_end or quoted.offer.natural_end(start),
        order_line=order_line,
    )


def carry_out(change: Change, standing: Standing, now: datetime, *, order_line: str = "") -> Outcome:
    """Give what a change that takes effect now adds."""
    last = standing.now
    match change:
        case ChangeQuantity() if change.quantity > last.quantity:
            return _one(last, SegmentKind.ADD_QUANTITY, now, order_line, quantity=change.quantity)
        case ChangeQuantity():
            return Outcome(tuple(_give_back(standing, last.quantity - change.quantity, now, order_line)))
        case Cancel():
            first = lots(standing.segments)[0]
            since = first.since if first.is_term and first.is_refunded_whole(now) else now.date()
            cancelled = _next(
                last,
                SegmentKind.CANCEL_IMMEDIATE,
                now,
                order_line,
                quantity=0,
                since=since,
                status=Status.CANCELLED,
            )
            return Outcome((cancelled,), at_term_end=AtTermEnd.END)
        case Upgrade():
            return _upgrade(change, standing, now, order_line)
        case ChangeTerm():
            return Outcome((_anew(last, change.quoted, last.quantity, now, order_line),))
        case ConvertTrial():
            converted = _anew(last, change.quoted, change.quantity, now, order_line)
            return Outcome((converted,), at_term_end=AtTermEnd.RENEW)
        case Suspend():
            stops = last.quoted.offer.commitments(now.date()).suspension_stops_renewal
            suspended = _next(last, SegmentKind.SUSPEND, now, order_line, status=Status.SUSPENDED)
            return Outcome((suspended,), at_term_end=AtTermEnd.END if stops else None)
        case Resume():
            return _one(last, SegmentKind.RESUME, now, order_line, status=Status.ACTIVE)
        case SetTermEnd():
            return Outcome(at_term_end=change.choice)
        case RenewAsItIs():
            return Outcome(is_forgotten=True)
        case _:
            raise ValueError(f"{type(change).__name__} takes effect later")


def pay_otherwise(change: ChangeBilling, standing: Standing, on: date, *, order_line: str = "") -> Segment:
    """Give the segment that begins with the next charge, paid by another cycle."""
    return _next(
        standing.now,
        SegmentKind.CHANGE_BILLING_PLAN,
        midnight(on),
        order_line,
        quoted=change.quoted,
    )


def _upgrade(change: Upgrade, standing: Standing, now: datetime, order_line: str) -> Outcome:
    last = standing.now
    is_same_term = change.quoted.offer.term is last.quoted.offer.term
    if change.quantity == last.quantity and change.into is None:
        if is_same_term:
            return _one(last, SegmentKind.CONVERT, now, order_line, quoted=change.quoted)
        return Outcome((_anew(last, change.quoted, last.quantity, now, order_line),))
    left = last.quantity - change.quantity
    source = _next(
        last,
        SegmentKind.CONVERT,
        now,
        order_line,
        quantity=left,
        status=last.status if left else Status.CANCELLED,
    )
    if change.into is not None:
        moved = change.into.now.quantity + change.quantity
        target = _next(change.into.now, SegmentKind.MOVE_QUANTITY, now, order_line, quantity=moved)
        return Outcome((source,), other=target)
    target = begin(change.quoted, change.quantity, at=now, order_line=order_line)
    target = replace(target, kind=SegmentKind.CONVERT)
    if is_same_term:
        # It ends with the subscription its seats come from, and is charged on the same days.
        target = replace(target, term_start=last.term_start, term_end=last.term_end)
    return Outcome((source,), other=target)


def _give_back(standing: Standing, seats: int, now: datetime, order_line: str) -> Iterator[Segment]:
    """Give seats back, those bought last first: each lot from the day its price comes back from."""
    backs: list[tuple[date, int]] = []
    for lot in open_lots(standing.segments, now):
        taken = min(seats, lot.quantity)
        since = lot.since if lot.is_refunded_whole(now) else now.date()
        if taken and backs and backs[-1][0] == since:
            backs[-1] = (since, backs[-1][1] + taken)
        elif taken:
            backs.append((since, taken))
        seats -= taken
    last = standing.now
    for since, taken in backs:
        last = _next(
            last,
            SegmentKind.REMOVE_QUANTITY,
            now,
            order_line,
            quantity=last.quantity - taken,
            since=since,
        )
        yield last


def _anew(last: Segment, quoted: Quoted, quantity: int, now: datetime, order_line: str) -> Segment:
    """Begin a new term today."""
    day = now.date()
    return replace(
        _next(last, SegmentKind.CONVERT, now, order_line, quantity=quantity, quoted=quoted),
        term_start=day,
        term_end=_end(quoted.offer, day),
    )


def _end(offer: Offer, day: date) -> date | None:
    return None if offer.term is Term.ONE_TIME else offer.natural_end(day)


def _one(
    last: Segment,
    kind: SegmentKind,
    now: datetime,
    order_line: str,
    *,
    quantity: int | None = None,
    quoted: Quoted | None = None,
    status: Status | None = None,
) -> Outcome:
    return Outcome((_next(last, kind, now, order_line, quantity=quantity, quoted=quoted, status=status),))


def _next(
    last: Segment,
    kind: SegmentKind,
    at: datetime,
    order_line: str,
    *,
    quantity: int | None = None,
    quoted: Quoted | None = None,
    since: date | None = None,
    status: Status | None = None,
) -> Segment:
    return replace(
        last,
        number=last.number + 1,
        kind=kind,
        at=at,
        since=since or at.date(),
        quantity=last.quantity if quantity is None else quantity,
        quoted=quoted or last.quoted,
        status=status or last.status,
        order_line=order_line,
    )
