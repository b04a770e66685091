"""Price lists: their versions, what each changes, and importing another. Nothing holds before somebody says so."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

from flask import flash, make_response, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session
from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from catalog.models import PriceList
from catalog.operations.price_lists import activate, discard, import_price_list, schedule
from catalog.queries.list_changes import Change, ListChanges, changes_of
from catalog.queries.price_lists import find_price_list, price_list_list, rejects_of, renamed_in
from catalog.queries.products import vendors_of_products
from catalog.rules.differences import Kind as ChangeKind
from catalog.rules.differences import Price
from catalog.words import PriceListStatus, Segment
from marketplace.core.actor import Audience, Permission
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_, Refusal
from marketplace.core.money import Money
from marketplace.documents.tables import write_csv
from marketplace.subscriptions.queries.quantities import quantities_by_plan
from marketplace.web import catalogue_words
from marketplace.web import filters as shown
from marketplace.web.admin import blueprint
from marketplace.web.admin.wholesaler import wholesaler_of
from marketplace.web.forms import DayField, PageForm
from marketplace.web.guards import accepts_upload, requires
from marketplace.web.listing import EXPORTS, Column, Filter, Kind, ListView, OnPhone
from marketplace.web.navigation import GROUP_CATALOGUE, add_to_menu
from marketplace.web.session import current_actor, transaction

add_to_menu(
    Audience.WHOLESALER,
    endpoint="admin.price_lists",
    label=N_("Price lists"),
    icon="tags",
    permission=Permission.WHOLESALER_CATALOGUE_VIEW,
    group=GROUP_CATALOGUE,
    place=13,
    words="catalogue import versions costs vendor prices upload",
)

_MOST_BYTES = 256 << 20
_SHOWN_REJECTS = 100
_OPEN = {PriceListStatus.DRAFT.value, PriceListStatus.SCHEDULED.value}
_CHANGES = {
    ChangeKind.NEW: N_("New"),
    ChangeKind.ENDED: N_("Ended"),
    ChangeKind.DEARER: N_("Dearer"),
    ChangeKind.CHEAPER: N_("Cheaper"),
}


class PriceListForm(PageForm):
    """What a price list is, where its file does not say."""

    vendor = StringField(
        lazy_gettext("Vendor"), validators=[InputRequired(lazy_gettext("Name the vendor.")), Length(max=100)]
    )
    market = StringField(lazy_gettext("Market"), validators=[Length(max=2)])
    currency = StringField(lazy_gettext("Currency"), validators=[Length(max=3)])
    segment = SelectField(
        lazy_gettext("Segment, where the file does not say"), default=Segment.COMMERCIAL.value
    )


class ScheduleForm(PageForm):
    """From when a version is to hold."""

    day = DayField(
        lazy_gettext("First day it holds"), validators=[InputRequired(lazy_gettext("Choose the day."))]
    )


def _lists(vendors: list[str]) -> ListView[Any]:
    return ListView[Any](
        name="price-lists",
        columns=(
            Column(
                key="vendor",
                label=N_("Vendor"),
                value=lambda row: row.vendor,
                kind=Kind.VENDOR,
                sort=PriceList.vendor,
                phone=OnPhone.TITLE,
            ),
            Column(
                key="kind",
                label=N_("Kind"),
                value=lambda row: gettext(catalogue_words.LIST_KINDS[row.kind]),
                sort=PriceList.kind,
            ),
            Column(key="market", label=N_("Market"), value=lambda row: row.market, sort=PriceList.market),
            Column(
                key="currency", label=N_("Currency"), value=lambda row: row.currency, sort=PriceList.currency
            ),
            Column(
                key="version",
                label=N_("Version"),
                value=lambda row: row.version,
                sort=PriceList.version,
                kind=Kind.NUMBER,
            ),
            Column(
                key="status",
                label=N_("Status"),
                value=lambda row: gettext(catalogue_words.LIST_STATUSES[row.status]),
                sort=PriceList.status,
                phone=OnPhone.SIDE,
            ),
            Column(
                key="since",
                label=N_("Holds from"),
                value=lambda row: row.active_from,
                sort=PriceList.active_from,
                kind=Kind.DAY,
            ),
            Column(
                key="prices",
                label=N_("Rows"),
                value=lambda row: row.accepted,
                sort=PriceList.accepted,
                kind=Kind.NUMBER,
            ),
            Column(
                key="at",
                label=N_("Imported"),
                value=lambda row: row.created_at,
                sort=PriceList.created_at,
                kind=Kind.DAY,
            ),
        ),
        filters=(
            Filter(
                key="vendor",
                label=N_("Vendor"),
                choices=[(vendor, shown.vendor(vendor)) for vendor in vendors],
                where=lambda value: PriceList.vendor == value,
            ),
            Filter(
                key="kind",
                label=N_("Kind"),
                choices=[(kind.value, label) for kind, label in catalogue_words.LIST_KINDS.items()],
                where=lambda value: PriceList.kind == value,
            ),
            Filter(
                key="status",
                label=N_("Status"),
                choices=[(status.value, label) for status, label in catalogue_words.LIST_STATUSES.items()],
                where=lambda value: PriceList.status == value,
            ),
        ),
        search=(PriceList.vendor, PriceList.market, PriceList.currency, PriceList.file),
        search_label=N_("Search vendor, market or file"),
        sort="-at",
        tie_break=(PriceList.id.desc(),),
    )


#: What the page shows below the SKU stands in columns of its own in a file.
_NAMES = (
    Column[Change](
        key="reference",
        label=N_("Reference"),
        value=lambda row: f"{row.difference.key.plan.product}:{row.difference.key.plan.sku}",
    ),
    Column[Change](key="meter", label=N_("Meter"), value=lambda row: row.difference.key.meter),
    Column[Change](
        key="segment", label=N_("Segment"), value=lambda row: row.difference.key.plan.segment.value
    ),
    Column[Change](
        key="from",
        label=N_("From quantity"),
        value=lambda row: row.difference.key.quantity_from,
        kind=Kind.NUMBER,
    ),
)


def _view_of_changes(currency: str) -> ListView[Change]:
    def price(of: Price | None) -> str | None:
        return None if of is None or of.leading is None else shown.exact_money(of.leading, currency)

    return ListView[Change](
        name="changes",
        columns=(
            Column(
                key="sku",
                label=N_("SKU"),
                value=lambda row: row.difference.title,
                sort=True,
                phone=OnPhone.TITLE,
            ),
            *(_NAMES if request.args.get("format") in EXPORTS else ()),
            Column(
                key="plan",
                label=N_("Plan"),
                value=lambda row: f"{row.difference.key.plan.term}, {row.difference.key.plan.billing_cycle}",
            ),
            Column(
                key="kind",
                label=N_("Difference"),
                value=lambda row: gettext(_CHANGES[row.difference.kind]),
                sort=True,
                phone=OnPhone.SIDE,
            ),
            Column(
                key="before",
                label=N_("Before"),
                value=lambda row: price(row.difference.before),
                kind=Kind.NUMBER,
            ),
            Column(
                key="after",
                label=N_("After"),
                value=lambda row: price(row.difference.after),
                kind=Kind.NUMBER,
            ),
            Column(
                key="units", label=N_("Units live"), value=lambda row: row.units, sort=True, kind=Kind.NUMBER
            ),
            Column(
                key="effect",
                label=N_("For live customers"),
                value=lambda row: Money.rounded(row.effect, currency),
                sort=True,
                kind=Kind.MONEY,
            ),
        ),
        filters=(
            Filter(
                key="kind",
                label=N_("Difference"),
                choices=[(kind.value, label) for kind, label in _CHANGES.items()],
                keeps=lambda row, value: row.difference.kind == value,
            ),
            Filter(
                key="live",
                label=N_("Customers"),
                choices=(("yes", N_("Have it")), ("no", N_("Have it not"))),
                keeps=lambda row, value: bool(row.units) is (value == "yes"),
            ),
        ),
        finds=lambda row, text: (
            text in f"{row.difference.title} {row.difference.key.plan.product}".casefold()
        ),
        search_label=N_("Search SKU"),
        sort="-effect",
    )


@blueprint.get("/price-lists")
@requires(Permission.WHOLESALER_CATALOGUE_VIEW)
def price_lists() -> ResponseReturnValue:
    """List the versions of price lists."""
    with transaction() as session:
        view = _lists(list(vendors_of_products(session)))
        return view.respond(session, price_list_list(), "admin/price_lists/list.html", words=catalogue_words)


@blueprint.get("/price-lists/new")
@requires(Permission.WHOLESALER_CATALOGUE_MANAGE)
def new_price_list() -> ResponseReturnValue:
    """Ask for a price list."""
    return _new_page(_form())


@blueprint.post("/price-lists/new")
@requires(Permission.WHOLESALER_CATALOGUE_MANAGE)
@accepts_upload(most_bytes=_MOST_BYTES)
def add_price_list() -> ResponseReturnValue:
    """Read a price list into a draft, and say what came of it."""
    form = _form()
    file = request.files.get("files")
    if not form.validate_on_submit() or file is None or not file.filename:
        if file is None or not file.filename:
            form.form_errors.append(gettext("Choose the file."))
        return _new_page(form), 422
    try:
        with transaction() as session:
            imported = import_price_list(
                session,
                actor=current_actor(),
                vendor=(form.vendor.data or "").strip(),
                file=file.filename,
                content=file.read(),
                market=(form.market.data or "").strip().upper(),
                currency=(form.currency.data or "").strip().upper(),
                segment=Segment(form.segment.data),
                otherwise_currency=wholesaler_of(session).currency,
            )
    except Refusal as refusal:
        form.refuse(refusal)
        return _new_page(form, refusal=refusal), 422
    if imported.price_list_id is None:
        # An offer matrix has no version that its faulty rows could be kept with.
        return render_template("admin/price_lists/limits.html", imported=imported)
    if imported.is_duplicate:
        flash(gettext("These are the bytes of a version that is there. Nothing was changed."), "info")
    elif imported.rejected:
        flash(
            gettext("The price list is read, but some rows cannot be used: they are named below."), "warning"
        )
    else:
        flash(gettext("The price list is read. It is a draft: nothing holds before you say so."), "success")
    return redirect(url_for("admin.price_list", list_id=imported.price_list_id), code=303)


@blueprint.get("/price-lists/<uuid:list_id>")
@requires(Permission.WHOLESALER_CATALOGUE_VIEW)
def price_list(list_id: UUID) -> ResponseReturnValue:
    """Show a version and what it changes."""
    with transaction() as session:
        found = find_price_list(session, list_id)
        changes = _changes(session, found)
        return _view_of_changes(found.currency).respond_with_rows(
            changes.changes,
            "admin/price_lists/show.html",
            price_list=found,
            changes=changes,
            counts=[(label, changes.counted(kind), kind.value) for kind, label in _CHANGES.items()],
            effect=Money.rounded(changes.effect, found.currency),
            is_open=found.status in _OPEN,
            rejects=rejects_of(session, found, most=_SHOWN_REJECTS),
            renamed=renamed_in(session, found),
            words=catalogue_words,
        )


@blueprint.get("/price-lists/<uuid:list_id>/rejects.csv")
@requires(Permission.WHOLESALER_CATALOGUE_VIEW)
def price_list_rejects(list_id: UUID) -> ResponseReturnValue:
    """Send every value of the file that could not be used, with its reason."""
    with transaction() as session:
        found = find_price_list(session, list_id)
        rejects = rejects_of(session, found).first
    file = io.BytesIO()
    heads = [gettext("Row"), gettext("Column"), gettext("Value"), gettext("Reason")]
    write_csv(file, heads, ([one.row, one.column, one.value, shown.said(one.reason)] for one in rejects))
    file.seek(0)
    return send_file(
        file,
        mimetype="text/csv",
        as_attachment=True,
        download_name=f"rejects-{found.vendor}-{found.version}.csv",
    )


@blueprint.route("/price-lists/<uuid:list_id>/activate", methods=["GET", "POST"])
@requires(Permission.WHOLESALER_CATALOGUE_MANAGE)
def activate_price_list(list_id: UUID) -> ResponseReturnValue:
    """Ask whether a version is to hold at once, and let it."""

    def carry_out(session: Session, _form: PageForm) -> str:
        activate(session, actor=current_actor(), price_list_id=list_id, now=utc_now())
        return gettext("The price list is in force.")

    return _step(list_id, PageForm(), "activate", carry_out)


@blueprint.route("/price-lists/<uuid:list_id>/schedule", methods=["GET", "POST"])
@requires(Permission.WHOLESALER_CATALOGUE_MANAGE)
def schedule_price_list(list_id: UUID) -> ResponseReturnValue:
    """Ask from which day a version is to hold, in UTC as vendors reckon."""

    def carry_out(session: Session, form: PageForm) -> str:
        at = datetime.combine(form["day"].data, time(), tzinfo=UTC)
        schedule(session, actor=current_actor(), price_list_id=list_id, at=at, now=utc_now())
        return gettext("The price list holds from %(day)s.", day=shown.day(at))

    return _step(list_id, ScheduleForm(), "schedule", carry_out)


@blueprint.route("/price-lists/<uuid:list_id>/discard", methods=["GET", "POST"])
@requires(Permission.WHOLESALER_CATALOGUE_MANAGE)
def discard_price_list(list_id: UUID) -> ResponseReturnValue:
    """Ask whether a version is to be given up."""

    def carry_out(session: Session, _form: PageForm) -> str:
        discard(session, actor=current_actor(), price_list_id=list_id)
        return gettext("The version is discarded.")

    return _step(list_id, PageForm(), "discard", carry_out)


def _step(
    list_id: UUID, form: PageForm, step: str, carry_out: Callable[[Session, PageForm], str]
) -> ResponseReturnValue:
    """Ask before a version takes a step, and let it take it."""
    with transaction() as session:
        found = find_price_list(session, list_id)
        if form.validate_on_submit():
            try:
                with session.begin_nested():
                    flash(carry_out(session, form), "success")
                return redirect(url_for("admin.price_list", list_id=list_id), code=303)
            except Refusal as refusal:
                form.refuse(refusal)
        return _confirm(session, found, form, step)


def _confirm(session: Session, found: PriceList, form: PageForm, step: str) -> ResponseReturnValue:
    changes = _changes(session, found)
    page = render_template(
        "admin/price_lists/confirm.html",
        price_list=found,
        changes=changes,
        counts=[(label, changes.counted(kind)) for kind, label in _CHANGES.items()],
        effect=Money.rounded(changes.effect, found.currency),
        form=form,
        step=step,
        words=catalogue_words,
    )
    return make_response(page, 422 if request.method == "POST" else 200)


def _changes(session: Session, found: PriceList) -> ListChanges:
    live = quantities_by_plan(session, vendor=found.vendor, currency=found.currency)
    return changes_of(session, found, live=live)


def _form() -> PriceListForm:
    form = PriceListForm()
    form.segment.choices = [
        SelectChoice(segment.value, gettext(label)) for segment, label in catalogue_words.SEGMENTS.items()
    ]
    return form


def _new_page(form: PriceListForm, *, refusal: Refusal | None = None) -> str:
    with transaction() as session:
        vendors = vendors_of_products(session)
    return render_template("admin/price_lists/new.html", form=form, vendors=vendors, refusal=refusal)
