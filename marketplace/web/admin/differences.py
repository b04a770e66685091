"""The differences of a closed month: worked out when they are first looked at, and again once facts have changed."""

from flask import abort, render_template
from flask.typing import ResponseReturnValue

from marketplace.billing.previews import DIFFERENCES
from marketplace.billing.queries.periods import find_period
from marketplace.billing.queries.previews import latest_differences
from marketplace.billing.rating_run import changed_closed_periods
from marketplace.billing.trials import Change
from marketplace.core.actor import Permission
from marketplace.core.period import Period
from marketplace.web import previews
from marketplace.web.admin import blueprint
from marketplace.web.admin.pending import Pending, pending_of
from marketplace.web.guards import requires
from marketplace.web.session import current_actor, transaction


@blueprint.get("/periods/<period:period>/differences")
@requires(Permission.WHOLESALER_PERIODS_VIEW)
def period_differences(period: str) -> ResponseReturnValue:
    """Show what a closed month would be corrected by if the next one were rated now."""
    month = Period.parse(period)
    with transaction() as session:
        if find_period(session, month).status != "closed":
            abort(404)
        known = latest_differences(session, actor=current_actor(), period=month)
        if known is not None and known.is_at_work:
            return _page(pending_of(known))
        fingerprint = changed_closed_periods(session, before=month.next()).get(month)
        if fingerprint is None:
            return _page(Pending(month=month))  # what was not changed need not be rated to be compared
        if known is None or known.made_from != {str(month.number): fingerprint}:
            known = previews.ask(session, Change(kind=DIFFERENCES, facts={"period": str(month)}))
        return _page(pending_of(known))


def _page(pending: Pending) -> str:
    return render_template("admin/periods/differences.html", month=pending.month, pending=pending)
