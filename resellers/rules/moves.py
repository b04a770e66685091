"""From which day a customer, or one of its subscriptions, can go to another reseller.

On any day: the month is shared out in documents of both. What was billed or is still corrected of the days before stays
with who had them.
"""

from datetime import date

from marketplace.core.errors import N_, Refusal


class MovesInThePast(Refusal):
    """What others were billed stays their own."""

    sentence = N_("%(day)s is the first day it can still move on: months before it were billed.")


class MovesNowhere(Refusal):
    """It is with that reseller already."""

    sentence = N_("%(customer)s is with that reseller already. Choose another.")


class MovesAlready(Refusal):
    """A move waits for its day."""

    sentence = N_("%(customer)s moves on %(day)s already. Cancel that move first.")


class NotASeller(Refusal):
    """A customer goes to a reseller that may sell."""

    sentence = N_("%(reseller)s is not active. Choose another reseller, or make it active first.")


class SubscriptionMovesAlready(Refusal):
    """A move of it waits for its day."""

    sentence = N_("It moves on %(day)s already. Cancel that move first.")


class StaysWithItsReseller(Refusal):
    """Within a reseller nothing is to be moved."""

    sentence = N_("%(customer)s is a customer of the same reseller. Choose the customer of another one.")


class NoSuchCustomer(Refusal):
    """Nobody has the reference."""

    sentence = N_(
        "There is no customer %(customer)s. Choose one of the list, or name the reseller that takes the firm on under it."
    )


class NothingToMove(Refusal):
    """What has ended is charged no more."""

    sentence = N_("This subscription has ended. Move one that is active or suspended.")


def next_first(today: date) -> date:
    """Give the first day of the next month."""
    return date(today.year + today.month // 12, today.month % 12 + 1, 1)


def check_day(moves_on: date, *, today: date) -> None:
    """Raise unless something can move on the day: one of this month or a later one."""
    first = today.replace(day=1)
    if moves_on < first:
        raise MovesInThePast(day=first.isoformat())
