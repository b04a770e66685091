"""Usage nobody owns: the queue of accounts, and whose each might be."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.billing.queries.amounts import Totals, totals_of
from marketplace.core.errors import N_
from marketplace.core.period import Period

#: Why a customer is suggested for an account.
HAD_IT = N_("had this account until %(day)s")
WILL_HAVE_IT = N_("has this account from %(day)s")
HAS_IT_ELSEWHERE = N_("has the same account at %(vendor)s")
IS_NAMED_IN_IT = N_("its reference is part of the account")


@dataclass(frozen=True)
class UnmappedRow:
    """An account with usage that nobody owns, over all months: a closed one is owed it, too."""

    vendor: str
    account: str
    periods: tuple[Period, ...]
    rows: int
    cost: Totals
    first_day: date
    last_day: date
    product: str


@dataclass(frozen=True)
class Suggestion:
    """A customer an account might belong to, and why."""

    customer_id: UUID
    reference: str
    name: str
    reseller: str
    sentence: str
    fact: str


# Each month's usage is listed by whatever rated it last: its own run, or a later one that corrected it.
_UNMAPPED = """
    WITH rated AS (
        SELECT period AS usage_period, period FROM billing_period WHERE run_id IS NOT NULL
        UNION ALL
        SELECT CAST(k AS bigint), p.period
        FROM billing_period p JOIN close_run r ON r.id = p.run_id, jsonb_object_keys(r.corrects) AS k
    ),
    latest AS (SELECT usage_period, max(period) AS period FROM rated GROUP BY usage_period)
    SELECT vendor, account, array_agg(DISTINCT usage_period), sum(rows), jsonb_object_agg(currency, minor),
           min(first_day), max(last_day), (array_agg(product ORDER BY minor DESC, product))[1]
    FROM (
        SELECT u.vendor, u.account, u.usage_period, u.currency, sum(u.source_rows) AS rows,
               sum(sum(u.cost_minor)) OVER (PARTITION BY u.vendor, u.account, u.currency) AS minor,
               min(u.first_day) AS first_day, max(u.last_day) AS last_day, max(u.product) AS product
        FROM unmapped_amount u JOIN latest l ON l.usage_period = u.usage_period AND l.period = u.period
        WHERE (CAST(:period AS bigint) IS NULL OR u.usage_period = :period)
          AND (:account = '' OR u.vendor = :vendor AND u.account = :account)
        GROUP BY u.vendor, u.account, u.usage_period, u.currency
    ) found
    GROUP BY vendor, account ORDER BY max(minor) DESC, vendor, account
"""


def list_unmapped(session: Session, *, period: Period | None = None) -> list[UnmappedRow]:
    """Give the accounts nobody owns, the dearest first: of one month's usage, or of all."""
    values = {"period": period.number if period else None, "vendor": "", "account": ""}
    return [_row(found) for found in session.execute(text(_UNMAPPED), values)]


def find_unmapped(session: Session, *, vendor: str, account: str) -> UnmappedRow | None:
    """Give one account of the queue, None where its usage has an owner by now."""
    if not vendor or not account:
        return None  # blank means all of them below
    values = {"period": None, "vendor": vendor, "account": account}
    found = session.execute(text(_UNMAPPED), values).one_or_none()
    return None if found is None else _row(found)


def _row(found: Any) -> UnmappedRow:
    vendor, account, periods, rows, cost, first_day, last_day, product = found
    return UnmappedRow(
        vendor=vendor,
        account=account,
        periods=tuple(Period.from_number(number) for number in sorted(periods)),
        rows=int(rows),
        cost=totals_of(cost),
        first_day=first_day,
        last_day=last_day,
        product=product,
    )


# The last owner first, then the next, then the same account elsewhere, then names that resemble it.
_SUGGESTIONS = """
    WITH wanted AS (
        SELECT * FROM unnest(CAST(:vendors AS text[]), CAST(:accounts AS text[])) AS w(vendor, account)
    )
    SELECT w.vendor, w.account, c.public_id, c.reference, c.legal_name, r.legal_name,
           CASE WHEN a.vendor <> w.vendor THEN 'elsewhere' WHEN m.valid_until IS NULL THEN 'later' ELSE 'before' END,
           CASE WHEN a.vendor <> w.vendor THEN a.vendor
                WHEN m.valid_until IS NULL THEN coalesce(m.valid_from::text, '')
                ELSE (m.valid_until - 1)::text END,
           CASE WHEN a.vendor <> w.vendor THEN 3 WHEN m.valid_until IS NULL THEN 2 ELSE 1 END AS place
    FROM wanted w
    JOIN vendor_account a ON lower(a.account) = lower(w.account)
    JOIN account_mapping m ON m.vendor_account_id = a.id
    JOIN customer c ON c.id = m.customer_id JOIN reseller r ON r.id = c.reseller_id
    UNION ALL
    SELECT w.vendor, w.account, c.public_id, c.reference, c.legal_name, r.legal_name, 'named', '', 4
    FROM wanted w
    JOIN customer c ON length(c.reference) >= 4 AND position(lower(c.reference) IN lower(w.account)) > 0
    JOIN reseller r ON r.id = c.reseller_id
    ORDER BY 1, 2, place, 4
"""
_SENTENCES = {"before": HAD_IT, "later": WILL_HAVE_IT, "elsewhere": HAS_IT_ELSEWHERE, "named": IS_NAMED_IN_IT}
_MOST = 3


def suggestions_for(
    session: Session, accounts: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], Sequence[Suggestion]]:
    """Give the customers that accounts, as (vendor, account), might belong to, the likeliest first, in one query."""
    wanted = list(accounts)
    if not wanted:
        return {}
    values = {"vendors": [vendor for vendor, _ in wanted], "accounts": [account for _, account in wanted]}
    found: dict[tuple[str, str], list[Suggestion]] = defaultdict(list)
    for vendor, account, customer_id, reference, name, reseller, kind, fact, _ in session.execute(
        text(_SUGGESTIONS), values
    ):
        known = found[vendor, account]
        if len(known) < _MOST and all(one.customer_id != customer_id for one in known):
            known.append(Suggestion(customer_id, reference, name, reseller, _SENTENCES[kind], fact))
    return dict(found)
