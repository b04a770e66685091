"""What a retail rule would do to sales and margins, before it is saved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from flask import render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.billing.effects import DocumentEffect, Effect
from marketplace.billing.queries.amounts import Margin, load_rates, margin_of
from marketplace.billing.queries.margins import customers_with_margin, purchases_by_customer
from marketplace.billing.queries.previews import PreviewRow
from marketplace.billing.trials import Change
from marketplace.core.actor import Actor, Permission
from marketplace.core.money import Money
from marketplace.core.period import Period
from marketplace.web import previews
from marketplace.web.guards import requires
from marketplace.web.previews import Job, job_of
from marketplace.web.session import current_actor, transaction
from marketplace.web.storefront import blueprint
from resellers.models import Reseller


@dataclass(frozen=True, kw_only=True)
class CustomerChange:
    """One customer's month: what it would pay, and what would be left of it."""

    customer: str
    period: Period
    before: Money
    after: Money
    margin_before: Margin | None
    margin_after: Margin | None

    @property
    def difference(self) -> Money:
        """By how much the sale would change."""
        return self.after - self.before


@dataclass(frozen=True, kw_only=True)
class RuleEffect:
    """What would change in the latest months, or how far finding that is."""

    job: Job
    changes: Sequence[CustomerChange] = ()
    # Closed months among them: there the difference would be billed with the next open month.
    closed: Sequence[Period] = ()
    first_day: date | None = None


def effect_of(session: Session, *, change: Change, first_day: date | None) -> RuleEffect:
    """Try a change of the actor's own rules, which counts from a day, and compare its customers' documents."""
    return effect_shown(session, previews.ask(session, change, first_day=first_day))


def effect_asked_here(session: Session) -> RuleEffect | None:
    """Give the effect that the address names."""
    row = previews.asked_here(session)
    return effect_shown(session, row) if row else None


def effect_shown(session: Session, row: PreviewRow) -> RuleEffect:
    """Give an effect as its page shows it."""
    if row.found is None:
        return RuleEffect(job=job_of(row), first_day=row.first_day)
    found = Effect.from_data(row.found)
    known = [one for one in found.documents if one.before and one.after]
    periods = sorted({one.period for one in known}, reverse=True)
    return RuleEffect(
        job=job_of(row),
        changes=[
            change for period in periods for change in _changes(session, current_actor(), period, known)
        ],
        closed=[period for period in found.closed if period in periods],
        first_day=row.first_day,
    )


def _changes(
    session: Session, actor: Actor, period: Period, effects: Sequence[DocumentEffect]
) -> list[CustomerChange]:
    names = {row.number: row.name for row in customers_with_margin(session, actor=actor, period=None)}
    currency = session.get_one(Reseller, actor.reseller_id).currency
    rates = load_rates(session, period)[period]
    purchases = purchases_by_customer(session, actor=actor, period=period)

    def margin(sale: Money, customer_id: int) -> Margin | None:
        purchase, waits = purchases.get(customer_id, ((), False))
        if waits or not actor.may(Permission.RESELLER_MARGINS_VIEW):
            return None
        return margin_of((sale,), purchase, rates=rates, currency=currency)

    return [
        CustomerChange(
            customer=names.get(one.customer_id, ""),
            period=period,
            before=one.before,
            after=one.after,
            margin_before=margin(one.before, one.customer_id),
            margin_after=margin(one.after, one.customer_id),
        )
        for one in effects
        if one.period == period and one.before is not None and one.after is not None
    ]


@blueprint.get("/previews/<uuid:preview_id>")
@requires(Permission.RESELLER_RULES_MANAGE)
def preview(preview_id: UUID) -> ResponseReturnValue:
    """Give how far a preview is, or what was found, as the page polls it that asked."""
    with transaction() as session:
        row = previews.preview_or_refuse(session, preview_id)
        effect = effect_shown(session, row)
        html = render_template("storefront/rules/polled.html", effect=effect)
    return previews.fragment(html)


@blueprint.post("/previews/<uuid:preview_id>/cancel")
@requires(Permission.RESELLER_RULES_MANAGE)
def cancel_preview(preview_id: UUID) -> ResponseReturnValue:
    """Want to know no longer."""
    return previews.cancel(preview_id, back=previews.page_of)
