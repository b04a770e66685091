"""The close: the months, where each stands, its run, its review, and the steps to the end."""

from decimal import Decimal
from typing import Any

from flask import abort, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import TextAreaField
from wtforms.validators import InputRequired, Length

from marketplace.billing import periods as steps
from marketplace.billing.jobs import queue_rating
from marketplace.billing.models import CloseRun
from marketplace.billing.queries.party_margins import margins_by_reseller
from marketplace.billing.queries.periods import (
    PeriodPage,
    PeriodRow,
    find_period,
    list_periods,
)
from marketplace.billing.queries.review import load_review
from marketplace.billing.rating_run import changed_closed_periods
from marketplace.core.actor import Audience, Permission
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_, Refusal
from marketplace.core.money import Money
from marketplace.core.period import Period
from marketplace.web import filters as shown
from marketplace.web.admin import blueprint
from marketplace.web.admin.close_steps import steps_of
from marketplace.web.admin.months import comparable, is_over
from marketplace.web.admin.wholesaler import wholesaler_of
from marketplace.web.forms import PageForm, TypedConfirmation
from marketplace.web.guards import requires
from marketplace.web.listing import Column, Filter, Kind, ListView, OnPhone
from marketplace.web.navigation import GROUP_MONTH, add_to_menu
from marketplace.web.previews import STAGES
from marketplace.web.session import current_actor, transaction

add_to_menu(
    Audience.WHOLESALER,
    endpoint="admin.periods",
    label=N_("Close"),
    icon="calendar-check",
    permission=Permission.WHOLESALER_PERIODS_VIEW,
    group=GROUP_MONTH,
    place=10,
    words="months periods rate review approve",
)

_RESELLERS_SHOWN = 8
_LONGEST_REASON = 500


class ReopenForm(PageForm):
    """Why a closed month is opened again."""

    reason = TextAreaField(
        lazy_gettext("Reason"),
        validators=[
            InputRequired(lazy_gettext("Say why the month is reopened.")),
            Length(max=_LONGEST_REASON),
        ],
    )


def _margin(row: PeriodRow) -> Money | None:
    return row.margin.amount if row.margin else None


_PERIODS = ListView[PeriodRow](
    name="periods",
    columns=(
        Column(key="period", label=N_("Month"), value=lambda row: row.period, sort=True, phone=OnPhone.TITLE),
        Column(
            key="status",
            label=N_("Status"),
            value=lambda row: row.status,
            kind=Kind.STATUS,
            phone=OnPhone.SIDE,
        ),
        Column(
            key="cost",
            label=N_("Cost"),
            value=lambda row: row.cost,
            kind=Kind.MONEY,
        ),
        Column(
            key="wholesale",
            label=N_("Wholesale"),
            value=lambda row: row.margin.sale if row.margin else None,
            kind=Kind.MONEY,
        ),
        Column(key="margin", label=N_("Margin"), value=_margin, sort=True, kind=Kind.MONEY),
        Column(
            key="percent",
            label=N_("Margin, %"),
            value=lambda row: row.margin.percent if row.margin else None,
            sort=True,
            kind=Kind.NUMBER,
        ),
        Column(
            key="unmapped",
            label=N_("Unmapped"),
            value=lambda row: row.unmapped,
            kind=Kind.MONEY,
        ),
        Column(key="gaps", label=N_("Rule gaps"), value=lambda row: row.gaps, sort=True, kind=Kind.NUMBER),
        Column(key="lines", label=N_("Lines"), value=lambda row: row.lines, sort=True, kind=Kind.NUMBER),
    ),
    filters=(
        Filter(
            key="status",
            label=N_("Status"),
            choices=(
                ("open", N_("Open")),
                ("rated", N_("Rated")),
                ("reviewed", N_("Reviewed")),
                ("closed", N_("Closed")),
            ),
            keeps=lambda row, value: row.status == value,
        ),
    ),
    sort="-period",
)


@blueprint.get("/periods")
@requires(Permission.WHOLESALER_PERIODS_VIEW)
def periods() -> ResponseReturnValue:
    """List the months."""
    with transaction() as session:
        rows = list_periods(session, currency=wholesaler_of(session).currency)
        return _PERIODS.respond_with_rows(rows, "admin/periods/list.html")


@blueprint.get("/periods/<period:period>")
@requires(Permission.WHOLESALER_PERIODS_VIEW)
def period(period: str) -> ResponseReturnValue:
    """Show where a month stands and what its review has to look at."""
    month = _month(period)
    with transaction() as session:
        currency = wholesaler_of(session).currency
        page = find_period(session, month)
        figures = next(iter(list_periods(session, currency=currency, only=month)), None)
        is_rated = page.draft is not None
        found = margins_by_reseller(session, month, currency=currency) if is_rated else []
        resellers = comparable(found, month)
        context: dict[str, Any] = {
            "page": page,
            "month": month,
            "figures": figures,
            "currency": currency,
            "resellers": resellers[:_RESELLERS_SHOWN],
            "resellers_count": len(resellers),
            "losing": [row for row in resellers if row.margin and row.margin.amount.minor < 0],
            "review": load_review(session, month, is_over=is_over(month)) if is_rated else None,
            "changes": changes_of(page),
            "is_stale": is_rated and steps.is_stale(session, month),
            "differs": page.status == "closed"
            and month in changed_closed_periods(session, before=month.next()),
            "steps": steps_of(page, figures),
            "stages": STAGES,
            "is_over": is_over(month),
            "missing": figures.missing_rates(currency) if figures else [],
            "has_same_eyes": page.four_eyes and page.rated_by_id == current_actor().user_id,
        }
    return render_template("admin/periods/show.html", **context)


@blueprint.post("/periods/<period:period>/rate")
@requires(Permission.WHOLESALER_PERIODS_RATE)
def rate_period(period: str) -> ResponseReturnValue:
    """Ask the worker to rate the month."""
    month = _month(period)
    with transaction() as session:
        latest = find_period(session, month).latest
        if latest is not None and latest.is_running:
            flash(gettext("A close of this month is running already."), "info")
        else:
            queue_rating(session, period=month, actor=current_actor())
            flash(gettext("The close of %(month)s has begun.", month=shown.period(month)), "success")
    return _back(month)


@blueprint.get("/periods/<period:period>/run")
@requires(Permission.WHOLESALER_PERIODS_VIEW)
def period_run(period: str) -> ResponseReturnValue:
    """Give the progress of the month's latest run, as its page polls it."""
    month = _month(period)
    with transaction() as session:
        page = find_period(session, month)
    if page.latest is None:
        abort(404)
    fragment = render_template("admin/periods/run.html", page=page, month=month, stages=STAGES)
    response = make_response(fragment)
    if not page.latest.is_running:
        response.headers["HX-Refresh"] = "true"
    return response


@blueprint.post("/periods/<period:period>/cancel")
@requires(Permission.WHOLESALER_PERIODS_RATE)
def cancel_period_run(period: str) -> ResponseReturnValue:
    """Ask the month's run to stop."""
    month = _month(period)
    with transaction() as session:
        latest = find_period(session, month).latest
        if latest is None or not latest.is_running:
            flash(gettext("The close has ended already."), "info")
            return _back(month)
        run = session.scalars(select(CloseRun).where(CloseRun.public_id == latest.id)).one()
        steps.cancel_run(session, run=run, actor=current_actor())
    flash(gettext("The close stops within a few seconds. The draft from before stands."), "info")
    return _back(month)


@blueprint.post("/periods/<period:period>/approve")
@requires(Permission.WHOLESALER_PERIODS_APPROVE)
def approve_period(period: str) -> ResponseReturnValue:
    """Approve the draft."""
    month = _month(period)
    with transaction() as session:
        steps.approve(session, period=month, actor=current_actor(), now=utc_now())
    flash(gettext("%(month)s is approved. It can be closed now.", month=shown.period(month)), "success")
    return _back(month)


@blueprint.get("/periods/<period:period>/close")
@requires(Permission.WHOLESALER_PERIODS_CLOSE)
def ask_close_period(period: str) -> ResponseReturnValue:
    """Ask whether the month is to be closed for good."""
    month = _month(period)
    with transaction() as session:
        return _close_page(session, month, _typed(month))


@blueprint.post("/periods/<period:period>/close")
@requires(Permission.WHOLESALER_PERIODS_CLOSE)
def close_period(period: str) -> ResponseReturnValue:
    """Close the month for good."""
    month = _month(period)
    form = _typed(month)
    with transaction() as session:
        if not form.validate_on_submit():
            return _close_page(session, month, form), 422
        try:
            with session.begin_nested():
                steps.close(session, period=month, actor=current_actor(), now=utc_now())
        except Refusal as refusal:
            form.refuse(refusal)
            return _close_page(session, month, form), 422
    flash(gettext("%(month)s is closed. Its statements stand.", month=shown.period(month)), "success")
    return _back(month)


@blueprint.get("/periods/<period:period>/reopen")
@requires(Permission.WHOLESALER_PERIODS_REOPEN)
def ask_reopen_period(period: str) -> ResponseReturnValue:
    """Ask why the month is to be opened again."""
    month = _month(period)
    with transaction() as session:
        return _reopen_page(session, month, ReopenForm())


@blueprint.post("/periods/<period:period>/reopen")
@requires(Permission.WHOLESALER_PERIODS_REOPEN)
def reopen_period(period: str) -> ResponseReturnValue:
    """Open a closed month again."""
    month = _month(period)
    form = ReopenForm()
    if not form.validate_on_submit():
        with transaction() as session:
            return _reopen_page(session, month, form), 422
    try:
        with transaction() as session:
            steps.reopen(session, period=month, actor=current_actor(), reason=form.reason.data or "")
    except Refusal as refusal:
        form.refuse(refusal)
        with transaction() as session:
            return _reopen_page(session, month, form), 422
    flash(gettext("%(month)s is open again, as a draft.", month=shown.period(month)), "success")
    return _back(month)


def changes_of(page: PeriodPage) -> list[tuple[str, str, str]]:
    """Say what the standing draft changed against the one before: what, before, now."""
    if page.draft is None:
        return []
    rows = []
    for name, (before, now) in page.draft.changes.get("totals", {}).items():
        hop, _, currency = name.partition(" ")
        if before is None:
            continue
        values = [
            shown.money(Money.rounded(Decimal(v), currency)) if v is not None else "–" for v in (before, now)
        ]
        rows.append((f"{hop_said(hop)}, {currency}", values[0], values[1]))
    for hop, (before, now) in page.draft.changes.get("lines", {}).items():
        if before is not None:
            rows.append(
                (
                    gettext("Lines, %(hop)s", hop=hop_said(hop)),
                    shown.count(int(before)),
                    shown.count(int(now or 0)),
                )
            )
    return rows


def hop_said(hop: str) -> str:
    """Name a hop in the reader's language."""
    return gettext("Wholesale") if hop == "wholesale" else gettext("Retail")


def _month(text: str) -> Period:
    """Read the month of an address; a text that is no month is answered 404."""
    return Period.parse(text)


def _back(month: Period) -> ResponseReturnValue:
    return redirect(url_for("admin.period", period=month), code=303)


def _typed(month: Period) -> TypedConfirmation:
    form = TypedConfirmation()
    form.word = str(month)
    return form


def _reopen_page(session: Session, month: Period, form: ReopenForm) -> str:
    return render_template(
        "admin/periods/reopen.html", month=month, form=form, page=find_period(session, month)
    )


def _close_page(session: Session, month: Period, form: TypedConfirmation) -> str:
    currency = wholesaler_of(session).currency
    figures = next(iter(list_periods(session, currency=currency, only=month)), None)
    return render_template(
        "admin/periods/close.html", month=month, figures=figures, form=form, page=find_period(session, month)
    )
