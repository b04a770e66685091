"""Bodies the real Partner Center once answered, read as values."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from catalog.words import BillingCycle
from marketplace.vendors.addresses import address_faults
from marketplace.vendors.partner_center.bodies import parties, trade
from marketplace.vendors.partner_center.client import read_json
from marketplace.vendors.values import Address, Contact, NewCustomer, SubscriptionStatus
from tests.conformance.shared_data import shared

pytestmark = pytest.mark.conformance

Captured = Callable[[str], Any]


@pytest.fixture
def captured() -> Captured:
    """Give a captured body by its name, read as the client reads answers."""
    return lambda name: read_json(shared(f"partner-center/{name}.json").read_bytes())


def test_a_byte_order_mark_is_no_part_of_a_body(captured: Captured) -> None:
    assert shared("partner-center/GetInvoice.json").read_bytes().startswith(b"\xef\xbb\xbf")
    assert captured("GetInvoice")["totalCount"] == 2


def test_invoices_keep_every_cent(captured: Captured) -> None:
    bills = [trade.invoice(body) for body in captured("GetInvoice")["items"]]

    assert [(one.reference, one.invoiced_on, one.total, one.currency) for one in bills] == [
        ("D030001TFO", date(2018, 7, 15), Decimal("-87993.07"), "USD"),
        ("D030001TEE", date(2018, 6, 15), Decimal("90053.74"), "USD"),
    ]
    assert trade.invoice(captured("GetInvoiceById")) == bills[0]


def test_subscriptions_of_seats_and_of_consumption(captured: Captured) -> None:
    azure, office = (
        trade.subscription(body, "46a62ece") for body in captured("GetCustomerSubscription")["items"]
    )

    assert (azure.name, azure.status, azure.ends_on) == ("Microsoft Azure", SubscriptionStatus.ACTIVE, None)
    assert azure.starts_at == datetime(2018, 4, 4, tzinfo=UTC)
    assert office.status is SubscriptionStatus.SUSPENDED
    assert office.suspended_because == ("CustomerCancellation",)
    assert office.billing_cycle is BillingCycle.MONTHLY
    assert office.ends_on == date(2019, 3, 27)  # the vendor's last day is committed whole
    assert office.auto_renew


def test_names_with_capital_letters_are_the_same_names(captured: Captured) -> None:
    found = trade.subscription(captured("SuspendSubscription"), "tenant")

    assert (found.reference, found.quantity) == ("83ef9d05-4169-4ef9-9657-0e86b1eab1de", 2)
    assert (found.status, found.auto_renew) == (SubscriptionStatus.SUSPENDED, False)
    assert found.etag == "<etag>"


def test_products_skus_and_availabilities_make_one_item(captured: Captured) -> None:
    products = [trade.product(body) for body in captured("GetProduct")["items"]]
    sku = captured("GetProductSku")["items"][0]
    item = trade.item(sku, captured("GetProductAvailability")["items"][0])

    assert len(products) == 25
    assert {one.kind for one in products} == {"Azure", "Software"}
    assert item.reference == "DZH318Z0BQ4C:00FF:DZH318Z0RFQB"
    assert (item.segment, item.currency, item.country) == ("commercial", "USD", "US")
    assert item.billing_cycles == (BillingCycle.ONE_TIME,)
    assert item.maximum_quantity is None
    assert item.needs == ("AzureSubscriptionRegistration", "InventoryCheck")


@pytest.mark.parametrize(
    ("country", "state", "pattern", "vat"),
    [
        ("DE", False, "^[0-9]{5,5}$", "^DE[\\d]{9,9}$"),
        ("US", True, "^\\d{5}(-\\d{4})?$", ""),
    ],
)
def test_address_rules_of_a_country(
    captured: Captured, country: str, state: bool, pattern: str, vat: str
) -> None:
    rules = parties.address_rules(captured(f"GetCountryValidationRules-{country}"))

    assert (rules.country, rules.needs_state) == (country, state)
    assert (rules.postal_code_pattern, rules.vat_pattern) == (pattern, vat)
    assert ("CA" in rules.states) is state


def test_resellers_connected_to_the_wholesaler(captured: Captured) -> None:
    found = [parties.relation(body) for body in captured("GetIndirectResellers")["items"]]

    assert [(one.name, one.partner_id, one.country, one.is_active) for one in found] == [
        ("First Up Consultants", "4847383", "US", True),
        ("ReleCloud", "4847433", "BR", True),
    ]
    assert parties.relation(captured("GetPartnerRelationship")["items"][0]).partner_id == "9999999"


@pytest.mark.parametrize(
    ("country", "postal_code", "state", "phone", "faulty"),
    [
        ("US", "98052", "WA", "425-555-0100", []),
        ("US", "98052-1234", "WA", "(425) 555-0100", []),
        ("US", "9805", "", "1", ["state", "postal_code", "phone"]),
        ("US", "98052", "Washington", "", ["state"]),
        ("DE", "80331", "", "", []),
        ("DE", "D-80331", "", "", ["postal_code"]),
        ("DE", "", "", "", ["postal_code"]),
        ("GB", "SW1A 1AA", "", "", []),
        ("GB", "12345", "", "", ["postal_code"]),
    ],
)
def test_an_address_is_judged_by_the_vendors_own_rules_before_it_is_sent(
    captured: Captured, country: str, postal_code: str, state: str, phone: str, faulty: list[str]
) -> None:
    rules = parties.address_rules(captured(f"GetCountryValidationRules-{country}"))
    customer = NewCustomer(
        name="Fabrikam",
        domain="fabrikam.onmicrosoft.com",
        address=Address(country, "City", "1 Street", postal_code, state),
        contact=Contact("Ada", "Lovelace", "ada@fabrikam.example", phone),
    )

    assert [field for field, _why in address_faults(customer, rules)] == faulty


def test_a_new_customer_is_written_as_the_vendor_documents_it(captured: Captured) -> None:
    customer = NewCustomer(
        name="Fabrikam GmbH",
        domain="fabrikam.onmicrosoft.com",
        address=Address("DE", "München", "Marienplatz 1", "80331"),
        contact=Contact("Ada", "Lovelace", "ada@fabrikam.example", "0891234567"),
        registration_number="HRB 1",
    )
    rules = parties.address_rules(captured("GetCountryValidationRules-DE"))
    (seller, *_) = (parties.relation(body) for body in captured("GetIndirectResellers")["items"])

    body = parties.customer_body(customer, rules, reseller_account=seller.account)

    assert body == {
        "associatedPartnerId": seller.account,
        "companyProfile": {
            "domain": "fabrikam.onmicrosoft.com",
            "companyName": "Fabrikam GmbH",
            "organizationRegistrationNumber": "HRB 1",
        },
        "billingProfile": {
            "email": "ada@fabrikam.example",
            "culture": "de-DE",
            "language": "de",
            "companyName": "Fabrikam GmbH",
            "defaultAddress": {
                "country": "DE",
                "city": "München",
                "addressLine1": "Marienplatz 1",
                "postalCode": "80331",
                "firstName": "Ada",
                "lastName": "Lovelace",
                "phoneNumber": "0891234567",
            },
        },
    }
    own = parties.customer_body(customer, rules, reseller_account="")
    assert "associatedPartnerId" not in own
