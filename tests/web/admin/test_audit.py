"""The audit trail as people read it: in words, filtered, and leading to what was done."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from marketplace.core.audit import AuditEntry
from marketplace.usage.models import DeliveryStatus
from marketplace.web.audit_words import ACTIONS, changes
from tests.page import Visitor
from tests.web.admin.conftest import WholesalersSite

ROOT = Path(__file__).parents[3]
# What stands in the code as `f"{subject}.add"`, and the other acts that are put together there.
PUT_TOGETHER = {
    *(f"{party}.{verb}" for party in ("reseller", "customer") for verb in ("add", "change")),
    *(f"{terms}.end" for terms in ("account_mapping", "price_rule")),
    *(f"delivery.{status.value}" for status in (DeliveryStatus.REFUSED, DeliveryStatus.FAILED)),
    f"delivery.{DeliveryStatus.CANCELLED.value}",
}


def acts_in_code() -> Iterator[str]:
    for folder in ("marketplace", "resellers", "catalog"):
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if (
                    isinstance(node, ast.keyword)
                    and node.arg == "action"
                    and isinstance(node.value, ast.Constant)
                ):
                    yield str(node.value.value)


def test_every_act_has_its_words() -> None:
    acts = {act for act in acts_in_code() if "." in act} | PUT_TOGETHER

    assert acts - ACTIONS.keys() == set()


@pytest.fixture
def trail(walter: Visitor) -> Visitor:
    """Walter, who has changed the settings and started a close."""
    walter.post("/admin/settings", {"legal_name": "Nuage SA", "country": "FR", "currency": "EUR"})
    walter.post("/admin/periods/2024-09/rate", {})
    return walter


def test_acts_are_told_in_words_with_what_changed(trail: Visitor) -> None:
    page = trail.get("/admin/audit").main

    assert "Changed the settings" in page
    assert "Nuage SA" in page


def test_acts_are_told_in_french(site: WholesalersSite, trail: Visitor) -> None:
    assert "A modifié les réglages" in site.browser_of("walter", language="fr").get("/admin/audit").main


def test_the_trail_is_filtered_by_what_was_changed(trail: Visitor) -> None:
    page = trail.get("/admin/audit?subject=billing_period").main

    assert "Rated a month" in page
    assert "Changed the settings" not in page


def test_the_trail_is_filtered_by_days(trail: Visitor) -> None:
    assert "Nothing matches" in trail.get("/admin/audit?until=2020-01-01").main


def test_a_day_that_is_none_finds_nothing(trail: Visitor) -> None:
    assert "Nothing matches" in trail.get("/admin/audit?since=yesterday").main


def test_an_act_leads_to_what_it_was_done_to(trail: Visitor) -> None:
    links = [link.get("href") for link in trail.get("/admin/audit?subject=billing_period").all("a")]

    assert "/admin/periods/2024-09" in links


def test_the_file_keeps_all_facts(trail: Visitor) -> None:
    assert b"Nuage SA" in trail.download("/admin/audit?format=csv")


def test_facts_that_stayed_are_left_out() -> None:
    entry = AuditEntry(
        before={"reference": "nord", "email": "", "currency": "EUR"},
        after={"reference": "nord", "email": "", "currency": "CHF"},
    )

    assert changes(entry) == [("currency".capitalize(), "EUR", "CHF")]
