"""People are told in time that a term ends: once for each distance, and not of what ends every month."""

from datetime import date, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from catalog.words import Term
from marketplace.core.actor import Actor
from marketplace.subscriptions.models import RenewalReminder, Subscription
from marketplace.subscriptions.operations.reminding import remind
from marketplace.subscriptions.rules.history import midnight
from tests.factories import make_customer, make_subscription
from tests.subscriptions.lives import at, quoted

SYSTEM = Actor.system()


SITE = "https://shop.example"


def reminded(session: Session, day: date) -> int:
    """Let the reminders of a day go out, as the worker does: as the owner of the tables."""
    session.execute(
        text("SELECT set_config('role', 'none', true), set_config('search_path', 'public', true)")
    )
    return remind(session, actor=SYSTEM, site_url=SITE, day=day, now=midnight(day))


def days_told(session: Session, subscription: Subscription) -> list[int]:
    told = select(RenewalReminder.days_before).where(RenewalReminder.subscription_id == subscription.id)
    return list(session.scalars(told.order_by(RenewalReminder.id)))


def test_people_are_told_once_for_each_distance(session: Session) -> None:
    subscription = make_subscription(session, make_customer(session), on=at("2026-03-31 23:30"))
    end = date(2027, 3, 31)

    for before in (61, 60, 59, 45, 30, 29, 7, 6, 1, 0):
        reminded(session, end - timedelta(days=before))

    assert days_told(session, subscription) == [60, 30, 7]


def test_a_run_that_was_missed_makes_up_for_the_nearest_alone(session: Session) -> None:
    subscription = make_subscription(session, make_customer(session), on=at("2026-05-10 10:00"))

    reminded(session, date(2027, 5, 8))

    assert days_told(session, subscription) == [7]


def test_nobody_is_told_of_what_ends_every_month_or_has_ended(session: Session) -> None:
    customer = make_customer(session)
    monthly = make_subscription(session, customer, what=quoted(Term.P1M), on=at("2026-06-01 10:00"))
    ended = make_subscription(session, customer, on=at("2025-06-20 10:00"))
    session.execute(text("UPDATE subscription SET status = 'cancelled' WHERE id = :id"), {"id": ended.id})

    reminded(session, date(2026, 6, 10))

    assert days_told(session, monthly) == []
    assert days_told(session, ended) == []
