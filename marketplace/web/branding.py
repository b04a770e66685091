"""Which brand a request wears: that of the reseller whose pages these are, or of the address a visitor came by.

And how an accent looks, for the pages that show one.
"""

from typing import Any
from urllib.parse import urlsplit

from flask import g, request

from marketplace.core.look import Look
from marketplace.web.session import actor_or_none, visitors_transaction, wiring
from resellers.queries.brands import look_at_address
from resellers.rules.brand import in_light, nearest_in_dark, nearest_in_light

#: The cookie that remembers by which word of our address a visitor came.
CAME_BY = "firm"
_UNKNOWN = object()


def look() -> Look | None:
    """Give the brand of this request's pages; None is the marketplace's own."""
    found = g.get("look", _UNKNOWN)
    if found is _UNKNOWN:
        found = g.look = _find()
    return found


def _find() -> Look | None:
    actor = actor_or_none()
    if actor is not None:
        return actor.look
    host = (urlsplit(f"//{request.host}").hostname or "").lower()
    path = request.cookies.get(CAME_BY, "")
    if host == own_host():
        host = ""
    if not host and not path:
        return None
    with visitors_transaction() as session:
        return look_at_address(session, host=host, path=path)


def own_host() -> str:
    """Give the marketplace's own host name."""
    return (urlsplit(wiring().settings.site_url).hostname or "").lower()


def accent_proposal(text: str) -> dict[str, Any] | None:
    """Give a colour as it is worn on light and dark pages, and whether it can be; None where it is no colour yet."""
    colour = text.strip().lower()
    if colour and not colour.startswith("#"):
        colour = f"#{colour}"
    if len(colour) != len("#rrggbb") or any(one not in "0123456789abcdef" for one in colour[1:]):
        return None
    return {"given": in_light(colour), "light": nearest_in_light(colour), "dark": nearest_in_dark(colour)}
