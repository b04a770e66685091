"""What vendors hold their buyers to: dated rules, kept as data beside each vendor's connector, with their sources.

A rule has a topic, the kinds of product it is for, and the day it came into force. What is in force for a kind on a
day is a `Commitments`; every topic says where it was read.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from catalog.words import BillingCycle, ProductKind, Term

PERPETUAL = "perpetual"
TRIAL = "trial"
#: The kinds rules are for: kinds of products, and what is bought once or tried.
KINDS = frozenset({"licence", "software", "consumption", "service", PERPETUAL, TRIAL})

_FOLDER = Path(__file__).parent
_OWN_RULES = {"microsoft": "partner_center"}
_ELSE = "manual"


@dataclass(frozen=True, slots=True)
class Trial:
    """How a trial is made and what it becomes."""

    quantity: int
    days: int
    converts_to: tuple[Term, BillingCycle]


@dataclass(frozen=True, slots=True)
class ExtendedService:
    """A month at a time after the end of a term that was neither renewed nor given up: its price, and who may."""

    percent_with_monthly_plan: Decimal
    percent_without_monthly_plan: Decimal
    # Only what was bought or renewed since this day.
    bought_since: date


@dataclass(frozen=True, slots=True)
class Source:
    """Where a rule was read, and since when it holds."""

    since: date
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitments:
    """What holds for one kind of product on one day. What no rule speaks of is not allowed."""

    kind: str
    pairs: frozenset[tuple[Term, BillingCycle]] = frozenset()
    window: timedelta = timedelta(0)
    full_refund: timedelta = timedelta(0)
    may_increase: bool = False
    may_decrease_in_window: bool = False
    may_decrease_at_renewal: bool = False
    term_changes: frozenset[tuple[Term, Term]] = frozenset()
    billing_changes: frozenset[tuple[Term, BillingCycle, BillingCycle]] = frozenset()
    may_upgrade: bool = False
    # What dearer plans cost more than the year paid at once, in percent.
    premiums: Mapping[tuple[Term, BillingCycle], Decimal] = field(default_factory=dict)
    trial: Trial | None = None
    coterminous: frozenset[tuple[Term, Term]] = frozenset()
    calendar_terms: frozenset[Term] = frozenset()
    months_never_end_on: frozenset[int] = frozenset()
    may_suspend: bool = False
    is_charged_while_suspended: bool = True
    suspension_stops_renewal: bool = False
    grace: timedelta = timedelta(0)
    extended_service: ExtendedService | None = None
    # A customer needs no account before: the reference of what was bought is the account of its usage.
    account_comes_with_purchase: bool = False
    sources: Mapping[str, Source] = field(default_factory=dict)

    def premium(self, term: Term, billing_cycle: BillingCycle) -> Decimal:
        """Give what a plan costs more than the year paid at once, in percent."""
        return self.premiums.get((term, billing_cycle), Decimal(0))


class Rulebook:
    """The rules of one vendor over time."""

    def __init__(self, rules: Sequence[Mapping[str, Any]]) -> None:
        """Take the rules as they stand in the file. Raises `ValueError` or `KeyError` where one makes no sense."""
        for rule in rules:
            unknown = set(rule["kinds"]) - KINDS
            if unknown or rule["topic"] not in _READERS or not rule["source"]:
                raise ValueError(f"a rule on {rule['topic']} for {sorted(rule['kinds'])} makes no sense")
        self._rules = sorted(rules, key=lambda rule: rule["from"])
        self._known: dict[tuple[str, date], Commitments] = {}
        self._days = sorted({rule["from"] for rule in rules})
        for day in self._days:
            for kind in KINDS:
                self._known[kind, day] = self._read(kind, day)

    def on(self, day: date, kind: str) -> Commitments:
        """Give what holds for a kind of product on a day."""
        since = max((one for one in self._days if one <= day), default=None)
        return Commitments(kind=kind) if since is None else self._known[kind, since]

    def _read(self, kind: str, day: date) -> Commitments:
        """Read the latest rule of every topic."""
        latest = {
            rule["topic"]: rule for rule in self._rules if kind in rule["kinds"] and rule["from"] <= day
        }
        facts: dict[str, Any] = {}
        for topic, rule in latest.items():
            facts |= _READERS[topic](rule)
        sources = {topic: Source(rule["from"], rule["source"]) for topic, rule in latest.items()}
        return Commitments(kind=kind, sources=sources, **facts)


@cache
def rulebook(vendor: str) -> Rulebook:
    """Give a vendor's rules: its own, or what is assumed of a vendor whose rules nobody wrote down."""
    place = _FOLDER / _OWN_RULES.get(vendor, _ELSE) / "commitments.toml"
    return Rulebook(tomllib.loads(place.read_text(encoding="utf-8"))["rule"])


def rules_kind(product_kind: str, term: Term, *, is_trial: bool) -> str:
    """Give the kind that rules know a plan by."""
    if is_trial:
        return TRIAL
    return PERPETUAL if term is Term.ONE_TIME and product_kind != ProductKind.CONSUMPTION else product_kind


def _plans(rule: Mapping[str, Any]) -> dict[str, Any]:
    return {"pairs": frozenset((Term(term), BillingCycle(cycle)) for term, cycle in rule["pairs"])}


def _cancellation(rule: Mapping[str, Any]) -> dict[str, Any]:
    window, full = timedelta(hours=rule["window_hours"]), timedelta(hours=rule["full_refund_hours"])
    if full > window:
        raise ValueError("the whole price is given back only within the window")
    return {"window": window, "full_refund": full}


def _quantity(rule: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: bool(rule[name])
        for name in ("may_increase", "may_decrease_in_window", "may_decrease_at_renewal")
    }


def _term_change(rule: Mapping[str, Any]) -> dict[str, Any]:
    return {"term_changes": _pairs_of_terms(rule["changes"])}


def _billing_change(rule: Mapping[str, Any]) -> dict[str, Any]:
    changes = (
        (Term(term), BillingCycle(before), BillingCycle(after)) for term, before, after in rule["changes"]
    )
    return {"billing_changes": frozenset(changes)}


def _upgrade(rule: Mapping[str, Any]) -> dict[str, Any]:
    if rule["opens_window"]:
        raise ValueError("upgrades that open a window are not known here")
    return {"may_upgrade": True}


def _premium(rule: Mapping[str, Any]) -> dict[str, Any]:
    percents = {
        (Term(term), BillingCycle(cycle)): Decimal(percent) for term, cycle, percent in rule["percents"]
    }
    return {"premiums": percents}


def _trial(rule: Mapping[str, Any]) -> dict[str, Any]:
    term, cycle = rule["converts_to"]
    return {"trial": Trial(rule["quantity"], rule["days"], (Term(term), BillingCycle(cycle)))}


def _coterminous(rule: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "coterminous": _pairs_of_terms(rule["partners"]),
        "calendar_terms": frozenset(map(Term, rule["terms"])),
        "months_never_end_on": frozenset(rule["months_never_end_on"]),
    }


def _suspension(rule: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "may_suspend": True,
        "is_charged_while_suspended": bool(rule["is_charged"]),
        "suspension_stops_renewal": bool(rule["stops_renewal"]),
    }


def _ending(rule: Mapping[str, Any]) -> dict[str, Any]:
    return {"grace": timedelta(days=rule["grace_days"])}


def _extended_service(rule: Mapping[str, Any]) -> dict[str, Any]:
    service = ExtendedService(
        Decimal(rule["percent_with_monthly_plan"]),
        Decimal(rule["percent_without_monthly_plan"]),
        rule["bought_since"],
    )
    return {"extended_service": service}


def _account(rule: Mapping[str, Any]) -> dict[str, Any]:
    return {"account_comes_with_purchase": bool(rule["comes_with_purchase"])}


def _pairs_of_terms(pairs: Sequence[Sequence[str]]) -> frozenset[tuple[Term, Term]]:
    return frozenset((Term(one), Term(other)) for one, other in pairs)


_READERS = {
    "plans": _plans,
    "cancellation": _cancellation,
    "quantity": _quantity,
    "term_change": _term_change,
    "billing_change": _billing_change,
    "upgrade": _upgrade,
    "premium": _premium,
    "trial": _trial,
    "coterminous": _coterminous,
    "suspension": _suspension,
    "ending": _ending,
    "extended_service": _extended_service,
    "account": _account,
}
