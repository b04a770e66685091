"""Setting exchange rates."""

from decimal import Decimal

from sqlalchemy import BigInteger, Numeric, String, insert, select, tuple_, update
from sqlalchemy.orm import Session

from catalog.models import FxRate
from catalog.rules.exchange_rates import FX_COLUMNS, FxPair, read_fx
from marketplace.core import audit
from marketplace.core.actor import Actor, Permission
from marketplace.core.bulk import table_of
from marketplace.core.cells import FaultyEntry
from marketplace.core.csv_table import ImportResult, read_table
from marketplace.core.period import Period
from marketplace.core.permit import require
from marketplace.core.upsert import Given, Standing, Upsert, plan_upsert

FxPlan = Upsert[int, FxPair, Decimal]


def import_fx_rates(
    session: Session, *, actor: Actor, file: str, content: bytes, dry_run: bool = False
) -> ImportResult:
    """Set the rates of a file (month,from,to,rate), all or none. Raises `FaultyFile` naming every faulty row."""
    require(actor, Permission.WHOLESALER_TERMS_MANAGE)
    rows, faults = read_table(content, file=file, columns=FX_COLUMNS)
    given: list[Given[FxPair, Decimal]] = []
    for row in rows:
        try:
            fx = read_fx(row.cells)
        except FaultyEntry as faulty:
            faults.add_entry(row.number, faulty)
        else:
            given.append(Given(row.number, fx.pair, fx.rate))
    standing = _standing(session, [one.key for one in given])
    plan = plan_upsert(given, standing, faults=faults, key_column="month")
    faults.check()
    if not dry_run:
        _write(
            session,
            plan,
            actor=actor,
            reason=file,
            pairs={stands.id: pair for pair, stands in standing.items()},
        )
    return ImportResult(
        file=file,
        kind="fx",
        rows=len(rows),
        added=len(plan.added),
        changed=len(plan.changed),
        unchanged=plan.unchanged,
        dry_run=dry_run,
    )


def _standing(session: Session, pairs: list[FxPair]) -> dict[FxPair, Standing[int, Decimal]]:
    wanted = table_of(
        {
            "month": (BigInteger(), [pair.month.number for pair in pairs]),
            "source": (String(), [pair.source for pair in pairs]),
            "target": (String(), [pair.target for pair in pairs]),
        }
    )
    found = session.execute(
        select(FxRate.id, FxRate.month, FxRate.from_currency, FxRate.to_currency, FxRate.rate).where(
            tuple_(FxRate.month, FxRate.from_currency, FxRate.to_currency).in_(select(*wanted.c))
        )
    )
    return {
        FxPair(month=Period.from_number(month), source=source, target=target): Standing(id_, rate)
        for id_, month, source, target, rate in found
    }


def _write(session: Session, plan: FxPlan, *, actor: Actor, reason: str, pairs: dict[int, FxPair]) -> None:
    added = table_of(
        {
            "month": (BigInteger(), [one.key.month.number for one in plan.added]),
            "source": (String(), [one.key.source for one in plan.added]),
            "target": (String(), [one.key.target for one in plan.added]),
            "rate": (Numeric(), [one.entry for one in plan.added]),
        }
    )
    session.execute(
        insert(FxRate).from_select(
            [FxRate.month, FxRate.from_currency, FxRate.to_currency, FxRate.rate], select(*added.c)
        )
    )
    changed = table_of(
        {
            "id": (BigInteger(), [one.id for one in plan.changed]),
            "rate": (Numeric(), [one.after for one in plan.changed]),
        }
    )
    session.execute(
        update(FxRate)
        .where(FxRate.id == changed.c.id)
        .values(rate=changed.c.rate)
        .execution_options(synchronize_session=False)
    )
    audit.record_many(
        session,
        actor=actor,
        action="fx_rate.add",
        subject="fx_rate",
        reason=reason,
        acts=[audit.Act(str(one.key), None, {"rate": str(one.entry)}) for one in plan.added],
    )
    audit.record_many(
        session,
        actor=actor,
        action="fx_rate.change",
        subject="fx_rate",
        reason=reason,
        acts=[
            audit.Act(str(pairs[one.id]), {"rate": str(one.before)}, {"rate": str(one.after)})
            for one in plan.changed
        ],
    )
