"""The steps of a month from its files to its end, and how far it is."""

from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext

from marketplace.billing.queries.periods import PeriodPage, PeriodRow
from marketplace.web import filters as shown


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a month, and how far it is: done, now, or later."""

    name: str
    sentence: str
    state: str
    href: str = ""
    label: str = ""


def steps_of(page: PeriodPage, figures: PeriodRow | None) -> list[Step]:
    """Say how far a month is: files in, rated, everything mapped, reviewed, closed. One step is to be done now."""
    month = page.period
    is_rated = page.status != "open"
    unmapped = bool(figures and figures.unmapped)
    done = {
        "files": page.deliveries > 0 and not page.reading,
        "rated": is_rated,
        "mapped": is_rated and not unmapped,
        "reviewed": page.status in {"reviewed", "closed"},
        "closed": page.status == "closed",
    }
    files = (
        gettext("%(count)s imports", count=shown.count(page.deliveries))
        if page.deliveries
        else gettext("No file yet")
    )
    if page.reading:
        files = gettext("Being read")
    mapped = gettext("Known once rated")
    if is_rated:
        mapped = (
            ", ".join(shown.money(one) for one in figures.unmapped)
            if unmapped and figures
            else gettext("All mapped")
        )
    sentences = {
        "files": files,
        "rated": _said_by(page.rated_by, page.rated_at) if is_rated else gettext("No draft yet"),
        "mapped": mapped,
        "reviewed": _said_by(page.reviewed_by, page.reviewed_at)
        if done["reviewed"]
        else gettext("Look at the draft, then approve"),
        "closed": _said_by(page.closed_by, page.closed_at)
        if done["closed"]
        else gettext("Statements become final"),
    }
    names = {
        "files": gettext("Files in"),
        "rated": gettext("Rated"),
        "mapped": gettext("Usage mapped"),
        "reviewed": gettext("Reviewed"),
        "closed": gettext("Closed"),
    }
    here = url_for("admin.period", period=month)
    hrefs = {
        "files": url_for("admin.imports", period=month),
        "rated": here,
        "mapped": url_for("admin.unmapped", period=month),
        "reviewed": f"{here}#review" if is_rated else here,
        "closed": here,
    }
    current = next((name for name, is_done in done.items() if not is_done and name != "mapped"), None)
    return [
        Step(
            name=names[name],
            sentence=sentences[name],
            state="done"
            if done[name]
            else "warning"
            if name == "mapped" and unmapped
            else "now"
            if name == current
            else "later",
            href=hrefs[name],
        )
        for name in names
    ]


def _said_by(name: str, moment: Any) -> str:
    return f"{shown.named(name)}, {shown.moment(moment)}" if moment else shown.named(name)
