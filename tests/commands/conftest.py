"""The small month, made once by the commands alone; the tests of this folder read it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.commands.month import PERIOD, write_files
from tests.conftest import ThrowAwayPostgres
from tests.factories import make_wholesaler
from tests.oracle.commands import Marketplace, fresh_marketplace


@dataclass(frozen=True)
class Month:
    """An installation with the month rated, and what each command answered on the way."""

    marketplace: Marketplace
    files: Path
    answers: dict[str, dict[str, Any]]
    # What was read once: nothing in this folder changes the month.
    _lines: dict[tuple[str, ...], list[dict[str, str]]] = field(default_factory=dict)
    _explained: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def lines(self, hop: str, *options: str) -> list[dict[str, str]]:
        """Give the exported lines of a hop."""
        key = (hop, *options)
        if key not in self._lines:
            self._lines[key] = self.marketplace.lines(PERIOD, hop, *options)
        return self._lines[key]

    def explain(self, line: str, audience: str, *, code: int = 0) -> dict[str, Any]:
        """Give the explanation of a line to an audience."""
        key = (line, audience)
        if key not in self._explained:
            self._explained[key] = self.marketplace.run("explain", line, "--as", audience, code=code)
        return self._explained[key]


@pytest.fixture(scope="session")
def month(postgres: ThrowAwayPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Month]:
    """Import everything and rate the month."""
    folder = tmp_path_factory.mktemp("month")
    files = folder / "files"
    write_files(files)
    with fresh_marketplace(postgres, folder) as marketplace:
        answers = {"migrate": marketplace.run("migrate")}
        for kind in ("resellers", "customers", "accounts", "rules", "fx"):
            answers[kind] = marketplace.run("import", kind, files / f"{kind}.csv")
        told = ("--vendor", "cloud")
        answers["usage"] = marketplace.run(
            "usage", "import", files / "usage.csv", *told, "--billing-account", "B1"
        )
        answers["focus"] = marketplace.run("usage", "import", files / "focus.csv", *told)
        answers["close"] = marketplace.close(PERIOD)
        yield Month(marketplace, files, answers)


@pytest.fixture
def migrated(postgres: ThrowAwayPostgres, tmp_path: Path) -> Iterator[Marketplace]:
    """An installation of the test's own, with its tables and the wholesaler alone."""
    with fresh_marketplace(postgres, tmp_path) as marketplace:
        marketplace.run("migrate")
        with marketplace.session() as session:
            make_wholesaler(session)
        yield marketplace
