"""A customer that goes to another reseller within a month: each reseller sells its own days, by its own rules."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from catalog.words import Term
from marketplace.billing.queries.moved_charges import both_sides
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.db import Database
from marketplace.subscriptions.operations.buying import Purchase, activate
from marketplace.subscriptions.prices import buyer_at
from resellers.models import Basis, Customer, CustomerMove, Hop, Reseller
from tests.billing.conftest import Close
from tests.billing.lake import Usage, deliver
from tests.factories import make_customer, make_mapping, make_reseller, make_rule, make_wholesaler
from tests.subscriptions.lives import at, quoted

DAYS = [date(2024, 9, day) for day in (9, 10, 11)]


@pytest.fixture
def customer(database: Database, lake: Path) -> Customer:
    """C1 uses 10 on each of three days; R1 sells it at half as much again, R2 at twice as much."""
    with database.owner_transaction() as session:
        make_wholesaler(session)
        before, after = make_reseller(session, "R1"), make_reseller(session, "R2")
        customer = make_customer(session, "C1", reseller=before)
        make_mapping(session, customer=customer, account="a1", vendor="cloud")
        make_rule(session, Hop.RETAIL, reseller=before, basis=Basis.COST, percent="50")
        make_rule(session, Hop.RETAIL, reseller=after, basis=Basis.COST, percent="100")
        deliver(session, lake, [Usage(cost="10", day=day) for day in DAYS])
    return customer


def move(database: Database, customer: Customer, to: str, moves_on: date, *, leaves: str = "R1") -> None:
    """Move it, as the wizard keeps it."""
    with database.owner_transaction() as session:
        ids = {one.reference: one.id for one in session.query(Reseller)}
        session.add(
            CustomerMove(
                customer_id=customer.id,
                from_reseller_id=ids[leaves],
                to_reseller_id=ids[to],
                moves_on=moves_on,
                reason="They asked us",
                created_by="Wanda",
            )
        )


def billed(session: Session, *, corrects: bool = False) -> set[tuple[str, str, int, int]]:
    """Give what stands on documents: hop, reseller, days, amount."""
    rows = session.execute(
        text(
            "SELECT l.hop, r.reference, sum(cardinality(l.days)), sum(l.amount_minor) "
            "FROM statement_line l JOIN statement s ON s.id = l.statement_id AND s.reseller_id = l.reseller_id "
            "JOIN reseller r ON r.id = s.reseller_id WHERE (l.corrects IS NOT NULL) = :corrects GROUP BY 1, 2"
        ),
        {"corrects": corrects},
    )
    return {(hop, reseller, int(days), int(amount)) for hop, reseller, days, amount in rows}


SHARED = {
    ("wholesale", "R1", 1, 1000),
    ("retail", "R1", 1, 1500),
    ("wholesale", "R2", 2, 2000),
    ("retail", "R2", 2, 4000),
}


def test_each_reseller_sells_its_own_days_by_its_own_rules(
    database: Database, customer: Customer, close: Close
) -> None:
    move(database, customer, "R2", date(2024, 9, 10))

    figures = close(approve=True)

    with database.owner_transaction() as session:
        assert billed(session) == SHARED
        totals = session.execute(text("SELECT hop, total_minor FROM statement")).all()
        assert sorted(tuple(one) for one in totals) == [
            ("retail", 1500),
            ("retail", 4000),
            ("wholesale", 1000),
            ("wholesale", 2000),
        ]
        costs = session.scalars(text("SELECT cost_minor FROM statement_cost ORDER BY 1")).all()
        assert list(costs) == [1000, 2000]
    assert figures["usage_rows"] == 3


def test_a_move_learned_after_rating_makes_the_draft_anew(
    database: Database, customer: Customer, close: Close
) -> None:
    close()
    move(database, customer, "R2", date(2024, 9, 10))

    close()

    with database.owner_transaction() as session:
        assert billed(session) == SHARED


def test_who_comes_back_has_one_document_of_all_its_days(
    database: Database, customer: Customer, close: Close
) -> None:
    move(database, customer, "R2", date(2024, 9, 10))
    move(database, customer, "R1", date(2024, 9, 11), leaves="R2")

    close()

    with database.owner_transaction() as session:
        assert {one for one in billed(session) if one[0] == "wholesale"} == {
            ("wholesale", "R1", 2, 2000),
            ("wholesale", "R2", 1, 1000),
        }
        assert session.scalar(text("SELECT count(*) FROM statement")) == 4


def test_one_side_waits_for_its_rate_alone(database: Database, customer: Customer, close: Close) -> None:
    with database.owner_transaction() as session:
        session.execute(text("UPDATE reseller SET currency = 'USD' WHERE reference = 'R2'"))
    move(database, customer, "R2", date(2024, 9, 10))

    close()

    with database.owner_transaction() as session:
        assert billed(session) == {("wholesale", "R1", 1, 1000), ("retail", "R1", 1, 1500)}
        parked = session.execute(
            text("SELECT parked_cost FROM statement WHERE parked_pair <> '' ORDER BY hop")
        )
        assert {"EUR": "20"} in [one[0] for one in parked]


def test_corrections_go_to_who_had_the_day(
    database: Database, customer: Customer, close: Close, lake: Path
) -> None:
    move(database, customer, "R2", date(2024, 9, 10))
    close(approve=True)
    with database.owner_transaction() as session:
        deliver(
            session,
            lake,
            [Usage(cost="11", day=DAYS[0]), *(Usage(cost="10", day=day) for day in DAYS[1:])],
        )
        deliver(session, lake, [Usage(cost="1", day=date(2024, 10, 2))], period="2024-10")

    close("2024-10")

    with database.owner_transaction() as session:
        found = {(hop, reseller, amount) for hop, reseller, _, amount in billed(session, corrects=True)}
    # Both deliveries of September count: another 31, of which R1 had the first day.
    assert found == {
        ("wholesale", "R1", 1100),
        ("retail", "R1", 1650),
        ("wholesale", "R2", 2000),
        ("retail", "R2", 4000),
    }


def test_a_licence_charged_before_the_day_stays_where_it_was_charged_and_the_next_charge_moves(
    database: Database, customer: Customer, close: Close
) -> None:
    """Two licences by the month: one is charged on the fifth, the other on the twelfth."""
    with database.owner_transaction() as session:
        make_mapping(session, customer=customer, account="tenant-1")
        for day, name in ((5, "sub-1"), (12, "sub-2")):
            purchase = Purchase(
                customer_id=customer.id,
                vendor_account="tenant-1",
                quoted=quoted(Term.P1M, cost="30"),
                quantity=1,
                vendor_subscription_id=name,
            )
            activate(session, actor=Actor.system(), purchase=purchase, now=at(f"2024-09-{day:02} 09:00"))
    move(database, customer, "R2", date(2024, 9, 10))

    close()

    with database.owner_transaction() as session:
        found = session.execute(
            text(
                "SELECT l.subscription, r.reference, l.amount_minor, l.charge_until FROM statement_line l "
                "JOIN reseller r ON r.id = l.reseller_id WHERE l.hop = 'wholesale' AND l.subscription <> ''"
            )
        )
        assert {tuple(one) for one in found} == {
            ("sub-1", "R1", 3000, date(2024, 10, 5)),
            ("sub-2", "R2", 3000, date(2024, 10, 12)),
        }


def test_the_wizard_prices_the_charges_of_each_side_by_its_own_rules(
    database: Database, customer: Customer
) -> None:
    with database.owner_transaction() as session:
        first, second = session.query(Reseller).order_by(Reseller.reference)
        make_rule(session, Hop.WHOLESALE, reseller=first, basis=Basis.COST, percent="10")
        make_rule(session, Hop.WHOLESALE, reseller=second, basis=Basis.COST, percent="20")
        purchase = Purchase(
            customer_id=customer.id,
            vendor_account="tenant-1",
            quoted=quoted(Term.P1Y, cost="360"),
            quantity=1,
            vendor_subscription_id="sub-1",
        )
        activate(session, actor=Actor.system(), purchase=purchase, now=at("2024-09-05 09:00"))

        sides = both_sides(
            session,
            moves_on=date(2024, 9, 10),
            leaves=buyer_at(session, customer, first.id),
            takes=buyer_at(session, customer, second.id),
            customer_id=customer.id,
        )

    shown = [
        [(one.row.charge.billed_on, str(one.wholesale)) for one in side]
        for side in (sides.final, sides.first)
    ]
    assert shown == [[(date(2024, 9, 5), "33.00 EUR")], [(date(2024, 10, 5), "36.00 EUR")]]


def test_each_reseller_sees_its_own_document_and_the_customer_both(
    database: Database, customer: Customer, close: Close
) -> None:
    move(database, customer, "R2", date(2024, 9, 10))
    close(approve=True)

    def seen(audience: Audience, party_id: int) -> list[int]:
        actor = Actor("somebody", audience, party_id=party_id, permissions=frozenset(Permission))
        with database.transaction(actor) as session:
            query = text("SELECT total_minor FROM statement WHERE hop = 'retail' ORDER BY 1")
            return list(session.scalars(query))

    with database.owner_transaction() as session:
        ids = {one.reference: one.id for one in session.query(Reseller)}
    assert seen(Audience.RESELLER, ids["R1"]) == [1500]
    assert seen(Audience.RESELLER, ids["R2"]) == [4000]
    assert seen(Audience.CUSTOMER, customer.id) == [1500, 4000]
