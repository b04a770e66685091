"""The kit by itself: actors made up, an empty database behind them."""

from typing import Any

import pytest
from flask import Flask

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


def add_missing_pages(app: Flask) -> None:
    """Give the shells' buttons somewhere to lead where the kit is tested before the pages of other areas."""
    known = {rule.rule for rule in app.url_map.iter_rules()}
    for path, method in (
        ("/", "GET"),
        ("/admin/", "GET"),
        ("/portal/", "GET"),
        ("/sign-out", "POST"),
        ("/view-as/stop", "POST"),
    ):
        if path not in known:
            view = lambda: ""  # noqa: E731 - a page with nothing on it
            view.is_public = True  # type: ignore[attr-defined]
            app.add_url_rule(path, endpoint=f"missing{path}", view_func=view, methods=[method])


@pytest.fixture
def world() -> None:
    return None


@pytest.fixture
def site(settings: Settings, database: Database) -> Site:
    site = Site(settings, database)
    add_missing_pages(site.app)
    return site


@pytest.fixture
def wanda(site: Site) -> Visitor:
    return site.visitor(actor_of(Audience.WHOLESALER))


@pytest.fixture
def rashid(site: Site) -> Visitor:
    return site.visitor(actor_of(Audience.RESELLER))


@pytest.fixture
def carla(site: Site) -> Visitor:
    return site.visitor(actor_of(Audience.CUSTOMER))
