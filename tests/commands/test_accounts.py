"""`account open` and `account link`: asked for once, filled from what is known, refused in words."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from marketplace.vendors.models import ProvisioningRequest
from resellers.models import CustomerAgreement
from resellers.models.standing import Enrolment
from resellers.words import EnrolmentStatus, Programme
from tests.factories import make_customer, make_reseller
from tests.offer_factories import make_sku
from tests.oracle.commands import Marketplace

PLACE = ("--line", "1 rue des Alignements", "--postal-code", "56340", "--city", "Carnac")


@pytest.fixture
def installed(migrated: Marketplace) -> Marketplace:
    """An installation whose reseller R1 may sell to C1, which agreed to the vendor's terms and has no account."""
    with migrated.session() as session:
        reseller = make_reseller(session, "R1")
        customer = make_customer(session, "C1", reseller=reseller, legal_name="Conserverie de Carnac")
        session.add_all(
            [
                Enrolment(
                    reseller_id=reseller.id,
                    vendor="microsoft",
                    programme=Programme.INDIRECT_RESELLER.value,
                    status=EnrolmentStatus.ACTIVE.value,
                    partner_id="4847383",
                ),
                CustomerAgreement(
                    customer_id=customer.id,
                    vendor="microsoft",
                    template="117a77b0-9360-443b-8795-c6dedc750cf9",
                    first_name="Camille",
                    last_name="Le Bihan",
                    email="camille@carnac.example",
                    agreed_on=date(2025, 3, 1),
                    recorded_by="Rashid",
                ),
            ]
        )
        make_sku(session)
    return migrated


def test_what_is_known_is_not_typed_and_twice_is_once(installed: Marketplace) -> None:
    first = installed.run("account", "open", "C1", "microsoft", *PLACE)
    again = installed.run("account", "open", "C1", "microsoft")

    assert first == again
    assert {name: first[name] for name in ("customer", "vendor", "about", "state")} == {
        "customer": "C1",
        "vendor": "microsoft",
        "about": "An account for Conserverie de Carnac",
        "state": "queued",
    }
    asked = stored(installed)
    assert asked["domain"] == "conserverie-de-carnac.onmicrosoft.com"
    assert (asked["contact"]["last_name"], asked["address"]["city"]) == ("Le Bihan", "Carnac")


def stored(installed: Marketplace) -> dict[str, Any]:
    """Give what was asked for, as it is stored."""
    with installed.session() as session:
        found: dict[str, Any] = session.scalars(select(ProvisioningRequest.asked)).one()
    return found


def test_an_account_the_customer_has_is_taken_up(installed: Marketplace) -> None:
    linked = installed.run("account", "link", "C1", "microsoft", "Tenant-7")

    assert (linked["about"], linked["state"]) == ("The account tenant-7 of Conserverie de Carnac", "queued")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("open", "C1", "microsoft"), "city"),
        (("open", "C1", "microsoft", *PLACE, "--domain", "carnac.fr"), "is not a domain"),
        (("open", "C9", "microsoft", *PLACE), "There is no customer with the reference"),
        (("link", "C9", "microsoft", "tenant-7"), "There is no customer with the reference"),
        (("link", "C1", "nobody", "tenant-7"), "needs an account before it is ordered"),
        (("link", "C1", "microsoft", " "), "account"),
    ],
)
def test_what_cannot_be_asked_is_said(installed: Marketplace, words: tuple[str, ...], said: str) -> None:
    assert said in str(installed.run("account", *words, code=1))
