"""How long seats can be given back: every lot of seats has its own window, from the instant it was bought."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from marketplace.subscriptions.rules.history import Offer, Segment
from marketplace.subscriptions.words import SegmentKind


@dataclass(frozen=True, slots=True)
class Lot:
    """Seats that were bought together: until when they can be given back, and until when for their whole price."""

    quantity: int
    bought_at: datetime
    until: datetime
    full_refund_until: datetime
    # The first day they were charged.
    since: date
    # Whether they began the term: with them the whole subscription can be given up.
    is_term: bool = False

    def is_open(self, now: datetime) -> bool:
        """Whether they can still be given back."""
        return now < self.until

    def is_refunded_whole(self, now: datetime) -> bool:
        """Whether their whole price comes back."""
        return now < self.full_refund_until


def lots(segments: Sequence[Segment]) -> list[Lot]:
    """Give the lots of seats that stand, the oldest first.

    Seats that are given back are those bought last. An upgrade or a longer term opens no window, and ends those that
    were open: what was upgraded cannot be given back. Where some seats were, the others come back by the day: their
    first days were charged together with those of the seats that went.
    """
    standing: list[Lot] = []
    before = 0
    for segment in segments:
        match segment.kind:
            case SegmentKind.NEW | SegmentKind.RENEW:
                standing = [_lot(segment, segment.quantity, is_term=True)]
            case SegmentKind.ADD_QUANTITY:
                standing.append(_lot(segment, segment.quantity - before))
            case SegmentKind.CONVERT | SegmentKind.MOVE_QUANTITY if segment.quantity >= before:
                standing = [_closed(_lot(segment, segment.quantity, is_term=True))]
            case SegmentKind.CONVERT | SegmentKind.MOVE_QUANTITY:
                standing = [_by_the_day(lot) for lot in _less(standing, before - segment.quantity)]
            case SegmentKind.REMOVE_QUANTITY | SegmentKind.CANCEL_IMMEDIATE:
                standing = _less(standing, before - segment.quantity)
        before = segment.quantity
    return standing


def window_after(until: datetime | None, *, seats_before: int, segment: Segment) -> datetime | None:
    """Give until when the whole subscription can be given up after a segment, from what it was before: its term's lot."""
    match segment.kind:
        case SegmentKind.NEW | SegmentKind.RENEW if _has_window(segment.quoted.offer):
            return _lot(segment, segment.quantity).until
        case SegmentKind.CONVERT | SegmentKind.MOVE_QUANTITY if segment.quantity < seats_before:
            return until
        case SegmentKind.ADD_QUANTITY | SegmentKind.REMOVE_QUANTITY | SegmentKind.CHANGE_BILLING_PLAN:
            return until
        case SegmentKind.SUSPEND | SegmentKind.RESUME:
            return until
        case _:
            return None


def _has_window(offer: Offer) -> bool:
    """Whether there is a last moment: some can be given up on any day, others never."""
    return offer.may_cancel and not (offer.is_trial or offer.is_extended or offer.is_metered)


def open_lots(segments: Sequence[Segment], now: datetime) -> list[Lot]:
    """Give the lots that can be given back now, those bought last first."""
    return [lot for lot in reversed(lots(segments)) if lot.is_open(now)]


def _lot(segment: Segment, quantity: int, *, is_term: bool = False) -> Lot:
    rules = segment.quoted.offer.commitments(segment.at.date())
    window, full = segment.at + rules.window, segment.at + rules.full_refund
    return Lot(quantity, segment.at, window, full, segment.since, is_term)


def _closed(lot: Lot) -> Lot:
    return replace(lot, until=lot.bought_at, full_refund_until=lot.bought_at)


def _by_the_day(lot: Lot) -> Lot:
    return replace(lot, full_refund_until=lot.bought_at)


def _less(standing: list[Lot], seats: int) -> list[Lot]:
    left = list(standing)
    while seats and left:
        lot = left.pop()
        if lot.quantity > seats:
            left.append(replace(lot, quantity=lot.quantity - seats))
        seats -= min(seats, lot.quantity)
    return left
