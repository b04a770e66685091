"""What is shown of a draft beside its documents: the balance of each bill, unmapped amounts, cost by statement."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.billing.attribution import BillKey
from marketplace.billing.corrections import Correction
from marketplace.billing.drafts import Draft, Totals, copy_rows
from marketplace.billing.pricing import Priced
from marketplace.core.currency import minor_units
from marketplace.core.period import Period
from marketplace.core.rounding import EXACT, allot
from marketplace.rating.balance import Balance, Parts, balance
from marketplace.rating.exact import add, plain, subtract
from marketplace.rating.statements import WHOLESALE


@dataclass(slots=True)
class CostBook:
    """What each wholesale statement cost; statements are noted while the documents pass by."""

    by_statement: dict[str, dict[tuple[str, str], Decimal]] = field(default_factory=dict)
    _parked: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    _wholesale: dict[tuple[int, int], Totals] = field(default_factory=dict)

    def noting(self, draft: Draft, priced: Iterable[Priced]) -> Iterator[Priced]:
        """Let priced customers pass, adding up their statements."""
        for some in priced:
            for one in some.figures:
                statement = draft.statement(
                    one.statement_id, one.hop, one.reseller_id, one.customer_id, one.currency
                )
                statement.parked_pair = statement.parked_pair or one.parked_pair
                statement.minor += one.minor
                statement.exact = add(statement.exact, one.exact)
                statement.lines += one.lines
                if one.hop == WHOLESALE:
                    self._wholesale[one.reseller_id, one.customer_id] = statement
            yield some

    def note_costs(self, costs: Iterable[tuple[int, int, str, str, Decimal]]) -> None:
        """Give each customer's cost to its wholesale statement, once all documents have passed."""
        for reseller_id, customer_id, vendor, currency, cost in costs:
            statement = self._wholesale[reseller_id, customer_id]
            if statement.parked_pair:
                parked = self._parked.setdefault(statement.id, {})
                parked[currency] = add(parked.get(currency, Decimal(0)), cost)
            else:
                self.by_statement.setdefault(statement.id, {})[vendor, currency] = cost

    @property
    def parked(self) -> dict[str, str]:
        """The cost of parked statements by currency, as JSON with exact texts."""
        return {
            identity: json.dumps({currency: plain(costs[currency]) for currency in sorted(costs)})
            for identity, costs in self._parked.items()
        }


def replace_figures(session: Session, period: Period) -> None:
    """Remove what was shown of the old draft."""
    for table in ("period_balance", "unmapped_amount", "statement_cost"):
        session.execute(text(f"DELETE FROM {table} WHERE period = :period"), {"period": period.number})


def balance_delta(session: Session, correction: Correction) -> dict[BillKey, Balance]:
    """Give what each part of a closed period's bills differs by from what was shown so far."""
    rows = session.execute(text(_BALANCES_SO_FAR), {"period": correction.period.number}).all()
    sofar = {BillKey(*row[:3]): row[3:] for row in rows}
    bills = correction.inputs.sources.bills
    deltas = {}
    for key in sorted(sofar.keys() | correction.parts.keys()):
        parts = correction.parts.get(key, Parts())
        new = balance(parts, bill=bills.get(key), currency=key.currency)
        bill, detail, cost, tax, unmapped, parked, licences, rounding = sofar.get(key, _NOTHING)
        deltas[key] = Balance(
            new.bill - int(bill),
            subtract(new.detail, detail),
            new.cost - int(cost),
            new.tax - int(tax),
            new.unmapped - int(unmapped),
            new.parked - int(parked),
            new.licences - int(licences),
            new.rounding - int(rounding),
        )
    return {
        key: delta for key, delta in deltas.items() if any(delta_field for delta_field in _figures(delta))
    }


_NOTHING = (0, Decimal(0), 0, 0, 0, 0, 0, 0)


def _figures(one: Balance) -> tuple[Decimal | int, ...]:
    return (one.bill, one.detail, one.cost, one.tax, one.unmapped, one.parked, one.licences, one.rounding)


_BALANCES_SO_FAR = """
    SELECT b.vendor, b.billing_account, b.currency, sum(bill_minor), sum(detail), sum(cost_minor), sum(tax_minor),
           sum(unmapped_minor), sum(parked_minor), sum(licences_minor), sum(rounding_minor)
    FROM period_balance b JOIN billing_period p ON p.period = b.period AND p.status = 'closed'
    WHERE (b.period = :period AND b.corrects IS NULL) OR b.corrects = :period
    GROUP BY 1, 2, 3
"""


def write_balances(
    session: Session,
    period: Period,
    balances: dict[BillKey, Balance],
    *,
    reconciled: Collection[BillKey],
    corrects: Period | None,
) -> None:
    """Write the balance of each bill, or what bills of a closed period differ by."""
    columns = (
        "period, corrects, vendor, billing_account, currency, bill_is_reconciled, bill_minor, detail, cost_minor, "
        "tax_minor, unmapped_minor, parked_minor, licences_minor, rounding_minor"
    )
    number = corrects.number if corrects else None
    rows = (
        (period.number, number, *key, key in reconciled, one.bill, plain(one.detail), *_figures(one)[2:])
        for key, one in balances.items()
    )
    copy_rows(session, "period_balance", columns, rows)


def write_unmapped(
    session: Session,
    period: Period,
    usage_period: Period,
    unmapped: Sequence[Any],
    balances: dict[BillKey, Balance],
) -> None:
    """List what nobody owns, each bill's unmapped part shared among its accounts."""
    of_bill: dict[BillKey, list[Any]] = defaultdict(list)
    for one in sorted(unmapped, key=lambda u: (u.vendor, u.billing_account, u.account, u.currency)):
        of_bill[BillKey(one.vendor, one.billing_account, one.currency)].append(one)
    columns = (
        "period, usage_period, vendor, billing_account, account, currency, source_rows, cost, cost_minor, first_day, "
        "last_day, product"
    )
    rows: list[tuple[object, ...]] = []
    for key, accounts in of_bill.items():
        shift = minor_units(key.currency)
        minors = allot([EXACT.scaleb(one.cost, shift) for one in accounts], balances[key].unmapped)
        for one, minor in zip(accounts, minors, strict=True):
            account = (period.number, usage_period.number, key.vendor, key.billing_account, one.account)
            cost = (key.currency, one.rows, plain(one.cost), minor)
            rows.append((*account, *cost, one.first_day, one.last_day, one.product))
    copy_rows(session, "unmapped_amount", columns, rows)


def write_costs(
    session: Session,
    period: Period,
    draft: Draft,
    by_statement: dict[str, dict[tuple[str, str], Decimal]],
    balances: dict[BillKey, Balance],
) -> None:
    """Share the cost on statements among the wholesale statements, to whole minor units that add up."""
    totals: dict[tuple[str, str], int] = defaultdict(int)
    for key, one in balances.items():
        totals[key.vendor, key.currency] += one.cost
    shares: dict[tuple[str, str], list[tuple[str, Decimal]]] = defaultdict(list)
    for identity in sorted(by_statement):
        for vendor_currency, cost in by_statement[identity].items():
            shares[vendor_currency].append((identity, cost))
    statements = {s.id: s for s in draft.statements}
    columns = "period, statement_id, reseller_id, customer_id, vendor, currency, cost, cost_minor"
    rows: list[tuple[object, ...]] = []
    for (vendor, currency), costs in shares.items():
        exacts = [EXACT.scaleb(cost, minor_units(currency)) for _, cost in costs]
        for (identity, cost), minor in zip(costs, allot(exacts, totals[vendor, currency]), strict=True):
            s = statements[identity]
            statement = (period.number, identity, s.reseller_id, s.customer_id)
            rows.append((*statement, vendor, currency, plain(cost), minor))
    copy_rows(session, "statement_cost", columns, rows)
