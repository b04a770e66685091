"""The figures of a customer's pages."""

import pytest

from tests.page import Visitor
from tests.web.buyers import BuyersSite, Statements

pytestmark = pytest.mark.only_reads


def test_the_month_so_far_is_an_estimate(carla: Visitor) -> None:
    home = carla.get("/portal/")

    assert "October 2024 so far" in home.main
    assert "Estimate" in home.main
    assert "€114.00" in home.main


def test_the_reseller_is_the_contact(carla: Visitor) -> None:
    assert "Your contact is Nord Cloud SARL" in carla.get("/portal/").main


def test_consumption_is_told_by_service(carla: Visitor) -> None:
    assert carla.get("/portal/consumption?period=2024-10").main.count("Object storage") > 1


def test_a_filter_narrows_page_and_file_alike(carla: Visitor) -> None:
    address = "/portal/consumption?period=2024-10&product=Object+storage"
    rows = carla.download(f"{address}&format=csv").decode("utf-8-sig").splitlines()

    assert "October 2024: €70.00" in carla.get(address).main
    assert len(rows) == 1 + 9
    assert not any("Virtual machines" in row for row in rows)


def test_a_statement_can_be_downloaded(site: BuyersSite, carla: Visitor) -> None:
    address = f"/portal/statements/{site.month.retail_statement}"

    head, line = carla.download(f"{address}?format=csv").decode("utf-8-sig").splitlines()

    assert head.startswith("Line,Period,Corrects,Vendor,Account")
    assert "1777.77,EUR" in line
    assert carla.download(f"{address}?format=xlsx")[:2] == b"PK"


@pytest.mark.parametrize(
    ("address", "most"),
    [("/portal/", 11), ("/portal/consumption", 9), ("/portal/statements", 8), ("/portal/questions", 8)],
)
def test_pages_ask_the_database_few_questions(
    site: BuyersSite, carla: Visitor, address: str, most: int
) -> None:
    carla.get(address)

    with Statements(site.database) as statements:
        carla.get(address)

    assert len(statements.sent) <= most, "\n\n".join(statements.sent)


@pytest.mark.writes
def test_a_customer_with_nothing_yet_is_told_what_will_come(site: BuyersSite) -> None:
    with site.database.owner_transaction() as session:
        session.connection().exec_driver_sql("TRUNCATE statement, statement_line")
    carla = site.browser_of("carla")

    assert "Nothing has been charged yet" in carla.get("/portal/").main
    assert "Nothing used yet" in carla.get("/portal/consumption").main
    assert "There is no statement yet" in carla.get("/portal/statements").main
    assert "No question yet" in carla.get("/portal/questions").main


def test_a_month_can_be_had_as_focus_at_ones_own_price(carla: Visitor) -> None:
    head, line = carla.download("/portal/statements/focus?period=2024-09").decode("utf-8-sig").splitlines()

    assert "BilledCost" in head.split(",")
    assert "1777.77" in line
    carla.get("/portal/statements/focus", status=404)
