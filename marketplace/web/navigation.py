"""What can be gone to: the entries of each shell's menu, and what Ctrl+K finds.

Page modules register their entries when they are imported; a shell shows those its actor may open.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from flask import current_app, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.errors import N_
from marketplace.web.session import actor_or_none, current_actor, transaction

_MOST_HITS = 20


@dataclass(frozen=True, kw_only=True)
class NavEntry:
    """One line of a menu. `place` orders entries; entries of one `group` stand together under its name."""

    audience: Audience
    endpoint: str
    label: str
    icon: str
    permission: Permission
    place: int = 100
    group: str = ""
    in_menu: bool = True
    words: str = ""

    @property
    def href(self) -> str:
        """Where the entry leads."""
        return url_for(self.endpoint)

    @property
    def is_current(self) -> bool:
        """Whether the page shown lies under this entry."""
        here = request.path.rstrip("/")
        mine = self.href.rstrip("/")
        home = mine in {"", "/admin", "/portal"}
        return here == mine or (not home and here.startswith(f"{mine}/"))


@dataclass(frozen=True, kw_only=True)
class Hit:
    """Something Ctrl+K found: already in the reader's language, or a name that has none."""

    label: str
    href: str
    kind: str
    icon: str = "arrow-right"
    detail: str = ""


Search = Callable[[Session, Actor, str], Iterable[Hit]]

_entries: dict[tuple[Audience, str], NavEntry] = {}
_searches: dict[Audience, list[Search]] = {audience: [] for audience in Audience}


def add_to_menu(
    audience: Audience,
    *,
    endpoint: str,
    label: str,
    icon: str,
    permission: Permission,
    place: int = 100,
    group: str = "",
    in_menu: bool = True,
    words: str = "",
) -> None:
    """Register a page for the menu and for Ctrl+K (with `in_menu=False`, for Ctrl+K alone).

    `label` and `group` are marked with `N_`; `words` are further English words that should find the page.
    """
    _entries[audience, endpoint] = NavEntry(
        audience=audience,
        endpoint=endpoint,
        label=label,
        icon=icon,
        permission=permission,
        place=place,
        group=group,
        in_menu=in_menu,
        words=words,
    )


def add_search(audience: Audience, search: Search) -> None:
    """Register a function that finds objects for Ctrl+K: `(session, actor, text) -> hits`, few and quickly."""
    if search not in _searches[audience]:
        _searches[audience].append(search)


def entries_for(actor: Actor) -> list[NavEntry]:
    """Give the entries an actor may open, in order."""
    allowed = (
        entry
        for (audience, endpoint), entry in _entries.items()
        if audience is actor.audience
        and actor.may(entry.permission)
        and endpoint in current_app.view_functions
    )
    return sorted(allowed, key=lambda entry: (entry.place, entry.label))


def menu() -> list[tuple[str, list[NavEntry]]]:
    """Give the menu of the current actor as (group, entries)."""
    actor = actor_or_none()
    groups: dict[str, list[NavEntry]] = {}
    for entry in entries_for(actor) if actor else ():
        if entry.in_menu:
            groups.setdefault(entry.group, []).append(entry)
    return list(groups.items())


def find(session: Session, actor: Actor, text: str) -> list[Hit]:
    """Find pages and objects by a few letters; without letters, the pages."""
    wanted = text.strip().casefold()
    pages = [
        Hit(label=gettext(entry.label), href=entry.href, kind=gettext("Page"), icon=entry.icon)
        for entry in entries_for(actor)
        if wanted in gettext(entry.label).casefold() or wanted in f"{entry.label} {entry.words}".casefold()
    ]
    objects = (
        [hit for search in _searches[actor.audience] for hit in search(session, actor, wanted)]
        if wanted
        else []
    )
    return [*pages, *objects][:_MOST_HITS]


def palette() -> ResponseReturnValue:
    """Answer Ctrl+K."""
    with transaction() as session:
        hits: Sequence[Hit] = find(session, current_actor(), request.args.get("q", ""))
    return {
        "hits": [
            {"label": hit.label, "href": hit.href, "kind": hit.kind, "detail": hit.detail, "icon": hit.icon}
            for hit in hits
        ]
    }


GROUP_MONTH = N_("The month")
GROUP_CATALOGUE = N_("Catalogue")
GROUP_TERMS = N_("Terms")
GROUP_PARTIES = N_("Parties")
GROUP_VENDORS = N_("Vendors")
GROUP_SYSTEM = N_("System")
GROUP_MONEY = N_("Money")
GROUP_QUESTIONS = N_("Questions")
GROUP_FIRM = N_("Firm")
