"""A simulator and a connector to it for each test."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from marketplace.vendors.partner_center.connector import PartnerCenter
from tests.vendors.simulated import Simulator, running_simulator


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A vendor whose clock stands still on a morning in March 2025."""
    with running_simulator() as simulator:
        simulator.at("2025-03-10T09:00:00Z")
        yield simulator


@pytest.fixture
def connector(simulator: Simulator) -> Iterator[PartnerCenter]:
    """Our connector to it."""
    with closing(simulator.connector()) as connector:
        yield connector
