"""The four sides of a month: the vendor's bill, its cost on statements, what resellers pay, what customers pay."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.billing.queries.amounts import MonthlyRates, Totals, load_rates, totals_of
from marketplace.core.money import Money
from marketplace.core.period import Period


@dataclass(frozen=True)
class BillRow:
    """One vendor bill and what became of it. `corrects` names the closed month a late difference belongs to."""

    id: int
    vendor: str
    billing_account: str
    corrects: Period | None
    is_reconciled: bool
    bill: Money
    cost: Money
    tax: Money
    unmapped: Money
    parked: Money
    licences: Money
    rounding: Money

    @property
    def difference(self) -> Money:
        """What the parts leave of the bill: nothing, or the close is wrong."""
        parts = (self.cost, self.tax, self.unmapped, self.parked, self.licences, self.rounding)
        return self.bill - sum(parts, Money.zero(self.bill.currency))

    @property
    def is_late(self) -> bool:
        """Whether it is the difference of a month that was closed before."""
        return self.corrects is not None


@dataclass(frozen=True)
class VendorRow:
    """What was billed of one vendor's rows in one currency, on both hops."""

    vendor: str
    currency: str
    bills: Sequence[BillRow]
    # Cost as the statements say it: it must be the bills' own.
    cost_on_statements: Money
    wholesale: Totals
    retail: Totals
    rates: MonthlyRates

    def sum_of(self, part: str) -> Money:
        """Add one part of the month's own bills up."""
        return sum(
            (getattr(bill, part) for bill in self.bills if not bill.is_late), Money.zero(self.currency)
        )

    @property
    def late(self) -> Money:
        """The cost of closed months that is billed now."""
        return sum((bill.cost for bill in self.bills if bill.is_late), Money.zero(self.currency))

    @property
    def cost(self) -> Money:
        """The cost of everything billed now: of the month, and of closed ones."""
        return self.sum_of("cost") + self.late

    @property
    def is_proved(self) -> bool:
        """Whether every bill equals its parts, and the statements carry the bills' cost."""
        return all(not bill.difference.minor for bill in self.bills) and self.cost == self.cost_on_statements


_BALANCES = """
    SELECT id, vendor, billing_account, corrects, bill_is_reconciled, currency, bill_minor, cost_minor, tax_minor,
           unmapped_minor, parked_minor, licences_minor, rounding_minor
    FROM period_balance WHERE period = :period AND (CAST(:balance AS bigint) IS NULL OR id = :balance)
    ORDER BY vendor, currency, corrects NULLS FIRST, billing_account
"""
_COSTS = """
    SELECT vendor, currency, sum(cost_minor) FROM statement_cost WHERE period = :period GROUP BY vendor, currency
"""
_HOPS = """
    SELECT vendor, row_currency, hop, jsonb_object_agg(currency, minor) FROM (
        SELECT vendor, row_currency, hop, currency, sum(amount_minor) AS minor
        FROM statement_line WHERE period = :period GROUP BY 1, 2, 3, 4
    ) found GROUP BY 1, 2, 3
"""


def reconcile(session: Session, period: Period) -> list[VendorRow]:
    """Give the four sides of a month by vendor and currency of its bills."""
    number = {"period": period.number}
    bills = [_bill_row(row) for row in session.execute(text(_BALANCES), {**number, "balance": None})]
    costs = {(vendor, code): int(minor) for vendor, code, minor in session.execute(text(_COSTS), number)}
    found = session.execute(text(_HOPS), number)
    hops = {(vendor, code, hop): totals_of(minors) for vendor, code, hop, minors in found}
    rates = load_rates(session, period)[period]
    keys = sorted(
        {(bill.vendor, bill.bill.currency) for bill in bills} | {key[:2] for key in hops} | costs.keys()
    )
    return [
        VendorRow(
            vendor=vendor,
            currency=currency,
            bills=[bill for bill in bills if (bill.vendor, bill.bill.currency) == (vendor, currency)],
            cost_on_statements=Money(costs.get((vendor, currency), 0), currency),
            wholesale=hops.get((vendor, currency, "wholesale"), ()),
            retail=hops.get((vendor, currency, "retail"), ()),
            rates=rates,
        )
        for vendor, currency in keys
    ]


def find_bill(session: Session, period: Period, *, balance_id: int) -> BillRow | None:
    """Give one vendor bill of a month."""
    found = session.execute(text(_BALANCES), {"period": period.number, "balance": balance_id}).one_or_none()
    return None if found is None else _bill_row(found)


def _bill_row(found: Any) -> BillRow:
    id_, vendor, billing_account, corrects, is_reconciled, currency, *minors = found
    bill, cost, tax, unmapped, parked, licences, rounding = (Money(minor, currency) for minor in minors)
    return BillRow(
        id=id_,
        vendor=vendor,
        billing_account=billing_account,
        corrects=None if corrects is None else Period.from_number(corrects),
        is_reconciled=is_reconciled,
        bill=bill,
        cost=cost,
        tax=tax,
        unmapped=unmapped,
        parked=parked,
        licences=licences,
        rounding=rounding,
    )


@dataclass(frozen=True)
class BillFile:
    """A delivery that a bill was made from."""

    delivery_id: Any
    files: str
    file_kind: str
    rows: int
    cost: Any


_FILES = """
    SELECT d.public_id, (SELECT string_agg(f.name, ', ' ORDER BY f.number) FROM delivery_file f
                         WHERE f.delivery_id = d.id),
           s.file_kind, s.accepted, s.cost
    FROM delivery_slice s JOIN delivery d ON d.id = s.delivery_id
    WHERE s.is_current AND s.period = :period AND s.vendor = :vendor AND s.billing_account = :billing_account
    ORDER BY s.id
"""


def files_of_bill(session: Session, bill: BillRow, *, period: Period) -> list[BillFile]:
    """Give the current deliveries a bill was made from."""
    values = {
        "period": (bill.corrects or period).number,
        "vendor": bill.vendor,
        "billing_account": bill.billing_account,
    }
    return [BillFile(*row) for row in session.execute(text(_FILES), values)]


_OF_BILLS = ("bill", "tax", "unmapped", "parked", "licences", "rounding")
_SIDES = (*_OF_BILLS, "late", "cost", "wholesale", "retail")


def sides_in(currency: str, rows: Iterable[VendorRow]) -> dict[str, Money | None]:
    """Give the four sides of a month in one currency, None where a rate is missing."""
    sides: dict[str, Money | None] = {name: Money.zero(currency) for name in _SIDES}
    for row in rows:
        amounts: dict[str, Totals] = {name: (row.sum_of(name),) for name in _OF_BILLS}
        amounts |= {
            "late": (row.late,),
            "cost": (row.cost,),
            "wholesale": row.wholesale,
            "retail": row.retail,
        }
        for name, amount in amounts.items():
            worth, so_far = row.rates.worth(amount, currency), sides[name]
            sides[name] = None if worth is None or so_far is None else so_far + worth
    return sides
