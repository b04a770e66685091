"""What tests of the close share: closing a month of a small lake."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from marketplace.billing.closing import close_period
from marketplace.core.actor import Actor
from marketplace.core.db import Database
from marketplace.core.period import Period
from marketplace.settings import Settings

NOW = datetime(2024, 10, 5, 8, tzinfo=UTC)

Close = Callable[..., dict[str, Any]]


@pytest.fixture
def close(database: Database, settings: Settings) -> Close:
    """Rate a month, and approve and close it if told to."""

    def run(period: str = "2024-09", *, approve: bool = False, dry_run: bool = False) -> dict[str, Any]:
        actor = Actor.system()
        month = Period.parse(period)
        return close_period(
            database, settings, period=month, actor=actor, approve=approve, dry_run=dry_run, now=NOW
        )

    return run


@pytest.fixture
def lake(settings: Settings) -> Path:
    """The folder of the lake."""
    return Path(settings.lake)
