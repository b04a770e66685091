"""A customer that has moved to another reseller: each document stays with who made it, and neither firm sees more."""

import pytest

from marketplace.billing.models import PeriodStatus, Statement
from marketplace.core.db import Database
from marketplace.settings import Settings
from resellers.models import Customer, Hop, Reseller
from tests.conftest import World
from tests.page import Visitor
from tests.personas import customer_called, reseller_called
from tests.statement_factories import make_line, make_period
from tests.web.buyers import BuyersSite, Month, two_months

pytestmark = pytest.mark.only_reads

ADDRESSES = ("sales@nord.example", "accounts@carla.example")


def moved(settings: Settings, database: Database) -> Month:
    """Carla's firm has moved from Nord to Sud, which has billed it for November."""
    month = two_months(settings, database)
    with database.owner_transaction() as session:
        make_period(session, "2024-11", status=PeriodStatus.CLOSED)
        carla, nord = customer_called(session, "carla-works"), reseller_called(session, "nord")
        nord.email = ADDRESSES[0]
        carla.reseller_id, carla.email = reseller_called(session, "sud").id, ADDRESSES[1]
        session.flush()
        make_line(session, customer=carla, period="2024-11", hop=Hop.RETAIL, amount="515.15")
    return month


@pytest.fixture
def world() -> World:
    return moved


def statements_by(site: BuyersSite, reseller: str) -> list[str]:
    """Give the retail statements a reseller made for Carla's firm."""
    with site.database.owner_transaction() as session:
        found = (
            session.query(Statement.id)
            .join(Reseller, Reseller.id == Statement.reseller_id)
            .join(Customer, Customer.id == Statement.customer_id)
            .filter(Reseller.reference == reseller, Customer.reference == "carla-works")
            .filter(Statement.hop == Hop.RETAIL.value)
        )
        return [str(id_) for (id_,) in found]


class TestTheCustomer:
    def test_each_statement_is_from_who_made_it(self, site: BuyersSite, carla: Visitor) -> None:
        (new,) = statements_by(site, "sud")

        assert "Nord Cloud SARL" in carla.get(f"/portal/statements/{site.month.retail_statement}").text
        page = carla.get(f"/portal/statements/{new}").text
        assert "Sud Cloud SARL" in page
        assert "Nord Cloud SARL" not in page

    def test_the_list_and_its_file_name_both(self, carla: Visitor) -> None:
        page = carla.get("/portal/statements").text
        file = carla.download("/portal/statements?format=csv").decode()

        for text in (page, file):
            assert "Nord Cloud SARL" in text
            assert "Sud Cloud SARL" in text
        assert "What Sud Cloud SARL charges you" in page

    def test_a_line_is_asked_about_where_it_came_from(self, site: BuyersSite, carla: Visitor) -> None:
        page = carla.get(f"/portal/lines/{site.month.retail_line}").text

        assert "Ask Nord Cloud SARL about this line" in page

    def test_the_month_as_focus_names_who_billed_it(self, carla: Visitor) -> None:
        old = carla.download("/portal/statements/focus?period=2024-09").decode()
        new = carla.download("/portal/statements/focus?period=2024-11").decode()

        assert ("Nord Cloud SARL" in old, "Sud Cloud SARL" in old) == (True, False)
        assert ("Nord Cloud SARL" in new, "Sud Cloud SARL" in new) == (False, True)

    @pytest.mark.parametrize("address", ["/", "/statements", "/questions", "/consumption", "/shop"])
    def test_nothing_but_the_name_of_the_former_seller_is_shown(self, carla: Visitor, address: str) -> None:
        assert ADDRESSES[0] not in carla.get(f"/portal{address}").text


class TestTheFormerReseller:
    def test_its_documents_stay_with_the_customers_name(self, site: BuyersSite, rashid: Visitor) -> None:
        for address in (
            "/customer-statements?period=2024-09",
            f"/customer-statements/{site.month.retail_statement}",
            f"/statements/{site.month.wholesale_statement}",
            f"/lines/{site.month.retail_line}",
        ):
            assert "Customer carla-works" in rashid.get(address).text

    def test_it_sees_nothing_of_what_came_after(self, site: BuyersSite, rashid: Visitor) -> None:
        (new,) = statements_by(site, "sud")
        rashid.get(f"/customer-statements/{new}", status=404)
        pages = [
            rashid.get(address).text
            for address in (
                "/customers",
                f"/customer-statements/{site.month.retail_statement}",
                "/customer-statements",
            )
        ]

        for page in pages:
            assert "515.15" not in page
            assert "Sud Cloud SARL" not in page
            assert ADDRESSES[1] not in page

    def test_the_customer_is_no_longer_among_those_it_sells_to(
        self, site: BuyersSite, rashid: Visitor
    ) -> None:
        assert "Customer carla-works" not in rashid.get("/subscriptions").text
        rashid.get(f"/customers/{site.month.carla}", status=404)
        page = rashid.get(f"/customer-statements/{site.month.retail_statement}").text
        assert "Customer carla-works, no longer yours" in page


class TestTheNewReseller:
    def test_it_sees_nothing_of_what_was_before(self, site: BuyersSite, pavel: Visitor) -> None:
        (new,) = statements_by(site, "sud")

        assert "515.15" in pavel.get(f"/customer-statements/{new}").text
        pavel.get(f"/customer-statements/{site.month.retail_statement}", status=404)
        pavel.get(f"/lines/{site.month.retail_line}", status=404)
        page = pavel.get(f"/customers/{site.month.carla}").text
        assert "Nord Cloud SARL" not in page
        assert "1,777.77" not in page
