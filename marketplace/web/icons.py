"""Icons: Tabler's outline drawings, inlined so that they take the text's colour and need no request."""

import re
from functools import cache
from pathlib import Path

from markupsafe import Markup, escape

FOLDER = Path(__file__).parents[2] / "templates" / "components" / "icons"
_INNER = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)
_BLANK = re.compile(r'<path stroke="none"[^>]*/>')


class UnknownIcon(LookupError):
    """The drawing is not among those kept in `templates/components/icons`."""


@cache
def _drawing(name: str) -> str:
    path = FOLDER / f"{name}.svg"
    if not path.is_file():
        raise UnknownIcon(name)
    found = _INNER.search(path.read_text(encoding="utf-8"))
    if not found:
        raise UnknownIcon(name)
    return re.sub(r"\s+", " ", _BLANK.sub("", found[1])).strip()


def icon(name: str, *, label: str = "", cls: str = "") -> Markup:
    """Draw an icon. Without a label it is decoration and hidden from screen readers."""
    names = f"icon {cls}".strip()
    meaning = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    return Markup(  # noqa: S704 - the drawing is our own file, the label is escaped
        f'<svg class="{escape(names)}" width="24" height="24" viewBox="0 0 24 24" fill="none" stroke="currentColor" '
        f'stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round" focusable="false" {meaning}>'
        f"{_drawing(name)}</svg>"
    )
