"""What is billed as it is used, in the shop of each party: the steps, and a month reckoned."""

from uuid import UUID

import pytest

from catalog.words import ProductKind
from tests.offer_factories import make_meter, make_sku
from tests.page import Visitor
from tests.web.orders.conftest import SellingSite


@pytest.fixture
def backup(site: SellingSite) -> UUID:
    with site.database.owner_transaction() as session:
        sku = make_sku(session, "Backup by the gigabyte", kind=ProductKind.CONSUMPTION)
        make_meter(session, sku, ("0", "100", "1"), ("100", None, "0.80"))
        return sku.public_id


def test_a_month_is_reckoned_for_each_hop_the_viewer_sees(
    site: SellingSite, rashid: Visitor, rosa: Visitor, carla: Visitor, backup: UUID
) -> None:
    assert "Backup by the gigabyte" in rashid.get("/shop/consumption").main
    address = f"shop/consumption/{backup}?quantity=340"

    # 100 + 240 x 0.80 = 292 by the list; 10.77 % more for Nord, and 20 % more for Carla.
    page = rashid.get(f"/{address}&customer={site.goods.carla}")
    for figure in ("€292.00", "€323.45", "€388.14", "€64.69"):
        assert figure in page.main
    assert len(page.rows()) == 2
    seen_by_sales = rosa.get(f"/{address}&customer={site.goods.carla}").main
    assert "€388.14" in seen_by_sales
    assert "€323.45" not in seen_by_sales
    seen_by_customer = carla.get(f"/portal/{address}").main
    assert "€388.14" in seen_by_customer
    assert not any(figure in seen_by_customer for figure in ("€292.00", "€323.45", "€64.69"))


def test_what_is_no_quantity_is_refused_in_words(rashid: Visitor, backup: UUID) -> None:
    assert "is no quantity" in rashid.get(f"/shop/consumption/{backup}?quantity=lots", status=422).text
    rashid.get(f"/shop/consumption/{backup}?quantity=-1", status=422)
    rashid.get(f"/shop/consumption/{backup}?quantity=1,5")


def test_what_has_counted_plans_is_no_such_offer(rashid: Visitor, site: SellingSite) -> None:
    rashid.get(f"/shop/consumption/{site.goods.sku}", status=404)
