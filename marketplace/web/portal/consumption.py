"""Consumption by service and day."""

from flask.typing import ResponseReturnValue

from marketplace.billing.queries.consumption import Consumption
from marketplace.billing.queries.consumption import consumption as consumption_of
from marketplace.billing.queries.months import months
from marketplace.billing.queries.owed import Choices, choices_of
from marketplace.billing.queries.selection import Selection
from marketplace.core.actor import Audience, Permission
from marketplace.core.errors import N_
from marketplace.web.consumption_list import consumption_list, product_days, selected
from marketplace.web.day_charts import day_chart
from marketplace.web.guards import requires
from marketplace.web.months import chosen_month
from marketplace.web.navigation import add_to_menu
from marketplace.web.portal import blueprint
from marketplace.web.session import current_actor, transaction
from resellers.models import Hop

add_to_menu(
    Audience.CUSTOMER,
    endpoint="portal.consumption",
    label=N_("Consumption"),
    icon="chart-bar",
    permission=Permission.CUSTOMER_STATEMENTS_VIEW,
    place=10,
    words="usage services days",
)


@blueprint.get("/consumption")
@requires(Permission.CUSTOMER_STATEMENTS_VIEW)
def consumption() -> ResponseReturnValue:
    """Show a month by service and day."""
    actor = current_actor()
    with transaction() as session:
        choice = chosen_month(months(session, actor=actor, hop=Hop.RETAIL))
        found: list[Consumption] = []
        choices = Choices(customers=(), vendors=(), products=(), accounts=())
        if choice.period:
            whole = Selection(hop=Hop.RETAIL, period=choice.period)
            choices = choices_of(session, actor=actor, selection=whole)
            selection = selected(whole, choices, has_customers=False)
            found = consumption_of(session, actor=actor, selection=selection)
    return consumption_list(choices, has_customers=False).respond_with_rows(
        product_days(found),
        "portal/consumption.html",
        choice=choice,
        months=found,
        charts=[day_chart(one) for one in found],
    )
