"""Copying lines into PostgreSQL while the next are being made."""

import time
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.billing import drafts
from marketplace.core.period import Period

SEPTEMBER = Period.parse("2024-09")
LOT = pa.table({"group_id": ["0" * 32], "unit": ['Hours, "busy"\n']})


@pytest.fixture
def table(session: Session) -> str:
    session.execute(text("CREATE TEMP TABLE some_lines (id uuid, period int, group_id uuid, unit text)"))
    return "some_lines"


def test_lots_are_copied_whatever_stands_in_them(session: Session, table: str) -> None:
    drafts.copy_lines(session, table, SEPTEMBER, [LOT, LOT])

    rows = session.execute(text("SELECT id = group_id, period, unit FROM some_lines")).all()
    assert rows == [(True, 202409, 'Hours, "busy"\n')] * 2


def test_where_making_a_lot_fails_the_one_at_work_is_copied_to_its_end(
    session: Session, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = []
    copy_lot = drafts._copy_lot

    def slowly(*arguments: Any) -> None:
        time.sleep(0.2)
        copy_lot(*arguments)
        copied.append(arguments)

    def made() -> Iterator[pa.Table]:
        yield LOT
        raise LookupError("the second lot")

    monkeypatch.setattr(drafts, "_copy_lot", slowly)

    with pytest.raises(LookupError, match="the second lot"), session.begin_nested():
        drafts.copy_lines(session, table, SEPTEMBER, made())

    assert len(copied) == 1
    assert session.scalar(text("SELECT count(*) FROM some_lines")) == 0
