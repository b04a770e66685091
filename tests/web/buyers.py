"""Two months of two resellers and their customers, for the tests of buyers' pages.

September is closed, October is a draft. Nord pays 110 and 220 for Carla's 150 and 300; the vendor charged 100 and 200.
The figures are chosen so that each is found nowhere else on a page.
"""

from dataclasses import dataclass, field
from typing import Any, Self
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.orm import Session

from marketplace.billing.models import PeriodStatus, StatementLine
from marketplace.core.db import Database
from marketplace.settings import Settings
from resellers.models import Basis, Customer, Hop
from tests.factories import make_customer, make_fx, make_mapping
from tests.personas import PeopledSite, customer_called, everybody, reseller_called
from tests.statement_factories import make_line, make_period

#: What must never reach a page, a file or an answer of the hop below it.
VENDOR_COST = ("1111.11", "1,111.11", "1111,11")
PURCHASE = ("1333.33", "1,333.33", "1333,33")
SALE = ("1777.77", "1,777.77", "1777,77")


@dataclass
class Month:
    """The ids the tests ask for."""

    wholesale_line: UUID
    retail_line: UUID
    wholesale_statement: UUID
    retail_statement: UUID
    pavels_line: UUID
    pavels_statement: UUID
    carla: UUID
    pavels_customer: UUID


def make_months(session: Session) -> Month:
    """Make everything. The session must be the owner's."""
    make_period(session, "2024-09", status=PeriodStatus.CLOSED)
    make_period(session, "2024-10", status=PeriodStatus.RATED)
    carla, stella = customer_called(session, "carla-works"), customer_called(session, "stella-mills")
    other = make_customer(
        session, "dunes", reseller=reseller_called(session, "nord"), legal_name="Dunes Hotels SA"
    )
    make_mapping(session, customer=carla, account="tenant-1")
    make_mapping(session, customer=other, account="tenant-2")
    make_fx(session, "0.9", month="2024-09")
    bought, sold = _pair(session, carla, "2024-09", cost="1111.11", bought="1333.33", sold="1777.77")
    _pair(session, carla, "2024-10", cost="50", bought="55", sold="70", product="Object storage", days=9)
    _pair(session, carla, "2024-10", cost="30", bought="33", sold="44", product="Virtual machines", days=12)
    _pair(
        session,
        other,
        "2024-10",
        cost="40",
        bought="46",
        sold="41",
        product="Virtual machines",
        account="tenant-2",
    )
    pavels, _ = _pair(session, stella, "2024-09", cost="77", bought="88.88", sold="99.99", account="tenant-9")
    session.flush()
    return Month(
        wholesale_line=bought.id,
        retail_line=sold.id,
        wholesale_statement=bought.statement_id,
        retail_statement=sold.statement_id,
        pavels_line=pavels.id,
        pavels_statement=pavels.statement_id,
        carla=carla.public_id,
        pavels_customer=stella.public_id,
    )


def _pair(
    session: Session,
    customer: Customer,
    period: str,
    *,
    cost: str,
    bought: str,
    sold: str,
    product: str = "Virtual machines",
    account: str = "tenant-1",
    days: int = 30,
) -> tuple[StatementLine, StatementLine]:
    """Make the same usage bought and sold; the sale starts from the purchase."""
    common: dict[str, Any] = {
        "customer": customer,
        "period": period,
        "product": product,
        "account": account,
        "days": days,
    }
    wholesale = make_line(session, amount=bought, cost=cost, percent="20.0001", **common)
    retail = make_line(
        session, hop=Hop.RETAIL, amount=sold, cost=bought, percent="33.3331", basis=Basis.COST, **common
    )
    return wholesale, retail


def two_months(settings: Settings, database: Database) -> Month:
    """Begin with everybody and two months of statements."""
    everybody(settings, database)
    with database.owner_transaction() as session:
        return make_months(session)


@dataclass(kw_only=True)
class BuyersSite(PeopledSite):
    """The application with everybody, and two months of statements."""

    month: Month


@dataclass
class Statements:
    """Counts the statements sent to a database while it is listened to."""

    database: Database
    sent: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        event.listen(self.database.engine, "before_cursor_execute", self._note)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(self.database.engine, "before_cursor_execute", self._note)

    def _note(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self.sent.append(statement)
