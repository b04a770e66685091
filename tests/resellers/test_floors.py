"""Floors of margins: how low a price may be entered, and by whom."""

from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace.accounts.roles import Role, permissions_of
from marketplace.core.actor import Actor, Audience
from marketplace.core.audit import AuditEntry
from marketplace.core.cells import FaultyEntry
from marketplace.core.csv_table import FaultyFile
from marketplace.core.db import enter
from marketplace.core.errors import NotFound, NotPermitted
from resellers.imports.price_rules import import_price_rules
from resellers.models import MarginFloor, Reseller
from resellers.operations.floors import remove_floor, set_floor
from resellers.operations.retail_rules import BelowOwnFloor, add_retail_rule
from resellers.queries.floors import floors
from resellers.rules.floors import (
    BelowFloor,
    Floor,
    PlanCost,
    below_floor,
    floor_fault,
    floor_for,
    read_floor,
)
from resellers.rules.price_rules import COLUMNS, RuleTerms, read_rule
from resellers.rules.prices import Price
from resellers.words import Basis
from tests.factories import make_reseller
from tests.offer_factories import make_plan, make_sku

FLOOR = Floor(Decimal(10), Decimal(5))
# A year paid by the month: 180 cost and 240 list are 15 and 20 a charge.
YEAR = PlanCost("P:1", "EUR", Decimal(180), Decimal(240), 12)


def actor(role: Role) -> Actor:
    return Actor("Somebody", Audience.WHOLESALER, permissions=permissions_of(Audience.WHOLESALER, role))


def at_cost(percent: str) -> Price:
    return Price(basis=Basis.COST, percent=Decimal(percent))


def at_list(percent: str) -> Price:
    return Price(basis=Basis.LIST, percent=Decimal(percent))


def fixed(price: str, currency: str = "EUR") -> Price:
    return Price(basis=Basis.FIXED, unit_price=Decimal(price), currency=currency)


@pytest.mark.parametrize(
    ("price", "costs", "below_soft", "below_hard"),
    [
        (at_cost("10"), [], False, False),
        (at_cost("9.99"), [], True, False),
        (at_cost("5"), [], True, False),
        (at_cost("4.999"), [], True, True),
        (at_cost("-100"), [], True, True),
        # 240 less 17.5 % is 198, exactly a tenth above 180.
        (at_list("-17.5"), [YEAR], False, False),
        (at_list("-17.51"), [YEAR], True, False),
        (at_list("-21.25"), [YEAR], True, False),
        (at_list("-21.26"), [YEAR], True, True),
        (at_list("-50"), [], False, False),
        (at_list("-50"), [PlanCost("P:1", "EUR", Decimal(180), None, 12)], False, False),
        # One of two plans is enough.
        (at_list("-10"), [YEAR, PlanCost("P:2", "EUR", Decimal(100), Decimal(101), 1)], True, True),
        (fixed("16.5"), [YEAR], False, False),
        (fixed("16.49"), [YEAR], True, False),
        (fixed("15.74"), [YEAR], True, True),
        (fixed("1", "USD"), [YEAR], False, False),
        # A third that does not end: 3 at a list price of 4 is measured exactly.
        (at_list("-17.5"), [PlanCost("P:3", "EUR", Decimal(3), Decimal(4), 1)], False, False),
    ],
)
def test_what_is_below_which_floor(
    price: Price, costs: list[PlanCost], below_soft: bool, below_hard: bool
) -> None:
    assert (floor_fault(price, FLOOR, costs, may_go_below=False) is not None) is below_soft
    assert (floor_fault(price, FLOOR, costs, may_go_below=True) is not None) is below_hard


@pytest.mark.parametrize(
    ("floors", "vendor", "expected"),
    [
        ({}, "microsoft", None),
        ({}, "", None),
        ({"": Floor(Decimal(2), Decimal(1)), "microsoft": FLOOR}, "microsoft", FLOOR),
        ({"": Floor(Decimal(2), Decimal(1)), "microsoft": FLOOR}, "aws", Floor(Decimal(2), Decimal(1))),
        ({"microsoft": FLOOR}, "aws", None),
        # A rule for every vendor keeps every floor.
        ({"aws": Floor(Decimal(20), Decimal(0)), "microsoft": FLOOR}, "", Floor(Decimal(20), Decimal(5))),
    ],
)
def test_which_floor_holds(floors: dict[str, Floor], vendor: str, expected: Floor | None) -> None:
    assert floor_for(floors, vendor) == expected


@pytest.mark.parametrize(
    ("cells", "columns"),
    [
        ({"soft_percent": "5", "hard_percent": "6"}, ["hard_percent"]),
        ({"soft_percent": "x", "hard_percent": ""}, ["soft_percent", "hard_percent"]),
        ({"soft_percent": "0", "hard_percent": "-101"}, ["hard_percent"]),
    ],
)
def test_each_faulty_field_is_named(cells: dict[str, str], columns: list[str]) -> None:
    with pytest.raises(FaultyEntry) as raised:
        read_floor(cells)

    assert [fault.column for fault in raised.value.rows] == columns


def test_a_floor_is_read_with_a_comma() -> None:
    assert read_floor({"vendor": " aws ", "soft_percent": "2,5 %", "hard_percent": "-1"}) == (
        "aws",
        Floor(Decimal("2.5"), Decimal(-1)),
    )


def rules(*rows: str) -> bytes:
    return "\n".join((",".join(COLUMNS), *rows, "")).encode()


def enter_rules(session: Session, role: Role, *rows: str) -> None:
    with session.begin_nested():
        import_price_rules(session, actor=actor(role), file="rules.csv", content=rules(*rows))


def test_below_the_soft_floor_some_enter_and_below_the_hard_one_nobody(session: Session) -> None:
    set_floor(session, actor=actor(Role.ADMINISTRATOR), vendor="microsoft", floor=FLOOR)
    low, lowest = "wholesale,,,,microsoft,A,,cost,7,,,,", "wholesale,,,,microsoft,B,,cost,4,,,,"

    with pytest.raises(FaultyFile) as raised:
        enter_rules(session, Role.CATALOGUE, "wholesale,,,,aws,,,cost,1,,,,", low)
    assert [(row.row, row.column) for row in raised.value.rows] == [(2, "percent")]
    enter_rules(session, Role.FINANCE, low)
    with pytest.raises(FaultyFile):
        enter_rules(session, Role.ADMINISTRATOR, lowest)
    # What customers pay is their resellers' affair.
    enter_rules(session, Role.CATALOGUE, "retail,,,,microsoft,B,,cost,-4,,,,")


def test_rules_on_list_and_fixed_prices_are_measured_at_the_lists_in_force(session: Session) -> None:
    sku = make_sku(session, "Teamwork", reference="TEAM")
    make_plan(session, sku, cost="180", listed="240")
    set_floor(session, actor=actor(Role.ADMINISTRATOR), vendor="", floor=FLOOR)

    for row, column in (
        ("wholesale,,,,microsoft,Teamwork,,list,-30,,,,", "percent"),
        ("wholesale,,,,microsoft,Teamwork,TEAM:0001,list,-30,,,,", "percent"),
        ("wholesale,,,,microsoft,,,list,-30,,,,", "percent"),
        ("wholesale,,,,,,,list,-30,,,,", "percent"),
        ("wholesale,,,,microsoft,Teamwork,TEAM:0001,fixed,,15,EUR,,", "unit_price"),
    ):
        with pytest.raises(FaultyFile) as raised:
            enter_rules(session, Role.ADMINISTRATOR, row)
        assert [fault.column for fault in raised.value.rows] == [column]
        assert "TEAM:0001" in str(raised.value.rows[0].reason)
    enter_rules(session, Role.CATALOGUE, "wholesale,,,,microsoft,Teamwork,TEAM:0001,list,-10,,,,")


def test_a_floor_is_set_changed_removed_and_told(session: Session) -> None:
    boss = actor(Role.ADMINISTRATOR)
    first = set_floor(session, actor=boss, vendor="coffre", floor=FLOOR)
    set_floor(session, actor=boss, vendor="coffre", floor=FLOOR)
    again = set_floor(session, actor=boss, vendor="coffre", floor=Floor(Decimal(3), Decimal(2)))
    assert again.id == first.id
    with pytest.raises(NotPermitted):
        set_floor(session, actor=actor(Role.FINANCE), vendor="coffre", floor=FLOOR)
    with pytest.raises(NotFound):
        remove_floor(session, actor=boss, floor_id=uuid4())

    remove_floor(session, actor=boss, floor_id=first.public_id)
    session.flush()

    assert session.scalar(select(MarginFloor.id).where(MarginFloor.vendor == "coffre")) is None
    acts = session.scalars(
        select(AuditEntry.action).where(AuditEntry.subject_id == str(first.public_id)).order_by(AuditEntry.id)
    ).all()
    assert acts == ["margin_floor.set", "margin_floor.set", "margin_floor.remove"]


def test_nobody_below_the_wholesaler_sees_its_floors(session: Session) -> None:
    set_floor(session, actor=actor(Role.ADMINISTRATOR), vendor="aws", floor=FLOOR)

    for audience in (Audience.RESELLER, Audience.CUSTOMER):
        with session.begin_nested() as looking:
            enter(session, Actor("Somebody", audience, party_id=1))
            assert session.scalars(text("SELECT vendor FROM margin_floor")).all() == []
            looking.rollback()


def test_the_database_itself_refuses_a_hard_floor_above_the_soft_one(session: Session) -> None:
    with pytest.raises(IntegrityError), session.begin_nested():
        session.add(MarginFloor(vendor="x", soft_percent=Decimal(1), hard_percent=Decimal(2)))
        session.flush()


@pytest.mark.parametrize(
    ("sold", "may_go_below", "expected"),
    [
        ("110", False, None),
        ("109.99", False, BelowFloor.SOFT),
        ("109.99", True, None),
        ("105", True, None),
        ("104.99", True, BelowFloor.HARD),
        ("104.99", False, BelowFloor.HARD),
        ("0", True, BelowFloor.HARD),
    ],
)
def test_what_is_sold_below_which_floor(sold: str, may_go_below: bool, expected: BelowFloor | None) -> None:
    assert below_floor(Decimal(sold), Decimal(100), FLOOR, may_go_below=may_go_below) is expected


def firms_actor(reseller: Reseller, role: Role) -> Actor:
    return Actor(
        "Somebody", Audience.RESELLER, reseller.id, permissions=permissions_of(Audience.RESELLER, role)
    )


def as_owner_of_tables(session: Session) -> None:
    """Let the transaction go on without row-level security, to do what several parties do."""
    session.execute(
        text("SELECT set_config('role', 'none', true), set_config('search_path', 'public', true)")
    )


def retail(percent: str, **scope: str) -> RuleTerms:
    return read_rule({"hop": "retail", "basis": "cost", "percent": percent, **scope})


def test_a_firms_floor_holds_its_retail_rules_by_role(session: Session) -> None:
    as_owner_of_tables(session)
    reseller, other = make_reseller(session), make_reseller(session)
    owner, finance = firms_actor(reseller, Role.OWNER), firms_actor(reseller, Role.FINANCE)
    set_floor(session, actor=owner, vendor="", floor=FLOOR)
    set_floor(session, actor=firms_actor(other, Role.OWNER), vendor="", floor=Floor(Decimal(90), Decimal(80)))

    with pytest.raises(BelowOwnFloor, match=r"10 %.*an owner must enter it"):
        add_retail_rule(session, actor=finance, terms=retail("9.9"))
    with pytest.raises(BelowOwnFloor, match=r"5 %.*nobody may go below it"):
        add_retail_rule(session, actor=owner, terms=retail("4"))
    add_retail_rule(session, actor=owner, terms=retail("9.9"))
    add_retail_rule(session, actor=finance, terms=retail("10", vendor="aws"))
    # The wholesaler's own rules have its own floors, of which there is none.
    assert floors(session) == {}


def test_only_owners_set_a_firms_floor_and_nobody_else_sees_it(session: Session) -> None:
    as_owner_of_tables(session)
    reseller, other = make_reseller(session), make_reseller(session)
    mine = set_floor(session, actor=firms_actor(reseller, Role.OWNER), vendor="aws", floor=FLOOR)

    with pytest.raises(NotPermitted):
        set_floor(session, actor=firms_actor(reseller, Role.FINANCE), vendor="aws", floor=FLOOR)
    with pytest.raises(NotFound):
        remove_floor(session, actor=firms_actor(other, Role.OWNER), floor_id=mine.public_id)
    with pytest.raises(NotFound):
        remove_floor(session, actor=actor(Role.ADMINISTRATOR), floor_id=mine.public_id)
    seen = {}
    for name, who in (
        ("its own", firms_actor(reseller, Role.OWNER)),
        ("another's", firms_actor(other, Role.OWNER)),
        ("wholesaler", actor(Role.ADMINISTRATOR)),
        ("customer", Actor("Carla", Audience.CUSTOMER, reseller.id)),
    ):
        with session.begin_nested() as looking:
            enter(session, who)
            seen[name] = session.scalars(text("SELECT vendor FROM margin_floor")).all()
            looking.rollback()
    assert seen == {"its own": ["aws"], "another's": [], "wholesaler": [], "customer": []}
