"""Everybody's browser, on two months of statements; folders with a site of their own say so."""

from typing import Any

import pytest

from marketplace.core.db import Database
from marketplace.settings import Settings
from tests.conftest import World
from tests.page import Visitor
from tests.web.buyers import BuyersSite, two_months


@pytest.fixture
def world() -> World:
    return two_months


@pytest.fixture
def site(settings: Settings, database: Database, facts: Any) -> BuyersSite:
    return BuyersSite(settings, database, month=facts)


@pytest.fixture
def rashid(site: BuyersSite) -> Visitor:
    return site.browser_of("rashid")


@pytest.fixture
def rosa(site: BuyersSite) -> Visitor:
    return site.browser_of("rosa")


@pytest.fixture
def carla(site: BuyersSite) -> Visitor:
    return site.browser_of("carla")


@pytest.fixture
def pavel(site: BuyersSite) -> Visitor:
    return site.browser_of("pavel")
