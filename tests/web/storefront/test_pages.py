"""Every page of a reseller, read as it is sent."""

import pytest

from tests.page import Visitor
from tests.web.buyers import BuyersSite

pytestmark = pytest.mark.only_reads

PAGES = [
    "/",
    "/owed",
    "/owed?by=product",
    "/owed?by=day",
    "/owed?by=line",
    "/owed?period=2024-09&by=day",
    "/owed?period=2020-01",
    "/statements",
    "/customer-statements",
    "/customers",
    "/customers?period=2024-09",
    "/consumption",
    "/consumption?prices=wholesale",
    "/questions",
]


@pytest.mark.parametrize("address", PAGES)
def test_each_page_can_be_read(rashid: Visitor, address: str) -> None:
    rashid.get(address)


@pytest.mark.parametrize("address", PAGES)
def test_each_page_can_be_read_in_french(site: BuyersSite, address: str) -> None:
    site.browser_of("rashid", language="fr").get(address)


def test_objects_of_ones_own_can_be_read(site: BuyersSite, rashid: Visitor) -> None:
    month = site.month

    for address in (
        f"/statements/{month.wholesale_statement}",
        f"/customer-statements/{month.retail_statement}",
        f"/lines/{month.wholesale_line}",
        f"/lines/{month.retail_line}",
        f"/customers/{month.carla}",
    ):
        rashid.get(address)
