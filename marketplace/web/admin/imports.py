"""Imports: what the vendors delivered, sending more, watching it being read, its sums and rejects, and undoing it."""

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import abort, flash, make_response, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage
from wtforms import RadioField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from marketplace.core.actor import Audience, Permission
from marketplace.core.errors import N_, FaultyRow, Refusal
from marketplace.core.money import Money
from marketplace.core.period import Period
from marketplace.documents.tables import write_csv
from marketplace.usage.jobs import queue_reading
from marketplace.usage.lake import Lake, rejected_rows, rejects_path
from marketplace.usage.models import Delivery
from marketplace.usage.operations import (
    GivenFile,
    first_rejects,
    receive_files,
    request_cancel,
    undo_delivery,
)
from marketplace.usage.queries import (
    FILE_NAMES,
    DeliveryPage,
    DeliveryRow,
    delivery_row,
    find_delivery_page,
    has_usage_of,
    list_deliveries,
    periods_delivered,
    vendors_known,
)
from marketplace.web import filters as shown
from marketplace.web.admin import blueprint
from marketplace.web.charts import Series, StackedBars, in_currency
from marketplace.web.forms import PageForm, PeriodField
from marketplace.web.guards import accepts_upload, requires
from marketplace.web.listing import EXPORTS, Column, Filter, Kind, ListView, OnPhone
from marketplace.web.navigation import GROUP_MONTH, add_to_menu
from marketplace.web.session import current_actor, database, transaction, wiring

add_to_menu(
    Audience.WHOLESALER,
    endpoint="admin.imports",
    label=N_("Imports"),
    icon="file-import",
    permission=Permission.WHOLESALER_USAGE_VIEW,
    group=GROUP_MONTH,
    place=20,
    words="upload files usage deliveries",
)

_MOST_BYTES = 6 * 1024**3
_IN_MEMORY = 4 * 1024 * 1024
_LONGEST_REASON = 500
_REPLACE, _REPLACE_MEANT, _ADD = "replace", "meant", "add"

_STATUSES = (
    ("current", N_("Current")),
    ("reading", N_("Reading")),
    ("queued", N_("Waiting")),
    ("replaced", N_("Replaced")),
    ("undone", N_("Undone")),
    ("refused", N_("Refused")),
    ("failed", N_("Failed")),
    ("cancelled", N_("Cancelled")),
)


class ImportForm(PageForm):
    """Where files come from, and what they do to those that are there."""

    vendor = StringField(
        lazy_gettext("Vendor"), validators=[InputRequired(lazy_gettext("Name the vendor.")), Length(max=100)]
    )
    billing_account = StringField(lazy_gettext("Billing account"), validators=[Length(max=200)])
    period = PeriodField(lazy_gettext("Month"))
    mode = RadioField(
        lazy_gettext("If there are files of the same vendor, billing account and month already"),
        choices=[
            SelectChoice(_REPLACE, lazy_gettext("Replace them; stop if more than half would be lost")),
            SelectChoice(_REPLACE_MEANT, lazy_gettext("Replace them, even if more than half is lost")),
            SelectChoice(_ADD, lazy_gettext("Add to them, such as a day's increment")),
        ],
        default=_REPLACE,
    )


class UndoForm(PageForm):
    """Why an import is taken back."""

    reason = StringField(
        lazy_gettext("Reason"),
        validators=[InputRequired(lazy_gettext("Say why it is undone.")), Length(max=_LONGEST_REASON)],
    )


_BY = Column[DeliveryRow](key="by", label=N_("By"), value=lambda row: shown.named(row.created_by))
_DAYS_DRAWN = 93
_LONGEST_MONTH = 31


def _view(vendors: Sequence[str], periods: Sequence[Period]) -> ListView[DeliveryRow]:
    return ListView[DeliveryRow](
        name="imports",
        columns=(
            Column(
                key="files",
                label=N_("Files"),
                value=lambda row: row.files,
                sort=FILE_NAMES,
                phone=OnPhone.TITLE,
            ),
            Column(
                key="vendor",
                label=N_("Vendor"),
                value=lambda row: row.vendor,
                kind=Kind.VENDOR,
                sort=Delivery.vendor,
            ),
            Column(
                key="periods",
                label=N_("Months"),
                value=lambda row: ", ".join(shown.period(one) for one in row.periods),
            ),
            Column(
                key="status",
                label=N_("Status"),
                value=lambda row: row.status,
                sort=Delivery.status,
                kind=Kind.STATUS,
                phone=OnPhone.SIDE,
            ),
            Column(
                key="rows",
                label=N_("Rows"),
                value=lambda row: row.accepted,
                sort=Delivery.accepted,
                kind=Kind.NUMBER,
            ),
            Column(
                key="rejected",
                label=N_("Rejected"),
                value=lambda row: row.rejected,
                sort=Delivery.rejected,
                kind=Kind.NUMBER,
            ),
            Column(
                key="cost",
                label=N_("Cost"),
                value=lambda row: ", ".join(shown.exact_money(cost, currency) for currency, cost in row.cost),
                kind=Kind.NUMBER,
            ),
            Column(
                key="at",
                label=N_("Received"),
                value=lambda row: row.created_at,
                sort=Delivery.created_at,
                kind=Kind.DAY,
            ),
            *((_BY,) if request.args.get("format") in EXPORTS else ()),
        ),
        filters=(
            Filter(
                key="status",
                label=N_("Status"),
                choices=_STATUSES,
                where=lambda value: Delivery.status == value,
            ),
            Filter(
                key="vendor",
                label=N_("Vendor"),
                choices=[(vendor, shown.vendor(vendor)) for vendor in vendors],
                where=lambda value: Delivery.vendor == value,
            ),
            Filter(
                key="period",
                label=N_("Month"),
                choices=[(str(period), shown.period(period)) for period in periods],
                where=lambda value: has_usage_of(Period.parse(value)),
            ),
        ),
        search=(FILE_NAMES, Delivery.vendor, Delivery.billing_account),
        search_label=N_("Search file or vendor"),
        sort="-at",
        tie_break=(Delivery.id,),
        row=delivery_row,
    )


@blueprint.get("/imports")
@requires(Permission.WHOLESALER_USAGE_VIEW)
def imports() -> ResponseReturnValue:
    """List what was delivered."""
    with transaction() as session:
        view = _view(vendors_known(session), periods_delivered(session))
        return view.respond(
            session, list_deliveries(current_actor()), "admin/imports/list.html", rounded=Money.rounded
        )


@blueprint.get("/imports/new")
@requires(Permission.WHOLESALER_USAGE_IMPORT)
def new_import() -> ResponseReturnValue:
    """Ask for files."""
    return _new_page(ImportForm())


@blueprint.post("/imports/new")
@requires(Permission.WHOLESALER_USAGE_IMPORT)
@accepts_upload(most_bytes=_MOST_BYTES)
def send_import() -> ResponseReturnValue:
    """Keep the files as they came, and ask the worker to read them."""
    form = ImportForm()
    if not form.validate_on_submit():
        return _new_page(form), 422
    sent = [file for file in request.files.getlist("files") if file.filename]
    actor = current_actor()
    try:
        with tempfile.TemporaryDirectory(dir=_waiting_room()) as folder:
            received = receive_files(
                database(),
                wiring().settings,
                actor=actor,
                files=_kept(sent, Path(folder)),
                vendor=form.vendor.data or "",
                billing_account=form.billing_account.data or "",
                period=form.period.data,
                is_addition=form.mode.data == _ADD,
                enqueue=partial(queue_reading, is_replacement_meant=form.mode.data == _REPLACE_MEANT),
            )
    except Refusal as refusal:
        form.refuse(refusal)
        return _new_page(form), 422
    with transaction() as session:
        delivery = session.get_one(Delivery, received.delivery_id)
        if received.is_duplicate:
            flash(gettext("These files count already. Nothing was changed."), "info")
        else:
            flash(gettext("The files are stored. They are being read."), "success")
        address = url_for("admin.delivery", delivery_id=delivery.public_id)
    return redirect(address, code=303)


@blueprint.get("/imports/<uuid:delivery_id>")
@requires(Permission.WHOLESALER_USAGE_VIEW)
def delivery(delivery_id: UUID) -> ResponseReturnValue:
    """Show what a delivery holds, and what it changed."""
    settings = wiring().settings
    with transaction() as session:
        page = _page_or_404(session, delivery_id)
        rejects: list[FaultyRow] = []
        if page.delivery.rejected and page.delivery.status not in {"cancelled", "failed"}:
            rejects = [_said(row) for row in first_rejects(settings, page.delivery, page.files)]
        return render_template(
            "admin/imports/show.html",
            page=page,
            delivery=page.delivery,
            rejects=rejects,
            numbers=_numbers(page),
            charts=[_chart(currency, days) for currency, days in sorted(page.by_day.items())],
        )


@blueprint.get("/imports/<uuid:delivery_id>/progress")
@requires(Permission.WHOLESALER_USAGE_VIEW)
def delivery_progress(delivery_id: UUID) -> ResponseReturnValue:
    """Give how far the reading is, as the delivery's page polls it."""
    with transaction() as session:
        page = _page_or_404(session, delivery_id)
        fragment = render_template("admin/imports/progress.html", page=page, delivery=page.delivery)
    response = make_response(fragment)
    if not page.is_running:
        response.headers["HX-Refresh"] = "true"
    return response


@blueprint.post("/imports/<uuid:delivery_id>/cancel")
@requires(Permission.WHOLESALER_USAGE_IMPORT)
def cancel_delivery(delivery_id: UUID) -> ResponseReturnValue:
    """Ask the reading to stop."""
    with transaction() as session:
        page = _page_or_404(session, delivery_id)
        if page.is_running:
            request_cancel(session, actor=current_actor(), delivery=str(delivery_id))
            flash(gettext("The reading stops at the next part. Nothing of it counts."), "info")
        else:
            flash(gettext("It has ended already."), "info")
    return redirect(url_for("admin.delivery", delivery_id=delivery_id), code=303)


@blueprint.get("/imports/<uuid:delivery_id>/undo")
@requires(Permission.WHOLESALER_USAGE_IMPORT)
def ask_undo_delivery(delivery_id: UUID) -> ResponseReturnValue:
    """Ask whether a delivery is to be taken back."""
    with transaction() as session:
        page = _page_or_404(session, delivery_id)
        return render_template("admin/imports/undo.html", page=page, delivery=page.delivery, form=UndoForm())


@blueprint.post("/imports/<uuid:delivery_id>/undo")
@requires(Permission.WHOLESALER_USAGE_IMPORT)
def undo_import(delivery_id: UUID) -> ResponseReturnValue:
    """Take a delivery back."""
    form = UndoForm()
    with transaction() as session:
        page = _page_or_404(session, delivery_id)
        if not form.validate_on_submit():
            return render_template(
                "admin/imports/undo.html", page=page, delivery=page.delivery, form=form
            ), 422
        try:
            with session.begin_nested():
                undo_delivery(
                    session, actor=current_actor(), delivery=str(delivery_id), reason=form.reason.data or ""
                )
        except Refusal as refusal:
            form.refuse(refusal)
            return render_template(
                "admin/imports/undo.html", page=page, delivery=page.delivery, form=form
            ), 422
    flash(gettext("The import counts no longer. What it had replaced counts again."), "success")
    return redirect(url_for("admin.delivery", delivery_id=delivery_id), code=303)


@blueprint.get("/imports/<uuid:delivery_id>/rejects.csv")
@requires(Permission.WHOLESALER_USAGE_VIEW)
def delivery_rejects(delivery_id: UUID) -> ResponseReturnValue:
    """Send every rejected row with its reason."""
    with transaction() as session:
        page = _page_or_404(session, delivery_id)
    places = [
        (file.name, rejects_path(delivery_id=page.delivery.id, file_no=file.number))
        for file in page.files
        if file.rejected
    ]
    rows = map(_said, rejected_rows(Lake(wiring().settings.lake), places))
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - send_file closes it
    heads = [gettext("File"), gettext("Row"), gettext("Column"), gettext("Value"), gettext("Reason")]
    write_csv(file, heads, ([row.file, row.row, row.column, row.value, row.reason] for row in rows))
    file.seek(0)
    return send_file(
        file,
        mimetype="text/csv",
        as_attachment=True,
        download_name=f"rejects-{page.delivery.id}.csv",
    )


def _numbers(page: DeliveryPage) -> dict[str, int]:
    """Give the numbers of the files by name, of names that stand for one file alone."""
    names = Counter(file.name for file in page.files)
    return {file.name: file.number for file in page.files if names[file.name] == 1}


def _said(row: FaultyRow) -> FaultyRow:
    """Give a rejected row with its reason in the reader's language."""
    return replace(row, reason=gettext(row.reason))


def _page_or_404(session: Session, delivery_id: UUID) -> DeliveryPage:
    page = find_delivery_page(session, actor=current_actor(), delivery_id=delivery_id)
    if page is None:
        abort(404)
    return page


def _new_page(form: ImportForm) -> str:
    with transaction() as session:
        return render_template("admin/imports/new.html", form=form, vendors=vendors_known(session))


def _waiting_room() -> Path:
    """Give the folder uploads wait in, on the same disk as what is kept."""
    folder: Path = wiring().settings.home / "work"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _kept(sent: Sequence[FileStorage], folder: Path) -> list[GivenFile]:
    given = []
    for number, file in enumerate(sent):
        path = folder / str(number)
        file.save(path)
        given.append(GivenFile(path, Path(file.filename or "").name or str(number)))
    return given


def _chart(currency: str, days: Any) -> StackedBars:
    """Draw a delivery's cost by day, days without any included."""
    first, last = min(days), max(days)
    every: list[date] = []
    day = first
    while day <= last:
        every.append(day)
        day += timedelta(days=1)
    if len(every) > _DAYS_DRAWN:  # a stray date must not make a chart of years
        every = sorted(days)
    return StackedBars(
        title=gettext("Cost by day, %(currency)s", currency=currency),
        labels=[
            shown.day(one) if one.month != first.month or len(every) > _LONGEST_MONTH else str(one.day)
            for one in every
        ],
        series=[Series(name=gettext("Cost"), values=[days.get(one, Decimal(0)) for one in every])],
        write=in_currency(currency),
        label_head=gettext("Day"),
    )
