"""A customer sees what it pays, and nothing of what its reseller pays or of anybody else."""

import pytest

from tests.page import Visitor
from tests.web.buyers import PURCHASE, VENDOR_COST, BuyersSite
from tests.web.portal.test_pages import PAGES
from tests.web.storefront.test_secrets import RESELLERS_PERCENT, WHOLESALERS_PERCENT, sent_to

pytestmark = pytest.mark.only_reads

OTHERS = ("Dunes Hotels", "Sud Cloud", "stella-mills", "Northwind")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_carla_never_sees_what_rashid_pays(site: BuyersSite, language: str) -> None:
    carla = site.browser_of("carla", language=language)
    month = site.month
    own = [f"/portal/statements/{month.retail_statement}", f"/portal/lines/{month.retail_line}"]
    own.append("/portal/statements/focus?period=2024-09")

    sent = sent_to(carla, [*PAGES, *own, "/portal/palette?q=virtual"])

    assert "1777.77" in sent
    for secret in (*PURCHASE, *VENDOR_COST, *RESELLERS_PERCENT, *WHOLESALERS_PERCENT, *OTHERS):
        assert secret not in sent


def test_carla_finds_nothing_of_the_hop_above(site: BuyersSite, carla: Visitor) -> None:
    carla.get(f"/portal/statements/{site.month.wholesale_statement}", status=404)
    carla.get(f"/portal/lines/{site.month.wholesale_line}", status=404)
    carla.post(f"/portal/lines/{site.month.wholesale_line}/ask", {"text": "How much?"}, status=404)


def test_stella_gets_404_for_what_is_carlas(site: BuyersSite) -> None:
    stella = site.browser_of("stella")

    stella.get(f"/portal/statements/{site.month.retail_statement}", status=404)
    stella.get(f"/portal/lines/{site.month.retail_line}", status=404)


def test_pavel_gets_404_everywhere(site: BuyersSite, pavel: Visitor) -> None:
    for address in (*PAGES, f"/portal/statements/{site.month.retail_statement}"):
        pavel.get(address, status=404)
