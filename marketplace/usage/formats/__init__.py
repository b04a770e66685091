"""The formats of vendor files: one file each, and the recognition of a file by its header."""

from collections.abc import Sequence

from marketplace.core.errors import N_, Refusal
from marketplace.usage.formats.daily import DAILY
from marketplace.usage.formats.focus import FOCUS
from marketplace.usage.formats.format import Check, Format
from marketplace.usage.formats.own import OWN
from marketplace.usage.formats.reconciliation import RECONCILIATION

FORMATS: tuple[Format, ...] = (RECONCILIATION, DAILY, FOCUS, OWN)

__all__ = ["FORMATS", "Check", "Format", "UnknownFormat", "recognise"]

_SHOWN_COLUMNS, _SHOWN_LETTERS = 8, 60


class UnknownFormat(Refusal):
    """No format has the header's columns."""

    sentence = N_(
        "%(file)s is not a file we can read: its header is %(found)s. It is nearest to %(format)s, which also needs "
        "%(missing)s. Files we read: %(formats)s."
    )


def recognise(names: Sequence[str], *, file: str) -> Format:
    """Give the format whose required columns the header has. Raises `UnknownFormat`."""
    for candidate in FORMATS:
        if not candidate.missing_from(names):
            return candidate
    nearest = min(
        FORMATS, key=lambda known: (len(known.missing_from(names)) / len(known.required), known.name)
    )
    shown = ", ".join(map(_readable, names[:_SHOWN_COLUMNS])) + (
        ", ..." if len(names) > _SHOWN_COLUMNS else ""
    )
    raise UnknownFormat(
        file=file,
        found=shown or "-",
        format=nearest.title,
        missing=", ".join(nearest.missing_from(names)),
        formats=", ".join(known.title for known in FORMATS),
    )


def _readable(name: str) -> str:
    """Show a name as one of a header, though the file may be a picture or a program."""
    letters = "".join(letter if letter.isprintable() else "?" for letter in name[:_SHOWN_LETTERS])
    return letters + ("..." if len(name) > _SHOWN_LETTERS else "")
