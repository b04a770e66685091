"""What a closed month differs by from what was billed for it, or how far finding that is."""

from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.billing.effects import PendingDifference, differences_from_data
from marketplace.billing.queries.previews import PreviewRow
from marketplace.core.period import Period
from marketplace.web.previews import Job, job_of


@dataclass(frozen=True, kw_only=True)
class Pending:
    """What a month would be corrected by."""

    month: Period
    # None where nothing changed since it was billed, so that nothing had to be rated.
    job: Job | None = None
    differences: Sequence[PendingDifference] = ()


def pending_of(row: PreviewRow) -> Pending:
    """Give differences as their page shows them."""
    return Pending(
        month=Period.parse(row.facts["period"]),
        job=job_of(row),
        differences=differences_from_data(row.found) if row.found is not None else (),
    )
