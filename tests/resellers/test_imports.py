"""Parties and terms by file: whole or nothing, every faulty row named, and the database as the last line."""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from catalog.models import FxRate
from catalog.operations.exchange_rates import import_fx_rates
from marketplace.core.actor import Actor
from marketplace.core.audit import AuditEntry
from marketplace.core.csv_table import FaultyFile, ImportResult
from marketplace.core.db import Database
from marketplace.core.errors import NotPermitted
from resellers.conflicts import RulesOverlap, conflicts_in_words
from resellers.imports.accounts import import_accounts
from resellers.imports.parties import import_customers, import_resellers
from resellers.imports.price_rules import import_price_rules
from resellers.models import AccountMapping, Customer, PriceRule, Reseller
from tests.factories import make_customer, make_mapping, make_reseller, make_rule

SYSTEM = Actor.system("tests")
RESELLERS = (
    "reference,legal_name,country,vat_number,registration_number,partner_id,currency,billing_mode,email"
)
CUSTOMERS = "reference,reseller,legal_name,country,vat_number,registration_number,currency,email"
ACCOUNTS = "vendor,account,customer,valid_from,valid_until"
RULES = "hop,reseller,customer,subscription,vendor,product,sku,basis,percent,unit_price,currency,valid_from,valid_until"
FX = "month,from,to,rate"

Import = Callable[..., ImportResult]


def take(session: Session, carry_out: Import, header: str, *rows: str, dry_run: bool = False) -> ImportResult:
    content = "\n".join((header, *rows, "")).encode()
    return carry_out(session, actor=SYSTEM, file="f.csv", content=content, dry_run=dry_run)


def refused(session: Session, carry_out: Import, header: str, *rows: str) -> list[tuple[int, str, str]]:
    """Give (row, column, reason) of every fault; a trial must find the same ones."""
    with pytest.raises(FaultyFile) as raised:
        take(session, carry_out, header, *rows)
    with pytest.raises(FaultyFile) as tried:
        take(session, carry_out, header, *rows, dry_run=True)
    assert tried.value.rows == raised.value.rows
    return [(fault.row, fault.column, fault.reason) for fault in raised.value.rows]


def counts(result: ImportResult) -> tuple[int, int, int]:
    return result.added, result.changed, result.unchanged


def count(session: Session, table: Any) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture
def parties(session: Session) -> Session:
    """Resellers R1 and R2, with customers C1 and C2 of R1 and C3 of R2."""
    first, second = make_reseller(session, "R1"), make_reseller(session, "R2")
    make_customer(session, "C1", reseller=first)
    make_customer(session, "C2", reseller=first)
    make_customer(session, "C3", reseller=second)
    return session


FILES: dict[str, tuple[Import, str, list[str], Any]] = {
    "resellers": (import_resellers, RESELLERS, ["R8,Huit,FR,,,,EUR,,", "R9,Neuf,FR,,,,EUR,,"], Reseller),
    "customers": (import_customers, CUSTOMERS, ["C8,R1,Huit,FR,,,EUR,", "C9,R2,Neuf,FR,,,EUR,"], Customer),
    "accounts": (import_accounts, ACCOUNTS, ["aws,8,C1,,", "aws,9,C3,2024-01-01,"], AccountMapping),
    "rules": (
        import_price_rules,
        RULES,
        ["wholesale,,,,,,,cost,5,,,,", "retail,R1,,,aws,,,list,-5,,,,"],
        PriceRule,
    ),
    "fx": (import_fx_rates, FX, ["2024-09,USD,EUR,0.9", "2024-09,EUR,JPY,161.123456789"], FxRate),
}
every_kind = pytest.mark.parametrize("kind", FILES)


@every_kind
def test_a_file_is_taken_once_and_changes_nothing_the_second_time(parties: Session, kind: str) -> None:
    carry_out, header, rows, table = FILES[kind]
    before = count(parties, table)

    first = take(parties, carry_out, header, *rows)
    second = take(parties, carry_out, header, *reversed(rows))

    assert (counts(first), counts(second)) == ((2, 0, 0), (0, 0, 2))
    assert count(parties, table) == before + 2


@every_kind
def test_a_trial_says_what_would_be_and_writes_nothing(parties: Session, kind: str) -> None:
    carry_out, header, rows, table = FILES[kind]
    before, audited = count(parties, table), count(parties, AuditEntry)

    tried = take(parties, carry_out, header, *rows, dry_run=True)

    assert (count(parties, table), count(parties, AuditEntry)) == (before, audited)
    done = take(parties, carry_out, header, *rows)
    assert counts(tried) == counts(done)
    assert (tried.dry_run, done.dry_run) == (True, False)


@every_kind
def test_one_bad_row_keeps_the_good_ones_out(parties: Session, kind: str) -> None:
    carry_out, header, rows, table = FILES[kind]
    before = count(parties, table)
    bad = "?" + "," * header.count(",")

    faults = refused(parties, carry_out, header, rows[0], bad, rows[1], bad)

    assert {row for row, _, _ in faults} == {2, 4}
    assert count(parties, table) == before


@every_kind
def test_every_row_that_is_written_is_in_the_audit_trail(parties: Session, kind: str) -> None:
    carry_out, header, rows, _ = FILES[kind]
    before = count(parties, AuditEntry)

    take(parties, carry_out, header, *rows)

    assert count(parties, AuditEntry) == before + 2


@every_kind
def test_only_those_who_may_import(parties: Session, kind: str) -> None:
    carry_out, header, rows, _ = FILES[kind]
    nobody = Actor(name="Nobody", audience=SYSTEM.audience)

    with pytest.raises(NotPermitted):
        carry_out(parties, actor=nobody, file="f.csv", content="\n".join((header, *rows)).encode())


def test_a_party_is_brought_up_to_date_by_its_reference(parties: Session) -> None:
    result = take(parties, import_customers, CUSTOMERS, "C1,R2,Renamed,BE,,,USD,a@example.test")

    assert counts(result) == (0, 1, 0)
    assert {warning.column for warning in result.warnings} == {"reseller", "currency"}
    changed = parties.scalars(select(Customer).where(Customer.reference == "C1")).one()
    parties.refresh(changed)
    assert (changed.legal_name, changed.country, changed.currency) == ("Renamed", "BE", "USD")


@pytest.mark.parametrize(
    ("kind", "row", "column", "words"),
    [
        (
            "customers",
            "C9,R7,Neuf,FR,,,EUR,",
            "reseller",
            'reseller "R7" is not known: import resellers first',
        ),
        ("customers", "C9,R7,Neuf,XX,,,EUR,", "reseller", "import resellers first"),
        ("customers", "C9,R1,Neuf,XX,,,EUR,", "country", "such as FR"),
        ("customers", "C9,R1,Neuf,FR,,,EUX,", "currency", "such as EUR"),
        ("customers", "C9,R1,Neuf,FR,FR12,,EUR,", "vat_number", "leave it blank"),
        ("accounts", "aws,1,C7,,", "customer", 'customer "C7" is not known: import customers first'),
        ("accounts", "aws,1,C7,never,", "customer", "import customers first"),
        ("accounts", ",1,C1,,", "vendor", "must not be blank"),
        ("rules", "retail,R7,,,,,,cost,5,,,,", "reseller", "import resellers first"),
        ("rules", "retail,,C7,,,,,price,5,,,,", "customer", "import customers first"),
        ("fx", "2024-09,USD,EUR,0", "rate", "more than zero"),
        ("fx", "2024-09,EUR,EUR,1", "to", "no rate is needed"),
    ],
)
def test_what_is_not_known_is_named_with_the_remedy(
    parties: Session, kind: str, row: str, column: str, words: str
) -> None:
    carry_out, header, _, _ = FILES[kind]

    faults = refused(parties, carry_out, header, row)

    assert any(found == column and words in reason for _, found, reason in faults)


@every_kind
def test_the_same_row_twice_is_one(parties: Session, kind: str) -> None:
    carry_out, header, rows, _ = FILES[kind]

    assert counts(take(parties, carry_out, header, rows[0], rows[0])) == (1, 0, 1)


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        ("resellers", ("R8,Huit,FR,,,,EUR,,", "R8,Acht,DE,,,,EUR,,")),
        ("fx", ("2024-09,USD,EUR,0.9", "2024-09,USD,EUR,0.91")),
    ],
)
def test_two_rows_of_one_reference_that_differ_are_refused(
    parties: Session, kind: str, rows: Iterable[str]
) -> None:
    carry_out, header, _, _ = FILES[kind]

    ((row, _, reason),) = refused(parties, carry_out, header, *rows)

    assert row == 2
    assert "row 1" in reason


@pytest.mark.parametrize(
    ("rows", "faults"),
    [
        (["aws,1,C1,,2024-06-01", "aws,1,C2,2024-06-01,"], []),
        (["aws,1,C1,,", "azure,1,C2,,"], []),
        (["aws,1,C1,,2024-06-02", "aws,1,C2,2024-06-01,"], [2]),
        (["aws,1,C1,,", "aws,1,C2,2024-01-01,2024-02-01", "aws,1,C3,2024-03-01,2024-04-01"], [2, 3]),
        (["aws,1,C1,2024-06-01,2024-06-01", "aws,1,C2,,"], []),
        (["aws,1,C1,2024-01-01,2024-03-01", "aws,1,C1,2024-02-01,2024-04-01"], [2]),
    ],
)
def test_an_account_is_one_customers_on_any_day(parties: Session, rows: list[str], faults: list[int]) -> None:
    if faults:
        found = refused(parties, import_accounts, ACCOUNTS, *rows)
        assert [row for row, _, _ in found] == faults
        assert all("row 1 gives this account to customer C1" in reason for _, _, reason in found)
    else:
        assert take(parties, import_accounts, ACCOUNTS, *rows).added == len(rows)


def test_a_mapping_that_stands_is_named_when_it_is_in_the_way(parties: Session) -> None:
    take(parties, import_accounts, ACCOUNTS, "aws,1,C1,2024-01-01,")

    ((row, column, reason),) = refused(parties, import_accounts, ACCOUNTS, "aws,1,C2,2024-06-01,")

    assert (row, column) == (1, "account")
    assert reason.startswith("customer C1 has this account from 2024-01-01: end that mapping first")


def test_an_account_moves_by_ending_one_mapping_and_beginning_another(parties: Session) -> None:
    take(parties, import_accounts, ACCOUNTS, "aws,1,C1,,")

    moved = take(parties, import_accounts, ACCOUNTS, "aws,1,C2,2024-06-01,", "aws,1,C1,,2024-06-01")

    assert counts(moved) == (1, 1, 0)
    stands = parties.execute(
        select(Customer.reference, AccountMapping.valid_from, AccountMapping.valid_until)
        .join(Customer)
        .order_by(Customer.reference)
    ).all()
    assert [tuple(row) for row in stands] == [("C1", None, date(2024, 6, 1)), ("C2", date(2024, 6, 1), None)]


@pytest.mark.parametrize(
    ("rows", "faults"),
    [
        (["retail,R1,,,,,,cost,1,,,,2024-06-01", "retail,R1,,,,,,cost,1,,,2024-06-01,"], []),
        (["retail,R1,,,,,,cost,1,,,,", "wholesale,R1,,,,,,cost,1,,,,", "retail,R2,,,,,,cost,1,,,,"], []),
        (["retail,,C1,,,,,cost,1,,,,", "retail,R1,C1,,,,,cost,1,,,,"], []),
        (["retail,R1,,,,,,cost,1,,,,2024-06-02", "retail,R1,,,,,,cost,1,,,2024-06-01,"], [2]),
        (["retail,R1,,,,,,cost,1,,,,", "retail,R1,,,,,,cost,2,,,,", "retail,R1,,,,,,list,1,,,,"], [2, 3]),
    ],
)
def test_two_rules_of_one_scope_never_share_a_day(
    parties: Session, rows: list[str], faults: list[int]
) -> None:
    if faults:
        found = refused(parties, import_price_rules, RULES, *rows)
        assert [row for row, _, _ in found] == faults
        assert all("overlaps row 1, which is cost +1 % for reseller R1" in reason for _, _, reason in found)
    else:
        assert take(parties, import_price_rules, RULES, *rows).added == len(rows)


def test_every_row_in_the_way_of_what_stands_is_named_even_beside_a_wider_row(parties: Session) -> None:
    take(parties, import_price_rules, RULES, "retail,R1,,,,,,cost,1,,,2024-01-01,2025-01-01")

    found = refused(
        parties,
        import_price_rules,
        RULES,
        "retail,R1,,,,,,cost,2,,,2023-06-01,2024-06-01",
        "retail,R2,,,,,,cost,2,,,,",
        "retail,R1,,,,,,cost,3,,,,",
    )

    assert [row for row, _, _ in found] == [1, 3]
    assert "the rule that stands: cost +1 % for reseller R1, from 2024-01-01 until 2025-01-01" in found[0][2]


def test_the_same_price_with_another_number_of_noughts_stands_already(parties: Session) -> None:
    take(parties, import_price_rules, RULES, "retail,R1,,,,,,fixed,,1.50,EUR,,")

    again = take(parties, import_price_rules, RULES, "RETAIL,R1,,,,,,Fixed,,1.5000,eur,,")

    assert counts(again) == (0, 0, 1)


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("retail,R2,C1,,,,,cost,5,,,,", "customer"),
        ("retail,,,,,,,cost,-100.01,,,,", "percent"),
        ("retail,,,,,,,fixed,,-1,EUR,,", "unit_price"),
    ],
)
def test_a_rule_that_looks_mistaken_is_taken_with_a_warning(parties: Session, row: str, column: str) -> None:
    result = take(parties, import_price_rules, RULES, row)

    assert result.added == 1
    assert [warning.column for warning in result.warnings] == [column]


@pytest.mark.parametrize("table", ["price_rule", "account_mapping"])
def test_the_database_itself_refuses_an_overlap(parties: Session, table: str) -> None:
    customer = parties.scalars(select(Customer).where(Customer.reference == "C1")).one()
    make_rule(parties, valid_from=date(2024, 1, 1))
    make_mapping(parties, customer=customer, account="1", valid_from=date(2024, 1, 1))

    with pytest.raises(IntegrityError, match=f"ex_{table}_overlap"), parties.begin_nested():
        parties.execute(
            text(
                f"INSERT INTO {table} SELECT (jsonb_populate_record(NULL::{table}, to_jsonb(t) ||"
                " jsonb_build_object('id', t.id + 1000, 'public_id', gen_random_uuid(),"
                f" 'valid_from', '2024-06-01'))).* FROM {table} t"
            )
        )


def test_who_loses_a_race_is_told_in_words(parties: Session) -> None:
    rule = make_rule(parties)

    with (
        pytest.raises(RulesOverlap, match="End that rule first"),
        parties.begin_nested(),
        conflicts_in_words(),
    ):
        parties.execute(insert(PriceRule).values(scope_id=rule.scope_id, basis="cost", percent=1))


def test_no_statement_compares_twenty_thousand_rows_with_each_other(database: Database) -> None:
    rules = [f"retail,,,s{n},,,,cost,{n},,,," for n in range(20_000)]

    for unchanged in (0, 20_000):
        with database.transaction(SYSTEM) as session:
            # Row by row it takes minutes, by hashing a second.
            session.execute(text("SET LOCAL statement_timeout = '30s'"))
            assert take(session, import_price_rules, RULES, *rules).unchanged == unchanged


def test_the_planner_is_left_as_it_was(parties: Session) -> None:
    take(parties, import_price_rules, RULES, *(f"retail,,,s{n},,,,cost,{n},,,," for n in range(200)))

    assert parties.scalar(text("SHOW enable_nestloop")) == "on"
