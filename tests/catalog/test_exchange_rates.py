"""Exchange rates: of a month, one way, never inverted or crossed."""

from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from catalog.models import FxRate
from catalog.operations.exchange_rates import import_fx_rates
from catalog.rules.exchange_rates import FxPair, read_fx
from marketplace.core.actor import Actor
from marketplace.core.audit import AuditEntry
from marketplace.core.cells import FaultyEntry
from marketplace.core.period import Period
from tests.factories import make_fx

SYSTEM = Actor.system("tests")
CELLS = {"month": "2024-09", "from": "usd", "to": "EUR", "rate": "0.9012345678901"}


def test_a_rate_keeps_every_decimal() -> None:
    assert read_fx(CELLS).rate == Decimal("0.9012345678901")
    assert read_fx(CELLS).pair == FxPair(month=Period(2024, 9), source="USD", target="EUR")


@pytest.mark.parametrize(
    ("changes", "columns"),
    [
        ({"month": "9/2024"}, ["month"]),
        ({"from": "US"}, ["from"]),
        ({"to": "USD"}, ["to"]),
        ({"rate": "0"}, ["rate"]),
        ({"rate": "-1"}, ["rate"]),
        ({"rate": "0,9"}, ["rate"]),
        ({"rate": ""}, ["rate"]),
        ({"month": "", "from": "", "to": "", "rate": ""}, ["month", "from", "to", "rate"]),
    ],
)
def test_each_faulty_cell_is_named(changes: dict[str, str], columns: list[str]) -> None:
    with pytest.raises(FaultyEntry) as raised:
        read_fx({**CELLS, **changes})

    assert [fault.column for fault in raised.value.rows] == columns


def test_a_form_takes_a_comma() -> None:
    assert read_fx({**CELLS, "rate": "0,9"}, allow_comma=True).rate == Decimal("0.9")


def test_setting_a_rate_anew_changes_it_once_and_says_so(session: Session) -> None:
    for rate in ("0.9", "0.90", "0.95"):
        content = f"month,from,to,rate\n2024-09,USD,EUR,{rate}\n".encode()
        import_fx_rates(session, actor=SYSTEM, file="fx.csv", content=content)

    assert session.scalars(select(FxRate.rate)).all() == [Decimal("0.95")]
    entries = session.execute(select(AuditEntry.action, AuditEntry.after).order_by(AuditEntry.id))
    assert [tuple(entry) for entry in entries] == [
        ("fx_rate.add", {"rate": "0.9"}),
        ("fx_rate.change", {"rate": "0.95"}),
    ]


@pytest.mark.parametrize(("rate", "target"), [("0", "EUR"), ("1", "USD")])
def test_the_database_itself_refuses_a_rate_that_cannot_be(session: Session, rate: str, target: str) -> None:
    with pytest.raises(IntegrityError), session.begin_nested():
        make_fx(session, rate, source="USD", target=target)
