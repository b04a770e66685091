"""A subscription that goes to another reseller's customer within a month: each is billed its own days, and no more."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.core.db import Database
from resellers.models import Basis, Customer, Hop
from tests.billing.conftest import Close
from tests.billing.lake import Usage, deliver
from tests.factories import (
    make_customer,
    make_mapping,
    make_reseller,
    make_rule,
    make_subscription_move,
    make_wholesaler,
)

MOVED, STAYING = "sub-moved", "sub-staying"


@pytest.fixture
def firm(database: Database, lake: Path) -> tuple[Customer, Customer]:
    """One firm at two resellers, with one account of two subscriptions, each used on three days of September."""
    with database.owner_transaction() as session:
        make_wholesaler(session)
        before, after = make_reseller(session, "R1"), make_reseller(session, "R2")
        at_first = make_customer(session, "C1", reseller=before)
        at_second = make_customer(session, "C2", reseller=after)
        make_mapping(session, customer=at_first, account="a1", vendor="cloud")
        make_rule(session, Hop.RETAIL, reseller=before, basis=Basis.COST, percent="50")
        days = [date(2024, 9, day) for day in (9, 10, 11)]
        rows = [Usage(cost="10", day=day, subscription=one) for day in days for one in (MOVED, STAYING)]
        deliver(session, lake, rows)
    return at_first, at_second


@pytest.fixture
def moved(database: Database, firm: tuple[Customer, Customer]) -> None:
    """It moves on the tenth."""
    with database.owner_transaction() as session:
        make_subscription_move(
            session, customer=firm[1], vendor="cloud", subscription=MOVED, moves_on=date(2024, 9, 10)
        )


def billed(session: Session) -> set[tuple[str, str, str, int, str]]:
    """Give who is billed what for which subscription: hop, buyer, subscription, amount, last day."""
    rows = session.execute(
        text(
            "SELECT l.hop, CASE l.hop WHEN 'wholesale' THEN r.reference ELSE c.reference END, l.subscription, "
            "l.amount_minor, l.days FROM statement_line l JOIN statement s ON s.id = l.statement_id "
            "JOIN reseller r ON r.id = s.reseller_id JOIN customer c ON c.id = s.customer_id"
        )
    )
    return {(hop, buyer, one, amount, max(days).isoformat()) for hop, buyer, one, amount, days in rows}


def test_each_side_is_billed_its_own_days_and_rules_stay_with_their_reseller(
    database: Database, moved: None, close: Close
) -> None:
    close()

    with database.owner_transaction() as session:
        assert billed(session) == {
            ("wholesale", "R1", STAYING, 3000, "2024-09-11"),
            ("wholesale", "R1", MOVED, 1000, "2024-09-09"),
            ("wholesale", "R2", MOVED, 2000, "2024-09-11"),
            ("retail", "C1", STAYING, 4500, "2024-09-11"),
            ("retail", "C1", MOVED, 1500, "2024-09-09"),
            ("retail", "C2", MOVED, 2000, "2024-09-11"),
        }


def test_a_move_learned_after_rating_makes_the_draft_anew(
    database: Database, firm: tuple[Customer, Customer], close: Close
) -> None:
    close()
    with database.owner_transaction() as session:
        assert {buyer for _, buyer, *_ in billed(session)} == {"R1", "C1"}
        make_subscription_move(
            session, customer=firm[1], vendor="cloud", subscription=MOVED, moves_on=date(2024, 9, 11)
        )

    close()

    with database.owner_transaction() as session:
        assert ("wholesale", "R2", MOVED, 1000, "2024-09-11") in billed(session)


def test_a_later_move_leaves_the_month_as_it_was(
    database: Database, firm: tuple[Customer, Customer], close: Close
) -> None:
    with database.owner_transaction() as session:
        make_subscription_move(
            session, customer=firm[1], vendor="cloud", subscription=MOVED, moves_on=date(2024, 10, 1)
        )

    close()

    with database.owner_transaction() as session:
        assert {buyer for _, buyer, *_ in billed(session)} == {"R1", "C1"}


def test_the_same_name_at_another_vendor_is_another_subscription(
    database: Database, firm: tuple[Customer, Customer], close: Close
) -> None:
    with database.owner_transaction() as session:
        make_subscription_move(
            session, customer=firm[1], vendor="other", subscription=MOVED, moves_on=date(2024, 9, 10)
        )

    close()

    with database.owner_transaction() as session:
        assert {buyer for _, buyer, *_ in billed(session)} == {"R1", "C1"}
