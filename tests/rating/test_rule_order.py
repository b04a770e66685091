"""The order of specificity, and that the close goes by it at both hops and by the day of usage."""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from marketplace.billing.closing import close_period
from marketplace.core.actor import Actor
from marketplace.core.db import Database
from marketplace.core.period import Period
from marketplace.rating.rule_choice import SCOPE_COLUMNS, Scope, specificity
from marketplace.settings import Settings
from resellers.models import Basis, Hop
from tests.billing.lake import Usage, deliver
from tests.factories import make_customer, make_mapping, make_reseller, make_rule

#: The columns each rung fills, the most specific first.
LADDER = (
    ("subscription",),
    ("customer_id", "vendor", "product", "sku"),
    ("customer_id", "vendor", "product"),
    ("customer_id", "vendor"),
    ("customer_id",),
    ("reseller_id", "vendor", "product", "sku"),
    ("reseller_id", "vendor", "product"),
    ("reseller_id", "vendor"),
    ("reseller_id",),
    ("vendor", "product", "sku"),
    ("vendor", "product"),
    ("vendor",),
    (),
)
#: Scopes that can be: a sku has its product, a product its vendor.
catalogues = st.sampled_from([(), ("vendor",), ("vendor", "product"), ("vendor", "product", "sku")])
parties = st.sets(st.sampled_from(["reseller_id", "customer_id", "subscription"])).map(tuple)
scopes = st.builds(lambda some, more: frozenset(some + more), parties, catalogues)


@pytest.mark.parametrize(("narrow", "wide"), list(pairwise(LADDER)))
def test_each_rung_goes_before_the_next(narrow: tuple[str, ...], wide: tuple[str, ...]) -> None:
    assert specificity(narrow) > specificity(wide)


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        (("customer_id", "reseller_id"), ("customer_id",)),
        (("customer_id", "vendor"), ("customer_id", "reseller_id")),
        (("customer_id",), ("reseller_id", "vendor", "product", "sku")),
        (("subscription",), ("customer_id", "reseller_id", "vendor", "product", "sku")),
        (("subscription", "customer_id"), ("subscription", "reseller_id", "vendor")),
        (("subscription", "vendor"), ("subscription",)),
    ],
)
def test_more_columns_of_a_rung_go_before_fewer(narrow: tuple[str, ...], wide: tuple[str, ...]) -> None:
    assert specificity(narrow) > specificity(wide)


@given(scopes, scopes)
def test_two_scopes_are_never_equally_specific(one: frozenset[str], other: frozenset[str]) -> None:
    assert (specificity(one) == specificity(other)) == (one == other)


def test_a_scope_fills_the_columns_that_are_not_blank() -> None:
    assert Scope(customer_id=7, vendor="aws").filled == ("customer_id", "vendor")
    assert set(Scope(1, 2, "s", "v", "p", "k").filled) == set(SCOPE_COLUMNS)


NOW = datetime(2024, 10, 5, 8, tzinfo=UTC)


def close(database: Database, settings: Settings) -> None:
    close_period(
        database,
        settings,
        period=Period(2024, 9),
        actor=Actor.system(),
        approve=False,
        dry_run=False,
        now=NOW,
    )


def lines(database: Database, columns: str) -> list[Any]:
    with database.owner_transaction() as session:
        return [
            tuple(row)
            for row in session.execute(text(f"SELECT {columns} FROM statement_line ORDER BY {columns}"))
        ]


#: Usage each of whose rows another rung of the ladder wins; the narrower ones do not match it.
ROWS = (
    Usage(account="one", product="P", sku="K", subscription="S"),
    Usage(account="one", product="P", sku="K"),
    Usage(account="one", product="P", sku="other"),
    Usage(account="one", product="other", sku="K"),
    Usage(account="one/elsewhere", product="P", sku="K"),
    Usage(account="two", product="P", sku="K"),
    Usage(account="two", product="P", sku="other"),
    Usage(account="two", product="other", sku="K"),
    Usage(account="two/elsewhere", product="P", sku="K"),
    Usage(account="three", product="P", sku="K"),
    Usage(account="three", product="P", sku="other"),
    Usage(account="three", product="other", sku="K"),
    Usage(account="three/elsewhere", product="P", sku="K"),
)


def test_the_close_takes_the_most_specific_rule_at_both_hops(database: Database, settings: Settings) -> None:
    with database.owner_transaction() as session:
        first, second = make_reseller(session, "R1"), make_reseller(session, "R2")
        customers = {
            "one": make_customer(session, "C1", reseller=first),
            "two": make_customer(session, "C2", reseller=first),
            "three": make_customer(session, "C3", reseller=second),
        }
        named: dict[str, dict[str, Any]] = {
            "customer_id": {"customer": customers["one"]},
            "reseller_id": {"reseller": first},
            "subscription": {"subscription": "S"},
            "vendor": {"vendor": "cloud"},
            "product": {"product": "P"},
            "sku": {"sku": "K"},
        }
        # Entered from the widest, so that the order of entry cannot stand in for that of the ladder.
        for rung, columns in reversed(list(enumerate(LADDER, start=1))):
            scope: dict[str, Any] = {}
            for column in columns:
                scope |= named[column]
            make_rule(session, Hop.WHOLESALE, percent=str(rung), **scope)
            make_rule(session, Hop.RETAIL, percent=str(100 + rung), **scope)
        for account, customer in customers.items():
            make_mapping(session, customer=customer, account=account, vendor="cloud")
            make_mapping(session, customer=customer, account=f"{account}/elsewhere", vendor="elsewhere")
        lake = Path(settings.lake)
        rows = [Usage(**{**vars(row), "meter": f"{rung:02}"}) for rung, row in enumerate(ROWS, start=1)]
        deliver(session, lake, [row for row in rows if "/" not in row.account], vendor="cloud")
        deliver(session, lake, [row for row in rows if "/" in row.account], vendor="elsewhere")

    close(database, settings)

    assert lines(database, "hop, meter, percent") == [
        *(("retail", f"{rung:02}", Decimal(100 + rung)) for rung in range(1, 14)),
        *(("wholesale", f"{rung:02}", Decimal(rung)) for rung in range(1, 14)),
    ]


def test_a_rule_prices_the_days_of_usage_it_holds_on(database: Database, settings: Settings) -> None:
    with database.owner_transaction() as session:
        customer = make_customer(session, "C1")
        make_mapping(session, customer=customer, account="a1", vendor="cloud")
        make_rule(session, percent="1", valid_until=date(2024, 9, 10))
        make_rule(session, percent="2", valid_from=date(2024, 9, 10), valid_until=date(2024, 9, 20))
        make_rule(session, percent="9", valid_from=date(2024, 9, 25), valid_until=date(2024, 9, 25))
        deliver(
            session,
            Path(settings.lake),
            [Usage(day=date(2024, 9, day), meter=f"{day:02}") for day in (1, 9, 10, 19, 20, 25, 30)],
        )

    close(database, settings)

    wholesale = [row[1:] for row in lines(database, "hop, meter, percent, gap") if row[0] == "wholesale"]
    assert wholesale == [
        ("01", Decimal(1), ""),
        ("09", Decimal(1), ""),
        ("10", Decimal(2), ""),
        ("19", Decimal(2), ""),
        ("20", Decimal(0), "no_rule"),
        ("25", Decimal(0), "no_rule"),
        ("30", Decimal(0), "no_rule"),
    ]


def test_two_equal_rules_that_follow_each_other_make_two_lines(
    database: Database, settings: Settings
) -> None:
    with database.owner_transaction() as session:
        customer = make_customer(session, "C1")
        make_mapping(session, customer=customer, account="a1", vendor="cloud")
        make_rule(session, basis=Basis.COST, percent="10", valid_until=date(2024, 9, 15))
        make_rule(session, basis=Basis.COST, percent="10", valid_from=date(2024, 9, 15))
        deliver(
            session, Path(settings.lake), [Usage(day=date(2024, 9, day), cost="2") for day in (14, 15, 16)]
        )

    close(database, settings)

    assert lines(database, "hop, basis_amount") == [
        ("retail", Decimal("2.2")),
        ("retail", Decimal("4.4")),
        ("wholesale", Decimal(2)),
        ("wholesale", Decimal(4)),
    ]


def test_equal_fractions_go_by_the_bytes_of_the_business_fields(
    database: Database, settings: Settings
) -> None:
    # In UTF-8, capitals come before small letters and accents after both, whatever a language thinks.
    products = ["zebra", "Zebra", "éclair", "\U0001f600", "\uffee"]
    with database.owner_transaction() as session:
        make_mapping(session, customer=make_customer(session, "C1"), account="a1", vendor="cloud")
        deliver(session, Path(settings.lake), [Usage(product=product, cost="0.005") for product in products])

    close(database, settings)

    raised = {product for product, minor in lines(database, "product, amount_minor") if minor}
    assert raised == set(sorted(products, key=lambda name: name.encode())[:3])
