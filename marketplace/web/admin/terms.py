"""Parties and terms: resellers, customers, mappings, price rules, exchange rates.

Each kind is a list, a form for one row and an upload for a file. Form and file go through the same import, so that
both are checked by the same rules, and what would change is shown before it is saved.
"""

import csv
import io
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from wtforms.validators import InputRequired

from marketplace.billing.trials import Change
from marketplace.core.actor import Audience, Permission
from marketplace.core.clock import utc_now
from marketplace.core.csv_table import ImportResult
from marketplace.core.errors import Refusal
from marketplace.core.period import Period
from marketplace.web import filters as shown
from marketplace.web.admin import blueprint, terms_lists
from marketplace.web.admin.effects import TermsEffect, effect_asked_here, effect_of
from marketplace.web.admin.suggestions import suggesting
from marketplace.web.admin.terms_fields import FIELDS, typed_cells
from marketplace.web.admin.terms_kinds import PAGES, TermsPage
from marketplace.web.forms import DayField, PageForm
from marketplace.web.guards import accepts_upload, requires
from marketplace.web.navigation import GROUP_PARTIES, GROUP_TERMS, add_to_menu
from marketplace.web.previews import kept_file, overtaken, wants_effect
from marketplace.web.session import current_actor, transaction
from resellers.models import AccountMapping, Customer, PriceRule, Reseller
from resellers.queries.suggestions import SUGGESTIONS

_MOST_BYTES = 200 << 20


class EndForm(PageForm):
    """The day from which something no longer holds."""

    end = DayField(
        lazy_gettext("First day on which it no longer holds"),
        validators=[InputRequired(lazy_gettext("Choose the day."))],
    )


def show_list(page: TermsPage) -> ResponseReturnValue:
    """List what stands."""
    with transaction() as session:
        return page.view.respond(
            session,
            page.statement(),
            "admin/terms/list.html",
            terms=page,
            may_change=_may(page),
            today=utc_now().date(),
        )


def show_form(page: TermsPage) -> ResponseReturnValue:
    """Ask for one row; `?like=` fills the form from a party that stands."""
    cells = {name: request.args.get(name, "") for name in page.columns}
    like = request.args.get("like", "")
    with transaction() as session:
        if like:
            cells = _cells_of(session, page, like) or abort(404)
        effect = effect_asked_here(session)
        if effect is not None:
            cells = {name: effect.job.row.facts.get(name, "") for name in page.columns}
    return _form(page, cells, effect=effect)


def take_form(page: TermsPage) -> ResponseReturnValue:
    """Show what one row would do, or save it."""
    cells = typed_cells(page.columns, request.form)
    content = _as_csv(page.columns, cells)
    refusal = overtaken()
    try:
        if page.moves_amounts and (wants_effect() or refusal):
            change = Change(kind=page.name, facts={"file": page.name, **cells}, content=content)
            effect = _effect(change, first_day=_first_day(cells))
            return _form(page, cells, effect=effect, refusal=refusal), 422 if refusal else 200
        with transaction() as session:
            result = page.carry_out(session, actor=current_actor(), file=page.name, content=content)
    except Refusal as refusal:
        return _form(page, cells, refusal=refusal), 422
    flash(_said(result), "success")
    return redirect(url_for(f"admin.{page.name}"), code=303)


def show_upload(page: TermsPage) -> ResponseReturnValue:
    """Ask for a file; one that was tried before is offered with its effect."""
    with transaction() as session:
        effect = effect_asked_here(session)
        tried = kept_file(session, str(effect.job.row.id)) if effect else None
    return _upload(page, effect=effect, tried=tried[0] if tried else "")


def take_upload(page: TermsPage) -> ResponseReturnValue:
    """Say what a file would change and what comes of it, or import it whole."""
    sent = _sent_file()
    if sent is None:
        return _upload(page), 422
    name, content = sent
    refusal = overtaken()
    is_trial = wants_effect() or refusal is not None
    try:
        with transaction() as session:
            result = page.carry_out(
                session, actor=current_actor(), file=name, content=content, dry_run=is_trial
            )
        if is_trial:
            would_change = page.moves_amounts and (result.added or result.changed)
            change = Change(kind=page.name, facts={"file": name}, content=content)
            effect = _effect(change) if would_change else None
            answer = _upload(
                page, result=result, effect=effect, refusal=refusal, tried=name if effect else ""
            )
            return answer, 422 if refusal else 200
    except Refusal as refusal:
        return _upload(page, refusal=refusal), 422
    flash(_said(result), "success")
    return redirect(url_for(f"admin.{page.name}"), code=303)


def _sent_file() -> tuple[str, bytes] | None:
    """Give the file that was sent, or else the one that was tried before."""
    file = request.files.get("files")
    if file is not None and file.filename:
        return file.filename, file.read()
    with transaction() as session:
        return kept_file(session, request.form.get("preview", ""))


def _upload(
    page: TermsPage,
    *,
    result: ImportResult | None = None,
    effect: TermsEffect | None = None,
    refusal: Refusal | None = None,
    tried: str = "",
) -> str:
    return render_template(
        "admin/terms/upload.html", terms=page, result=result, effect=effect, refusal=refusal, tried=tried
    )


def end(page: TermsPage, row_id: UUID) -> ResponseReturnValue:
    """Ask from when a mapping or rule no longer holds, show the effect, end it."""
    if page.end is None:
        abort(404)
    finish = page.end
    status = 200
    with transaction() as session:
        row = _row_or_404(session, page, row_id)
        effect = effect_asked_here(session)
        form = EndForm(MultiDict(effect.job.row.facts)) if effect else EndForm()
        if request.method == "POST" and not form.validate_on_submit():
            status = 422
        elif request.method == "POST":
            day: date = form.end.data
            facts_changed = overtaken()
            try:
                if not wants_effect() and facts_changed is None:
                    finish(session, current_actor(), row_id, day)
                    flash(gettext("It ends on %(day)s.", day=shown.day(day)), "success")
                    return redirect(url_for(f"admin.{page.name}"), code=303)
                facts = {"row": str(row_id), "end": day.isoformat()}
                effect = _effect(Change(kind=f"end_{page.name}", facts=facts), first_day=day)
                if facts_changed is not None:
                    form.refuse(facts_changed)
                    status = 422
            except Refusal as refusal:
                form.refuse(refusal)
                status = 422
        answer = render_template(
            "admin/terms/end.html", terms=page, row=row, form=form, effect=effect, said=terms_lists
        )
    return make_response(answer, status)


def _first_day(cells: Mapping[str, str]) -> date | None:
    """Give the first day on which one row counts. The import has read its cells and found them good, or refuses."""
    try:
        if cells.get("month"):
            return Period.parse(cells["month"]).start
        return date.fromisoformat(cells["valid_from"]) if cells.get("valid_from") else None
    except (ValueError, Refusal):
        return None


def _effect(change: Change, *, first_day: date | None = None) -> TermsEffect:
    with transaction() as session:
        return effect_of(session, change, first_day=first_day)


def _form(
    page: TermsPage,
    cells: Mapping[str, str],
    *,
    effect: TermsEffect | None = None,
    refusal: Refusal | None = None,
) -> str:
    return render_template(
        "admin/terms/form.html",
        terms=page,
        cells=cells,
        fields=FIELDS,
        suggested=SUGGESTIONS,
        suggesting=suggesting,
        effect=effect,
        refusal=refusal,
        faults={name: [row.reason for row in refusal.rows if row.column == name] for name in page.columns}
        if refusal
        else {},
    )


def _row_or_404(session: Session, page: TermsPage, row_id: UUID) -> Any:
    column = AccountMapping.public_id if page.name == "accounts" else PriceRule.public_id
    row = session.execute(page.statement().where(column == row_id)).one_or_none()
    return row if row is not None else abort(404)


def _cells_of(session: Session, page: TermsPage, reference: str) -> dict[str, str] | None:
    """Give the cells of a reseller or customer that stands, to change them."""
    party: Reseller | Customer | None = None
    if page.name == "resellers":
        party = session.scalars(select(Reseller).where(Reseller.reference == reference)).one_or_none()
    elif page.name == "customers":
        party = session.scalars(select(Customer).where(Customer.reference == reference)).one_or_none()
    if party is None:
        return None
    cells = {name: str(getattr(party, name)) for name in page.columns if name != "reseller"}
    if isinstance(party, Customer):
        cells["reseller"] = session.scalars(
            select(Reseller.reference).where(Reseller.id == party.reseller_id)
        ).one()
    return cells


def _as_csv(columns: tuple[str, ...], cells: Mapping[str, str]) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, columns)
    writer.writeheader()
    writer.writerow(cells)
    return file.getvalue().encode()


def _said(result: ImportResult) -> str:
    return gettext(
        "%(added)s added, %(changed)s changed, %(unchanged)s as they were. Amounts follow when the month is rated.",
        added=result.added,
        changed=result.changed,
        unchanged=result.unchanged,
    )


def _may(page: TermsPage) -> bool:
    return current_actor().may(page.manage)


def _add_routes(page: TermsPage) -> None:
    """Register the views of one kind."""
    party = page.name in {"resellers", "customers"}
    see = Permission.WHOLESALER_PARTIES_VIEW if party else Permission.WHOLESALER_TERMS_VIEW
    path = f"/{'exchange-rates' if page.name == 'fx' else page.name}"
    views: tuple[tuple[str, str, Callable[..., ResponseReturnValue], Permission, str], ...] = (
        (path, page.name, show_list, see, "GET"),
        (f"{path}/new", f"new_{page.name}", show_form, page.manage, "GET"),
        (f"{path}/new", f"add_{page.name}", take_form, page.manage, "POST"),
        (f"{path}/import", f"ask_{page.name}_file", show_upload, page.manage, "GET"),
        (f"{path}/import", f"import_{page.name}", take_upload, page.manage, "POST"),
    )
    for rule, endpoint, view, permission, method in views:
        blueprint.add_url_rule(rule, endpoint, _bound(view, page, permission, endpoint), methods=[method])
    if page.end is not None:
        bound = _bound(end, page, page.manage, f"end_{page.name}")
        blueprint.add_url_rule(
            f"{path}/<uuid:row_id>/end", f"end_{page.name}", bound, methods=["GET", "POST"]
        )
    add_to_menu(
        Audience.WHOLESALER,
        endpoint=f"admin.{page.name}",
        label=page.title,
        icon=page.icon,
        permission=see,
        group=GROUP_PARTIES if party else GROUP_TERMS,
        place=10 * (1 + [one.name for one in PAGES].index(page.name)),
        words=" ".join(page.columns),
    )


def _bound(
    view: Callable[..., ResponseReturnValue], page: TermsPage, permission: Permission, name: str
) -> Callable[..., ResponseReturnValue]:
    """Give a view of its own for one kind, with its permission and its upload limit."""

    def bound(**values: Any) -> ResponseReturnValue:
        return view(page, **values)

    bound.__name__, bound.__doc__ = name, view.__doc__
    marked = requires(permission)(bound)
    return accepts_upload(most_bytes=_MOST_BYTES)(marked) if view is take_upload else marked


for _page in PAGES:
    _add_routes(_page)
