"""What customers paid their reseller: noted by it in whole or in part, taken back, and nobody else's to note."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import select

from marketplace.billing.models import PeriodStatus, StatementPayment
from marketplace.billing.queries.owed import StatementRow, find_statement
from marketplace.core.actor import Actor
from marketplace.core.db import enter
from marketplace.core.errors import NotFound, NotPermitted
from marketplace.orders.operations.settling import (
    CannotBeNoted,
    InvoicedByWholesaler,
    NotedAlready,
    StatementNotFinal,
    note_payment,
    undo_payment,
)
from resellers.models import Customer, Hop
from resellers.words import BillingMode
from tests.factories import make_customer, make_reseller
from tests.orders.shop import NOW, TODAY, Shop
from tests.statement_factories import make_line, make_period


@pytest.fixture
def april(shop: Shop) -> UUID:
    """Give the id of a closed statement of 300 that Carla owes Nord, due on the second of June."""
    close_april(shop)
    return owe(shop, shop.carla)


def close_april(shop: Shop) -> None:
    period = make_period(shop.session, "2026-04", status=PeriodStatus.CLOSED)
    period.closed_at = datetime(2026, 5, 3, tzinfo=UTC)


def owe(shop: Shop, customer: Customer, *, hop: Hop = Hop.RETAIL) -> UUID:
    line = make_line(shop.session, period="2026-04", hop=hop, customer=customer, amount="300")
    return line.statement_id


def pay(shop: Shop, statement: UUID, amount: str, *, actor: Actor | None = None) -> int:
    return note_payment(
        shop.session,
        actor=actor or shop.rashid,
        statement_id=statement,
        amount=Decimal(amount),
        paid_on=TODAY,
        now=NOW,
    )


def undo(shop: Shop, statement: UUID, payment_id: int) -> None:
    undo_payment(
        shop.session,
        actor=shop.rashid,
        statement_id=statement,
        payment_id=payment_id,
        reason="It was another month's.",
        now=NOW,
    )


def as_seen(shop: Shop, statement: UUID, actor: Actor) -> StatementRow | None:
    """Give the statement as a party reads it through the database's own rules."""
    shop.session.flush()
    with shop.session.begin_nested() as look:
        enter(shop.session, actor)
        found = find_statement(shop.session, actor=actor, hop=Hop.RETAIL, statement_id=statement)
        look.rollback()
    return found


def test_parts_and_the_rest_are_told_to_both_sides(shop: Shop, april: UUID) -> None:
    told = []
    for amount in ("", "100.50", "199.50"):
        if amount:
            pay(shop, april, amount)
        for actor in (shop.rashid, shop.carla_herself):
            row = as_seen(shop, april, actor)
            assert row is not None
            assert row.left is not None
            told.append((row.payment, str(row.left.amount), row.is_overdue(TODAY)))

    assert told[::2] == told[1::2]
    assert told[::2] == [("unpaid", "300.00", True), ("partly_paid", "199.50", True), ("paid", "0.00", False)]


def test_what_was_noted_by_mistake_is_taken_back(shop: Shop, april: UUID) -> None:
    pay(shop, april, "300")
    (payment,) = shop.session.scalars(select(StatementPayment))
    undo(shop, april, payment.id)

    row = as_seen(shop, april, shop.carla_herself)
    assert row is not None
    assert row.payment == "unpaid"
    with pytest.raises(NotFound):
        undo(shop, april, payment.id)


@pytest.mark.parametrize(
    ("amount", "refusal"), [("300.01", CannotBeNoted), ("0", CannotBeNoted), ("1.005", CannotBeNoted)]
)
def test_no_more_than_is_left_can_be_noted(
    shop: Shop, april: UUID, amount: str, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        pay(shop, april, amount)


def test_the_same_amount_of_a_day_is_noted_once(shop: Shop, april: UUID) -> None:
    pay(shop, april, "100")
    with pytest.raises(NotedAlready):
        pay(shop, april, "100")


def test_a_draft_cannot_be_paid(shop: Shop) -> None:
    make_period(shop.session, "2026-04", status=PeriodStatus.RATED)
    with pytest.raises(StatementNotFinal):
        pay(shop, owe(shop, shop.carla), "300")


def test_what_a_reseller_owes_itself_and_what_strangers_are_owed_is_not_there(
    shop: Shop, april: UUID
) -> None:
    stranger = make_customer(shop.session, reseller=make_reseller(shop.session))
    for statement in (owe(shop, shop.carla, hop=Hop.WHOLESALE), owe(shop, stranger)):
        with pytest.raises(NotFound):
            pay(shop, statement, "300")


def test_what_a_customer_owes_the_wholesaler_is_noted_there(shop: Shop, april: UUID) -> None:
    shop.nord.billing_mode = BillingMode.ON_BEHALF.value
    shop.session.flush()

    with pytest.raises(InvoicedByWholesaler):
        pay(shop, april, "300")
    assert pay(shop, april, "300", actor=shop.wanda) == 0


def test_sales_people_and_customers_note_nothing(shop: Shop, april: UUID) -> None:
    for actor in (shop.rosa, shop.carla_herself):
        with pytest.raises(NotPermitted):
            pay(shop, april, "300", actor=actor)


def test_what_customers_pay_their_reseller_frees_no_credit_of_it(shop: Shop, april: UUID) -> None:
    shop.limit("1000")
    order = shop.order(10)
    assert order.state == "awaiting_approval"

    assert pay(shop, april, "300") == 0
    assert order.state == "awaiting_approval"
