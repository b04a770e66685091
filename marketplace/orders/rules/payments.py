"""What was paid of closed statements: what can be noted of one, and rows of a file that note it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from marketplace.core.cells import Entry, Unusable, day_or_open, decimal_number
from marketplace.core.errors import N_, Phrase
from marketplace.core.money import Money

COLUMNS = ("statement", "amount", "paid_on")


@dataclass(frozen=True, slots=True)
class PaymentLine:
    """A row that can be used as far as it goes."""

    statement: UUID
    amount: Decimal
    paid_on: date


def read_payment(cells: Mapping[str, str], *, today: date) -> PaymentLine:
    """Read a row. Raises `FaultyEntry` naming every faulty cell."""
    entry = Entry(cells)
    line = PaymentLine(
        statement=entry.take("statement", _statement, UUID(int=0)),
        amount=entry.take("amount", decimal_number, Decimal(0)),
        paid_on=entry.take("paid_on", lambda text: _paid_on(text, today=today), today),
    )
    entry.check()
    return line


def amount_of(exact: Decimal, currency: str) -> Money:
    """Give an amount of a file as money. Raises `Unusable` where it has more decimals than its currency."""
    amount = Money.rounded(exact, currency)
    if amount.amount != exact:
        raise Unusable(Phrase.of(N_("has more decimals than %(currency)s has"), currency=currency))
    return amount


def check_amount(amount: Money, *, left: Money) -> None:
    """Raise `Unusable` unless so much can be noted: something, and no more than is left. Credits are paid out."""
    is_credit = left.minor < 0
    if amount.minor == 0 or (amount.minor < 0) != is_credit:
        reason = N_("must be below nought: a credit is paid out") if is_credit else N_("must be above nought")
        raise Unusable(Phrase.of(reason))
    if abs(amount.minor) > abs(left.minor):
        raise Unusable(Phrase.of(N_("is more than the %(left)s that are left"), left=left))


def _statement(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        reason = N_("is not the id of a statement: take the file of open statements from the credit page")
        raise Unusable(Phrase.of(reason)) from None


def _paid_on(text: str, *, today: date) -> date:
    day = day_or_open(text)
    if day is None or day > today:
        raise Unusable(Phrase.of(N_("must be a day until today, such as 2024-09-01")))
    return day
