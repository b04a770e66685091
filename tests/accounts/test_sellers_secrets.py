"""What a seller starts from, looked for in the database itself as its buyer: every relation, every column.

Numbers that occur nowhere else stand for the secrets, so that one found in any row is a leak.
"""

from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from marketplace.core.actor import Actor, Audience
from marketplace.core.db import SCREENS_SCHEMA, VIEWS_ROLE, Database
from marketplace.settings import Settings
from resellers.models import Basis, Hop
from tests.conftest import World
from tests.factories import make_rule
from tests.personas import actor_called, customer_called, everybody, reseller_called
from tests.statement_factories import make_line, make_period

pytestmark = pytest.mark.only_reads

VENDOR_COST = "7301.77"
WHOLESALE_PERCENT = "11.37"
RESELLER_COST = "7409.33"
RETAIL_PERCENT = "13.59"


def month_with_secrets(settings: Settings, database: Database) -> None:
    """Begin with a month of Nord and its customer Carla's, priced from cost at both hops, and one document parked."""
    everybody(settings, database)
    with database.owner_transaction() as session:
        make_period(session)
        carla = customer_called(session, "carla-works")
        nord = reseller_called(session, "nord")
        bought = make_rule(session, Hop.WHOLESALE, reseller=nord, percent=WHOLESALE_PERCENT)
        sold = make_rule(session, Hop.RETAIL, customer=carla, percent=RETAIL_PERCENT)
        wholesale = make_line(
            session,
            customer=carla,
            hop=Hop.WHOLESALE,
            basis=Basis.COST,
            cost=VENDOR_COST,
            percent=WHOLESALE_PERCENT,
            rule=bought,
        )
        retail = make_line(
            session,
            customer=carla,
            hop=Hop.RETAIL,
            basis=Basis.COST,
            cost=VENDOR_COST,
            percent=RETAIL_PERCENT,
            rule=sold,
        )
        wholesale.basis_amount, wholesale.day_basis = Decimal(VENDOR_COST), [Decimal(VENDOR_COST)]
        wholesale.days, wholesale.day_factor = wholesale.days[:1], Decimal("1.5")
        retail.basis_amount, retail.day_basis = Decimal(RESELLER_COST), [Decimal(RESELLER_COST)]
        retail.days, retail.day_factor = retail.days[:1], Decimal("1.5")
        retail.upper_rule_id = bought.id
        session.flush()
        session.execute(
            text("UPDATE statement SET parked_cost = jsonb_build_object('EUR', CAST(:cost AS text))"),
            {"cost": VENDOR_COST},
        )


@pytest.fixture
def world() -> World:
    return month_with_secrets


@pytest.fixture
def month(database: Database) -> Database:
    return database


def leaks(session: Session, *secrets: str) -> list[str]:
    """Name every relation of the database, parts and views included, in which a row shows one of the numbers."""
    relations = session.execute(
        text(
            "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname IN ('public', :screens) AND c.relkind IN ('r', 'p', 'v', 'm') ORDER BY 1, 2"
        ),
        {"screens": SCREENS_SCHEMA},
    ).all()
    found = []
    for schema, name in relations:
        try:
            with session.begin_nested():
                rows = session.scalars(text(f'SELECT t::text FROM "{schema}"."{name}" t')).all()
        except ProgrammingError as error:
            assert "permission denied" in str(error)
            continue
        found += [f"{schema}.{name}" for row in rows if any(secret in row for secret in secrets)]
    return found


@pytest.mark.parametrize("persona", ["rashid", "fatou", "pavel"])
def test_a_reseller_reads_nowhere_what_the_wholesaler_starts_from(month: Database, persona: str) -> None:
    with month.transaction(actor_called(month, persona)) as session:
        assert leaks(session, VENDOR_COST, WHOLESALE_PERCENT) == []


@pytest.mark.parametrize("persona", ["carla", "victor", "stella"])
def test_a_customer_reads_nowhere_what_its_sellers_start_from(month: Database, persona: str) -> None:
    with month.transaction(actor_called(month, persona)) as session:
        assert leaks(session, VENDOR_COST, WHOLESALE_PERCENT, RESELLER_COST, RETAIL_PERCENT) == []


def test_staff_read_all_of_it(month: Database) -> None:
    """Else the tests above would pass on numbers that are nowhere."""
    with month.transaction(actor_called(month, "wanda")) as session:
        for secret in (VENDOR_COST, WHOLESALE_PERCENT, RESELLER_COST, RETAIL_PERCENT):
            assert f"{SCREENS_SCHEMA}.statement_line" in leaks(session, secret)
        assert f"{SCREENS_SCHEMA}.statement" in leaks(session, VENDOR_COST)


def test_a_reseller_reads_what_it_starts_from_itself(month: Database) -> None:
    with month.transaction(actor_called(month, "rashid")) as session:
        line = session.execute(text("SELECT * FROM statement_line WHERE hop = 'retail'")).mappings().one()

    assert (line["basis_amount"], line["percent"]) == (Decimal(RESELLER_COST), Decimal(RETAIL_PERCENT))
    assert line["cost"] is None


@pytest.mark.parametrize(("persona", "basis"), [("rashid", VENDOR_COST), ("carla", RESELLER_COST)])
def test_days_show_the_buyers_own_amounts(month: Database, persona: str, basis: str) -> None:
    with month.transaction(actor_called(month, persona)) as session:
        hop = "wholesale" if persona == "rashid" else "retail"
        days, factor = session.execute(
            text("SELECT day_basis, day_factor FROM statement_line WHERE hop = :hop"), {"hop": hop}
        ).one()

    assert [day * factor for day in days] == [Decimal(basis) * Decimal("1.5")]


def test_without_an_audience_nothing_is_shown(month: Database) -> None:
    with month.transaction(actor_called(month, "wanda")) as session:
        session.execute(text("SELECT set_config('marketplace.audience', '', true)"))

        assert session.execute(text("SELECT id FROM statement_line")).all() == []


def test_the_tables_behind_the_views_are_closed(month: Database) -> None:
    with month.transaction(Actor(name="x", audience=Audience.WHOLESALER)) as session:
        for table in ("statement", "statement_line"):
            with pytest.raises(ProgrammingError, match="permission denied"), session.begin_nested():
                session.execute(text(f"SELECT id FROM public.{table}"))


def test_the_owner_of_the_views_owns_nothing_else_and_bypasses_nothing(month: Database) -> None:
    with month.owner_transaction() as session:
        rights = session.execute(
            text(
                "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcanlogin FROM pg_roles WHERE rolname = :role"
            ),
            {"role": VIEWS_ROLE},
        ).one()
        owned = session.scalars(
            text("SELECT c.oid::regclass::text FROM pg_class c WHERE relowner = CAST(:role AS regrole)"),
            {"role": VIEWS_ROLE},
        ).all()

    assert not any(rights)
    assert set(owned) == {f"{SCREENS_SCHEMA}.statement", f"{SCREENS_SCHEMA}.statement_line"}


def test_the_views_show_every_column_of_their_tables(month: Database) -> None:
    with month.owner_transaction() as session:
        columns = {
            schema: session.execute(
                text(
                    "SELECT table_name, column_name, data_type FROM information_schema.columns "
                    "WHERE table_schema = :schema AND table_name IN ('statement', 'statement_line') ORDER BY 1, 2"
                ),
                {"schema": schema},
            ).all()
            for schema in ("public", SCREENS_SCHEMA)
        }

    assert columns["public"] == columns[SCREENS_SCHEMA]
