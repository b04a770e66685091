"""A close of the product held against the model's, line by line."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.oracle.commands import Marketplace
from tests.oracle.model import DECIMALS, RETAIL, WHOLESALE, Balance, Close, Line, balance

Comparable = tuple[object, ...]
FIELDS = (
    "hop seller buyer customer vendor account subscription product sku meter charge_category charge_type "
    "charge_from charge_until quantity unit basis basis_amount percent unit_price fx_rate amount "
    "currency source_rows correction_of"
).split()


def exported(line: Mapping[str, str]) -> Comparable:
    """An exported line, numbers as fractions, without its id."""
    numbers = {"quantity", "basis_amount", "percent", "unit_price", "fx_rate", "amount"}
    assert_exact_text(line)
    return tuple(
        (Fraction(line[name]) if line[name] else None) if name in numbers else line[name] for name in FIELDS
    )


def assert_exact_text(line: Mapping[str, str]) -> None:
    """Amounts have their currency's decimals; no number is written with an exponent."""
    decimals = DECIMALS[line["currency"]]
    assert re.fullmatch(rf"-?\d+\.\d{{{decimals}}}" if decimals else r"-?\d+", line["amount"]), line["amount"]
    for name in ("quantity", "basis_amount", "percent", "unit_price", "fx_rate"):
        assert re.fullmatch(r"(-?\d+(\.\d+)?)?", line[name]), (name, line[name])


def modelled(hop: str, currency: str, line: Line) -> Comparable:
    """The model's line as it should be exported."""
    key, worth = line.key, line.worth
    return (
        hop,
        key.seller,
        key.buyer,
        key.customer,
        key.vendor,
        key.account,
        key.subscription,
        key.product,
        key.sku,
        key.meter,
        key.category,
        key.charge_type,
        str(worth.charge_from),
        str(worth.charge_until),
        worth.quantity,
        key.unit,
        key.basis,
        worth.basis_amount,
        worth.percent,
        worth.unit_price,
        worth.fx_rate,
        Fraction(line.minor, 10 ** DECIMALS[currency]),
        currency,
        str(worth.source_rows),
        line.corrects,
    )


def assert_lines_equal(marketplace: Marketplace, close: Close) -> None:
    """Every line of both hops is the model's, and no other is there."""
    for hop in (WHOLESALE, RETAIL):
        expected = Counter(
            modelled(hop, document.currency, line)
            for document, content in close.documents.items()
            if document.hop == hop
            for line in content.lines
        )
        lines = marketplace.lines(close.period, hop)
        found = Counter(map(exported, lines))
        assert all(line["period"] == close.period for line in lines)
        assert len({line["line"] for line in lines}) == len(lines), "two lines have one id"
        assert found == expected, difference(hop, found, expected)


def difference(hop: str, found: Counter[Comparable], expected: Counter[Comparable]) -> str:
    """Say which lines are wrong and which fields of them, nearest beside nearest."""
    wrong, missing = list((found - expected).elements()), list((expected - found).elements())
    said = [f"{hop}: {len(wrong)} lines are wrong, {len(missing)} missing"]
    for line in wrong:
        nearest = min(missing, key=lambda other: sum(map(_differ, line, other)), default=None)
        if nearest is None:
            said.append(f"  not expected: {_shown(line)}")
            continue
        missing.remove(nearest)
        parts = [
            f"{name}: {a} and not {b}"
            for name, a, b in zip(FIELDS, line, nearest, strict=True)
            if _differ(a, b)
        ]
        said.append(f"  {'; '.join(parts)} -- in {_shown(nearest)}")
    said += [f"  missing: {_shown(line)}" for line in missing]
    return "\n".join(said)


def _differ(a: object, b: object) -> bool:
    return a != b


def _shown(line: Comparable) -> str:
    return ", ".join(
        f"{name}={value}" for name, value in zip(FIELDS, line, strict=True) if value not in ("", None)
    )


def minor(amounts: Mapping[str, str]) -> dict[str, int]:
    """Amounts by currency as the commands print them, in minor units; nought is left out."""
    found = {}
    for currency, amount in amounts.items():
        in_units = Decimal(amount).scaleb(DECIMALS[currency])
        assert in_units == int(in_units), f"{amount} {currency} has too many decimals"
        if in_units:
            found[currency] = int(in_units)
    return found


def without_nought(amounts: Mapping[str, int]) -> dict[str, int]:
    """Leave out the currencies with nothing."""
    return {currency: amount for currency, amount in amounts.items() if amount}


def assert_summary_equals(summary: dict[str, Any], close: Close) -> None:
    """What `close` prints is what the model says of the period."""
    rated = close.rated
    assert summary["period"] == close.period
    assert summary["usage_rows"] == rated.rows
    assert summary["lines"] == {hop: len(close.lines(hop)) for hop in (WHOLESALE, RETAIL)}
    for hop in (WHOLESALE, RETAIL):
        assert minor(summary["totals"][hop]) == without_nought(close.totals(hop)), hop
    gaps = {
        hop: sum(
            line.worth.is_gap or line.worth.has_no_rule for line in close.lines(hop) if not line.corrects
        )
        for hop in (WHOLESALE, RETAIL)
    }
    assert summary["rule_gaps"] == gaps
    assert_balance_holds(summary, balance(rated), most_lines=len(close.lines(WHOLESALE)) + rated.rows)


def assert_balance_holds(
    summary: dict[str, Any], sides: Mapping[tuple[str, str, str], Balance], *, most_lines: int
) -> None:
    """The vendor's bill is accounted for to the minor unit, by currency.

    The sum is exact. A part may be off its exact amount by what sharing out moves: less than a unit a share.
    """
    assert summary["balance"]["ok"] is True
    assert not minor(summary["balance"]["difference"])
    printed = {
        "cost": minor(summary["totals"]["cost"]),
        "tax": minor(summary["vendor_tax"]),
        "unmapped": minor(summary["unmapped"]),
        "parked": minor(summary["parked"]),
        "rounding": minor(summary["vendor_rounding"]),
    }
    exact: dict[str, dict[str, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    bill: dict[str, int] = defaultdict(int)
    for (_, _, currency), side in sides.items():
        bill[currency] += side.bill
        for part in ("cost", "tax", "unmapped", "parked", "rounding"):
            exact[part][currency] += getattr(side, part)
    for currency, total in bill.items():
        assert sum(amounts.get(currency, 0) for amounts in printed.values()) == total, (currency, printed)
    for part, amounts in printed.items():
        for currency in {*amounts, *exact[part]}:
            off = abs(amounts.get(currency, 0) - exact[part].get(currency, Fraction(0)))
            allowed = 0 if part == "rounding" or not exact[part].get(currency, 0) else most_lines
            assert off <= allowed, (part, currency, amounts, exact[part])
