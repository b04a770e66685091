"""What pages share that show what a change would do before it is saved: asking, finding it again, saving by it.

The page that asks is the page that shows: it is found again at its own address with `?preview=`, and fills itself while
the worker is at it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode
from uuid import UUID

from flask import Flask, flash, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from marketplace.billing import previews
from marketplace.billing.closing import workshop
from marketplace.billing.previews import Asked, address_of
from marketplace.billing.queries.previews import (
    PreviewRow,
    at_work_on,
    find_preview,
    months_changed_since,
    row_of,
)
from marketplace.billing.trials import Change
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_, NotFound, Refusal
from marketplace.web import filters as shown
from marketplace.web.session import current_actor, database, transaction, wiring

#: What a rating is doing, in words.
STAGES: Mapping[str, str] = {
    "": N_("Waiting for the worker"),
    "read": N_("Reading usage"),
    "attribute": N_("Finding whose usage it is"),
    "group": N_("Adding up what belongs together"),
    "price": N_("Pricing and rounding"),
    "write": N_("Writing statements"),
}


class FactsChanged(Refusal):
    """What somebody saves by is no longer what it was made from."""

    sentence = N_(
        "Usage or terms of %(months)s have changed since the effect was worked out. Nothing was saved: look at the effect "
        "as it is now, then save again."
    )


@dataclass(frozen=True, kw_only=True)
class Job:
    """A preview as its page shows it."""

    row: PreviewRow
    # Where the page asks how far it is, and where it is cancelled.
    url: str
    cancel: str
    # Where its page opens again.
    address: str

    @property
    def stage(self) -> str:
        """What it is doing, in the reader's language."""
        return gettext(STAGES[self.row.stage])


def job_of(row: PreviewRow) -> Job:
    """Give a preview with the addresses of the audience whose page this is."""
    return Job(
        row=row,
        url=url_for(f"{request.blueprint}.preview", preview_id=row.id),
        cancel=url_for(f"{request.blueprint}.cancel_preview", preview_id=row.id),
        address=page_of(row),
    )


def ask(session: Session, change: Change, *, first_day: date | None = None, link: str = "") -> PreviewRow:
    """Ask what a change does. Refusals are raised as they would be when it is made."""
    asked = Asked(actor=current_actor(), change=change, link=link or request.path, first_day=first_day)
    preview_id = previews.ask(database(), asked, workshop=workshop(wiring().settings), now=utc_now())
    return preview_or_refuse(session, preview_id)


def preview_or_refuse(session: Session, preview_id: UUID) -> PreviewRow:
    """Give one's own preview. Raises `NotFound`, also for what is somebody else's."""
    preview = find_preview(session, actor=current_actor(), preview_id=preview_id)
    if preview is None:
        raise NotFound
    return row_of(preview)


def asked_here(session: Session) -> PreviewRow | None:
    """Give the preview that the address names, if it was asked for on this page and is kept yet."""
    preview_id = _uuid(request.args.get("preview", ""))
    preview = preview_id and find_preview(session, actor=current_actor(), preview_id=preview_id)
    if not preview or preview.link not in _addresses():
        return None
    return row_of(preview)


def kept_file(session: Session, preview_id: str) -> tuple[str, bytes] | None:
    """Give the file that was tried for a preview, by its name, so that nobody sends it twice."""
    known = _uuid(preview_id)
    preview = known and find_preview(session, actor=current_actor(), preview_id=known)
    if not preview or preview.content is None or preview.link != request.path:
        return None
    return preview.facts["file"], preview.content


def wants_effect() -> bool:
    """Whether the form that was sent asks for the effect rather than to be saved."""
    return request.form.get("step") != "save"


def overtaken() -> FactsChanged | None:
    """Refuse a form that would be saved by an effect that facts have overtaken: the page shows the effect anew."""
    preview_id = _uuid(request.form.get("preview", ""))
    if wants_effect() or preview_id is None:
        return None
    changed = months_changed_since(database(), actor=current_actor(), preview_id=preview_id)
    return FactsChanged(months=", ".join(shown.period(month) for month in changed)) if changed else None


def cancel(preview_id: UUID, *, back: Callable[[PreviewRow], str]) -> ResponseReturnValue:
    """Let the worker find it no longer, and go back."""
    with transaction() as session:
        preview = find_preview(session, actor=current_actor(), preview_id=preview_id)
        if preview is None:
            raise NotFound
        row = row_of(preview)
        if row.is_at_work:
            previews.cancel(session, preview=preview, actor=current_actor(), now=utc_now())
            flash(gettext("It is cancelled. Nothing was changed."), "info")
        else:
            flash(gettext("It has ended already."), "info")
    return redirect(back(row), code=303)


def page_of(row: PreviewRow) -> str:
    """Give the address of the page that asked, with the answer."""
    return address_of(row.link, row.id)


def effects_at_work() -> list[Job]:
    """Give what the reader asked for on this page and the worker is at yet."""
    with transaction() as session:
        return [job_of(row) for row in at_work_on(session, actor=current_actor(), links=_addresses())]


def fragment(html: str) -> ResponseReturnValue:
    """Answer with what replaces the progress on a page."""
    response = make_response(html)
    response.headers["Cache-Control"] = "no-store"
    return response


def init_previews(app: Flask) -> None:
    """Make what is at work known to templates."""
    app.jinja_env.globals["effects_at_work"] = effects_at_work


def _addresses() -> list[str]:
    """Give the addresses a preview of this page may have been asked for on: with what the page is about, and without."""
    about = {name: value for name, value in request.args.items() if name != "preview"}
    return [request.path, f"{request.path}?{urlencode(about)}"]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
