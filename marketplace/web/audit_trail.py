"""Who did what: the audit trail, the same page for staff and, about their own firm, for owners."""

from datetime import UTC, date, datetime, time, timedelta

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import ColumnElement, String, cast, false

from marketplace.accounts.queries import audit_visible_to
from marketplace.core.actor import Permission
from marketplace.core.audit import AuditEntry
from marketplace.core.errors import N_
from marketplace.web.guards import requires
from marketplace.web.listing import Column, Filter, ListView, OnPhone
from marketplace.web.session import current_actor, transaction


def _on_day(value: str) -> ColumnElement[bool]:
    try:
        start = datetime.combine(date.fromisoformat(value), time.min, tzinfo=UTC)
    except ValueError:
        return false()
    return (AuditEntry.at >= start) & (AuditEntry.at < start + timedelta(days=1))


def who(entry: AuditEntry) -> str:
    """Name who acted; for staff who viewed as somebody else, both."""
    if not entry.staff_id:
        return entry.name
    return str(gettext("%(staff)s, viewing as %(name)s", staff=entry.staff_name, name=entry.name))


AUDIT_TRAIL = ListView[AuditEntry](
    name="audit",
    columns=(
        Column(key="at", label=N_("When"), value=lambda row: row.at, sort=AuditEntry.at, phone=OnPhone.SIDE),
        Column(key="who", label=N_("Who"), value=who, sort=AuditEntry.name, phone=OnPhone.TITLE),
        Column(key="action", label=N_("What"), value=lambda row: row.action, sort=AuditEntry.action),
        Column(
            key="subject",
            label=N_("On what"),
            value=lambda row: f"{row.subject} {row.subject_id}",
            sort=AuditEntry.subject,
        ),
        Column(key="reason", label=N_("Why"), value=lambda row: row.reason),
        Column(key="before", label=N_("Before"), value=lambda row: _facts(row.before)),
        Column(key="after", label=N_("After"), value=lambda row: _facts(row.after)),
    ),
    filters=(
        Filter(
            key="person",
            label=N_("Person"),
            where=lambda value: (
                AuditEntry.name.ilike(_part(value), escape="\\")
                | AuditEntry.staff_name.ilike(_part(value), escape="\\")
            ),
        ),
        Filter(
            key="subject",
            label=N_("Subject"),
            where=lambda value: (
                AuditEntry.subject.ilike(_part(value), escape="\\") | (AuditEntry.subject_id == value)
            ),
        ),
        Filter(key="day", label=N_("Day"), where=_on_day, input="date"),
    ),
    search=(
        AuditEntry.action,
        AuditEntry.reason,
        cast(AuditEntry.before, String),
        cast(AuditEntry.after, String),
    ),
    sort="-at",
    tie_break=(AuditEntry.id.desc(),),
)


def _facts(values: dict[str, object] | None) -> str:
    return "; ".join(f"{name}: {value}" for name, value in (values or {}).items())


def _part(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def differences(entry: AuditEntry) -> list[tuple[str, object, object]]:
    """Give what an entry changed: name, before, after; None where there was nothing."""
    before, after = entry.before or {}, entry.after or {}
    names = [*before, *(name for name in after if name not in before)]
    return [(name, before.get(name), after.get(name)) for name in names]


def add_audit_page(blueprint: Blueprint, *, permission: Permission) -> None:
    """Put the page on a shell's blueprint."""

    @blueprint.get("/audit")
    @requires(permission)
    def audit() -> ResponseReturnValue:
        """List who did what."""
        with transaction() as session:
            return AUDIT_TRAIL.respond(
                session,
                audit_visible_to(current_actor()),
                "people/audit.html",
                layout=f"layouts/{request.blueprint}.html",
                who=who,
                differences=differences,
            )
