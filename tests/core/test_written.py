"""How amounts and days look where no page is, and that stored sentences keep what kind their facts are of."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from babel import Locale

from marketplace.core import written
from marketplace.core.errors import Phrase
from marketplace.core.money import Money
from marketplace.core.period import Period


@pytest.mark.parametrize(
    ("fact", "english", "french"),
    [
        (Money(17_374_965, "EUR"), "€173,749.65", "173\u202f749,65\u00a0€"),
        (Money(-5, "USD"), "\u2212US$0.05", "\u22120,05\u00a0$US"),
        (Money(1250, "KWD"), "KWD\u00a01.250", "1,250\u00a0KWD"),
        (date(2026, 3, 1), "1 Mar 2026", "1 mars 2026"),
        (datetime(2026, 3, 1, 9, 30, tzinfo=UTC), "1 Mar 2026, 09:30 UTC", "1 mars 2026, 09:30 UTC"),
        (Period(2026, 3), "March 2026", "mars 2026"),
        (Decimal("1234.5"), "1,234.5", "1\u202f234,5"),
        (1234, "1,234", "1\u202f234"),
        ("O-000005", "O-000005", "O-000005"),
    ],
)
def test_a_fact_is_written_as_the_language_writes_its_kind(fact: object, english: str, french: str) -> None:
    assert written.fact(fact, Locale("en", "GB")) == english
    assert written.fact(fact, Locale("fr")) == french


def test_a_stored_sentence_keeps_the_kinds_of_its_facts() -> None:
    inner = Phrase.of("%(amount)s", amount=Money(999, "EUR"))
    moment = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    phrase = Phrase.of(
        "%(a)s %(b)s %(c)s %(d)s %(e)s", a=inner, b=date(2026, 3, 1), c=moment, d=7, e="seven seats"
    )

    again = Phrase.from_data(phrase.as_data())

    assert again.facts == phrase.facts
    assert again == phrase
    assert again.said_with(str, lambda fact: written.fact(fact, Locale("fr"))).startswith(
        "9,99\u00a0€ 1 mars"
    )


def test_a_vendor_in_a_sentence_is_called_by_its_name_however_deep_it_stands() -> None:
    inner = Phrase.of("%(vendor)s is busy", vendor="microsoft")
    phrase = Phrase.of("%(vendor)s failed: %(why)s", vendor="coffre", why=inner)

    assert phrase.said_with(str, str) == "coffre failed: Microsoft is busy"
