"""The wholesaler's browsers, on a month that was really rated."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from marketplace.billing.closing import close_period
from marketplace.core.actor import Actor
from marketplace.core.db import Database
from marketplace.core.period import Period
from marketplace.settings import Settings
from resellers.models import Basis, Hop
from tests.billing.lake import Usage, deliver
from tests.conftest import World
from tests.factories import make_fx, make_mapping, make_rule
from tests.page import Visitor
from tests.personas import PeopledSite, customer_called, everybody

NOW = datetime(2024, 10, 5, 8, tzinfo=UTC)


def a_rated_month(settings: Settings, database: Database) -> None:
    """Begin with everybody, terms and usage, and September 2024 rated."""
    everybody(settings, database)
    with database.owner_transaction() as session:
        make_mapping(session, customer=customer_called(session, "carla-works"), account="a1", vendor="cloud")
        make_mapping(session, customer=customer_called(session, "stella-mills"), account="a2", vendor="cloud")
        make_rule(session, Hop.WHOLESALE, basis=Basis.COST, percent="10")
        make_rule(session, Hop.WHOLESALE, basis=Basis.COST, percent="-50", vendor="cloud", product="Loss")
        make_fx(session, "0.9", month="2024-09")
        rows = [Usage(cost="10.25", day=date(2024, 9, day)) for day in range(1, 29)]
        rows += [Usage(cost="3", account="a2", product="Disk", day=date(2024, 9, 4))]
        rows += [Usage(cost="8", account="a2", product="Loss", day=date(2024, 9, 5))]
        rows += [Usage(cost="7.77", account="orphan", product="Queue", day=date(2024, 9, 3))]
        deliver(session, Path(settings.lake), rows)
    _rate(settings, database)


def _rate(settings: Settings, database: Database, *, approve: bool = False) -> None:
    close_period(
        database,
        settings,
        period=Period(2024, 9),
        actor=Actor.system(),
        approve=approve,
        dry_run=False,
        now=NOW,
    )


class WholesalersSite(PeopledSite):
    """Everybody, and September 2024: rated, with an unmapped account, a rule gap and a loss."""

    def rate(self, *, approve: bool = False) -> None:
        """Rate the month, and close it if told to."""
        _rate(self.settings, self.database, approve=approve)


@pytest.fixture
def world() -> World:
    return a_rated_month


@pytest.fixture
def site(settings: Settings, database: Database) -> WholesalersSite:
    return WholesalersSite(settings, database)


@pytest.fixture
def walter(site: WholesalersSite) -> Visitor:
    return site.browser_of("walter")


@pytest.fixture
def wanda(site: WholesalersSite) -> Visitor:
    return site.browser_of("wanda")
