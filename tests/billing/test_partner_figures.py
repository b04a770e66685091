"""What is told of the channel: firms billed, new ones, licences, the share of metered cloud."""

from datetime import date
from decimal import Decimal

import pytest

from marketplace.billing.queries.partners import PartnerRow, partner_figures
from marketplace.core.db import Database
from marketplace.core.period import Period
from tests.factories import make_customer, make_reseller, make_wholesaler
from tests.statement_factories import make_line, make_period

SEPTEMBER, OCTOBER = Period.parse("2024-09"), Period.parse("2024-10")


@pytest.fixture
def channel(database: Database) -> Database:
    """One reseller in September, another one from October on, and licences of whole and of broken months."""
    with database.owner_transaction() as session:
        make_wholesaler(session)
        for period in (SEPTEMBER, OCTOBER):
            make_period(session, str(period))
        first = make_customer(session, "C1", reseller=make_reseller(session, "R1"))
        second = make_customer(session, "C2", reseller=make_reseller(session, "R2"))
        make_line(session, customer=first, amount="300")
        make_line(session, customer=first, amount="100", charge_category="Purchase", quantity="10")
        make_line(session, customer=first, period="2024-10", amount="100")
        for quantity in ("10", "5", "-1.225806451612903226"):
            make_line(
                session,
                customer=second,
                period="2024-10",
                amount="100",
                charge_category="Purchase",
                quantity=quantity,
            )
    return database


def figures(database: Database, *, today: date) -> list[PartnerRow]:
    with database.owner_transaction() as session:
        return partner_figures(session, last=OCTOBER, today=today)


def test_months_tell_who_was_billed_and_who_was_never_before(channel: Database) -> None:
    september, october = figures(channel, today=date(2024, 11, 1))

    assert (september.engaged, september.new_resellers, september.new_customers) == (1, 1, 1)
    assert (october.engaged, october.new_resellers, october.new_customers) == (2, 1, 1)
    assert september.cloud_share("EUR") == Decimal("75.0")
    assert october.cloud_share("EUR") == Decimal("25.0")


def test_licences_are_whole_ones_though_some_are_billed_for_days(channel: Database) -> None:
    september, october = figures(channel, today=date(2024, 11, 1))

    assert (september.seats, september.new_seats) == (10, None)
    assert (october.seats, october.new_seats) == (14, 4)
    assert october.new_seats_per_reseller == Decimal("2.00")


def test_a_month_that_is_not_over_is_not_compared(channel: Database) -> None:
    october = figures(channel, today=date(2024, 10, 31))[-1]

    assert (october.seats, october.new_seats, october.new_seats_per_reseller) == (14, None, None)
