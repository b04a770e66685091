"""Imports that are killed, cancelled, or run at the same time: all of a delivery counts, or nothing."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select, text

from marketplace.core.actor import Actor
from marketplace.core.db import Database
from marketplace.settings import Settings
from marketplace.usage.models import Delivery, DeliverySlice
from marketplace.usage.operations import GivenFile, import_files, read_delivery, receive_files
from marketplace.usage.originals import remove_abandoned_copies
from marketplace.usage.reader import Cancelled
from tests.oracle.commands import Marketplace
from tests.usage.deliveries import csv_text, own, save

_ACTOR = Actor.system("test")
# Stages at which a process kills itself, by the function it is about to enter or has just left.
_KILLED_AT = {
    "storing": "marketplace.usage.originals:os.fsync",
    "before reading": "marketplace.usage.operations.reading:read_file",
    "moving into the lake": "marketplace.usage.operations.sums:rejects_path",
    "before it becomes current": "marketplace.usage.operations.reading:make_current",
    "while it becomes current": "marketplace.usage.operations.replacing:_retire",
}
_KILLING = """
import importlib, os, signal, sys
from marketplace import cli
place, *arguments = sys.argv[1:]
module, _, name = place.partition(":")
owner = importlib.import_module(module)
*path, last = name.split(".")
for step in path:
    owner = getattr(owner, step)
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(owner, last, die)
sys.exit(cli.main(arguments))
"""


def start(marketplace: Marketplace, *command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        env={**os.environ, **marketplace.environment},
        cwd=Path(__file__).parents[2],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def importing(file: Path, *options: str) -> Sequence[str]:
    return ("usage", "import", str(file), "--vendor", "microsoft", *options, "--json")


def sums(marketplace: Marketplace) -> list[tuple[int, dict[str, str]]]:
    with marketplace.session() as session:
        pieces = session.scalars(select(DeliverySlice).where(DeliverySlice.is_current)).all()
        return [(piece.accepted, piece.cost) for piece in pieces]


def statuses(marketplace: Marketplace) -> list[str]:
    with marketplace.session() as session:
        return list(session.scalars(select(Delivery.status).order_by(Delivery.id)))


@pytest.mark.parametrize("place", _KILLED_AT.values(), ids=_KILLED_AT.keys())
def test_killed_anywhere_nothing_changes_and_the_next_import_works(
    marketplace: Marketplace, place: str
) -> None:
    marketplace.deliver(save(marketplace, csv_text([own(cost="1")]), "standing.csv"), vendor="microsoft")
    newer = save(marketplace, csv_text([own(cost="2"), own(cost="bad")]), "newer.csv")

    killed = start(marketplace, sys.executable, "-c", _KILLING, place, *importing(newer))
    output, errors = killed.communicate(timeout=60)

    assert killed.returncode == -signal.SIGKILL, output + errors
    assert sums(marketplace) == [(1, {"EUR": "1"})]
    answer = marketplace.deliver(newer, vendor="microsoft")
    assert (answer["duplicate"], answer["accepted"], answer["rejected"]) == (False, 1, 1)
    assert sums(marketplace) == [(1, {"EUR": "2"})]
    kept = {path.parent.name for path in (marketplace.home / "lake").rglob("usage/**/*.parquet")}
    assert kept == {"delivery=1", f"delivery={answer['delivery']}"}
    assert not list((marketplace.home / "work").iterdir())
    assert "reading" not in statuses(marketplace)


def test_killed_at_a_random_instant_it_counts_whole_or_not_at_all(marketplace: Marketplace) -> None:
    marketplace.run("migrate")
    rows = [own(account=str(number), cost="0.5") for number in range(40_000)]
    file = save(marketplace, csv_text(rows), "large.csv")
    process = start(marketplace, sys.executable, "-m", "marketplace", *importing(file))
    deadline = time.monotonic() + 60
    while "reading" not in statuses(marketplace) and time.monotonic() < deadline:
        time.sleep(0.01)

    process.kill()
    process.communicate()

    whole = [(40_000, {"EUR": "20000"})]
    assert sums(marketplace) in ([], whole)
    marketplace.deliver(file, vendor="microsoft")
    assert sums(marketplace) == whole


def test_two_imports_of_one_file_at_once_count_once(marketplace: Marketplace) -> None:
    marketplace.run("migrate")
    file = save(marketplace, csv_text([own(account=str(number)) for number in range(20_000)]))
    processes = [start(marketplace, sys.executable, "-m", "marketplace", *importing(file)) for _ in range(2)]

    outputs = [process.communicate(timeout=120) for process in processes]

    assert [process.returncode for process in processes] == [0, 0], outputs
    assert sorted('"duplicate": true' in output for output, _ in outputs) == [False, True]
    assert sums(marketplace) == [(20_000, {"EUR": "80000"})]
    kept = {path.parent.name for path in (marketplace.home / "lake").rglob("*.parquet")}
    assert len(kept) == 1


def test_the_later_of_two_deliveries_read_at_once_finds_the_earlier(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "usage.csv"
    file.write_text(csv_text([own()]))
    given = [GivenFile(file, file.name)]
    first, second = (
        receive_files(database, settings, actor=_ACTOR, files=given, vendor="microsoft") for _ in range(2)
    )
    read_delivery(database, settings, actor=_ACTOR, delivery_id=first.delivery_id)

    received = read_delivery(database, settings, actor=_ACTOR, delivery_id=second.delivery_id)

    assert (received.delivery_id, received.is_duplicate) == (first.delivery_id, True)
    with database.owner_transaction() as session:
        later = session.get_one(Delivery, second.delivery_id)
        assert (later.status, later.error) == (
            "refused",
            f"The same files were imported at the same time as delivery {first.delivery_id}. They count once.",
        )
    assert not list(Path(settings.lake).rglob(f"delivery={second.delivery_id}"))


def test_two_increments_with_a_file_in_common_do_not_bill_it_twice(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    files = []
    for name, cost in (("common.csv", "1"), ("other.csv", "2")):
        (tmp_path / name).write_text(csv_text([own(cost=cost)]))
        files.append(GivenFile(tmp_path / name, name))
    deliveries = [
        receive_files(database, settings, actor=_ACTOR, files=given, vendor="microsoft", is_addition=True)
        for given in (files[:1], files)
    ]
    read_delivery(database, settings, actor=_ACTOR, delivery_id=deliveries[0].delivery_id)

    with pytest.raises(Exception, match=r"common\.csv is already part of delivery"):
        read_delivery(database, settings, actor=_ACTOR, delivery_id=deliveries[1].delivery_id)

    with database.owner_transaction() as session:
        pieces = session.scalars(select(DeliverySlice).where(DeliverySlice.is_current)).all()
        assert [Decimal(piece.cost["EUR"]) for piece in pieces] == [Decimal(1)]


def test_a_delivery_that_is_being_read_cannot_be_read_by_another(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "usage.csv"
    file.write_text(csv_text([own()]))
    received = receive_files(
        database, settings, actor=_ACTOR, files=[GivenFile(file, file.name)], vendor="microsoft"
    )
    with database.engine.connect() as other:
        other.execute(text("SELECT pg_advisory_lock(7301, :id)"), {"id": received.delivery_id})

        with pytest.raises(Exception, match="is being read already"):
            read_delivery(database, settings, actor=_ACTOR, delivery_id=received.delivery_id)


def test_reading_a_delivery_twice_changes_nothing(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "usage.csv"
    file.write_text(csv_text([own()]))
    received = import_files(
        database, settings, actor=_ACTOR, files=[GivenFile(file, file.name)], vendor="microsoft"
    )

    again = read_delivery(database, settings, actor=_ACTOR, delivery_id=received.delivery_id)

    assert again.delivery_id == received.delivery_id
    with database.owner_transaction() as session:
        assert len(session.scalars(select(DeliverySlice)).all()) == 1


def test_a_cancelled_import_leaves_nothing(database: Database, settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "usage.csv"
    file.write_text(csv_text([own()]))

    with pytest.raises(Cancelled):
        import_files(
            database,
            settings,
            actor=_ACTOR,
            files=[GivenFile(file, file.name)],
            vendor="microsoft",
            is_cancelled=lambda: True,
        )

    with database.owner_transaction() as session:
        assert session.scalars(select(Delivery.status)).all() == ["cancelled"]
    assert not list(Path(settings.lake).rglob("*.parquet"))
    assert not list((settings.home / "work").iterdir())


def test_copies_of_killed_programs_are_removed_and_those_in_the_making_stay(tmp_path: Path) -> None:
    incoming = tmp_path / "deliveries" / "incoming"
    incoming.mkdir(parents=True)
    now = datetime(2024, 10, 5, 12, tzinfo=UTC)
    for name, age in (("abandoned", timedelta(hours=2)), ("growing", timedelta(seconds=20))):
        (incoming / name).write_bytes(b"half")
        instant = (now - age).timestamp()
        os.utime(incoming / name, (instant, instant))

    remove_abandoned_copies(tmp_path, now=now)

    assert [file.name for file in incoming.iterdir()] == ["growing"]
