"""Licence lines of vendors' bills that differ from our charges: the queue, and settling one."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext, ngettext
from sqlalchemy.orm import Session
from wtforms import TextAreaField
from wtforms.validators import InputRequired, Length

from marketplace.billing.models import ChargeDifference
from marketplace.billing.queries.charge_differences import (
    AT_STAKE,
    at_stake,
    find_charge_difference,
    list_charge_differences,
    periods_with_differences,
)
from marketplace.billing.settling import settle, settle_all
from marketplace.core.actor import Audience, Permission
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_
from marketplace.core.money import Money
from marketplace.core.period import Period
from marketplace.rating.exact import subtract
from marketplace.subscriptions.rules.comparison import DifferenceKind
from marketplace.web.admin import blueprint
from marketplace.web.forms import PageForm
from marketplace.web.guards import requires
from marketplace.web.listing import Column, Filter, Kind, ListView, OnPhone
from marketplace.web.navigation import GROUP_MONTH, add_to_menu
from marketplace.web.session import current_actor, transaction
from resellers.models import Customer

add_to_menu(
    Audience.WHOLESALER,
    endpoint="admin.charge_differences",
    label=N_("Licence differences"),
    icon="git-compare",
    permission=Permission.WHOLESALER_PERIODS_VIEW,
    group=GROUP_MONTH,
    place=35,
    words="reconciliation bill subscriptions licences queue",
)

KIND_LABELS = {
    DifferenceKind.TIMING: N_("Timing"),
    DifferenceKind.QUANTITY: N_("Seats"),
    DifferenceKind.PRICE: N_("Price"),
    DifferenceKind.PROMOTION: N_("Promotion"),
    DifferenceKind.CURRENCY: N_("Currency"),
    DifferenceKind.UNKNOWN: N_("Unknown subscription"),
}
_MOST_LETTERS = 1000


class SettleForm(PageForm):
    """What becomes of a difference."""

    note = TextAreaField(
        lazy_gettext("What was decided"),
        validators=[
            InputRequired(lazy_gettext("Say what was decided, for whoever asks next.")),
            Length(max=_MOST_LETTERS),
        ],
    )


def difference_of(row: Any) -> Money:
    """Give what the vendor has more than we, or less."""
    one: ChargeDifference = row[0]
    return Money.rounded(subtract(one.billed, one.own), one.currency)


_QUEUE = ListView[Any](
    name="charge-differences",
    columns=(
        Column(
            key="subscription",
            label=N_("Subscription"),
            value=lambda row: row[0].subscription,
            phone=OnPhone.TITLE,
        ),
        Column(
            key="customer",
            label=N_("Customer"),
            value=lambda row: row[1] or row[0].account,
            sort=Customer.legal_name,
        ),
        Column(
            key="kind",
            label=N_("Differs in"),
            value=lambda row: KIND_LABELS[DifferenceKind(row[0].kind)],
            sort=ChargeDifference.kind,
        ),
        Column(
            key="charge",
            label=N_("Charge"),
            value=lambda row: row[0].charge_type,
            sort=ChargeDifference.charge_type,
        ),
        Column(
            key="billed",
            label=N_("Vendor's bill"),
            value=lambda row: Money.rounded(row[0].billed, row[0].currency),
            kind=Kind.MONEY,
        ),
        Column(
            key="own",
            label=N_("Our charge"),
            value=lambda row: Money.rounded(row[0].own, row[0].currency),
            kind=Kind.MONEY,
        ),
        Column(
            key="difference",
            label=N_("Difference"),
            value=difference_of,
            sort=AT_STAKE,
            kind=Kind.MONEY,
            phone=OnPhone.SIDE,
        ),
        Column(
            key="status",
            label=N_("Status"),
            value=lambda row: "settled" if row[0].settled_at else "open",
            kind=Kind.STATUS,
        ),
    ),
    filters=(
        Filter(
            key="kind",
            label=N_("Differs in"),
            choices=tuple((kind.value, label) for kind, label in KIND_LABELS.items()),
            where=lambda value: ChargeDifference.kind == value,
        ),
        Filter(
            key="status",
            label=N_("Status"),
            choices=(("open", N_("Open")), ("settled", N_("Settled"))),
            where=lambda value: (
                ChargeDifference.settled_at.is_(None)
                if value == "open"
                else ChargeDifference.settled_at.is_not(None)
            ),
        ),
    ),
    search=(ChargeDifference.subscription, ChargeDifference.product, Customer.legal_name),
    sort="-difference",
    tie_break=(ChargeDifference.id,),
)


@blueprint.get("/charge-differences")
@requires(Permission.WHOLESALER_PERIODS_VIEW)
def charge_differences() -> ResponseReturnValue:
    """List what differs in a month, the dearest first: the month of the address, else the newest with any."""
    with transaction() as session:
        months = periods_with_differences(session)
        month = _month(months)
        return _QUEUE.respond(
            session,
            list_charge_differences(month),
            "admin/charge_differences/list.html",
            month=month,
            months=months,
            stakes=at_stake(session, month) if month else [],
            chosen=_chosen(month),
            kind_labels=KIND_LABELS,
        )


@blueprint.get("/charge-differences/settle")
@requires(Permission.WHOLESALER_PERIODS_APPROVE)
def settle_charge_differences() -> ResponseReturnValue:
    """Show what the filters of the address leave open, and ask what becomes of all of it."""
    return _page_of_all(SettleForm())


@blueprint.post("/charge-differences/settle")
@requires(Permission.WHOLESALER_PERIODS_APPROVE)
def settle_all_charge_differences() -> ResponseReturnValue:
    """Take them off the queue together."""
    form = SettleForm()
    if not form.validate_on_submit():
        return _page_of_all(form), 422
    with transaction() as session:
        month = _month(periods_with_differences(session))
        count = settle_all(
            session,
            actor=current_actor(),
            differences=[row[0].public_id for row in _open_shown(session, month)],
            note=form.note.data or "",
            now=utc_now(),
        )
    if not count:  # a second click: the page says that nothing is open any more
        return _page_of_all(form)
    flash(
        ngettext(
            "%(num)s difference is off the queue, with your note.",
            "%(num)s differences are off the queue, with your note.",
            count,
        ),
        "success",
    )
    return redirect(url_for("admin.charge_differences", period=month), code=303)


def _month(months: Sequence[Period]) -> Period | None:
    """Give the month of the address, else the newest that has differences."""
    text = request.args.get("period", "")
    return Period.parse(text) if text else next(iter(months), None)


def _chosen(month: Period | None) -> dict[str, Any]:
    """Give what the address asks for, to be asked of another address: the month, the search and the filters."""
    state = _QUEUE.state(request.args)
    return {"period": month, "q": state.search or None, **state.filters}


def _open_shown(session: Session, month: Period | None) -> Sequence[Any]:
    """Give what is open of what the filters of the address show."""
    narrowed = _QUEUE.narrowed(list_charge_differences(month), _QUEUE.state(request.args))
    return session.execute(narrowed.where(ChargeDifference.settled_at.is_(None))).all()


def _page_of_all(form: SettleForm) -> str:
    with transaction() as session:
        month = _month(periods_with_differences(session))
        rows = _open_shown(session, month)
        sums: dict[str, Money] = {}
        for row in rows:
            stake = Money.rounded(abs(subtract(row[0].billed, row[0].own)), row[0].currency)
            sums[stake.currency] = sums.get(stake.currency, Money.zero(stake.currency)) + stake
        return render_template(
            "admin/charge_differences/settle.html",
            month=month,
            count=len(rows),
            sums=list(sums.values()),
            chosen=_chosen(month),
            form=form,
        )


@blueprint.get("/charge-differences/<uuid:difference_id>")
@requires(Permission.WHOLESALER_PERIODS_VIEW)
def charge_difference(difference_id: UUID) -> ResponseReturnValue:
    """Show one difference, and ask what becomes of it."""
    return _page(difference_id, SettleForm())


@blueprint.post("/charge-differences/<uuid:difference_id>")
@requires(Permission.WHOLESALER_PERIODS_APPROVE)
def settle_charge_difference(difference_id: UUID) -> ResponseReturnValue:
    """Take one off the queue."""
    form = SettleForm()
    if not form.validate_on_submit():
        return _page(difference_id, form), 422
    with transaction() as session:
        found = settle(
            session,
            actor=current_actor(),
            difference=difference_id,
            note=form.note.data or "",
            now=utc_now(),
        )
        month = Period.from_number(found.period)
    flash(gettext("It is off the queue, with your note."), "success")
    return redirect(url_for("admin.charge_differences", period=month), code=303)


def _page(difference_id: UUID, form: SettleForm) -> str:
    with transaction() as session:
        found = find_charge_difference(session, difference_id)
        if found is None:
            abort(404)
        row = session.execute(list_charge_differences(None).where(ChargeDifference.id == found.id)).one()
        if not form.is_submitted():
            form.note.data = found.note
        return render_template(
            "admin/charge_differences/show.html",
            one=found,
            customer=row[1],
            subscription_id=row[2],
            month=Period.from_number(found.period),
            difference=difference_of(row),
            kind_labels=KIND_LABELS,
            form=form,
        )
