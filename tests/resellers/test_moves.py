"""A customer goes to another reseller on a day."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy.orm import Session

from marketplace.billing.terms import FIRST_DAY, LAST_DAY, inputs_fingerprint, load_book
from marketplace.core.actor import Actor
from marketplace.core.csv_table import FaultyFile
from marketplace.core.errors import NotFound
from marketplace.core.period import Period
from resellers.imports.parties import import_customers
from resellers.models import Customer, Reseller
from resellers.operations.moves import cancel_move, carry_out_moves, move_customer, waiting_move
from resellers.rules import moves as rules
from resellers.rules.applications import ReasonNeeded
from tests.factories import make_customer, make_reseller

NOW = datetime(2026, 3, 20, 9, tzinfo=UTC)
STAFF = Actor.system("Walter")


@pytest.fixture
def parties(session: Session) -> tuple[Customer, Reseller, Reseller]:
    nord, sud = make_reseller(session, "nord"), make_reseller(session, "sud")
    return make_customer(session, "carla", reseller=nord), nord, sud


def move(
    session: Session,
    customer: Customer,
    to: str,
    moves_on: date,
    *,
    now: datetime = NOW,
    reason: str = "They asked us",
) -> None:
    move_customer(
        session,
        actor=STAFF,
        customer_id=customer.public_id,
        reseller=to,
        moves_on=moves_on,
        reason=reason,
        now=now,
    )


@pytest.mark.parametrize(
    ("moves_on", "refusal"),
    [
        (date(2026, 3, 1), None),
        (date(2026, 12, 1), None),
        (date(2026, 4, 2), None),
        (date(2026, 2, 28), rules.MovesInThePast),
    ],
)
def test_which_days_a_customer_can_move_on(moves_on: date, refusal: type[Exception] | None) -> None:
    if refusal is None:
        rules.check_day(moves_on, today=NOW.date())
        return
    with pytest.raises(refusal):
        rules.check_day(moves_on, today=NOW.date())


@pytest.mark.parametrize(
    ("day", "following"),
    [
        (date(2026, 3, 20), date(2026, 4, 1)),
        (date(2026, 12, 31), date(2027, 1, 1)),
        (date(2026, 11, 1), date(2026, 12, 1)),
    ],
)
def test_the_month_after(day: date, following: date) -> None:
    assert rules.next_first(day) == following


def test_months_before_the_move_stay_with_who_had_them(
    session: Session, parties: tuple[Customer, Reseller, Reseller]
) -> None:
    customer, nord, sud = parties
    move(session, customer, "sud", date(2026, 3, 1))
    move(session, customer, "nord", date(2026, 5, 1))

    sellers = {
        month: [one.chain.reseller_id for one in load_book(session, Period(2026, month)).sellers[customer.id]]
        for month in range(1, 7)
    }

    assert sellers == {1: [nord.id], 2: [nord.id], 3: [sud.id], 4: [sud.id], 5: [nord.id], 6: [nord.id]}


def test_a_month_is_shared_by_days_and_who_comes_back_is_the_same(
    session: Session, parties: tuple[Customer, Reseller, Reseller]
) -> None:
    customer, nord, sud = parties
    for to, day in (("sud", 10), ("nord", 20)):
        move(session, customer, to, date(2026, 3, day))

    spans = load_book(session, Period(2026, 3)).sellers[customer.id]

    assert [(one.chain.reseller_id, one.start, one.end) for one in spans] == [
        (nord.id, FIRST_DAY, date(2026, 3, 10)),
        (sud.id, date(2026, 3, 10), date(2026, 3, 20)),
        (nord.id, date(2026, 3, 20), LAST_DAY),
    ]
    assert spans[0].number == spans[2].number != spans[1].number


def test_a_move_to_come_changes_pages_on_its_day_and_the_inputs_of_its_months_alone(
    session: Session, parties: tuple[Customer, Reseller, Reseller]
) -> None:
    customer, nord, sud = parties

    def inputs(month: int) -> str:
        day = date(2026, month, 1)
        return inputs_fingerprint(session, Period(2026, month), first_day=day, last_day=day)

    before = {month: inputs(month) for month in (3, 4)}
    move(session, customer, "sud", date(2026, 4, 1))

    assert customer.reseller_id == nord.id
    assert inputs(3) == before[3]
    assert inputs(4) != before[4]
    assert carry_out_moves(session, now=datetime(2026, 3, 31, 23, tzinfo=UTC)) == 0
    assert carry_out_moves(session, now=datetime(2026, 4, 1, 0, 3, tzinfo=UTC)) == 1
    assert carry_out_moves(session, now=datetime(2026, 4, 2, tzinfo=UTC)) == 0
    assert customer.reseller_id == sud.id


def test_what_stands_against_a_move(session: Session, parties: tuple[Customer, Reseller, Reseller]) -> None:
    customer, _, sud = parties
    april = date(2026, 4, 1)
    with pytest.raises(rules.MovesNowhere):
        move(session, customer, "nord", april)
    with pytest.raises(NotFound):
        move(session, customer, "nobody", april)
    with pytest.raises(ReasonNeeded):
        move(session, customer, "sud", april, reason="so")
    sud.status = "suspended"
    with pytest.raises(rules.NotASeller):
        move(session, customer, "sud", april)
    sud.status = "active"
    move(session, customer, "sud", april)
    with pytest.raises(rules.MovesAlready):
        move(session, customer, "sud", date(2026, 5, 1))


def test_a_move_that_waits_can_be_cancelled(
    session: Session, parties: tuple[Customer, Reseller, Reseller]
) -> None:
    customer, nord, _ = parties
    move(session, customer, "sud", date(2026, 4, 1))
    cancel_move(session, actor=STAFF, customer_id=customer.public_id)
    session.flush()

    assert waiting_move(session, customer.id) is None
    (seller,) = load_book(session, Period(2026, 4)).sellers[customer.id]
    assert seller.chain.reseller_id == nord.id
    with pytest.raises(NotFound):
        cancel_move(session, actor=STAFF, customer_id=customer.public_id)


def test_a_file_does_not_take_a_dated_move_back(
    session: Session, parties: tuple[Customer, Reseller, Reseller]
) -> None:
    customer, _, _ = parties
    move(session, customer, "sud", date(2026, 3, 1))
    header = "reference,reseller,legal_name,country,vat_number,registration_number,currency,email"
    row = f"carla,nord,{customer.legal_name},FR,,,EUR,{customer.email}"

    with pytest.raises(FaultyFile) as refused:
        import_customers(session, actor=STAFF, file="c.csv", content=f"{header}\n{row}\n".encode())

    assert [one.column for one in refused.value.rows] == ["reseller"]
