"""What a customer's answer changes about a renewal, and until which instant it can be given."""

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest

from marketplace.subscriptions.rules.answers import (
    Answer,
    AnswerTooLate,
    RenewalIsOff,
    change_wanted,
    check_in_time,
)
from marketplace.subscriptions.rules.changes import ChangeAtRenewal, RenewAsItIs, SetTermEnd
from marketplace.subscriptions.rules.history import Waiting
from marketplace.subscriptions.words import AtTermEnd
from tests.subscriptions.lives import bought

RENEW, END, EXTEND = AtTermEnd.RENEW, AtTermEnd.END, AtTermEnd.EXTEND
END_OF_TERM = date(2027, 1, 15)


@pytest.mark.parametrize(
    ("at_term_end", "waits_with", "choice", "seats", "wanted"),
    [
        (RENEW, None, RENEW, None, None),
        (RENEW, None, RENEW, 10, None),
        (RENEW, None, RENEW, 8, ChangeAtRenewal(quantity=8)),
        (RENEW, 8, RENEW, 8, None),
        (RENEW, 8, RENEW, None, RenewAsItIs()),
        (RENEW, 8, RENEW, 10, RenewAsItIs()),
        (RENEW, 8, RENEW, 12, ChangeAtRenewal(quantity=12)),
        (RENEW, 8, END, None, SetTermEnd(END)),
        (END, None, END, None, None),
        (END, None, RENEW, None, SetTermEnd(RENEW)),
        (EXTEND, None, RENEW, None, SetTermEnd(RENEW)),
        (EXTEND, None, EXTEND, None, None),
    ],
)
def test_only_what_would_not_happen_by_itself_is_changed(
    at_term_end: AtTermEnd,
    waits_with: int | None,
    choice: AtTermEnd,
    seats: int | None,
    wanted: SetTermEnd | ChangeAtRenewal | RenewAsItIs | None,
) -> None:
    waiting = Waiting(due_on=END_OF_TERM, quantity=waits_with) if waits_with else None
    standing = bought(at_term_end=at_term_end, at_renewal=waiting)

    assert change_wanted(Answer(uuid4(), choice, seats), standing) == wanted


def test_seats_cannot_change_at_a_renewal_that_will_not_be() -> None:
    with pytest.raises(RenewalIsOff, match="answer that it renews"):
        change_wanted(Answer(uuid4(), RENEW, 8), bought(at_term_end=END))


def test_an_answer_is_in_time_to_the_last_instant_of_the_term() -> None:
    check_in_time(END_OF_TERM, datetime(2027, 1, 14, 23, 59, 59, tzinfo=UTC), name="E3")

    with pytest.raises(AnswerTooLate, match="its term ended on 2027-01-15"):
        check_in_time(END_OF_TERM, datetime(2027, 1, 15, tzinfo=UTC), name="E3")
