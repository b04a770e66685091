"""Which state of an order may follow which."""

from marketplace.core.errors import N_, Phrase, Refusal
from marketplace.orders.words import OrderKind, OrderState

S = OrderState

#: Where each state may lead.
TURNS: dict[OrderState, frozenset[OrderState]] = {
    S.DRAFT: frozenset({S.QUOTED, S.SUBMITTED, S.CANCELLED}),
    S.QUOTED: frozenset({S.DRAFT, S.QUOTED, S.SUBMITTED, S.CANCELLED}),
    S.SUBMITTED: frozenset({S.AWAITING_APPROVAL, S.SCHEDULED, S.PROVISIONING}),
    S.AWAITING_APPROVAL: frozenset({S.SCHEDULED, S.PROVISIONING, S.REJECTED, S.CANCELLED}),
    S.SCHEDULED: frozenset({S.PROVISIONING, S.CANCELLED}),
    S.PROVISIONING: frozenset({S.COMPLETED, S.FAILED}),
    # What failed may be tried again, or done by hand at the vendor after all.
    S.FAILED: frozenset({S.PROVISIONING, S.COMPLETED, S.CANCELLED}),
    S.COMPLETED: frozenset(),
    S.REJECTED: frozenset(),
    S.CANCELLED: frozenset(),
}
#: What can still be put together: nobody has been asked for anything yet.
OPEN = frozenset({S.DRAFT, S.QUOTED})
#: What was ordered and takes credit, though it is no subscription yet.
ON_ITS_WAY = frozenset({S.SUBMITTED, S.SCHEDULED, S.PROVISIONING, S.AWAITING_APPROVAL})
ENDED = frozenset({S.COMPLETED, S.REJECTED, S.CANCELLED})


#: What an order is, within a sentence.
_WORDS = {
    S.DRAFT: N_("a draft"),
    S.QUOTED: N_("quoted"),
    S.SUBMITTED: N_("submitted"),
    S.AWAITING_APPROVAL: N_("awaiting approval"),
    S.SCHEDULED: N_("scheduled"),
    S.PROVISIONING: N_("at the vendor"),
    S.COMPLETED: N_("completed"),
    S.REJECTED: N_("rejected"),
    S.FAILED: N_("failed"),
    S.CANCELLED: N_("cancelled"),
}


def state_words(state: str) -> Phrase:
    """Say what an order is, within a sentence."""
    return Phrase.of(_WORDS[OrderState(state)])


class OrderHasMovedOn(Refusal):
    """Somebody else was quicker, or the order is past that."""

    sentence = N_("This order is %(state)s by now. Nothing was changed: look at it again.")


def may_turn(state: str, into: OrderState) -> bool:
    """Whether an order may go from one state to another."""
    return into in TURNS[OrderState(state)]


def may_be_put_again(kind: str, state: str) -> bool:
    """Whether what an order was for may be put into a cart again: it bought, and nothing comes of it by itself."""
    return kind == OrderKind.PURCHASE and state in {S.FAILED, S.REJECTED}


def check_turn(state: str, into: OrderState) -> None:
    """Raise `OrderHasMovedOn` where an order cannot go there any more."""
    if not may_turn(state, into):
        raise OrderHasMovedOn(state=state_words(state))
