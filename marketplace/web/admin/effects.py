"""What a change of terms would do to documents and to the wholesaler's totals, before it is saved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.billing.effects import Effect
from marketplace.billing.previews import DIFFERENCES
from marketplace.billing.queries.previews import PreviewRow
from marketplace.billing.trials import Change
from marketplace.core.actor import Permission
from marketplace.core.money import Money
from marketplace.core.period import Period
from marketplace.web import previews
from marketplace.web.admin import blueprint
from marketplace.web.admin.pending import pending_of
from marketplace.web.guards import requires
from marketplace.web.previews import Job, job_of
from marketplace.web.session import transaction
from resellers.models import Customer, Reseller


@dataclass(frozen=True, kw_only=True)
class DocumentChange:
    """What one customer's document of one hop and month would become. None: it waits for an exchange rate."""

    customer: str
    reseller: str
    hop: str
    period: Period
    before: Money | None
    after: Money | None
    difference: Money | None


@dataclass(frozen=True, kw_only=True)
class TermsEffect:
    """What would change in the latest months, or how far finding that is."""

    job: Job
    changes: Sequence[DocumentChange] = ()
    # All documents that change; `changes` holds the first of them.
    documents: int = 0
    customers: int = 0
    # Differences by hop and currency.
    differences: Sequence[tuple[str, Money]] = ()
    # Closed months among them: there the difference would be billed with the next open month.
    closed: Sequence[Period] = ()
    first_day: date | None = None


def effect_of(
    session: Session, change: Change, *, first_day: date | None = None, link: str = ""
) -> TermsEffect:
    """Try a change and compare everybody's documents of the latest months. Nothing is changed."""
    return effect_shown(session, previews.ask(session, change, first_day=first_day, link=link))


def effect_asked_here(session: Session) -> TermsEffect | None:
    """Give the effect that the address names."""
    row = previews.asked_here(session)
    return effect_shown(session, row) if row else None


def effect_shown(session: Session, row: PreviewRow) -> TermsEffect:
    """Give an effect as its page shows it."""
    if row.found is None:
        return TermsEffect(job=job_of(row), first_day=row.first_day)
    found = Effect.from_data(row.found)
    names = {
        number: (name, reseller)
        for number, name, reseller in session.execute(
            select(Customer.id, Customer.legal_name, Reseller.legal_name)
            .join(Reseller)
            .where(Customer.id.in_({one.customer_id for one in found.documents}))
        )
    }
    return TermsEffect(
        job=job_of(row),
        changes=[
            DocumentChange(
                customer=names.get(one.customer_id, ("", ""))[0],
                reseller=names.get(one.customer_id, ("", ""))[1],
                hop=one.hop,
                period=one.period,
                before=one.before,
                after=one.after,
                difference=one.difference,
            )
            for one in found.documents
        ],
        documents=found.document_count,
        customers=found.customer_count,
        differences=found.differences,
        closed=found.closed,
        first_day=row.first_day,
    )


@blueprint.get("/previews/<uuid:preview_id>")
@requires(Permission.WHOLESALER_HOME_VIEW)
def preview(preview_id: UUID) -> ResponseReturnValue:
    """Give how far a preview is, or what was found, as the page polls it that asked."""
    with transaction() as session:
        row = previews.preview_or_refuse(session, preview_id)
        if row.kind == DIFFERENCES:
            html = render_template("admin/periods/pending.html", pending=pending_of(row))
        else:
            html = render_template("admin/terms/polled.html", effect=effect_shown(session, row))
    return previews.fragment(html)


@blueprint.post("/previews/<uuid:preview_id>/cancel")
@requires(Permission.WHOLESALER_HOME_VIEW)
def cancel_preview(preview_id: UUID) -> ResponseReturnValue:
    """Want to know no longer."""
    return previews.cancel(preview_id, back=_back)


def _back(row: PreviewRow) -> str:
    """The page of differences would ask again."""
    if row.kind == DIFFERENCES:
        return url_for("admin.period", period=row.facts["period"])
    return previews.page_of(row)
