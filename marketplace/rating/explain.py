"""Why a line costs what it costs, as steps from its basis to its amount.

The steps are made from what the line stored, never computed again from terms that may have changed since. What a
viewer may not see is not in the steps: whoever buys at a hop sees no cost its seller starts from, and nobody sees a
hop above their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from marketplace.core.currency import minor_units
from marketplace.core.rounding import EXACT
from marketplace.rating.exact import multiply, subtract
from marketplace.rating.price import COST, FIXED, LIST


class StepName(StrEnum):
    """What a step does to the amount."""

    QUANTITY = "quantity"
    VENDOR_COST = "vendor_cost"
    WHOLESALE_AMOUNT = "wholesale_amount"
    LIST_PRICE = "list_price"
    RULE = "rule"
    NO_RULE = "no_rule"
    FALL_BACK = "fall_back"
    SELLERS_PRICE = "sellers_price"
    PRICED = "priced"
    EXCHANGE = "exchange"
    BILLED_BEFORE = "billed_before"
    EXACT = "exact"
    ROUNDED = "rounded"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its amount after it, where it has one, and the facts that made it."""

    name: StepName
    amount: Decimal | None = None
    currency: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RuleFacts:
    """A price rule as people name it: scope by references, days, price."""

    scope: Mapping[str, str]
    basis: str
    percent: Decimal | None
    unit_price: Decimal | None
    currency: str
    valid_from: date | None
    valid_until: date | None


@dataclass(frozen=True, slots=True)
class LineFacts:
    """What a line stored about how it was made."""

    hop: str
    unit: str
    quantity: Decimal
    basis: str
    basis_amount: Decimal
    basis_currency: str
    percent: Decimal | None
    unit_price: Decimal | None
    fx_rate: Decimal
    fx_month: str
    exact_amount: Decimal
    amount_minor: int
    currency: str
    gap: str
    # A difference for a closed period: what it is worth now and what had been billed.
    worth: Decimal | None = None
    billed: Decimal | None = None

    @property
    def amount(self) -> Decimal:
        """The billed amount, in whole minor units of the currency."""
        return EXACT.scaleb(Decimal(self.amount_minor), -minor_units(self.currency))


def steps_of(line: LineFacts, rule: RuleFacts | None, *, is_sellers_view: bool) -> list[Step]:
    """Give the steps of one line for its seller (and whoever is above it), or for its buyer."""
    steps = [Step(StepName.QUANTITY, None, "", {"quantity": line.quantity, "unit": line.unit})]
    if line.basis == COST and not is_sellers_view:
        steps.append(_sellers_price(line))
    else:
        steps += _priced(line, rule)
    if line.worth is not None and line.billed is not None:
        facts = {"worth": line.worth, "billed": line.billed}
        steps.append(Step(StepName.BILLED_BEFORE, line.exact_amount, line.currency, facts))
    steps.append(Step(StepName.EXACT, line.exact_amount, line.currency))
    difference = subtract(line.amount, line.exact_amount)
    decimals = minor_units(line.currency)
    steps.append(
        Step(StepName.ROUNDED, line.amount, line.currency, {"difference": difference, "decimals": decimals})
    )
    return steps


def _sellers_price(line: LineFacts) -> Step:
    """Say no more than the price itself: what the seller paid is the seller's business."""
    return Step(
        StepName.SELLERS_PRICE,
        line.exact_amount,
        line.currency,
        {"quantity": line.quantity, "unit": line.unit},
    )


def _priced(line: LineFacts, rule: RuleFacts | None) -> list[Step]:
    steps = [_basis(line)]
    if line.gap:
        name = StepName.NO_RULE if rule is None else StepName.FALL_BACK
        steps.append(Step(name, None, "", {"gap": line.gap, "rule": rule}))
    else:
        steps.append(
            Step(
                StepName.RULE,
                None,
                "",
                {"rule": rule, "percent": line.percent, "unit_price": line.unit_price},
            )
        )
    if line.basis == FIXED:
        priced = multiply(line.basis_amount, line.unit_price or Decimal(0))
    else:
        factor = EXACT.scaleb(EXACT.add(Decimal(100), line.percent or Decimal(0)), -2)
        priced = multiply(line.basis_amount, factor)
    steps.append(Step(StepName.PRICED, priced, line.basis_currency))
    if line.basis_currency != line.currency:
        facts = {
            "rate": line.fx_rate,
            "month": line.fx_month,
            "from": line.basis_currency,
            "to": line.currency,
        }
        steps.append(Step(StepName.EXCHANGE, multiply(priced, line.fx_rate), line.currency, facts))
    return steps


def _basis(line: LineFacts) -> Step:
    if line.basis == FIXED:
        facts = {"unit_price": line.unit_price, "quantity": line.quantity, "unit": line.unit}
        return Step(StepName.QUANTITY, line.basis_amount, "", facts)
    if line.basis == LIST:
        return Step(StepName.LIST_PRICE, line.basis_amount, line.basis_currency)
    name = StepName.VENDOR_COST if line.hop == "wholesale" else StepName.WHOLESALE_AMOUNT
    return Step(name, line.basis_amount, line.basis_currency)
