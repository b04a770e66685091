"""A quote on paper: who offers what to whom, until when, and how it is accepted."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime

from marketplace.documents.typesetting import NotTypeset, typeset

#: What stands in for a brand's accent.
PLAIN_ACCENT = "#1f2937"
_ENDINGS = {"image/png": "png", "image/webp": "webp"}


@dataclass(frozen=True, kw_only=True, slots=True)
class PaperParty:
    """A firm as a document names it."""

    role: str
    name: str
    # Registration, tax number, address: a line each.
    about: Sequence[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class PaperLine:
    """A line of a quote, every value as it is read."""

    what: str
    detail: str
    # Quantity, price of a unit, price of a charge, commitment, last day.
    cells: Sequence[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class QuotePaper:
    """Everything that stands on the paper, in one language."""

    language: str
    title: str
    number: str
    version: str
    accent: str
    seller: PaperParty
    buyer: PaperParty
    particulars: Sequence[tuple[str, str]]
    words_title: str
    words: str
    lines_title: str
    heads: Sequence[str]
    lines: Sequence[PaperLine]
    # The last is the one that counts.
    totals: Sequence[tuple[str, str]]
    terms_title: str
    terms: Sequence[str]
    accept_title: str
    accept: str
    link: str
    page: str
    footer: str


def quote_pdf(paper: QuotePaper, *, logo: tuple[str, bytes] | None, made_at: datetime) -> bytes:
    """Give the PDF of a quote; `logo` is its media type and its bytes. A picture that is none is left out."""
    if logo:
        with suppress(NotTypeset):
            return _drawn(paper, {f"logo.{_ENDINGS[logo[0]]}": logo[1]}, made_at=made_at)
    return _drawn(paper, {}, made_at=made_at)


def _drawn(paper: QuotePaper, pictures: Mapping[str, bytes], *, made_at: datetime) -> bytes:
    facts = asdict(paper) | {"accent": paper.accent or PLAIN_ACCENT, "logo": next(iter(pictures), "")}
    return typeset("quote.typ", facts, pictures=pictures, made_at=made_at)
