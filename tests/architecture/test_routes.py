"""Every address: declared, typed, spelt alike, and kept."""

import re

import pytest

from tests.architecture.routes import STORED, routes
from tests.personas import PeopledSite

pytestmark = pytest.mark.only_reads

#: Addresses for visitors who have not signed in, and nobody else's business.
PUBLIC = {
    "GET /sign-in",
    "POST /sign-in",
    "POST /sign-out",
    "GET /forgotten-password",
    "POST /forgotten-password",
    "GET /set-password/<string(length=43):token>",
    "POST /set-password/<string(length=43):token>",
    # Whoever has the link of a quote reads and answers it.
    "GET /quotes/<string(length=43):token>",
    "GET /quotes/<string(length=43):token>/paper",
    "POST /quotes/<string(length=43):token>",
    "POST /quotes/<string(length=43):token>/decline",
    # So does whoever has that of renewals.
    "GET /renew/<string(length=43):token>",
    "POST /renew/<string(length=43):token>",
    # The party viewed as lacks the permission; the view finds nothing for a visitor.
    "POST /view-as/stop",
    "GET /help",
    # What a reseller's pages wear, before anybody signs in there.
    "GET /at/<string:firm>",
    "GET /at/<string:firm>/<path:page>",
    "GET /brand/<uuid:brand_id>/accent.css",
    "GET /brand/<uuid:brand_id>/logo",
    # Applicants have no account: the private link is what opens their page.
    "GET /apply",
    "POST /apply",
    "GET /apply/<string(length=43):token>",
    "POST /apply/<string(length=43):token>",
    "POST /apply/<string(length=43):token>/documents",
    "POST /apply/<string(length=43):token>/documents/<uuid:document_id>/remove",
    "POST /apply/<string(length=43):token>/send",
    "POST /apply/<string(length=43):token>/answer",
}


def test_every_route_declares_its_permission_or_is_known_to_be_public(site: PeopledSite) -> None:
    undeclared = {str(route) for route in routes(site.app) if route.permission is None}

    assert undeclared == PUBLIC
    assert {str(route) for route in routes(site.app) if route.is_public} == PUBLIC


def test_pages_of_an_audience_ask_for_a_permission_of_that_audience(site: PeopledSite) -> None:
    for route in routes(site.app):
        if route.audience is not None:
            assert route.permission is not None, route
            assert route.permission.startswith(f"{route.audience.value}:"), route


def test_every_variable_in_an_address_has_a_type(site: PeopledSite) -> None:
    untyped = [str(route) for route in routes(site.app) for kind, _name in route.variables if not kind]

    assert untyped == []


def test_every_address_is_in_kebab_case(site: PeopledSite) -> None:
    parts = {
        part for route in routes(site.app) for part in re.sub(r"<[^>]*>", "", route.rule).split("/") if part
    }

    assert [part for part in parts if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)?", part)] == []


def test_no_address_has_vanished_or_come_unnoticed(site: PeopledSite) -> None:
    """People keep addresses. One that goes needs a redirect; then write the list again: `make docs`."""
    known = set(STORED.read_text(encoding="utf-8").splitlines())
    found = {str(route) for route in routes(site.app)}

    assert known - found == set(), "addresses that have vanished"
    assert found - known == set(), "addresses that are not in urls.txt yet: make docs"
