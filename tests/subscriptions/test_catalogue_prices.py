"""Renewals take the catalogue's price of the day; so do extensions, from the plan by the month."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from sqlalchemy.orm import Session

from catalog.models import Plan
from catalog.words import Term
from marketplace.core.actor import Actor
from marketplace.core.money import Money
from marketplace.core.period import Period
from marketplace.subscriptions.cockpit import renewals_of_month
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.operations.renewing import renew_due
from marketplace.subscriptions.queries.offers import offers_of
from marketplace.subscriptions.queries.standing import standings
from marketplace.subscriptions.rules.history import Quoted
from marketplace.subscriptions.words import AtTermEnd
from tests.factories import make_customer, make_subscription
from tests.offer_factories import make_plan, make_sku
from tests.subscriptions.lives import at

SYSTEM = Actor.system()


def bought(session: Session, plan: Plan, on: str) -> Subscription:
    """Buy ten seats of a plan at a price that the catalogue has no more."""
    offer = replace(offers_of(session, [plan.id])[plan.id], vendor="microsoft")
    what = Quoted(offer, Decimal(170), Decimal(230), "EUR")
    return make_subscription(session, make_customer(session), what=what, on=at(on))


def last_price(session: Session, subscription: Subscription) -> tuple[Decimal, Decimal | None, bool]:
    segment = standings(session, [subscription], offers={})[subscription.id].now
    return segment.quoted.unit_cost, segment.quoted.unit_listed, segment.quoted.offer.is_extended


def test_a_term_renews_at_the_price_of_the_day_it_ended(session: Session) -> None:
    subscription = bought(session, make_plan(session, cost="180", listed="240"), "2025-06-10 10:00")

    (seen,) = renewals_of_month(session, actor=SYSTEM, period=Period(2026, 6), now=at("2026-06-09 10:00"))
    renew_due(session, actor=SYSTEM, day=date(2026, 6, 12), now=at("2026-06-12 03:00"))

    # A year by the month, ten seats, without any rule: at cost.
    assert (seen.own.then, seen.own.now) == (Money.rounded(Decimal(1700) / 12, "EUR"), Money(15000, "EUR"))
    assert (seen.own.unit_now, seen.own.commitment) == (Decimal(15), Money(180000, "EUR"))
    assert last_price(session, subscription) == (Decimal(180), Decimal(240), False)


def test_an_extension_costs_three_percent_more_than_the_month(session: Session) -> None:
    sku = make_sku(session)
    year = make_plan(session, sku)
    make_plan(session, sku, term=Term.P1M, cost="20", listed="25")
    subscription = bought(session, year, "2025-06-10 10:00")
    subscription.at_term_end = AtTermEnd.EXTEND.value

    renew_due(session, actor=SYSTEM, day=date(2026, 6, 12), now=at("2026-06-12 03:00"))

    assert last_price(session, subscription) == (Decimal("20.6"), Decimal("25.75"), True)


def test_what_is_sold_no_more_keeps_its_last_price(session: Session) -> None:
    plan = make_plan(session, valid_until=at("2026-01-01 00:00"))
    subscription = bought(session, plan, "2025-06-10 10:00")

    renew_due(session, actor=SYSTEM, day=date(2026, 6, 12), now=at("2026-06-12 03:00"))

    assert last_price(session, subscription) == (Decimal(170), Decimal(230), False)
