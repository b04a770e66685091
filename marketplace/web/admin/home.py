"""The wholesaler's first page: where the month stands, the next thing to do, and the figures of the channel."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from marketplace.billing import periods as steps
from marketplace.billing.queries.partners import partner_figures
from marketplace.billing.queries.periods import (
    PeriodPage,
    PeriodRow,
    find_period,
    list_periods,
)
from marketplace.billing.queries.questions import count_waiting
from marketplace.billing.queries.review import ReviewPage, load_review
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_
from marketplace.core.period import Period
from marketplace.usage.queries import VendorDay, cost_by_vendor_and_day, delivery_row, list_deliveries
from marketplace.web import filters as shown
from marketplace.web.admin import blueprint
from marketplace.web.admin.close_steps import steps_of
from marketplace.web.admin.months import is_over
from marketplace.web.admin.wholesaler import wholesaler_of
from marketplace.web.charts import Series, StackedBars, in_currency
from marketplace.web.guards import requires
from marketplace.web.navigation import add_to_menu
from marketplace.web.session import current_actor, transaction
from resellers.queries import applications

add_to_menu(
    Audience.WHOLESALER,
    endpoint="admin.home",
    label=N_("Home"),
    icon="home",
    permission=Permission.WHOLESALER_HOME_VIEW,
    place=0,
)

_DELIVERIES = 5
_MONTHS_DRAWN = 12
_VENDORS_APART = 5


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One thing worth doing now, in a sentence, and where it is done."""

    sentence: str
    label: str
    href: str
    icon: str
    tone: str = "warning"


@blueprint.get("/")
@requires(Permission.WHOLESALER_HOME_VIEW)
def home() -> ResponseReturnValue:
    """Show the month's state and the next thing to do."""
    actor = current_actor()
    with transaction() as session:
        currency = wholesaler_of(session).currency
        rows = list_periods(session, currency=currency)
        month = _month_at_work(rows, today=utc_now().date())
        rated = month if month and month.is_rated else next((row for row in rows if row.is_rated), None)
        page = find_period(session, month.period) if month else None
        review = (
            load_review(session, month.period, is_over=is_over(month.period))
            if month and month.is_rated
            else None
        )
        is_stale = bool(month and month.is_rated and steps.is_stale(session, month.period))
        newest = rows[0].period if rows else None
        days = cost_by_vendor_and_day(session, newest) if newest else []
        found = session.execute(list_deliveries(actor).limit(_DELIVERIES))
        deliveries = [delivery_row(one) for one in found]
        waiting = count_waiting(session, actor=actor)
        applied = applications.count_waiting(session)
        partners = partner_figures(session, last=rated.period, today=utc_now().date()) if rated else []
    return render_template(
        "admin/home.html",
        month=month,
        page=page,
        rated=rated,
        newest=newest,
        currency=currency,
        steps=steps_of(page, month) if page else [],
        next_step=_next_step(page, is_stale=is_stale) if page else None,
        alerts=_alerts(actor, month=month, review=review, waiting=waiting, applied=applied),
        charts=vendor_charts(days, newest) if newest else [],
        deliveries=deliveries,
        partners=partners[::-1],
        former=next(
            (
                row
                for row in rows
                if rated and row.period == rated.period.previous() and is_over(rated.period)
            ),
            None,
        ),
        months=months_chart([row for row in rows if row.is_rated][:_MONTHS_DRAWN], currency),
    )


def _month_at_work(rows: Sequence[PeriodRow], *, today: date) -> PeriodRow | None:
    """Choose the month to work on: the oldest that is over and not closed, else the newest there is."""
    unclosed = [row for row in reversed(rows) if row.status != "closed"]
    over = [row for row in unclosed if row.period.end <= today]
    if over:
        return over[0]
    return unclosed[0] if unclosed else (rows[0] if rows else None)


def _next_step(page: PeriodPage, *, is_stale: bool) -> Alert | None:
    """Say what the month needs next."""
    month = shown.period(page.period)
    here = url_for("admin.period", period=page.period)
    if page.latest is not None and page.latest.is_running:
        return Alert(
            sentence=gettext("The close of %(month)s is running.", month=month),
            label=gettext("Watch it"),
            href=here,
            icon="progress",
            tone="info",
        )
    if page.status == "closed":
        return Alert(
            sentence=gettext(
                "%(month)s is closed. Import the next month's files when they come.", month=month
            ),
            label=gettext("Import files"),
            href=url_for("admin.new_import"),
            icon="file-import",
            tone="success",
        )
    words = {
        "open": (
            gettext("Files of %(month)s are here: make the draft.", month=month),
            gettext("Go to the close"),
        ),
        "rated": (
            gettext("The draft of %(month)s waits for your review.", month=month),
            gettext("Review it"),
        ),
        "reviewed": (gettext("%(month)s is approved and can be closed.", month=month), gettext("Close it")),
    }
    sentence, label = words[page.status]
    if is_stale:
        sentence = gettext("Usage or terms of %(month)s changed since its draft: rate it again.", month=month)
        label = gettext("Go to the close")
    if not is_over(page.period):
        sentence = gettext("%(month)s is not over. Its files can be imported as they come.", month=month)
        label = gettext("See the month")
        if is_stale:
            sentence = gettext("%(month)s is not over, and more has come since its draft.", month=month)
    return Alert(sentence=sentence, label=label, href=here, icon="calendar-check", tone="info")


def _alerts(
    actor: Actor, *, month: PeriodRow | None, review: ReviewPage | None, waiting: int, applied: int
) -> list[Alert]:
    """Say what somebody should look at: money nobody pays, documents that wait, prices that are missing, people."""
    alerts = []
    if month and month.unmapped:
        alerts.append(
            Alert(
                sentence=gettext(
                    "%(amount)s of %(month)s belong to nobody yet.",
                    amount=", ".join(shown.money(one) for one in month.unmapped),
                    month=shown.period(month.period),
                ),
                label=gettext("Map accounts"),
                href=url_for("admin.unmapped", period=month.period),
                icon="unlink",
            )
        )
    here = url_for("admin.period", period=month.period) if month else ""
    if month and month.parked:
        alerts.append(
            Alert(
                sentence=ngettext(
                    "%(num)s document waits for an exchange rate.",
                    "%(num)s documents wait for an exchange rate.",
                    month.parked,
                ),
                label=gettext("See which"),
                href=f"{here}#review",
                icon="player-pause",
            )
        )
    if month and month.gaps:
        alerts.append(
            Alert(
                sentence=ngettext(
                    "%(num)s line was priced at cost, for want of a rule.",
                    "%(num)s lines were priced at cost, for want of a rule.",
                    month.gaps,
                ),
                label=gettext("See them"),
                href=url_for("admin.lines", period=month.period, gap="any"),
                icon="tags",
            )
        )
    if month and review and review.losses:
        alerts.append(
            Alert(
                sentence=ngettext(
                    "%(num)s product sells below its cost.",
                    "%(num)s products sell below their cost.",
                    len(review.losses),
                ),
                label=gettext("See them"),
                href=url_for("admin.lines", period=month.period, hop="wholesale", gap="below"),
                icon="alert-triangle",
            )
        )
    if waiting and actor.may(Permission.WHOLESALER_QUESTIONS_ANSWER):
        alerts.append(
            Alert(
                sentence=ngettext(
                    "%(num)s question of a reseller waits for an answer.",
                    "%(num)s questions of resellers wait for an answer.",
                    waiting,
                ),
                label=gettext("Answer"),
                href=url_for("admin.questions", status="asked"),
                icon="message-question",
                tone="info",
            )
        )
    if applied and actor.may(Permission.WHOLESALER_APPLICATIONS_REVIEW):
        alerts.append(
            Alert(
                sentence=ngettext(
                    "%(num)s firm that wishes to become a reseller waits for a decision.",
                    "%(num)s firms that wish to become resellers wait for a decision.",
                    applied,
                ),
                label=gettext("Look at it") if applied == 1 else gettext("Look at them"),
                href=url_for("admin.applications"),
                icon="mail-forward",
                tone="info",
            )
        )
    return alerts


def months_chart(rows: Sequence[PeriodRow], currency: str) -> StackedBars | None:
    """Draw what resellers paid month by month, as cost and margin; nothing before there are two months."""
    known = [(row.period, row.margin) for row in reversed(rows) if row.margin]
    if len(known) < 2:  # noqa: PLR2004 - one month alone is no course
        return None
    return StackedBars(
        title=gettext("What resellers pay, %(currency)s", currency=currency),
        labels=[shown.short_period(period) for period, _ in known],
        series=[
            Series(name=gettext("Cost"), values=[margin.purchase.amount for _, margin in known]),
            Series(name=gettext("Your margin"), values=[margin.amount.amount for _, margin in known]),
        ],
        write=in_currency(currency),
        label_head=gettext("Month"),
    )


def vendor_charts(days: Sequence[VendorDay], month: Period) -> list[StackedBars]:
    """Draw what vendors charge a day, a chart for each currency, the currency of most money first."""
    totals: dict[str, Decimal] = {}
    for one in days:
        totals[one.currency] = totals.get(one.currency, Decimal(0)) + abs(one.cost)
    return [_vendor_chart(days, month, currency) for currency in sorted(totals, key=lambda c: -totals[c])]


def _vendor_chart(days: Sequence[VendorDay], month: Period, currency: str) -> StackedBars:
    own = [one for one in days if one.currency == currency]
    last = max(one.day for one in own)
    every = {date(month.year, month.month, number + 1) for number in range(month.days)}
    labels = sorted({day for day in every if day <= last} | {one.day for one in own})
    sums: dict[str, dict[date, Decimal]] = {}
    for one in own:
        of_vendor = sums.setdefault(one.vendor, {})
        of_vendor[one.day] = of_vendor.get(one.day, Decimal(0)) + one.cost
    vendors = sorted(sums, key=lambda vendor: -sum(sums[vendor].values(), Decimal(0)))
    series = [
        Series(name=shown.vendor(vendor), values=[sums[vendor].get(day, Decimal(0)) for day in labels])
        for vendor in vendors[:_VENDORS_APART]
    ]
    others = vendors[_VENDORS_APART:]
    if others:
        values = [sum((sums[vendor].get(day, Decimal(0)) for vendor in others), Decimal(0)) for day in labels]
        series.append(Series(name=gettext("Others"), values=values))
    return StackedBars(
        title=gettext("%(month)s by day, %(currency)s", month=shown.period(month), currency=currency),
        labels=[str(day.day) if day in every else shown.day(day) for day in labels],
        series=series,
        write=in_currency(currency),
        label_head=gettext("Day"),
    )
