"""Every page of a customer, read as it is sent."""

import pytest

from tests.page import Visitor
from tests.web.buyers import BuyersSite

pytestmark = pytest.mark.only_reads

PAGES = [
    "/portal/",
    "/portal/consumption",
    "/portal/consumption?period=2024-09",
    "/portal/consumption?period=2020-01",
    "/portal/statements",
    "/portal/questions",
]


@pytest.mark.parametrize("address", PAGES)
def test_each_page_can_be_read(carla: Visitor, address: str) -> None:
    carla.get(address)


@pytest.mark.parametrize("address", PAGES)
def test_each_page_can_be_read_in_french(site: BuyersSite, address: str) -> None:
    site.browser_of("carla", language="fr").get(address)


def test_objects_of_ones_own_can_be_read(site: BuyersSite, carla: Visitor) -> None:
    carla.get(f"/portal/statements/{site.month.retail_statement}")
    carla.get(f"/portal/lines/{site.month.retail_line}")
