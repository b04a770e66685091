"""The vendor's licence lines beside our own charges, subscription by subscription: what differs is kept for the queue.

Sums that agree are told apart where the rows are, in DuckDB; only what differs is looked at line by line.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import duckdb
from sqlalchemy import Select, delete, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from marketplace.billing import attribution_sql as sql
from marketplace.billing.attribution import LakeSource, current_only
from marketplace.billing.charges import charges_billed
from marketplace.billing.models import ChargeDifference
from marketplace.billing.sources import Sources
from marketplace.core.period import Period
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.rules.comparison import (
    Difference,
    DifferenceKind,
    Line,
    billed_line,
    compare,
    own_line,
    unknown,
)
from marketplace.usage.engine import quoted
from resellers.models import AccountMapping, VendorAccount


@dataclass(slots=True)
class _Billed:
    """What the vendor says of one subscription."""

    account: str
    product: str
    lines: list[Line]


def write_charge_differences(session: Session, period: Period, sources: Sources) -> None:
    """Compare the month's licence lines with our charges, and keep what differs in place of what was kept before.

    What somebody settled stays settled as long as its figures stay. What was decided of a subscription that is not
    known here, which comes again each month, holds for the months after.
    """
    settled = {
        _key(one): one
        for one in session.scalars(
            select(ChargeDifference).where(
                ChargeDifference.period == period.number, ChargeDifference.settled_at.is_not(None)
            )
        )
    }
    decided = {(one.vendor, one.subscription): one for one in session.scalars(_decided_before(period))}
    session.execute(delete(ChargeDifference).where(ChargeDifference.period == period.number))
    for vendor in sorted(sources.own_subscriptions):
        for found in _differences_of(session, period, vendor, sources):
            before = settled.get(_key(found))
            if before is None and found.kind == DifferenceKind.UNKNOWN:
                before = decided.get((found.vendor, found.subscription))
            if before is not None:
                found.settled_at, found.settled_by = before.settled_at, before.settled_by
                found.note = before.note
            session.add(found)
    session.flush()


def _decided_before(period: Period) -> Select[ChargeDifference]:
    """Select the last that was settled of each subscription that was not known here in an earlier month."""
    return (
        select(ChargeDifference)
        .where(
            ChargeDifference.period < period.number,
            ChargeDifference.kind == DifferenceKind.UNKNOWN,
            ChargeDifference.settled_at.is_not(None),
        )
        .ext(distinct_on(ChargeDifference.vendor, ChargeDifference.subscription))
        .order_by(ChargeDifference.vendor, ChargeDifference.subscription, ChargeDifference.period.desc())
    )


def _key(one: ChargeDifference) -> tuple[Any, ...]:
    return (
        *(one.vendor, one.subscription, one.kind, one.charge_type, one.charged_on, one.currency),
        *(one.billed, one.own, one.billed_quantity, one.own_quantity),
    )


def _differences_of(
    session: Session, period: Period, vendor: str, sources: Sources
) -> Iterable[ChargeDifference]:
    files = [source for source in sources.files if source.vendor == vendor]
    billed = _billed(files)
    own: dict[str, list[Line]] = defaultdict(list)
    product: dict[str, str] = {}
    for row in charges_billed(session, period):
        name = row.sold.subscription
        if row.sold.vendor == vendor and name in billed:
            own[name].append(
                own_line(row.charge, row.segment.price, row.sold.currency, percent_off=row.percent_off)
            )
            product.setdefault(name, row.sold.product)
    known = {
        row.vendor_subscription_id: row
        for row in session.execute(
            select(Subscription.vendor_subscription_id, Subscription.id, Subscription.customer_id).where(
                Subscription.vendor == vendor, Subscription.vendor_subscription_id.in_(list(billed))
            )
        )
    }
    owners = _owners(session, period, vendor, {billed[name].account for name in billed.keys() - known.keys()})
    for name in sorted(billed):
        theirs = billed[name]
        is_known = name in known
        found: Sequence[Difference] = (
            compare(theirs.lines, own[name]) if is_known else [unknown(theirs.lines)]
        )
        for one in found:
            yield ChargeDifference(
                period=period.number,
                vendor=vendor,
                account=theirs.account,
                subscription=name,
                subscription_id=known[name].id if is_known else None,
                customer_id=known[name].customer_id if is_known else owners.get(theirs.account),
                product=theirs.product or product.get(name, ""),
                kind=one.kind.value,
                charge_type=one.charge_type,
                charged_on=one.start,
                billed=one.billed,
                own=one.own,
                billed_quantity=one.billed_quantity,
                own_quantity=one.own_quantity,
                currency=one.currency,
            )


def _owners(session: Session, period: Period, vendor: str, accounts: set[str]) -> dict[str, int]:
    """Give whose accounts are at the end of a month: who to ask about a subscription that is not known here."""
    last_day = period.end - timedelta(days=1)
    found = session.execute(
        select(VendorAccount.account, AccountMapping.customer_id)
        .join(AccountMapping, AccountMapping.vendor_account_id == VendorAccount.id)
        .where(
            VendorAccount.vendor == vendor,
            VendorAccount.account.in_(accounts),
            or_(AccountMapping.valid_from.is_(None), AccountMapping.valid_from <= last_day),
            or_(AccountMapping.valid_until.is_(None), AccountMapping.valid_until > last_day),
        )
    )
    return {row.account: row.customer_id for row in found}


def _billed(sources: Sequence[LakeSource]) -> dict[str, _Billed]:
    """Give the vendor's licence lines of every subscription whose sums do not agree, or that one side lacks."""
    lines = [sql.LICENCE_LINES.format(**_places(source)) for source in sources if not source.is_charges]
    made = [sql.OWN_SUMS.format(**_places(source)) for source in sources if source.is_charges]
    found: dict[str, _Billed] = {}
    with duckdb.connect() as database:
        database.execute("CREATE TEMP TABLE billed AS " + " UNION ALL ".join(lines or [sql.NO_LICENCES]))
        database.execute("CREATE TEMP TABLE own AS " + " UNION ALL ".join(made or [sql.NO_SUMS]))
        rows = database.execute(sql.DIFFERING_LINES).fetchall()
    for name, account, product, charge_type, start, quantity, cost, currency in rows:
        side = found.setdefault(name, _Billed(account or "", product or "", []))
        if charge_type is not None:
            side.lines.append(billed_line(charge_type, start, quantity, cost, currency))
    return found


def _places(source: LakeSource) -> dict[str, str]:
    return {
        "files": ", ".join(map(quoted, source.files)),
        "where": " AND ".join(current_only(source)) or "true",
    }
