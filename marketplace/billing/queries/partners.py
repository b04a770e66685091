"""The figures the trade press quotes of a distributor: partners engaged, new ones, users sold, cloud's share."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.billing.queries.amounts import MonthlyRates, Totals, load_rates, totals_of
from marketplace.core.period import Period
from marketplace.core.rounding import round_half_away

MONTHS = 6


@dataclass(frozen=True)
class PartnerRow:
    """A month's figures of the whole channel."""

    period: Period
    # Resellers that were billed something, and those of them that never were before.
    engaged: int
    new_resellers: int
    # Customers that were billed something, and those that never were before.
    customers: int
    new_customers: int
    # Licences billed, in whole ones, and how many more than the month before; None before the month is over.
    seats: int
    new_seats: int | None
    cloud: Totals
    revenue: Totals
    rates: MonthlyRates

    @property
    def new_customers_per_reseller(self) -> Decimal | None:
        """New customers for each reseller engaged."""
        return (
            (Decimal(self.new_customers) / self.engaged).quantize(Decimal("0.01")) if self.engaged else None
        )

    @property
    def new_seats_per_reseller(self) -> Decimal | None:
        """New licences for each reseller engaged."""
        if self.new_seats is None or not self.engaged:
            return None
        return (Decimal(self.new_seats) / self.engaged).quantize(Decimal("0.01"))

    def cloud_share(self, currency: str) -> Decimal | None:
        """Metered usage as a share of what resellers pay, in percent; None where a rate is missing."""
        cloud, revenue = self.rates.worth(self.cloud, currency), self.rates.worth(self.revenue, currency)
        if cloud is None or revenue is None or not revenue.minor:
            return None
        return (Decimal(cloud.minor) * 100 / Decimal(revenue.minor)).quantize(Decimal("0.1"))


_PARTNERS = """
    WITH firsts AS (
        SELECT customer_id, reseller_id, min(period) AS first FROM statement
        WHERE hop = 'wholesale' GROUP BY customer_id, reseller_id
    ),
    first_of_reseller AS (SELECT reseller_id, min(first) AS first FROM firsts GROUP BY reseller_id),
    first_of_customer AS (SELECT customer_id, min(first) AS first FROM firsts GROUP BY customer_id),
    sums AS (
        SELECT period, currency, sum(amount_minor) AS revenue,
               sum(amount_minor) FILTER (WHERE charge_category = 'Usage') AS cloud,
               sum(quantity) FILTER (WHERE charge_category = 'Purchase') AS seats
        FROM statement_line
        WHERE hop = 'wholesale' AND period = ANY(:periods) AND corrects IS NULL GROUP BY 1, 2
    ),
    months AS (
        SELECT period, jsonb_object_agg(currency, revenue) AS revenue,
               jsonb_object_agg(currency, coalesce(cloud, 0)) AS cloud, coalesce(sum(seats), 0) AS seats
        FROM sums GROUP BY period
    ),
    engaged AS (
        SELECT s.period, count(DISTINCT s.reseller_id) AS resellers, count(DISTINCT s.customer_id) AS customers,
               count(DISTINCT s.reseller_id) FILTER (WHERE r.first = s.period) AS new_resellers,
               count(DISTINCT s.customer_id) FILTER (WHERE c.first = s.period) AS new_customers
        FROM statement s JOIN first_of_reseller r USING (reseller_id) JOIN first_of_customer c USING (customer_id)
        WHERE s.hop = 'wholesale' AND s.period = ANY(:periods) GROUP BY s.period
    )
    SELECT e.period, e.resellers, e.new_resellers, e.customers, e.new_customers, coalesce(m.seats, 0),
           m.cloud, m.revenue
    FROM engaged e LEFT JOIN months m USING (period) ORDER BY e.period
"""


def partner_figures(session: Session, *, last: Period, today: date) -> list[PartnerRow]:
    """Give the figures of the months up to one, oldest first; months without statements are left out."""
    periods = [last]
    while len(periods) < MONTHS:
        periods.append(periods[-1].previous())
    found = session.execute(text(_PARTNERS), {"periods": [period.number for period in periods]}).all()
    rates = load_rates(session, *periods)
    rows: list[PartnerRow] = []
    for row in found:
        rows.append(_partner_row(row, rates=rates, before=rows[-1] if rows else None, today=today))
    return rows


def _partner_row(
    found: Any, *, rates: dict[Period, MonthlyRates], before: PartnerRow | None, today: date
) -> PartnerRow:
    number, engaged, new_resellers, customers, new_customers, quantity, cloud, revenue = found
    period = Period.from_number(number)
    seats = int(round_half_away(quantity, 0))  # a seat of some days of a cycle is billed as a part of one
    return PartnerRow(
        period=period,
        engaged=engaged,
        new_resellers=new_resellers,
        customers=customers,
        new_customers=new_customers,
        seats=seats,
        new_seats=seats - before.seats if before and period.end <= today else None,
        cloud=totals_of(cloud),
        revenue=totals_of(revenue),
        rates=rates[period],
    )
