"""What arrived or changed after a close: the difference to what was billed, as lines that name the closed period.

difference of a line = what its group is worth now - what was billed for it (exact)
total of a document  = its new total - the whole units billed for it
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

import pyarrow as pa
from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.billing.attribution import BillKey, Engine
from marketplace.billing.drafts import Draft, Totals, copy_lines, statement_id
from marketplace.billing.inputs import Inputs
from marketplace.billing.rated_period import Progress, RatedPeriod, rate_period
from marketplace.core.currency import minor_units
from marketplace.core.period import Period
from marketplace.core.rounding import EXACT, allot
from marketplace.rating.balance import Parts
from marketplace.rating.exact import plain
from marketplace.rating.statements import digest

_ZERO = Decimal(0)


class DocumentKey(NamedTuple):
    """One document of a closed period."""

    hop: str
    reseller_id: int
    customer_id: int
    currency: str


@dataclass(slots=True)
class Correction:
    """What a closed period is worth now, beside what was billed for it."""

    period: Period
    inputs: Inputs
    rated: RatedPeriod
    parts: dict[BillKey, Parts]
    # Differences by statement of the billing period, for the cost of what was corrected: (vendor, currency) -> cost.
    costs: dict[str, dict[tuple[str, str], Decimal]] = field(default_factory=dict)
    # Documents whose difference waits for an exchange rate.
    waiting: list[tuple[DocumentKey, str]] = field(default_factory=list)
    lines: int = 0


def correct(
    session: Session,
    *,
    draft: Draft,
    billing_period: Period,
    inputs: Inputs,
    engine: Engine,
    progress: Progress,
) -> Correction:
    """Rate a closed period again and write what it differs by into the draft of a later one."""
    book = inputs.book
    period = book.period
    worth = f"worth_{period.number}"
    session.execute(text(f"CREATE TEMP TABLE {worth} (LIKE statement_line) ON COMMIT DROP"))
    totals: dict[DocumentKey, int] = {}
    parked: dict[DocumentKey, str] = {}
    with rate_period(book, inputs.sources, billing_period=period, engine=engine, progress=progress) as (
        rated,
        parts_of,
    ):

        def noting() -> Iterator[pa.Table]:
            for some in rated.priced:
                for one in some.figures:
                    key = DocumentKey(one.hop, one.reseller_id, one.customer_id, one.currency)
                    if one.parked_pair:
                        parked[key] = one.parked_pair
                    else:
                        totals[key] = one.minor
                yield some.rows

        copy_lines(session, worth, billing_period, noting())
        correction = Correction(period, inputs, rated, parts_of())
    session.execute(text(f"CREATE INDEX ON {worth} (group_id)"))
    session.execute(text(f"ANALYZE {worth}"))
    billed = _billed_totals(session, period)
    changed = _changed_lines(session, worth, period)
    names = _references(session)
    words = {rule.rule_id: rule.terms.words for rule in book.rules}
    rows_out: list[tuple[object, ...]] = []
    for key in sorted(changed.keys()):
        if key in parked:
            correction.waiting.append((key, parked[key]))
            continue
        total = totals.get(key, 0) - billed.get(key, 0)
        lines = sorted(changed[key], key=lambda line: _sort_key(line, words))
        statement = _statement(draft, key, names, billing_period)
        rows_out += _rows(lines, total, key=key, statement=statement, period=billing_period, corrects=period)
        statement.minor += total
        statement.lines += len(lines)
        correction.lines += len(lines)
        if key.hop == "wholesale":
            _add_costs(correction.costs.setdefault(statement.id, {}), lines)
    draft.write_differences(rows_out)
    return correction


def _statement(
    draft: Draft, key: DocumentKey, names: tuple[dict[int, str], dict[int, str]], period: Period
) -> Totals:
    resellers, customers = names
    identity = statement_id(
        hop=key.hop,
        customer=customers[key.customer_id],
        reseller=resellers[key.reseller_id],
        currency=key.currency,
        period=period,
    )
    return draft.statement(identity, *key)


def _billed_totals(session: Session, period: Period) -> dict[DocumentKey, int]:
    rows = session.execute(text(_BILLED_TOTALS), {"period": period.number})
    return {DocumentKey(*row[:4]): int(row[4]) for row in rows}


def _changed_lines(
    session: Session, worth: str, period: Period
) -> Mapping[DocumentKey, list[dict[str, Any]]]:
    changed: dict[DocumentKey, list[dict[str, Any]]] = defaultdict(list)
    query = text(_CHANGED.format(worth=worth))
    for row in session.execute(query, {"period": period.number}).mappings():
        key = DocumentKey(row["hop"], row["reseller_id"], row["customer_id"], row["currency"])
        changed[key].append(dict(row))
    return changed


def _references(session: Session) -> tuple[dict[int, str], dict[int, str]]:
    resellers = {row[0]: row[1] for row in session.execute(text("SELECT id, reference FROM reseller"))}
    customers = {row[0]: row[1] for row in session.execute(text("SELECT id, reference FROM customer"))}
    return resellers, customers


def _sort_key(line: Mapping[str, Any], words: Mapping[int, str]) -> tuple[str, ...]:
    """Give the line's business fields in the order in which `Attribution.lines` gives them."""
    subject = (
        "vendor",
        "account",
        "subscription",
        "product",
        "sku",
        "meter",
        "unit",
        "charge_category",
        "charge_type",
    )
    return (
        *(line[column] for column in subject),
        words.get(line["rule_id"], ""),
        line["basis"],
        words.get(line["upper_rule_id"], ""),
        line["upper_basis"],
        line["row_currency"],
    )


def _rows(
    lines: Sequence[dict[str, Any]],
    total: int,
    *,
    key: DocumentKey,
    statement: Totals,
    period: Period,
    corrects: Period,
) -> Iterator[tuple[object, ...]]:
    """Give the differences as rows for COPY, sharing the document's difference among the changed lines only."""
    shift = minor_units(key.currency)
    differences = [EXACT.subtract(line["worth_amount"], line["billed_amount"]) for line in lines]
    minors = allot([EXACT.scaleb(difference, shift) for difference in differences], total)
    for line, difference, minor in zip(lines, differences, minors, strict=True):
        yield (
            digest("difference", str(period), line["group_id"].hex),
            period.number,
            corrects.number,
            line["group_id"],
            statement.id,
            *(line[column] for column in _SAME_COLUMNS),
            plain(line["quantity_difference"]),
            line["rule_id"],
            line["basis"],
            plain(line["basis_difference"]),
            line["basis_currency"],
            _optional(line["percent"]),
            _optional(line["unit_price"]),
            plain(line["fx_rate"]),
            plain(difference),
            minor,
            key.currency,
            line["rows_difference"],
            line["gap"],
            line["upper_rule_id"],
            line["upper_basis"],
            plain(line["cost_difference"]),
            line["row_currency"],
            line["days_text"],
            "{}",
            plain(line["day_factor"]),
            plain(line["worth_amount"]),
            plain(line["billed_amount"]),
        )


def _optional(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def _add_costs(costs: dict[tuple[str, str], Decimal], lines: Iterable[Mapping[str, Any]]) -> None:
    for line in lines:
        key = (line["vendor"], line["row_currency"])
        costs[key] = EXACT.add(costs.get(key, _ZERO), line["cost_difference"])


_SAME_COLUMNS = (
    *(
        "hop",
        "reseller_id",
        "customer_id",
        "vendor",
        "account",
        "subscription",
        "product",
        "sku",
        "meter",
        "unit",
    ),
    *("charge_category", "charge_type", "charge_from", "charge_until"),
)
# Lines of closed periods that billed something for a period: its own, and the differences since.
_BILLED = """
    SELECT l.* FROM statement_line l JOIN billing_period p ON p.period = l.period AND p.status = 'closed'
    WHERE (l.period = :period AND l.corrects IS NULL) OR l.corrects = :period
"""
_BILLED_TOTALS = f"""
    SELECT hop, reseller_id, customer_id, currency, sum(amount_minor) FROM ({_BILLED}) billed
    GROUP BY hop, reseller_id, customer_id, currency
"""
# A group that is worth something else than was billed, or that came from other rows; its names are those of today
# where it still exists, else those of the last line that billed it.
_CHANGED = f"""
    WITH billed_line AS ({_BILLED}),
    billed AS (
        SELECT group_id, sum(exact_amount) AS exact_amount, sum(quantity) AS quantity,
               sum(basis_amount) AS basis_amount, sum(source_rows) AS source_rows, sum(cost) AS cost,
               max(period) AS last_period
        FROM billed_line GROUP BY group_id
    ),
    difference AS (
        SELECT coalesce(w.group_id, b.group_id) AS changed_group, b.last_period, w.group_id IS NULL AS is_gone,
               coalesce(w.exact_amount, 0) AS worth_amount, coalesce(b.exact_amount, 0) AS billed_amount,
               coalesce(w.quantity, 0) - coalesce(b.quantity, 0) AS quantity_difference,
               coalesce(w.basis_amount, 0) - coalesce(b.basis_amount, 0) AS basis_difference,
               coalesce(w.source_rows, 0) - coalesce(b.source_rows, 0) AS rows_difference,
               coalesce(w.cost, 0) - coalesce(b.cost, 0) AS cost_difference
        FROM {{worth}} w FULL JOIN billed b ON b.group_id = w.group_id
        WHERE (w.exact_amount, w.quantity, w.basis_amount, w.source_rows, w.cost)
              IS DISTINCT FROM (b.exact_amount, b.quantity, b.basis_amount, b.source_rows, b.cost)
    )
    SELECT d.*, w.*, w.days::text AS days_text
    FROM difference d JOIN {{worth}} w ON w.group_id = d.changed_group WHERE NOT d.is_gone
    UNION ALL
    SELECT d.*, l.*, '{{{{}}}}' AS days_text
    FROM difference d JOIN billed_line l ON l.group_id = d.changed_group AND l.period = d.last_period
    WHERE d.is_gone AND (d.worth_amount, d.billed_amount, d.quantity_difference, d.basis_difference,
                         d.rows_difference, d.cost_difference) IS DISTINCT FROM (0, 0, 0, 0, 0, 0)
"""
