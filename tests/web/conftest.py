"""Everybody's browser, on two months of statements; folders with a site of their own say so."""

import pytest

from marketplace.core.db import Database
from marketplace.settings import Settings
from tests.page import Visitor
from tests.web.buyers import BuyersSite


@pytest.fixture
def site(settings: Settings, database: Database) -> BuyersSite:
    return BuyersSite(settings, database)


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
