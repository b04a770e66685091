"""The kit by itself: actors made up, an empty database behind them."""

from typing import Any

import pytest

from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.db import Database
from marketplace.settings import Settings
from tests.page import Site, Visitor


def actor_of(
    audience: Audience, *, permissions: frozenset[Permission] = frozenset(Permission), **facts: Any
) -> Actor:
    names = {Audience.WHOLESALER: "Wanda", Audience.RESELLER: "Rashid", Audience.CUSTOMER: "Carla"}
    return Actor(
        name=names[audience], audience=audience, party_id=1, user_id=1, permissions=permissions, **facts
    )


@pytest.fixture
def world() -> None:
    return None


@pytest.fixture
def site(settings: Settings, database: Database) -> Site:
    return Site(settings, database)


@pytest.fixture
def wanda(site: Site) -> Visitor:
    return site.visitor(actor_of(Audience.WHOLESALER))


@pytest.fixture
def rashid(site: Site) -> Visitor:
    return site.visitor(actor_of(Audience.RESELLER))


@pytest.fixture
def carla(site: Site) -> Visitor:
    return site.visitor(actor_of(Audience.CUSTOMER))
