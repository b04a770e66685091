"""From which day a customer, or one of its subscriptions, can go to another reseller.

Documents are of a month and a customer, so a customer goes with the first day of a month; what was billed or is still
corrected of the months before stays with the reseller it had then. A subscription goes to another customer, on any
day: its month is cut in two documents.
"""

from datetime import date

from marketplace.core.errors import N_, Refusal


class NotAMonthsFirst(Refusal):
    """Two resellers cannot share a customer's month."""

    sentence = N_(
        "A customer moves with the first day of a month, such as %(next)s: documents are of whole months."
    )


class MovesInThePast(Refusal):
    """What another reseller was billed stays its own."""

    sentence = N_("%(month)s is the first month a customer can still move with: earlier ones were billed.")


class MovesNowhere(Refusal):
    """It is with that reseller already."""

    sentence = N_("%(customer)s is with that reseller already. Choose another.")


class MovesAlready(Refusal):
    """A move waits for its day."""

    sentence = N_("%(customer)s moves on %(day)s already. Cancel that move first.")


class NotASeller(Refusal):
    """A customer goes to a reseller that may sell."""

    sentence = N_("%(reseller)s is not active. Choose another reseller, or make it active first.")


class SubscriptionMovesInThePast(Refusal):
    """What another customer was billed stays its own."""

    sentence = N_("%(day)s is the first day a subscription can still move on: months before it were billed.")


class SubscriptionMovesAlready(Refusal):
    """A move of it waits for its day."""

    sentence = N_("It moves on %(day)s already. Cancel that move first.")


class StaysWithItsReseller(Refusal):
    """Within a reseller nothing is to be moved."""

    sentence = N_("%(customer)s is a customer of the same reseller. Choose the customer of another one.")


class NoSuchCustomer(Refusal):
    """Nobody has the reference."""

    sentence = N_(
        "There is no customer %(customer)s. Choose one of the list, or add the firm under Customers first."
    )


class NothingToMove(Refusal):
    """What has ended is charged no more."""

    sentence = N_("This subscription has ended. Move one that is active or suspended.")


def next_first(today: date) -> date:
    """Give the first day of the next month."""
    return date(today.year + today.month // 12, today.month % 12 + 1, 1)


def check_day(moves_on: date, *, today: date) -> None:
    """Raise unless a customer can move on the day: the first of this month or of a later one."""
    if moves_on.day != 1:
        raise NotAMonthsFirst(next=next_first(moves_on).isoformat())
    first = today.replace(day=1)
    if moves_on < first:
        raise MovesInThePast(month=first.isoformat()[:7])


def check_day_of_subscription(moves_on: date, *, today: date) -> None:
    """Raise unless a subscription can move on the day: one of this month or a later one."""
    first = today.replace(day=1)
    if moves_on < first:
        raise SubscriptionMovesInThePast(day=first.isoformat())
