"""`subscription change` and `renewals`: what a change comes to, making it once, and what renews when."""

from datetime import UTC, datetime, timedelta

import pytest

from catalog.models import SkuRelation
from catalog.words import RelationKind
from tests.factories import make_customer, make_subscription
from tests.offer_factories import make_plan, make_sku, priced
from tests.oracle.commands import Marketplace

BOUGHT = datetime.now(UTC) - timedelta(days=40)


@pytest.fixture
def installed(migrated: Marketplace) -> tuple[Marketplace, str]:
    """An installation with one subscription: ten seats for a year, bought forty days ago."""
    with migrated.session() as session:
        plan = make_plan(session, make_sku(session))
        made = make_subscription(
            session,
            make_customer(session, "C1"),
            what=priced(session, plan),
            on=BOUGHT,
            vendor_id="sub-1",
        )
        identity = str(made.public_id)
    return migrated, identity


def test_a_preview_changes_nothing(installed: tuple[Marketplace, str]) -> None:
    marketplace, identity = installed

    answer = marketplace.run("subscription", "change", identity, "--quantity", "12", "--preview")
    again = marketplace.run("subscription", "change", "sub-1", "--quantity", "12", "--preview")

    assert answer.pop("deadline") < again.pop("deadline")
    assert answer == again
    assert answer["when"] == "now"
    assert [charge["quantity"] for charge in answer["charges"]] == [-10, 12]
    assert set(answer["hops"]) == {"cost", "wholesale", "retail"}


def test_a_change_is_an_order_and_one_for_a_key(installed: tuple[Marketplace, str]) -> None:
    marketplace, identity = installed
    told = ("subscription", "change", identity, "--key", "ticket 7", "--po-number", "PO-7")

    first = marketplace.run(*told, "--quantity", "12")
    second = marketplace.run(*told, "--quantity", "13")

    assert (first["state"], first["when"]) == ("provisioning", "now")
    assert second == first
    # The vendor has not said yet that it is so.
    end = BOUGHT.date().replace(year=BOUGHT.year + 1)
    (renewal,) = marketplace.run("renewals", f"{end:%Y-%m}")["renewals"]
    assert (renewal["quantity"], renewal["term_end"], renewal["at_term_end"]) == (10, str(end), "renew")


def test_seats_are_upgraded_into_a_subscription_there_is(migrated: Marketplace) -> None:
    with migrated.session() as session:
        customer = make_customer(session, "C1")
        basic, better = make_sku(session), make_sku(session, "Microsoft 365 E3")
        kind = RelationKind.UPGRADE.value
        session.add(SkuRelation(sku_id=basic.id, kind=kind, target_sku_id=better.id))
        for sku, name in ((basic, "sub-1"), (better, "sub-2")):
            what = priced(session, make_plan(session, sku))
            make_subscription(session, customer, what=what, on=BOUGHT, vendor_id=name)
    asked = ("subscription", "change", "sub-1", "--into", "sub-2")

    unsaid = migrated.run(*asked, "--cancel", code=1)
    seen = migrated.run(*asked, "--quantity", "4", "--preview")
    made = migrated.run(*asked, "--quantity", "4")

    assert "--quantity" in unsaid["error"]
    assert sorted((one["type"], one["quantity"]) for one in seen["charges"]) == [
        ("convert", -10),
        ("convert", 6),
        ("moveQuantity", -10),
        ("moveQuantity", 14),
    ]
    assert (made["state"], made["when"]) == ("provisioning", "now")


def test_fewer_seats_are_ordered_for_the_renewal_and_one_order_at_a_time(
    installed: tuple[Marketplace, str],
) -> None:
    marketplace, identity = installed

    answer = marketplace.run("subscription", "change", identity, "--quantity", "4")
    refused = marketplace.run("subscription", "change", "sub-1", "--quantity", "5", code=1)

    assert (answer["when"], answer["adds"]["wholesale"]) == ("renewal", "0.00 EUR")
    assert f"{answer['name']} changes this subscription already" in refused["error"]


def test_what_the_rules_forbid_is_refused_in_a_sentence(installed: tuple[Marketplace, str]) -> None:
    marketplace, identity = installed

    refused = marketplace.run("subscription", "change", identity, "--quantity", "10", code=1)
    unknown = marketplace.run("subscription", "change", "nobody's", "--cancel", code=1)

    assert "seats already" in refused["error"]
    assert "There is no subscription nobody's" in unknown["error"]


def test_a_month_without_renewals_says_so(installed: tuple[Marketplace, str]) -> None:
    marketplace, _ = installed

    assert marketplace.run("renewals", "2031-01") == {"period": "2031-01", "renewals": []}
