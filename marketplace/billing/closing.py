"""The whole close of a period in one call, as the command and the jobs make it: rate, and approve and close if told."""

from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from marketplace.billing import periods, rating_run
from marketplace.billing.attribution import Engine
from marketplace.billing.models import BillingPeriod, CloseRun, PeriodStatus
from marketplace.core.actor import Actor
from marketplace.core.db import Database
from marketplace.core.period import Period
from marketplace.settings import Settings


def workshop(settings: Settings) -> rating_run.Workshop:
    """Give the close its place to work: the lake, memory and threads."""
    engine = Engine(
        memory_mb=max(256, settings.memory_limit // 2_000_000),
        threads=settings.thread_count,
        spill=settings.home / "spill",
    )
    return rating_run.Workshop(lake=Path(settings.lake), engine=engine)


def close_period(
    database: Database,
    settings: Settings,
    *,
    period: Period,
    actor: Actor,
    approve: bool,
    dry_run: bool,
    now: datetime,
) -> dict[str, Any]:
    """Rate a period and every unclosed one before it, approve and close them if told to; give the figures."""
    with database.owner_transaction() as session:
        standing = session.get(BillingPeriod, period.number)
        if standing is not None and standing.status == PeriodStatus.CLOSED:
            return _figures(session, session.get_one(CloseRun, standing.run_id))
    runs = rating_run.rate(
        database, workshop=workshop(settings), period=period, actor=actor, now=now, dry_run=dry_run
    )
    if dry_run:
        return runs[-1].summary
    if approve:
        for one in runs:
            with database.owner_transaction() as session:
                rated = Period.from_number(one.period)
                periods.approve(session, period=rated, actor=actor, now=now)
                periods.close(session, period=rated, actor=actor, now=now)
    with database.owner_transaction() as session:
        figures = _figures(session, session.get_one(CloseRun, runs[-1].id))
        figures["also_rated"] = [str(Period.from_number(one.period)) for one in runs[:-1]]
        return figures


def _figures(session: Session, one: CloseRun) -> dict[str, Any]:
    """Give what a run found; since then at most the status of its period has changed."""
    status = session.get_one(BillingPeriod, one.period).status
    return {**one.summary, "status": status, "changes": one.changes}
