"""What a customer can say to a renewal, until when, and what has to change for it."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from marketplace.core.errors import N_, Refusal
from marketplace.subscriptions.rules.changes import ChangeAtRenewal, RenewAsItIs, SetTermEnd
from marketplace.subscriptions.rules.history import Standing, midnight
from marketplace.subscriptions.words import AtTermEnd


class AnswerTooLate(Refusal):
    """The term has ended."""

    sentence = N_(
        "%(subscription)s: its term ended on %(day)s, so this cannot be decided any more. "
        "Ask your supplier what can still be done."
    )


class RenewalsOver(Refusal):
    """Nothing that was asked about can be decided any more."""

    sentence = N_(
        "It is too late: the term has ended, and what was decided for it has taken its course. "
        "Ask your supplier what can still be done."
    )


class RenewalIsOff(Refusal):
    """Seats were asked for at a renewal that will not be."""

    sentence = N_(
        "It is set to end, so there is no renewal to change seats at: answer that it renews, and change the seats "
        "once that is done."
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said to one renewal; `quantity` are the seats to renew with, where they are to change."""

    subscription_id: UUID
    choice: AtTermEnd
    quantity: int | None = None


def check_in_time(term_end: date, now: datetime, *, name: str) -> None:
    """Refuse an answer from the instant on at which the term ends. Raises `AnswerTooLate`."""
    if now >= midnight(term_end):
        raise AnswerTooLate(subscription=name, day=term_end)


def change_wanted(answer: Answer, standing: Standing) -> SetTermEnd | ChangeAtRenewal | RenewAsItIs | None:
    """Say what has to change for an answer to come true; None where it would happen by itself. Raises `RenewalIsOff`."""
    if answer.choice is not standing.at_term_end:
        if answer.quantity is not None:
            raise RenewalIsOff
        return SetTermEnd(answer.choice)
    if answer.choice is not AtTermEnd.RENEW:
        return None
    has, waiting = standing.now.quantity, standing.at_renewal
    wanted = has if answer.quantity is None else answer.quantity
    if wanted == has:
        return None if waiting is None else RenewAsItIs()
    return None if waiting is not None and waiting.quantity == wanted else ChangeAtRenewal(quantity=wanted)
