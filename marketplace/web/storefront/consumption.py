"""Consumption by product and day, at sale or purchase prices."""

from flask import request
from flask.typing import ResponseReturnValue

from marketplace.billing.queries.consumption import Consumption
from marketplace.billing.queries.consumption import consumption as consumption_of
from marketplace.billing.queries.months import months
from marketplace.billing.queries.owed import Choices, choices_of
from marketplace.billing.queries.selection import Selection
from marketplace.billing.queries.visible import hops_of
from marketplace.core.actor import Audience, Permission
from marketplace.core.errors import N_
from marketplace.web.consumption_list import consumption_list, product_days, selected
from marketplace.web.day_charts import day_chart
from marketplace.web.guards import requires
from marketplace.web.months import chosen_month
from marketplace.web.navigation import GROUP_MONEY, add_to_menu
from marketplace.web.session import current_actor, transaction
from marketplace.web.storefront import blueprint
from resellers.models import Hop

add_to_menu(
    Audience.RESELLER,
    endpoint="storefront.consumption",
    label=N_("Consumption"),
    icon="chart-bar",
    permission=Permission.RESELLER_CUSTOMERS_VIEW,
    place=40,
    group=GROUP_MONEY,
    words="usage services products days",
)


@blueprint.get("/consumption")
@requires(Permission.RESELLER_CUSTOMERS_VIEW)
def consumption() -> ResponseReturnValue:
    """Show what customers used, by product and day."""
    actor = current_actor()
    hops = hops_of(actor)
    wanted = request.args.get("prices", "")
    hop = Hop(wanted) if wanted in hops else Hop.RETAIL
    with transaction() as session:
        choice = chosen_month(months(session, actor=actor, hop=hop))
        found: list[Consumption] = []
        choices = Choices(customers=(), vendors=(), products=(), accounts=())
        if choice.period:
            whole = Selection(hop=hop, period=choice.period)
            choices = choices_of(session, actor=actor, selection=whole)
            selection = selected(whole, choices, has_customers=True)
            found = consumption_of(session, actor=actor, selection=selection)
    return consumption_list(choices, has_customers=True).respond_with_rows(
        product_days(found),
        "storefront/consumption/show.html",
        choice=choice,
        hop=hop,
        hops=hops,
        months=found,
        charts=[day_chart(one) for one in found],
    )
