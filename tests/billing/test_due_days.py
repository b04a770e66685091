"""Until when statements are to be paid: fixed as their month is closed, by the terms of that day."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from marketplace.billing import periods
from marketplace.billing.models import Statement
from marketplace.core.actor import Actor, Audience
from marketplace.core.db import Database
from marketplace.core.period import Period
from resellers.models import CreditTerms, Customer, Hop
from tests.billing.conftest import NOW, Close
from tests.billing.lake import Usage, deliver
from tests.factories import make_customer, make_mapping

SEPTEMBER, OCTOBER = Period.parse("2024-09"), Period.parse("2024-10")
CLOSED_ON = NOW.date()


@pytest.fixture
def customer(database: Database, lake: Path) -> Customer:
    """A customer with usage in September, whose reseller pays within 45 days."""
    with database.owner_transaction() as session:
        customer = make_customer(session, "C1")
        make_mapping(session, customer=customer, account="a1", vendor="cloud")
        deliver(session, lake, [Usage(cost="1")])
    agree(database, customer, 45)
    return customer


def agree(database: Database, customer: Customer, days: int, *, of_customer: bool = False) -> None:
    """Let a reseller, or its customer, have so many days."""
    with database.owner_transaction() as session:
        whose = customer.id if of_customer else None
        terms = session.scalar(
            select(CreditTerms).where(
                CreditTerms.reseller_id == customer.reseller_id,
                CreditTerms.customer_id.is_not_distinct_from(whose),
            )
        )
        if terms is None:
            terms = CreditTerms(reseller_id=customer.reseller_id, customer_id=whose)
            session.add(terms)
        terms.payment_days = days


def due_days(database: Database, period: Period = SEPTEMBER) -> dict[str, date | None]:
    """Give the due day of each hop's statement."""
    with database.owner_transaction() as session:
        found = session.execute(
            select(Statement.hop, Statement.due_on).where(Statement.period == period.number)
        )
        return {row.hop: row.due_on for row in found}


def after(days: int) -> date:
    return CLOSED_ON + timedelta(days=days)


def test_a_draft_has_no_due_day(database: Database, customer: Customer, close: Close) -> None:
    close()

    assert due_days(database) == {Hop.WHOLESALE: None, Hop.RETAIL: None}


def test_terms_of_the_day_of_the_close_hold_whatever_is_agreed_later(
    database: Database, customer: Customer, close: Close
) -> None:
    close(approve=True)
    agree(database, customer, 10)
    agree(database, customer, 20, of_customer=True)

    assert due_days(database) == {Hop.WHOLESALE: after(45), Hop.RETAIL: after(30)}


def test_a_customer_with_terms_of_its_own_has_its_own_days(
    database: Database, customer: Customer, close: Close
) -> None:
    agree(database, customer, 14, of_customer=True)
    close(approve=True)

    assert due_days(database) == {Hop.WHOLESALE: after(45), Hop.RETAIL: after(14)}


def test_corrections_are_due_with_the_statement_that_bills_them(
    database: Database, customer: Customer, close: Close, lake: Path
) -> None:
    close(approve=True)
    agree(database, customer, 7)
    with database.owner_transaction() as session:
        deliver(session, lake, [Usage(cost="5")])
        deliver(session, lake, [Usage(cost="1", day=date(2024, 10, 2))], period="2024-10")
    close("2024-10", approve=True)

    assert due_days(database)[Hop.WHOLESALE] == after(45)
    assert due_days(database, OCTOBER)[Hop.WHOLESALE] == after(7)


def test_a_month_that_is_opened_again_has_no_due_day_until_it_is_closed(
    database: Database, customer: Customer, close: Close
) -> None:
    close(approve=True)
    with database.owner_transaction() as session:
        periods.reopen(session, period=SEPTEMBER, actor=Actor.system(), reason="a mistake")

    assert set(due_days(database).values()) == {None}


@pytest.mark.parametrize(
    ("audience", "fixed"), [(Audience.WHOLESALER, 1), (Audience.RESELLER, None), (Audience.CUSTOMER, None)]
)
def test_only_the_wholesalers_screens_can_fix_due_days(
    database: Database, customer: Customer, close: Close, audience: Audience, fixed: int | None
) -> None:
    close()
    party = {Audience.RESELLER: customer.reseller_id, Audience.CUSTOMER: customer.id}.get(audience)
    actor = Actor(audience=audience, party_id=party, name="Someone", user_id=7, permissions=frozenset())
    with database.transaction(actor) as session:
        session.execute(text("SELECT fix_due_days(202409, DATE '2024-10-02', 1)"))

    found = set(due_days(database).values())
    assert (found == {None}) == (fixed is None)
