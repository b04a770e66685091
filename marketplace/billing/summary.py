"""The figures of a rated period, read back from what was written: what `close --json` prints."""

from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.core.money import Money
from marketplace.core.period import Period

HOPS = ("wholesale", "retail")


def summarise(session: Session, period: Period, *, usage_rows: int) -> dict[str, Any]:
    """Give counts, totals and the balance of a period. Amounts are texts with their currency's decimals."""
    number = {"period": period.number}
    lines = dict.fromkeys(HOPS, 0)
    gaps = dict.fromkeys(HOPS, 0)
    for hop, count, with_gap in session.execute(text(_LINES), number):
        lines[hop], gaps[hop] = count, with_gap
    totals: dict[str, dict[str, str]] = {"cost": {}, "wholesale": {}, "retail": {}}
    for hop, currency, minor in session.execute(text(_TOTALS), number):
        totals[hop][currency] = amount(minor, currency)
    parts = _parts(session, period, is_late=False)
    late = _parts(session, period, is_late=True)
    totals["cost"] = parts["cost"]
    parked = [
        {"hop": hop, "reseller": reseller, "customer": customer, "currency": currency, "pair": pair}
        for hop, reseller, customer, currency, pair in session.execute(text(_PARKED), number)
    ]
    return {
        "period": str(period),
        "status": session.scalar(text("SELECT status FROM billing_period WHERE period = :period"), number),
        "usage_rows": usage_rows,
        "lines": lines,
        "totals": totals,
        "unmapped": parts["unmapped"],
        "vendor_tax": parts["vendor_tax"],
        "parked": parts["parked"],
        "parked_documents": parked,
        "vendor_bill": parts["vendor_bill"],
        "licences": parts["licences"],
        "vendor_rounding": parts["vendor_rounding"],
        "rule_gaps": gaps,
        "balance": {
            "ok": not any(map(Decimal, (*parts["difference"].values(), *late["difference"].values()))),
            "difference": parts["difference"],
        },
        "late": late,
    }


def _parts(session: Session, period: Period, *, is_late: bool) -> dict[str, dict[str, str]]:
    """Give the parts of the period's bills, or of what closed periods are corrected by, by currency."""
    parts: dict[str, dict[str, str]] = {name: {} for name in _PARTS}
    for currency, *minors in session.execute(text(_BALANCE), {"period": period.number, "is_late": is_late}):
        for name, minor in zip(_PARTS, minors, strict=True):
            parts[name][currency] = amount(minor, currency)
    return parts


def amount(minor: int | Decimal, currency: str) -> str:
    """Write whole minor units as an amount with the currency's decimals."""
    return str(Money(int(minor), currency).amount)


def changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Say what differs between the summaries of two drafts: figures that changed, as [before, after]."""
    changed: dict[str, Any] = {}
    old, new = _compared(before), _compared(after)
    for kind in new:
        for name in sorted(old[kind].keys() | new[kind].keys()):
            pair = [old[kind].get(name), new[kind].get(name)]
            if pair[0] != pair[1]:
                changed.setdefault(kind, {})[name] = pair
    return changed


def _compared(summary: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Give the figures of a draft that are compared with those of the next one; of no draft, none."""
    totals, lines = summary.get("totals", {}), summary.get("lines", {})
    return {
        "totals": {
            f"{hop} {currency}": total for hop in HOPS for currency, total in totals.get(hop, {}).items()
        },
        "lines": {hop: lines[hop] for hop in HOPS if lines.get(hop)},
    }


_PARTS = (
    "vendor_bill",
    "cost",
    "vendor_tax",
    "unmapped",
    "parked",
    "licences",
    "vendor_rounding",
    "difference",
)
_LINES = """
    SELECT hop, count(*), count(*) FILTER (WHERE gap <> '' AND corrects IS NULL)
    FROM statement_line WHERE period = :period GROUP BY hop
"""
_TOTALS = """
    SELECT hop, currency, sum(total_minor) FROM statement
    WHERE period = :period AND total_minor IS NOT NULL GROUP BY hop, currency ORDER BY hop, currency
"""
# The period's own bills, or what bills of closed periods differ by from what was shown for them.
_BALANCE = """
    SELECT currency, sum(bill_minor), sum(cost_minor), sum(tax_minor), sum(unmapped_minor), sum(parked_minor),
           sum(licences_minor), sum(rounding_minor),
           sum(bill_minor - cost_minor - tax_minor - unmapped_minor - parked_minor - licences_minor - rounding_minor)
    FROM period_balance WHERE period = :period AND (corrects IS NOT NULL) = :is_late
    GROUP BY currency ORDER BY currency
"""
_PARKED = """
    SELECT s.hop, r.reference, c.reference, s.currency, s.parked_pair FROM statement s
    JOIN reseller r ON r.id = s.reseller_id JOIN customer c ON c.id = s.customer_id
    WHERE s.period = :period AND s.parked_pair <> '' ORDER BY s.hop, c.reference
"""
