"""Marketplaces used by their commands."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ThrowAwayPostgres
from tests.oracle.commands import Marketplace, fresh_marketplace


@pytest.fixture(scope="module")
def desk(postgres: ThrowAwayPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Marketplace]:
    """An installation for all tests of a file whose deliveries have nothing to do with each other."""
    with fresh_marketplace(postgres, tmp_path_factory.mktemp("desk")) as marketplace:
        yield marketplace


@pytest.fixture
def marketplace(postgres: ThrowAwayPostgres, tmp_path: Path) -> Iterator[Marketplace]:
    """An installation of the test's own."""
    with fresh_marketplace(postgres, tmp_path) as marketplace:
        yield marketplace
