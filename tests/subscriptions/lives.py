"""Subscriptions to test rules with: offers, and histories told by the day."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from catalog.words import BillingCycle, Term
from marketplace.subscriptions.rules.changes import Change
from marketplace.subscriptions.rules.history import Offer, Quoted, Standing
from marketplace.subscriptions.rules.steps import begin, carry_out

E3, E5, GUIDES = "CFQ7TTC0LF8R:0001", "CFQ7TTC0LFLZ:0002", "CFQ7TTC0HD4F:0001"


def at(text: str) -> datetime:
    """Give an instant written as `2026-01-15 10:00`, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def offer(
    term: Term = Term.P1Y, billing_cycle: BillingCycle = BillingCycle.MONTHLY, **facts: object
) -> Offer:
    """Give an offer of Microsoft 365 E3."""
    numbers = {(t, c): n for n, (t, c) in enumerate(((t, c) for t in Term for c in BillingCycle), start=1)}
    plain = Offer(
        plan_id=numbers[term, billing_cycle],
        vendor="microsoft",
        product="Microsoft 365 E3",
        sku=E3,
        unit="1 licence",
        kind="licence",
        term=term,
        billing_cycle=billing_cycle,
        maximum_quantity=1000,
        upgrades_to=frozenset({E5}),
    )
    return replace(plain, **facts)  # type: ignore[arg-type]


def quoted(
    term: Term = Term.P1Y,
    billing_cycle: BillingCycle = BillingCycle.MONTHLY,
    *,
    cost: str = "360",
    listed: str | None = "450",
    **facts: object,
) -> Quoted:
    """Give an offer with its price for the whole term."""
    price = None if listed is None else Decimal(listed)
    return Quoted(offer(term, billing_cycle, **facts), Decimal(cost), price, "EUR")


def bought(
    on: str = "2026-01-15 10:00",
    quantity: int = 10,
    what: Quoted | None = None,
    *,
    custom_end: date | None = None,
    **facts: object,
) -> Standing:
    """Give a subscription as it was bought."""
    first = begin(what or quoted(), quantity, at=at(on), custom_end=custom_end)
    return replace(Standing(segments=(first,)), **facts)  # type: ignore[arg-type]


def then(standing: Standing, change: Change, on: str) -> Standing:
    """Give it after a change."""
    return carry_out(change, standing, at(on)).applied_to(standing)


def hours(number: int) -> timedelta:
    """Give some hours."""
    return timedelta(hours=number)
