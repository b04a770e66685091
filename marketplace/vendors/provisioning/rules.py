"""The states of a request and when it is tried again. Pure."""

from datetime import timedelta
from enum import StrEnum


class RequestState(StrEnum):
    """How far a request is."""

    # To be sent, now or at its next attempt.
    QUEUED = "queued"
    # Being sent; after a crash it is sent again with the same key.
    SENT = "sent"
    # The vendor works on it; we look again later.
    WAITING = "waiting"
    # The vendor asks; somebody has to answer.
    INQUIRY = "inquiry"
    # Staff do it.
    BY_HAND = "by_hand"
    DONE = "done"
    FAILED = "failed"
    # Whoever asked wants it no more: nobody may try it again.
    WITHDRAWN = "withdrawn"


S = RequestState
#: Where each state may lead.
TURNS = {
    S.QUEUED: {S.SENT, S.FAILED},
    S.SENT: {S.SENT, S.QUEUED, S.WAITING, S.INQUIRY, S.BY_HAND, S.DONE, S.FAILED},
    S.WAITING: {S.SENT, S.FAILED},
    S.INQUIRY: {S.QUEUED, S.FAILED, S.WITHDRAWN},
    S.BY_HAND: {S.DONE, S.FAILED, S.WITHDRAWN},
    S.DONE: set[RequestState](),
    S.FAILED: {S.QUEUED, S.WITHDRAWN},
    S.WITHDRAWN: set[RequestState](),
}
#: What the machine goes on with by itself.
MOVING = frozenset({S.QUEUED, S.SENT, S.WAITING})
ENDED = frozenset({S.DONE, S.FAILED, S.WITHDRAWN})

_PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 30, 60, 120, 240))
_LOOKS = tuple(timedelta(seconds=seconds) for seconds in (5, 10, 20, 30, 60, 120, 300))
MOST_ATTEMPTS = 16
"""About two days of a vendor that is down; then a person decides."""
STUCK_AFTER = timedelta(hours=1)
"""What moves by itself and has not arrived by then needs somebody to look."""
ON_RECORD_WITHIN = timedelta(hours=1)
"""A vendor that was told of an agreement sells on the strength of it by then; else a person looks."""
HAND_DAYS = 2


def may_turn(state: str, into: RequestState) -> bool:
    """Whether a request may go from one state to another."""
    return into in TURNS[RequestState(state)]


def pause_after(attempts: int, retry_after: timedelta | None) -> timedelta:
    """Give how long to leave a vendor alone that did not answer: longer each time, and at least as it wishes."""
    own = _PAUSES[min(max(attempts, 1), len(_PAUSES)) - 1]
    return max(own, retry_after) if retry_after else own


def look_again_after(looks: int) -> timedelta:
    """Give when to look again whether the vendor is ready."""
    return _LOOKS[min(looks, len(_LOOKS) - 1)]
