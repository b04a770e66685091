"""What must not be seen is not sent: read in pages, downloads and JSON alike, as each person."""

import io
import zipfile
from collections.abc import Iterable

import pytest

from tests.page import Visitor
from tests.web.buyers import PURCHASE, VENDOR_COST, BuyersSite
from tests.web.storefront.test_pages import PAGES

pytestmark = pytest.mark.only_reads

# The percentage of the wholesaler's rule, and that of the reseller's.
WHOLESALERS_PERCENT = ("20.0001", "20,0001")
RESELLERS_PERCENT = ("33.3331", "33,3331")
FILES = [
    "/owed?period=2024-09",
    "/owed?period=2024-09&by=product",
    "/owed?period=2024-09&by=day",
    "/owed?period=2024-09&by=line",
    "/statements",
    "/customer-statements",
    "/customers?period=2024-09",
    "/consumption?period=2024-09",
    "/questions",
    "/owed/focus?period=2024-09",
]


def sent_to(visitor: Visitor, addresses: Iterable[str]) -> str:
    """Fetch pages and, where they have them, files; give everything that was sent, refusals included."""
    sent = []
    for address in addresses:
        joined = "&" if "?" in address else "?"
        for url in (address, f"{address}{joined}format=csv", f"{address}{joined}format=xlsx"):
            response = visitor.client.get(url, headers={"Accept-Language": visitor.language})
            if response.mimetype.endswith("sheet"):
                with zipfile.ZipFile(io.BytesIO(response.data)) as book:
                    sent += [book.read(name).decode() for name in book.namelist()]
            else:
                sent.append(response.get_data(as_text=True))
            response.close()
    return "\n".join(sent)


def objects_of(site: BuyersSite) -> list[str]:
    month = site.month
    return [
        f"/statements/{month.wholesale_statement}",
        f"/customer-statements/{month.retail_statement}",
        f"/lines/{month.wholesale_line}",
        f"/lines/{month.retail_line}",
        f"/customers/{month.carla}?period=2024-09",
    ]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_rashid_never_sees_vendor_cost_or_the_wholesalers_margin(site: BuyersSite, language: str) -> None:
    rashid = site.browser_of("rashid", language=language)

    sent = sent_to(rashid, [*PAGES, *FILES, *objects_of(site), "/palette?q=carla"])

    assert "1777.77" in sent, "the figures that may be seen are there"
    assert "1333.33" in sent
    for secret in (*VENDOR_COST, *WHOLESALERS_PERCENT):
        assert secret not in sent


@pytest.mark.parametrize("language", ["en", "fr"])
def test_rosa_of_sales_sees_neither_purchases_nor_margins(site: BuyersSite, language: str) -> None:
    rosa = site.browser_of("rosa", language=language)
    margin = ("444.44", "444,44")

    sent = sent_to(rosa, [*PAGES, *FILES, *objects_of(site), "/palette?q=carla"])

    assert "1777.77" in sent
    for secret in (*VENDOR_COST, *PURCHASE, *margin, *WHOLESALERS_PERCENT, *RESELLERS_PERCENT):
        assert secret not in sent


def test_rosa_is_told_that_purchases_are_not_part_of_her_role(rosa: Visitor) -> None:
    assert "Your role does not include this page" in rosa.get("/owed", status=403).main
    rosa.get("/statements", status=403)


def test_rosa_finds_no_wholesale_line(site: BuyersSite, rosa: Visitor) -> None:
    rosa.get(f"/lines/{site.month.wholesale_line}", status=404)
    rosa.post(f"/lines/{site.month.wholesale_line}/ask", {"text": "How much?"}, status=404)


@pytest.mark.writes
def test_rosa_does_not_read_questions_about_purchases(
    site: BuyersSite, rashid: Visitor, rosa: Visitor
) -> None:
    sent = rashid.post(f"/lines/{site.month.wholesale_line}/ask", {"text": "Why this much?"})
    address = sent.response.headers["Location"]

    assert "Why this much?" not in rosa.get("/questions").main
    rosa.get(address, status=404)
    assert "1 customer question" not in rosa.get("/").main


def test_pavel_gets_404_everywhere(site: BuyersSite, pavel: Visitor) -> None:
    for address in objects_of(site):
        pavel.get(address, status=404)
    pavel.post(f"/lines/{site.month.wholesale_line}/ask", {"text": "May I?"}, status=404)


def test_pavel_reads_nothing_of_nord_in_his_lists(pavel: Visitor) -> None:
    sent = sent_to(pavel, [*PAGES, *FILES, "/palette?q=carla", "/palette?q=dunes"])

    for secret in ("Dunes Hotels", "carla-works", "1777.77", "1,777.77", *PURCHASE, *VENDOR_COST):
        assert secret not in sent


def test_rashid_gets_404_for_what_is_pavels(site: BuyersSite, rashid: Visitor) -> None:
    rashid.get(f"/statements/{site.month.pavels_statement}", status=404)
    rashid.get(f"/lines/{site.month.pavels_line}", status=404)
    rashid.get(f"/customers/{site.month.pavels_customer}", status=404)
    assert "88.88" not in rashid.get(f"/owed?period=2024-09&customer={site.month.pavels_customer}").main


def test_a_customer_gets_404_on_the_resellers_pages(site: BuyersSite, carla: Visitor) -> None:
    for address in (*PAGES[1:], *objects_of(site)):
        carla.get(address, status=404)
