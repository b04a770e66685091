"""Who did what: the audit trail, the same page for staff and, about their own firm, for owners."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import ColumnElement, Select, String, cast, false, or_
from sqlalchemy.orm import Session

from marketplace.accounts.queries import audit_visible_to
from marketplace.core.actor import Permission
from marketplace.core.audit import AuditEntry
from marketplace.core.errors import N_
from marketplace.web import audit_words as words
from marketplace.web.filters import named
from marketplace.web.guards import requires
from marketplace.web.listing import EXPORTS, Column, Filter, ListView, OnPhone
from marketplace.web.session import current_actor, transaction


def _since(value: str) -> ColumnElement[bool]:
    day = _day(value)
    return false() if day is None else AuditEntry.at >= day


def _until(value: str) -> ColumnElement[bool]:
    day = _day(value)
    return false() if day is None else AuditEntry.at < day + timedelta(days=1)


def _day(value: str) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(value), time.min, tzinfo=UTC)
    except ValueError:
        return None


def who(entry: AuditEntry) -> str:
    """Name who acted; for staff who viewed as somebody else, both."""
    if not entry.staff_id:
        return named(entry.name)
    return str(gettext("%(staff)s, viewing as %(name)s", staff=entry.staff_name, name=entry.name))


_BEFORE_AND_AFTER = (
    Column[AuditEntry](key="subject_id", label=N_("Number"), value=lambda row: row.subject_id),
    Column[AuditEntry](key="before", label=N_("Before"), value=lambda row: words.value_said(row.before)),
    Column[AuditEntry](key="after", label=N_("After"), value=lambda row: words.value_said(row.after)),
)
_CHANGES = (
    Column[AuditEntry](key="changes", label=N_("What changed"), value=lambda row: len(words.changes(row))),
)
# Some things are known by two names in the code; a reader chooses among the words for them.
_OF_KIND: dict[str, list[str]] = {}
for _name, _label in words.SUBJECTS.items():
    _OF_KIND.setdefault(_label, []).append(_name)


def _view(*, is_file: bool) -> ListView[AuditEntry]:
    return ListView[AuditEntry](
        name="audit",
        columns=(
            Column(
                key="at", label=N_("When"), value=lambda row: row.at, sort=AuditEntry.at, phone=OnPhone.SIDE
            ),
            Column(key="who", label=N_("Who"), value=who, sort=AuditEntry.name),
            Column(
                key="action", label=N_("What"), value=words.act, sort=AuditEntry.action, phone=OnPhone.TITLE
            ),
            Column(
                key="subject",
                label=N_("On what"),
                value=lambda row: f"{words.subject(row)} {words.named(row)}",
                sort=AuditEntry.subject,
            ),
            *(_BEFORE_AND_AFTER if is_file else _CHANGES),
            Column(key="reason", label=N_("Why"), value=lambda row: row.reason),
        ),
        filters=(
            Filter(
                key="person",
                label=N_("Person"),
                where=lambda value: or_(
                    AuditEntry.name.ilike(_part(value), escape="\\"),
                    AuditEntry.staff_name.ilike(_part(value), escape="\\"),
                ),
            ),
            Filter(
                key="subject",
                label=N_("On what"),
                choices=[(names[0], label) for label, names in _OF_KIND.items()],
                where=lambda value: AuditEntry.subject.in_(_OF_KIND[words.SUBJECTS[value]]),
            ),
            Filter(key="since", label=N_("Since"), where=_since, input="date"),
            Filter(key="until", label=N_("Until"), where=_until, input="date"),
        ),
        search=(
            AuditEntry.action,
            AuditEntry.subject_id,
            AuditEntry.reason,
            cast(AuditEntry.before, String),
            cast(AuditEntry.after, String),
        ),
        sort="-at",
        tie_break=(AuditEntry.id.desc(),),
    )


def _part(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def respond_with_trail(
    session: Session,
    statement: Select[AuditEntry],
    template: str,
    *,
    pages: Mapping[str, Callable[[str], str]] | None = None,
    **context: object,
) -> ResponseReturnValue:
    """Answer with a list of entries. `pages` give the address of a subject, by its kind, from its number."""

    def address(entry: AuditEntry) -> str:
        page = (pages or {}).get(entry.subject)
        return page(entry.subject_id) if page else ""

    view = _view(is_file=request.args.get("format") in EXPORTS)
    return view.respond(session, statement, template, words=words, address=address, **context)


def add_audit_page(
    blueprint: Blueprint, *, permission: Permission, pages: Mapping[str, Callable[[str], str]] | None = None
) -> None:
    """Put the page on a shell's blueprint."""

    @blueprint.get("/audit")
    @requires(permission)
    def audit() -> ResponseReturnValue:
        """List who did what."""
        with transaction() as session:
            return respond_with_trail(
                session,
                audit_visible_to(current_actor()),
                "people/audit.html",
                pages=pages,
                layout=f"layouts/{request.blueprint}.html",
            )
