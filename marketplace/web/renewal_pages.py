"""What renews when, in every shell: a month by its weeks, prices then and now, who decided, and until when one can."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from marketplace.core.actor import Audience, Permission
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_, Refusal
from marketplace.core.money import Money
from marketplace.core.period import Period
from marketplace.orders.queries.listed import states_of_orders
from marketplace.subscriptions.cockpit import (
    CLOSING_DAYS,
    Renewal,
    Week,
    next_terms,
    renewals_of_month,
    weeks_of,
)
from marketplace.subscriptions.operations.renewal_links import ask_customers
from marketplace.subscriptions.words import AtTermEnd, DecidedBy
from marketplace.web import filters as shown
from marketplace.web.guards import requires
from marketplace.web.listing import Column, Filter, Kind, ListView, OnPhone
from marketplace.web.session import current_actor, order_desk, wiring
from marketplace.web.subscription_pages import TERM_END_LABELS

DECIDED_LABELS = {
    DecidedBy.NOBODY: N_("Nobody yet"),
    DecidedBy.POLICY: N_("Policy"),
    DecidedBy.CUSTOMER: N_("Customer"),
    DecidedBy.RESELLER: N_("Reseller"),
    DecidedBy.WHOLESALER: N_("Wholesaler"),
}
_UNDECIDED = "undecided"
_IN_OTHER_CELLS = frozenset({"reseller", "seats", "more", "until"})


@dataclass(frozen=True, slots=True)
class RenewalMonth:
    """The month a page is about, its weeks, and the months beside it."""

    period: Period
    coming: int
    undecided: int
    ending: int
    totals: tuple[Money, ...]
    weeks: list[Week]

    @classmethod
    def of(cls, period: Period, renewals: list[Renewal]) -> "RenewalMonth":
        """Count what a month has."""
        coming = [one for one in renewals if not one.has_renewed]
        return cls(
            period,
            len(coming),
            sum(one.is_undecided for one in coming),
            sum(one.row.at_term_end == AtTermEnd.END for one in coming),
            next_terms(coming),
            weeks_of(period, coming),
        )

    @property
    def before(self) -> Period:
        """The month before."""
        return self.period.previous()

    @property
    def after(self) -> Period:
        """The month after."""
        return self.period.next()

    @property
    def most(self) -> int:
        """How many renew in the fullest week."""
        return max((week.count for week in self.weeks), default=0)


def add_renewal_pages(
    blueprint: Blueprint, *, audience: Audience, views: Permission, asks: Permission | None
) -> None:
    """Put the cockpit on a shell's blueprint; `asks` lets sellers ask customers."""
    shell = blueprint.name
    listed = _list(audience)

    @blueprint.get("/renewals")
    @requires(views)
    def renewals() -> ResponseReturnValue:
        """Show what renews in a month: undecided first."""
        actor, period = current_actor(), period_asked()
        with order_desk() as session:
            found = renewals_of_month(session, actor=actor, period=period, now=utc_now())
            answered = {one.row.answer_order for one in found if one.row.answer_order}
            states = states_of_orders(session, answered)
        view = listed if request.args.get("format") else replace(listed, columns=_on_the_page(listed))
        return view.respond_with_rows(
            found,
            "renewals/list.html",
            shell=shell,
            month=RenewalMonth.of(period, found),
            states=states,
            decided_labels=DECIDED_LABELS,
            asks=asks,
        )

    if asks is None:
        return

    @blueprint.post("/renewals/ask")
    @requires(asks)
    def ask_about_renewals() -> ResponseReturnValue:
        """Mail customers the links with which they answer for the renewals that were listed."""
        ids = [UUID(text) for text in request.form.getlist("subscription") if _is_id(text)]
        period = period_asked()
        try:
            with order_desk() as session:
                asked = ask_customers(
                    session,
                    actor=current_actor(),
                    subscription_ids=ids,
                    site_url=wiring().settings.site_url,
                    now=utc_now(),
                )
        except Refusal as refusal:
            flash(shown.sentence(refusal), "error")
            return redirect(url_for(f"{shell}.renewals", period=period), code=303)
        flash(
            ngettext(
                "The customer was asked about %(num)s renewal.",
                "Customers were asked about %(num)s renewals.",
                asked.renewals,
            ),
            "success",
        )
        if asked.unreachable:
            names = ", ".join(asked.unreachable)
            flash(gettext("There is no e-mail address of %(names)s to ask at.", names=names), "warning")
        return redirect(url_for(f"{shell}.renewals", period=period), code=303)


def period_asked() -> Period:
    """Read `?period=2026-09`; without it, the month that runs."""
    text = request.args.get("period", "")
    return Period.parse(text) if text else Period.of(utc_now().date())


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _decided(one: Renewal) -> str:
    return _UNDECIDED if one.is_undecided else one.row.decided_by


def _in_week(one: Renewal, monday: str) -> bool:
    try:
        first = date.fromisoformat(monday)
    except ValueError:
        return False
    day = one.row.term_start if one.has_renewed else one.row.term_end
    return day is not None and first <= day < first + timedelta(days=7 - first.weekday())


def _closes(one: Renewal, kind: str) -> bool:
    if kind == "given_up":
        return one.has_renewed
    return one.closes_by(utc_now() + timedelta(days=CLOSING_DAYS))


def _on_the_page(listed: ListView[Renewal]) -> Sequence[Column[Renewal]]:
    """Leave out what a page says in the cells of other columns, and files in their own."""
    return tuple(column for column in listed.columns if column.key not in _IN_OTHER_CELLS)


def _list(audience: Audience) -> ListView[Renewal]:
    columns: list[Column[Renewal]] = [
        Column(
            key="name",
            label=N_("Subscription"),
            value=lambda one: one.row.name,
            sort=True,
            phone=OnPhone.TITLE,
        )
    ]
    if audience is not Audience.CUSTOMER:
        columns.append(
            Column(key="customer", label=N_("Customer"), value=lambda one: one.row.customer, sort=True)
        )
    if audience is Audience.WHOLESALER:
        columns.append(
            Column(key="reseller", label=N_("Reseller"), value=lambda one: one.row.reseller, sort=True)
        )
    columns += [
        Column(key="on", label=N_("Ends"), value=lambda one: one.row.term_end, sort=True, kind=Kind.DAY),
        Column(
            key="then",
            label=N_("Then"),
            value=lambda one: gettext(TERM_END_LABELS[AtTermEnd(one.row.at_term_end)]),
        ),
        Column(key="seats", label=N_("Seats"), value=lambda one: one.seats_then, kind=Kind.NUMBER),
        Column(
            key="price_then",
            label=N_("A charge now"),
            value=lambda one: one.own.then,
            sort=True,
            kind=Kind.MONEY,
        ),
        Column(
            key="price_now",
            label=N_("And after, at today's price"),
            value=lambda one: one.own.now,
            sort=True,
            kind=Kind.MONEY,
        ),
        Column(
            key="more",
            label=N_("Difference"),
            value=lambda one: one.own.difference,
            sort=True,
            kind=Kind.MONEY,
        ),
        Column(
            key="decided",
            label=N_("Decided by"),
            value=lambda one: gettext(DECIDED_LABELS[DecidedBy(one.row.decided_by)]),
        ),
        Column(
            key="until",
            label=N_("Can be decided until"),
            value=lambda one: one.deadline,
            sort=True,
        ),
    ]
    return ListView[Renewal](
        name="renewals",
        columns=tuple(columns),
        filters=(
            Filter(
                key="decided",
                label=N_("Decided by"),
                choices=(
                    (_UNDECIDED, N_("Nobody yet")),
                    *((by.value, label) for by, label in DECIDED_LABELS.items() if by),
                ),
                keeps=lambda one, value: _decided(one) == value,
            ),
            Filter(
                key="window",
                label=N_("Window"),
                choices=(
                    ("closing", N_("Closes within a week")),
                    ("given_up", N_("Renewed, can still be given up")),
                ),
                keeps=_closes,
            ),
            Filter(
                key="promotion",
                label=N_("Promotion"),
                choices=(("ending", N_("Ends with the term")),),
                keeps=lambda one, _value: one.prices.loses_promotion,
            ),
            Filter(key="week", label=N_("Week of"), input="date", keeps=_in_week),
        ),
        finds=lambda one, text: (
            text in f"{one.row.name} {one.row.product} {one.row.customer} {one.row.reseller}".casefold()
        ),
        search_label=N_("Subscription or firm"),
    )
