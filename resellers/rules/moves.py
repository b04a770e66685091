"""From which day a customer can go to another reseller.

Documents are of a month and a customer, so a customer goes with the first day of a month; what was billed or is still
corrected of the months before stays with the reseller it had then.
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
