"""The customer's first page: the month so far, the last statements, whom to ask."""

from flask import render_template
from flask.typing import ResponseReturnValue

from marketplace.billing.queries.consumption import consumption
from marketplace.billing.queries.months import months
from marketplace.billing.queries.owed import statements_of_month
from marketplace.billing.queries.questions import list_questions, question_row
from marketplace.billing.queries.selection import Selection
from marketplace.core.actor import Audience, Permission
from marketplace.core.errors import N_
from marketplace.web.day_charts import day_chart
from marketplace.web.guards import requires
from marketplace.web.navigation import add_to_menu
from marketplace.web.portal import blueprint
from marketplace.web.portal.contact import contact
from marketplace.web.session import current_actor, transaction
from resellers.models import Hop

add_to_menu(
    Audience.CUSTOMER,
    endpoint="portal.home",
    label=N_("Home"),
    icon="home",
    permission=Permission.CUSTOMER_HOME_VIEW,
    place=0,
)

_MONTHS = 6
_QUESTIONS = 3


@blueprint.get("/")
@requires(Permission.CUSTOMER_HOME_VIEW)
def home() -> ResponseReturnValue:
    """Show the month so far and the months before."""
    actor = current_actor()
    with transaction() as session:
        rows = months(session, actor=actor, hop=Hop.RETAIL, most=_MONTHS)
        month = rows[0] if rows else None
        found = []
        if month:
            found = consumption(
                session, actor=actor, selection=Selection(hop=Hop.RETAIL, period=month.period)
            )
        context = {
            "months": rows,
            "month": month,
            "last_final": next((row for row in rows if row.is_final), None),
            "consumption": found,
            "charts": [day_chart(one) for one in found],
            "statements": statements_of_month(
                session, actor=actor, hop=Hop.RETAIL, periods=[r.period for r in rows]
            ),
            "questions": [
                question_row(row) for row in session.execute(list_questions(actor).limit(_QUESTIONS))
            ],
            "reseller": contact(session),
        }
    return render_template("portal/home.html", **context)
