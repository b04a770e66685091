"""What a change would come to, hop by hop, for whoever looks; and that it is what the close then charges."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from marketplace.billing.closing import close_period
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.db import Database
from marketplace.core.errors import NotFound
from marketplace.core.period import Period
from marketplace.settings import Settings
from marketplace.subscriptions.cockpit import renewals_of_month
from marketplace.subscriptions.operations.buying import Purchase, activate
from marketplace.subscriptions.operations.changing import change
from marketplace.subscriptions.previews import preview_change
from marketplace.subscriptions.rules.changes import ChangeQuantity
from marketplace.subscriptions.words import When
from resellers.models import Basis, Hop
from tests.factories import make_customer, make_mapping, make_reseller, make_rule
from tests.subscriptions.lives import at, quoted

SYSTEM = Actor.system()
MARCH = at("2026-03-20 08:00")


@pytest.fixture
def bought(database: Database) -> tuple[UUID, Actor]:
    """Ten seats for a year from 10 January, and the customer's reseller."""
    with database.owner_transaction() as session:
        reseller = make_reseller(session, "R1")
        customer = make_customer(session, "C1", reseller=reseller)
        make_mapping(session, customer=customer, account="tenant-1")
        make_rule(session, Hop.WHOLESALE, basis=Basis.COST, percent="10")
        make_rule(session, Hop.RETAIL, basis=Basis.COST, percent="20")
        make_rule(
            session,
            Hop.WHOLESALE,
            basis=Basis.COST,
            percent="90",
            reseller=reseller,
            valid_from=date(2026, 2, 1),
        )
        purchase = Purchase(
            customer_id=customer.id,
            vendor_account="tenant-1",
            quoted=quoted(cost="360", listed=None),
            quantity=10,
        )
        made = activate(session, actor=SYSTEM, purchase=purchase, now=at("2026-01-10 09:00"))
        rashid = Actor("Rashid", Audience.RESELLER, reseller.id, permissions=frozenset(Permission))
        return made.public_id, rashid


def test_every_hop_has_the_rules_of_the_day_the_term_began(
    database: Database, bought: tuple[UUID, Actor]
) -> None:
    with database.owner_transaction() as session:
        seen = preview_change(
            session, actor=SYSTEM, subscription_id=bought[0], change=ChangeQuantity(12), now=MARCH
        )

    # Two more seats at 30 a month for 21 of the 31 days from 10 March.
    amounts = {hop: str(one.now.amount) for hop, one in seen.hops.items()}
    assert amounts == {"cost": "40.65", "wholesale": "44.71", "retail": "53.65"}
    assert (seen.decision.when, seen.deadline) == (When.NOW, at("2026-03-27 08:00"))
    assert str(seen.hops["cost"].on_bill.amount) == "340.65"


def test_what_a_preview_says_is_what_the_close_bills(
    database: Database, settings: Settings, bought: tuple[UUID, Actor]
) -> None:
    with database.owner_transaction() as session:
        seen = preview_change(
            session, actor=SYSTEM, subscription_id=bought[0], change=ChangeQuantity(12), now=MARCH
        )
        change(session, actor=SYSTEM, subscription_id=bought[0], change=ChangeQuantity(12), now=MARCH)
    Path(settings.lake).mkdir(parents=True, exist_ok=True)

    figures = close_period(
        database,
        settings,
        period=Period(2026, 3),
        actor=SYSTEM,
        approve=False,
        dry_run=False,
        now=datetime(2026, 4, 2, tzinfo=UTC),
    )

    assert figures["totals"]["wholesale"] == {"EUR": str(seen.hops["wholesale"].on_bill.amount)}
    assert figures["totals"]["retail"] == {"EUR": str(seen.hops["retail"].on_bill.amount)}


def test_a_reseller_sees_its_own_hops_and_its_sales_people_only_the_sale(
    database: Database, bought: tuple[UUID, Actor]
) -> None:
    identity, rashid = bought
    rosa = replace(rashid, permissions=rashid.permissions - {Permission.RESELLER_MARGINS_VIEW})
    with database.owner_transaction() as session:
        hops = {
            actor.name + str(len(actor.permissions)): set(
                preview_change(
                    session, actor=actor, subscription_id=identity, change=ChangeQuantity(12), now=MARCH
                ).hops
            )
            for actor in (rashid, rosa)
        }

    assert list(hops.values()) == [{"wholesale", "retail"}, {"retail"}]


def test_nobody_previews_what_is_not_theirs(database: Database, bought: tuple[UUID, Actor]) -> None:
    with database.owner_transaction() as session:
        other = make_reseller(session, "R2")
        pavel = Actor("Pavel", Audience.RESELLER, other.id, permissions=frozenset(Permission))

        with pytest.raises(NotFound):
            preview_change(
                session, actor=pavel, subscription_id=bought[0], change=ChangeQuantity(12), now=MARCH
            )


def test_what_renews_in_a_month_with_what_was_instructed(
    database: Database, bought: tuple[UUID, Actor]
) -> None:
    identity, rashid = bought
    with database.owner_transaction() as session:
        change(session, actor=SYSTEM, subscription_id=identity, change=ChangeQuantity(7), now=MARCH)

    with database.owner_transaction() as session:
        (one,) = renewals_of_month(session, actor=rashid, period=Period(2027, 1), now=MARCH)
        assert (one.row.quantity, one.seats_then, one.row.term_end) == (10, 7, date(2027, 1, 10))
        assert renewals_of_month(session, actor=rashid, period=Period(2027, 2), now=MARCH) == []


def test_a_resellers_session_reads_no_cost(database: Database, bought: tuple[UUID, Actor]) -> None:
    with database.transaction(bought[1]) as session:
        assert session.scalar(text("SELECT count(*) FROM subscription_segment")) == 1
        assert session.scalar(text("SELECT count(*) FROM segment_cost")) == 0
