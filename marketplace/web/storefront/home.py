"""The reseller's first page: what is owed, what is earned, and the next thing to do."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from marketplace.billing.queries.consumption import consumption
from marketplace.billing.queries.margins import CustomerRow, customers_with_margin, margin_by_month
from marketplace.billing.queries.months import MonthRow, months
from marketplace.billing.queries.questions import count_waiting
from marketplace.billing.queries.selection import Selection
from marketplace.billing.queries.visible import sees
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.errors import N_
from marketplace.web import filters as shown
from marketplace.web.day_charts import day_chart, ranking
from marketplace.web.guards import requires
from marketplace.web.navigation import add_to_menu
from marketplace.web.session import current_actor, transaction
from marketplace.web.storefront import blueprint
from resellers.models import Hop

add_to_menu(
    Audience.RESELLER,
    endpoint="storefront.home",
    label=N_("Home"),
    icon="home",
    permission=Permission.RESELLER_HOME_VIEW,
    place=0,
)

_MONTHS = 4


@dataclass(frozen=True, kw_only=True)
class NextStep:
    """One thing worth doing now, in a sentence, and where it is done."""

    sentence: str
    label: str
    href: str
    icon: str
    tone: str = "info"


@blueprint.get("/")
@requires(Permission.RESELLER_HOME_VIEW)
def home() -> ResponseReturnValue:
    """Show the month so far and what is to be done."""
    actor = current_actor()
    hop = Hop.WHOLESALE if sees(actor, Hop.WHOLESALE) else Hop.RETAIL
    with transaction() as session:
        rows = months(session, actor=actor, hop=hop, most=_MONTHS)
        month = rows[0] if rows else None
        customers = customers_with_margin(session, actor=actor, period=month.period if month else None)
        context = {
            "hop": hop,
            "months": rows,
            "month": month,
            "last_final": next((row for row in rows if row.is_final), None),
            "margins": margin_by_month(session, actor=actor, most=_MONTHS) if _earns(actor) else [],
            "customers": customers,
            "waiting": count_waiting(session, actor=actor),
            "charts": _charts(session, actor, hop, month),
            "ranked": _ranked(actor, customers, month),
        }
    steps = _next_steps(actor, customers=customers, waiting=context["waiting"], months=rows)  # type: ignore[arg-type]
    return render_template("storefront/home.html", steps=steps, **context)


def _earns(actor: Actor) -> bool:
    return actor.may(Permission.RESELLER_MARGINS_VIEW)


def _charts(session: Session, actor: Actor, hop: Hop, month: MonthRow | None) -> list[object]:
    if month is None:
        return []
    selection = Selection(hop=hop, period=month.period)
    return [day_chart(one) for one in consumption(session, actor=actor, selection=selection)]


def _ranked(actor: Actor, customers: Sequence[CustomerRow], month: MonthRow | None) -> object | None:
    if month is None or not _earns(actor):
        return None
    amounts = [(row.name, row.margin.amount) for row in customers if row.margin]
    if not amounts:
        return None
    title = gettext("Margin by customer, %(month)s", month=shown.period(month.period))
    return ranking(title, amounts, currency=amounts[0][1].currency)


def _next_steps(
    actor: Actor, *, customers: Sequence[CustomerRow], waiting: int, months: Sequence[MonthRow]
) -> list[NextStep]:
    """Choose what to say first: how to begin, people who wait, money that is lost, papers to fetch."""
    steps = [] if months else _first_steps(actor, has_customers=bool(customers))
    if waiting and actor.may(Permission.RESELLER_QUESTIONS_ANSWER):
        steps.append(
            NextStep(
                sentence=ngettext(
                    "%(num)s customer question waits for your answer.",
                    "%(num)s customer questions wait for your answer.",
                    waiting,
                ),
                label=gettext("Answer"),
                href=url_for("storefront.questions", status="asked"),
                icon="message-question",
            )
        )
    losing = [row for row in customers if row.margin and row.margin.amount.minor < 0]
    month = months[0] if months else None
    if losing and month:
        steps.append(
            NextStep(
                sentence=ngettext(
                    "%(num)s customer pays less than you do in %(month)s.",
                    "%(num)s customers pay less than you do in %(month)s.",
                    len(losing),
                    month=shown.period(month.period),
                ),
                label=gettext("See margins"),
                href=url_for("storefront.customers", period=month.period, sort="margin"),
                icon="alert-triangle",
                tone="warning",
            )
        )
    parked = [row for row in customers if row.is_waiting]
    if parked and month and _earns(actor):
        steps.append(
            NextStep(
                sentence=ngettext(
                    "%(num)s customer has no margin yet: an exchange rate of %(month)s is missing.",
                    "%(num)s customers have no margin yet: an exchange rate of %(month)s is missing.",
                    len(parked),
                    month=shown.period(month.period),
                ),
                label=gettext("See which"),
                href=url_for("storefront.customers", period=month.period),
                icon="hourglass",
            )
        )
    final = next((row for row in months if row.is_final), None)
    if final and sees(actor, Hop.WHOLESALE) and not steps:
        steps.append(
            NextStep(
                sentence=gettext(
                    "%(month)s is closed: its statements stand.", month=shown.period(final.period)
                ),
                label=gettext("Download them"),
                href=url_for("storefront.owed", period=final.period, by="line"),
                icon="download",
                tone="success",
            )
        )
    return steps


def _first_steps(actor: Actor, *, has_customers: bool) -> list[NextStep]:
    """Show a reseller that has sold nothing how to begin."""
    if not has_customers and actor.may(Permission.RESELLER_CUSTOMERS_MANAGE):
        return [
            NextStep(
                sentence=gettext("Begin with a customer: then you can order for it."),
                label=gettext("Add a customer"),
                href=url_for("storefront.new_customer"),
                icon="users",
            )
        ]
    if has_customers and actor.may(Permission.RESELLER_ORDERS_PLACE):
        return [
            NextStep(
                sentence=gettext("Your customers are here: order for them."),
                label=gettext("Go to the shop"),
                href=url_for("storefront.shop"),
                icon="building-store",
            )
        ]
    return []
