"""Ending mappings and rules: from a day, never before the start, never later than an end that stands."""

from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.audit import AuditEntry
from marketplace.core.cells import FaultyEntry
from marketplace.core.errors import NotFound, NotPermitted
from resellers.models import Hop
from resellers.operations.ends import EndBeforeStart, EndedEarlier, end_mapping, end_price_rule
from resellers.operations.retail_rules import (
    NotARetailRule,
    NotYourCustomer,
    OverlapsAnother,
    add_retail_rule,
    end_retail_rule,
)
from resellers.queries.retail_rules import list_retail_rules
from resellers.rules.price_rules import read_rule
from tests.factories import make_customer, make_mapping, make_reseller, make_rule

SYSTEM = Actor.system("tests")
START, MIDDLE, END = date(2024, 1, 1), date(2024, 6, 1), date(2024, 12, 1)


def owner_of(reseller_id: int) -> Actor:
    return Actor(
        name="Rashid",
        audience=Audience.RESELLER,
        party_id=reseller_id,
        permissions=frozenset({Permission.RESELLER_RULES_MANAGE}),
    )


def test_a_rule_ends_and_the_audit_says_which(session: Session) -> None:
    rule = make_rule(session, reseller=make_reseller(session, "R1"), valid_from=START)

    end_price_rule(session, actor=SYSTEM, rule_id=rule.public_id, end=MIDDLE)

    assert rule.valid_until == MIDDLE
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "price_rule.end")).one()
    assert entry.before is not None
    assert entry.after is not None
    assert (entry.before["reseller"], entry.before["valid_until"]) == ("R1", "")
    assert entry.after["valid_until"] == "2024-06-01"


def test_a_mapping_ends_and_the_audit_says_which(session: Session) -> None:
    mapping = make_mapping(session, customer=make_customer(session, "C1"), account="1", valid_from=START)

    end_mapping(session, actor=SYSTEM, mapping_id=mapping.public_id, end=MIDDLE)

    assert mapping.valid_until == MIDDLE
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "mapping.end")).one()
    assert entry.after == {
        "vendor": "microsoft",
        "account": "1",
        "customer": "C1",
        "valid_until": "2024-06-01",
    }


def test_an_end_to_come_may_be_brought_forward(session: Session) -> None:
    rule = make_rule(session, valid_from=START, valid_until=END)

    end_price_rule(session, actor=SYSTEM, rule_id=rule.public_id, end=START)

    assert rule.valid_until == START


@pytest.mark.parametrize(
    ("end", "refusal", "words"),
    [
        (date(2023, 12, 31), EndBeforeStart, "starts on 2024-01-01"),
        (MIDDLE, EndedEarlier, "ends on 2024-06-01 already"),
        (END, EndedEarlier, "Add another one"),
    ],
)
def test_an_end_that_cannot_be_is_refused_in_words(
    session: Session, end: date, refusal: type[Exception], words: str
) -> None:
    rule = make_rule(session, valid_from=START, valid_until=MIDDLE)

    with pytest.raises(refusal, match=words):
        end_price_rule(session, actor=SYSTEM, rule_id=rule.public_id, end=end)


def test_what_is_not_there_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound):
        end_price_rule(session, actor=SYSTEM, rule_id=uuid4(), end=END)
    with pytest.raises(NotFound):
        end_mapping(session, actor=SYSTEM, mapping_id=uuid4(), end=END)


def test_only_the_wholesalers_people_end_any_rule(session: Session) -> None:
    rule = make_rule(session)

    with pytest.raises(NotPermitted):
        end_price_rule(session, actor=owner_of(1), rule_id=rule.public_id, end=END)


def test_a_reseller_ends_its_own_retail_rules_and_nobody_elses(session: Session) -> None:
    own, other = make_reseller(session, "R1"), make_reseller(session, "R2")
    actor = owner_of(own.id)
    mine = make_rule(session, Hop.RETAIL, customer=make_customer(session, "C1", reseller=own))
    not_mine = [
        make_rule(session, Hop.WHOLESALE, reseller=own),
        make_rule(session, Hop.RETAIL, reseller=other),
        make_rule(session, Hop.RETAIL, customer=make_customer(session, "C2", reseller=other)),
        make_rule(session, Hop.RETAIL),
    ]

    end_retail_rule(session, actor=actor, rule_id=mine.public_id, end=END)

    assert mine.valid_until == END
    for rule in not_mine:
        with pytest.raises(NotFound):
            end_retail_rule(session, actor=actor, rule_id=rule.public_id, end=END)


@pytest.mark.parametrize(
    ("cells", "refusal"),
    [
        ({"hop": "wholesale"}, NotARetailRule),
        ({"hop": "retail", "reseller": "R2"}, NotARetailRule),
        ({"hop": "retail", "customer": "C2"}, NotYourCustomer),
        ({"hop": "retail", "customer": "nobody"}, NotYourCustomer),
    ],
)
def test_a_reseller_sets_no_price_but_what_its_customers_pay(
    session: Session, cells: dict[str, str], refusal: type[Exception]
) -> None:
    own = make_reseller(session, "R1")
    make_customer(session, "C2", reseller=make_reseller(session, "R2"))
    terms = read_rule({"basis": "cost", "percent": "5", **cells})

    with pytest.raises(refusal):
        add_retail_rule(session, actor=owner_of(own.id), terms=terms)


def test_a_resellers_overlap_is_refused_naming_the_other_price(session: Session) -> None:
    actor = owner_of(make_reseller(session, "R1").id)
    cells = {"hop": "retail", "vendor": "aws", "basis": "cost", "percent": "5", "valid_from": "2024-01-01"}
    add_retail_rule(session, actor=actor, terms=read_rule(cells))

    with pytest.raises(OverlapsAnother, match=r"cost \+5 %, from 2024-01-01"):
        add_retail_rule(session, actor=actor, terms=read_rule({**cells, "percent": "6"}))
    add_retail_rule(session, actor=actor, terms=read_rule({**cells, "vendor": "azure"}))


def test_a_reseller_sees_its_own_retail_rules_and_the_defaults_beneath(session: Session) -> None:
    own, other = make_reseller(session, "R1"), make_reseller(session, "R2")
    make_rule(session, Hop.RETAIL, reseller=own, percent="1")
    make_rule(session, Hop.RETAIL, customer=make_customer(session, "C1", reseller=own), percent="2")
    make_rule(session, Hop.RETAIL, percent="3")
    make_rule(session, Hop.RETAIL, reseller=other, percent="4")
    make_rule(session, Hop.WHOLESALE, reseller=own, percent="5")

    rows = list_retail_rules(session, actor=owner_of(own.id))

    assert {(row.terms.price.percent, row.is_own) for row in rows} == {
        (Decimal(1), True),
        (Decimal(2), True),
        (Decimal(3), False),
    }


def test_a_rule_that_could_not_be_is_not_even_made() -> None:
    with pytest.raises(FaultyEntry):
        read_rule({"hop": "retail", "basis": "cost"})
