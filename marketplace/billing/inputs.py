"""Everything a period's amounts come from, as of one instant, and the fingerprint of it."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from marketplace.billing.charges import charges_fingerprint, refresh_charges
from marketplace.billing.sources import Sources, load_sources
from marketplace.billing.terms import Book, inputs_fingerprint, load_book
from marketplace.core.errors import N_, Refusal
from marketplace.core.period import Period

_ATTEMPTS = 5


class InputsKeepChanging(Refusal):
    """Somebody imports or edits faster than the terms can be read."""

    sentence = N_(
        "Usage or terms of %(period)s keep changing: wait until imports have ended, then rate again."
    )


@dataclass(frozen=True, slots=True)
class Inputs:
    """What to rate a period from. Equal fingerprints give equal lines."""

    book: Book
    sources: Sources
    fingerprint: str


def load_inputs(session: Session, period: Period, *, lake: Path) -> Inputs:
    """Load usage and terms; where they change while they are being read, read them again.

    Raises `InputsKeepChanging`.
    """
    for _ in range(_ATTEMPTS):
        refresh_charges(session, period, lake=lake)
        before = current_fingerprint(session, period)
        inputs = Inputs(load_book(session, period), load_sources(session, period, lake=lake), before)
        if current_fingerprint(session, period) == before:
            return inputs
    raise InputsKeepChanging(period=period)


def current_fingerprint(session: Session, period: Period) -> str:
    """Digest what the period's amounts would come from if it were rated now."""
    session.expire_all()
    sources = load_sources(session, period, lake=Path())
    terms = inputs_fingerprint(session, period, first_day=sources.first_day, last_day=sources.last_day)
    charges = charges_fingerprint(session, period)
    return terms if not charges else f"{terms}:{charges}"
