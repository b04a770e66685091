"""What a period's amounts come from: the current slices of deliveries, as lake files and as vendor bills."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from marketplace.billing.attribution import BillKey, LakeSource
from marketplace.core.period import Period
from marketplace.rating.exact import add
from marketplace.usage.models import DeliverySlice

RECONCILIATION = "reconciliation"
DAILY = "daily"
#: Rows made from the histories of our own subscriptions.
CHARGES = "charges"


@dataclass(frozen=True, slots=True)
class Sources:
    """The current slices of one period and what follows from them."""

    slice_ids: list[int]
    files: list[LakeSource]
    # Invoices of reconciliation files whose usage is charged from daily files instead, by vendor.
    covered_invoices: dict[str, list[str]]
    # Subscriptions that are charged from their own histories, by vendor: the vendor's lines for them are compared.
    own_subscriptions: dict[str, list[str]]
    # Exact totals of vendor bills; only where a reconciliation file says what the bill is.
    bills: dict[BillKey, Decimal]
    # Cost of the accepted rows that are charged, as summed while reading: the proof that none was lost since.
    expected: dict[BillKey, Decimal]
    # The part of it that is charges of our own subscriptions.
    charged: dict[BillKey, Decimal]
    first_day: date
    last_day: date


def load_sources(session: Session, period: Period, *, lake: Path) -> Sources:
    """Give the period's current slices. Reads one table once."""
    slices = session.scalars(
        select(DeliverySlice).where(DeliverySlice.period == period.number).order_by(DeliverySlice.id),
        execution_options={"populate_existing": True},  # what another transaction has committed since counts
    ).all()
    current = [s for s in slices if s.is_current]
    covered = _covered_invoices(current)
    days = [
        date.fromisoformat(d)
        for s in current
        for d in (s.facts.get("first_day"), s.facts.get("last_day"), s.facts.get("first_price_day"))
        if d
    ]
    return Sources(
        slice_ids=[s.id for s in current],
        files=_lake_sources(slices, lake),
        covered_invoices={vendor: sorted(invoices) for vendor, invoices in covered.items()},
        own_subscriptions=_own_subscriptions(session, current, period),
        bills=_bills(current),
        expected=_expected(current, covered),
        charged=_expected([piece for piece in current if piece.file_kind == CHARGES], covered),
        first_day=min(days, default=period.start),
        last_day=max(days, default=period.start),
    )


def _lake_sources(slices: Sequence[DeliverySlice], lake: Path) -> list[LakeSource]:
    """Give the files to read: whole where every slice of the delivery counts, else only the current slices' rows."""
    of_delivery: dict[int, list[DeliverySlice]] = defaultdict(list)
    for piece in slices:
        of_delivery[piece.delivery_id].append(piece)
    files: dict[tuple[str, tuple[tuple[str, str], ...] | None, bool], list[str]] = defaultdict(list)
    for pieces in of_delivery.values():
        current = [piece for piece in pieces if piece.is_current]
        only = None
        if len(current) < len(pieces):
            only = tuple(sorted((piece.billing_account, piece.file_kind) for piece in current))
        for path in sorted({path for piece in current for path in piece.lake_files}):
            files[pieces[0].vendor, only, pieces[0].file_kind == CHARGES].append(str(lake / path))
    return [
        LakeSource(vendor, tuple(paths), only, is_charges)
        for (vendor, only, is_charges), paths in files.items()
    ]


def _own_subscriptions(
    session: Session, current: Sequence[DeliverySlice], period: Period
) -> dict[str, list[str]]:
    """Give the vendor's ids of subscriptions that are charged and whose histories had begun when the month ended."""
    reconciled = sorted({piece.vendor for piece in current if piece.file_kind == RECONCILIATION})
    if not reconciled:
        return {}
    own: dict[str, list[str]] = defaultdict(list)
    rows = session.execute(text(_BEGUN), {"vendors": reconciled, "until": period.end})
    for vendor, subscription in rows:
        own[vendor].append(subscription)
    return dict(own)


_BEGUN = """
    SELECT s.vendor, s.vendor_subscription_id
    FROM subscription s JOIN subscription_segment g ON g.subscription_id = s.id AND g.number = 1
    WHERE s.vendor_subscription_id <> '' AND s.vendor = ANY(:vendors) AND g.at < CAST(:until AS date)
      AND (g.term, g.billing_cycle) <> ('OneTime', 'none')
"""


def _covered_invoices(current: Sequence[DeliverySlice]) -> dict[str, set[str]]:
    """Give, by vendor, the invoices that both a reconciliation file and daily usage name."""
    named: dict[tuple[str, str], set[str]] = defaultdict(set)
    for piece in current:
        for invoices in piece.cost_by_invoice.values():
            named[piece.vendor, piece.file_kind] |= invoices.keys() - {""}
    vendors = sorted({piece.vendor for piece in current})
    return {vendor: named[vendor, RECONCILIATION] & named[vendor, DAILY] for vendor in vendors}


def _bills(current: Sequence[DeliverySlice]) -> dict[BillKey, Decimal]:
    """Give the vendor's own totals: the reconciliation file, and what no reconciliation file covers yet."""
    reconciled = {(s.vendor, s.billing_account) for s in current if s.file_kind == RECONCILIATION}
    invoices = {
        (s.vendor, s.billing_account, invoice)
        for s in current
        if s.file_kind == RECONCILIATION
        for of_currency in s.cost_by_invoice.values()
        for invoice in of_currency
    }
    bills: dict[BillKey, Decimal] = {}
    for piece in current:
        if (piece.vendor, piece.billing_account) not in reconciled or piece.file_kind == CHARGES:
            continue
        for currency, cost in piece.cost.items():
            amount = Decimal(cost)
            if piece.file_kind == DAILY:
                for invoice, covered in piece.cost_by_invoice.get(currency, {}).items():
                    if invoice and (piece.vendor, piece.billing_account, invoice) in invoices:
                        amount = add(amount, -Decimal(covered))
            key = BillKey(piece.vendor, piece.billing_account, currency)
            bills[key] = add(bills.get(key, Decimal(0)), amount)
    return bills


def _expected(current: Sequence[DeliverySlice], covered: Mapping[str, set[str]]) -> dict[BillKey, Decimal]:
    """Add up what was read of every bill, without the reconciliation's usage lines that daily files stand for."""
    expected: dict[BillKey, Decimal] = {}
    for piece in current:
        for currency, cost in piece.cost.items():
            amount = Decimal(cost)
            if piece.file_kind == RECONCILIATION:
                usage = piece.facts.get("usage_cost_by_invoice", {}).get(currency, {})
                for invoice in covered[piece.vendor] & usage.keys():
                    amount = add(amount, -Decimal(usage[invoice]))
            key = BillKey(piece.vendor, piece.billing_account, currency)
            expected[key] = add(expected.get(key, Decimal(0)), amount)
    return expected
