"""What each audience can reach in the database itself, past every screen and query: the last line, kept on its own.

The tables are read from the catalogue of PostgreSQL, so that a new one cannot be forgotten.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError, InternalError, ProgrammingError
from sqlalchemy.orm import Session

from marketplace.accounts.models import Membership, User
from marketplace.core import audit
from marketplace.core.actor import Actor, Audience
from marketplace.core.db import APP_ROLE, Base, Database, enter
from resellers.models import Hop, PriceRuleScope, Reseller
from tests.factories import make_rule
from tests.personas import actor_called, customer_called, reseller_called, user_called
from tests.statement_factories import make_period

# Not ours: the step of the migrations, and the job queue, whose rows hold ids and never an amount or a name.
NOT_OURS = {
    "alembic_version",
    "procrastinate_jobs",
    "procrastinate_events",
    "procrastinate_periodic_defers",
    "procrastinate_workers",
}
# Tables that say nothing about any one party: everybody may read all of them.
FOR_EVERYBODY = {"wholesaler", "fx_rate", "billing_period"}
# Values that a filled-in row needs where a constraint says more than the type.
PARTICULARS: dict[str, dict[str, object]] = {
    "reseller_application": {"status": "approved"},
    "billing_mode_change": {"mode": "agent"},
    "credit_terms": {"payment_days": 30},
    "brand": {"logo_type": ""},
    "customer_move": {"from_reseller_id": 907, "to_reseller_id": 908},
    "reseller": {"country": "FR", "currency": "EUR"},
    "price_rule_scope": {
        "hop": "retail",
        "sku": "",
        "product": "",
        "vendor": "",
        "subscription": uuid4().hex,
    },
    "subscription": {"decided_by": ""},
    "renewal_answer": {"quantity": None},
    "renewal_policy": {"choice": "ask"},
    "membership": {"audience": "reseller", "customer_id": None, "role": "owner"},
    "statement": {"hop": "retail", "parked_pair": "", "total_minor": 0},
    "statement_line": {"hop": "retail"},
    "statement_payment": {"hop": "retail"},
    "charge_difference": {"kind": "price"},
    "sales_order": {
        "kind": "purchase",
        "state": "completed",
        "audience": "reseller",
        "submitted_at": datetime(2026, 6, 18, tzinfo=UTC),
    },
    "order_rule": {"above_minor": None, "currency": None},
    "question": {"hop": "retail", "addressed_to": "reseller"},
    "user_session": {"view_as_reseller_id": None, "view_as_customer_id": None, "view_as_until": None},
}
OWNERS = ("reseller_id", "customer_id")
PERIOD = 202409
_numbers = count(1000)


@dataclass(frozen=True)
class Sides:
    """Two resellers with a customer each, and rows of theirs in every table that names an owner."""

    database: Database
    ours: dict[str, int]
    theirs: dict[str, int]


@pytest.fixture
def sides(database: Database) -> Sides:
    """Fill every table that has an owner's column, for both sides."""
    with database.owner_transaction() as session:
        sides = Sides(
            database,
            ours={
                "reseller_id": reseller_called(session, "nord").id,
                "customer_id": customer_called(session, "carla-works").id,
            },
            theirs={
                "reseller_id": reseller_called(session, "sud").id,
                "customer_id": customer_called(session, "stella-mills").id,
            },
        )
        # Rows made from types alone name things that are not there; what is tested is who sees them.
        session.execute(text("SET LOCAL session_replication_role = replica"))
        connection = session.connection()
        for table in owned_tables(connection):
            if is_partitioned(connection, table):
                session.execute(text(f"CREATE TABLE {table}_p PARTITION OF {table} FOR VALUES IN ({PERIOD})"))
            for side in (sides.ours, sides.theirs):
                fill(connection, table, side)
    return sides


def tables(connection: Connection, *, kinds: str = "rp") -> list[str]:
    """Name our tables; `p` are partitioned ones, `r` all others, partitions left out."""
    return list(
        connection.scalars(
            text(
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind::text = ANY (:kinds) "
                "AND NOT relispartition ORDER BY relname"
            ),
            {"kinds": list(kinds)},
        )
    )


def owned_tables(connection: Connection) -> list[str]:
    """Name the tables with a column that names an owner."""
    inspector = inspect(connection)
    return [
        table
        for table in tables(connection)
        if {column["name"] for column in inspector.get_columns(table)} & set(OWNERS)
    ]


def is_partitioned(connection: Connection, table: str) -> bool:
    """Whether a table is kept in parts."""
    return table in tables(connection, kinds="p")


def fill(connection: Connection, table: str, side: dict[str, int]) -> None:
    """Insert a row of one side into any table, from the types of its columns."""
    values: dict[str, object] = {}
    words = known_words(connection, table)
    for column in inspect(connection).get_columns(table):
        name = column["name"]
        if name in PARTICULARS.get(table, {}):
            values[name] = PARTICULARS[table][name]
        elif name in words and not column["nullable"]:
            values[name] = words[name]
        elif name in side:
            values[name] = side[name]
        elif (table, name) == ("account_mapping", "vendor_account_id"):
            values[name] = side["customer_id"]  # one account has one owner at a time
        elif name in {"period", "month"}:
            values[name] = PERIOD
        elif not column["nullable"] and column.get("default") is None:
            values[name] = some(column["type"])
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), values)


def known_words(connection: Connection, table: str) -> dict[str, str]:
    """Give, for each column that takes only certain words, the first of them."""
    checks = connection.scalars(
        text(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'c' AND conrelid = to_regclass(:table)"
        ),
        {"table": f"public.{table}"},
    )
    found = (re.search(r"(\w+) = ANY \(ARRAY\['(\w+)'::text", check) for check in checks)
    return {match[1]: match[2] for match in found if match}


def some(kind: Any) -> object:
    """Give any value of a column's type."""
    name = type(kind).__name__.upper()
    if name == "ARRAY":
        return []
    known: dict[str, object] = {
        "BIGINT": 907,
        "INTEGER": 907,
        "SMALLINT": 7,
        "NUMERIC": Decimal(7),
        "BOOLEAN": False,
        "DATE": date(2024, 9, 24),
        "TIMESTAMP": datetime(2024, 9, 24, tzinfo=UTC),
        "JSONB": "{}",
        "UUID": uuid4(),
        "CHAR": "EUR",
    }
    if name in {"TEXT", "VARCHAR"}:
        return uuid4().hex[: kind.length or 32]
    return known[name]


def seen(session: Session, table: str) -> list[Any] | None:
    """Give all rows of a table as the session's role sees them; None when it may not read the table."""
    try:
        with session.begin_nested():
            return list(session.execute(text(f"SELECT * FROM {table}")).mappings())
    except ProgrammingError as error:
        assert "permission denied" in str(error)
        return None


def test_every_table_has_row_level_security(database: Database) -> None:
    with database.owner_transaction() as session:
        without = session.scalars(
            text(
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') "
                "AND NOT relispartition AND NOT relrowsecurity"
            )
        ).all()

    assert set(without) - NOT_OURS == set()


def test_every_model_is_a_table_that_is_walked(database: Database) -> None:
    with database.owner_transaction() as session:
        walked = set(tables(session.connection()))

    assert set(Base.metadata.tables) <= walked
    assert walked - NOT_OURS <= set(Base.metadata.tables)


def test_the_role_of_the_screens_owns_nothing_and_bypasses_nothing(database: Database) -> None:
    with database.owner_transaction() as session:
        role = session.execute(
            text(
                "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcanlogin FROM pg_roles WHERE rolname = :role"
            ),
            {"role": APP_ROLE},
        ).one()
        owned = session.scalar(
            text(
                "SELECT count(*) FROM pg_class WHERE relowner = (SELECT oid FROM pg_roles WHERE rolname = :role)"
            ),
            {"role": APP_ROLE},
        )
        may_create = session.scalar(
            text("SELECT has_schema_privilege(:role, 'public', 'CREATE')"), {"role": APP_ROLE}
        )

    assert not any(role)
    assert owned == 0
    assert may_create is False


def test_with_nothing_set_nothing_is_seen(sides: Sides) -> None:
    with sides.database.owner_transaction() as session:
        names = tables(session.connection())
        session.execute(text(f"SET LOCAL ROLE {APP_ROLE}"))
        found = {name: len(seen(session, name) or []) for name in names if name not in NOT_OURS}

    assert {name: rows for name, rows in found.items() if rows} == {}


@pytest.mark.parametrize("party", [0, 999_999])
@pytest.mark.parametrize("audience", [Audience.RESELLER, Audience.CUSTOMER])
def test_a_party_that_does_not_exist_sees_only_what_is_for_everybody(
    sides: Sides, audience: Audience, party: int
) -> None:
    with sides.database.transaction(Actor(name="nobody", audience=audience, party_id=party)) as session:
        names = set(Base.metadata.tables) - FOR_EVERYBODY
        found = {name: rows for name in sorted(names) if (rows := seen(session, name))}

    # Terms that name no party are for all of them.
    scopes = [row for row in found.pop("price_rule_scope", []) if row["reseller_id"] or row["customer_id"]]
    assert scopes == []
    assert found == {}


@pytest.mark.parametrize("persona", ["rashid", "rosa", "carla"])
def test_no_table_shows_what_belongs_to_others(sides: Sides, persona: str) -> None:
    actor = actor_called(sides.database, persona)
    with sides.database.owner_transaction() as session:
        names = owned_tables(session.connection())

    with sides.database.transaction(actor) as session:
        leaks = {
            name: row
            for name in names
            for row in seen(session, name) or []
            if row.get("reseller_id") == sides.theirs["reseller_id"]
            or row.get("customer_id") == sides.theirs["customer_id"]
        }

    assert leaks == {}


@pytest.mark.parametrize(("persona", "column"), [("rashid", "reseller_id"), ("carla", "customer_id")])
def test_every_row_of_ones_own_that_is_shown_is_really_there(sides: Sides, persona: str, column: str) -> None:
    """A policy that hides everything would pass the other tests."""
    actor = actor_called(sides.database, persona)

    with sides.database.transaction(actor) as session:
        for table in ("statement", "statement_line", "question", "price_rule_scope"):
            rows = seen(session, table) or []
            assert any(row[column] == sides.ours[column] for row in rows), table


def test_a_customer_never_sees_the_wholesale_hop(sides: Sides) -> None:
    with sides.database.owner_transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        for table in ("statement", "statement_line", "question"):
            session.execute(text(f"UPDATE {table} SET hop = 'wholesale'"))

    with sides.database.transaction(actor_called(sides.database, "carla")) as session:
        assert {table: seen(session, table) for table in ("statement", "statement_line", "question")} == {
            "statement": [],
            "statement_line": [],
            "question": [],
        }


def test_partitions_cannot_be_read_past_their_parent(sides: Sides) -> None:
    with sides.database.owner_transaction() as session:
        parts = session.scalars(
            text("SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'")
        ).all()
    assert parts

    with sides.database.transaction(actor_called(sides.database, "rashid")) as session:
        assert {part: seen(session, part) for part in parts} == dict.fromkeys(parts)


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_entry SET name = 'x'", "DELETE FROM audit_entry", "TRUNCATE audit_entry"]
)
@pytest.mark.parametrize("as_owner", [True, False])
def test_the_audit_trail_cannot_be_altered_by_anybody(
    people: Database, statement: str, as_owner: bool
) -> None:
    walter = actor_called(people, "walter")
    with people.transaction(walter) as session:
        audit.record(session, actor=walter, action="test", subject="test", subject_id="1")

    with pytest.raises((ProgrammingError, InternalError, DBAPIError), match=r"append-only|permission denied"):
        if as_owner:
            with people.owner_transaction() as session:
                session.execute(text(statement))
        else:
            with people.transaction(walter) as session:
                session.execute(text(statement))


def test_the_trigger_of_the_audit_trail_cannot_be_taken_off(people: Database) -> None:
    with (
        pytest.raises(ProgrammingError, match="must be owner"),
        people.transaction(actor_called(people, "walter")) as session,
    ):
        session.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER ALL"))


def test_entries_cannot_be_written_in_another_firms_name(people: Database) -> None:
    rashid, pavel = actor_called(people, "rashid"), actor_called(people, "pavel")

    with pytest.raises(ProgrammingError, match="row-level security"), people.transaction(rashid) as session:
        audit.record(session, actor=pavel, action="test", subject="test", subject_id="1")
        session.flush()


def test_a_setting_of_another_party_does_not_outlive_its_transaction(people: Database) -> None:
    with people.transaction(actor_called(people, "rashid")):
        pass

    with people.owner_transaction() as session:
        assert session.scalar(text("SELECT current_setting('marketplace.party', true)")) in {"", None}
        assert session.scalar(text("SELECT current_user")) != APP_ROLE


SECRETS = ("password", "password_reset", "sign_in_attempt", "outgoing_mail")


@pytest.mark.parametrize("table", SECRETS)
@pytest.mark.parametrize("persona", ["walter", "rashid", "carla"])
def test_nobody_reads_passwords_links_and_mails(people: Database, persona: str, table: str) -> None:
    with people.transaction(actor_called(people, persona)) as session:
        assert seen(session, table) is None


@pytest.mark.parametrize(
    ("persona", "statement"),
    [
        ("rashid", "UPDATE reseller SET currency = 'USD'"),
        ("carla", "UPDATE customer SET legal_name = 'Mine'"),
        ("rashid", "UPDATE customer SET legal_name = 'Mine' WHERE reference = 'stella-mills'"),
        ("rashid", "UPDATE reseller SET status = 'active'"),
        ("rashid", "UPDATE membership SET role = 'owner' WHERE customer_id NOT IN (SELECT id FROM customer)"),
        ("rashid", "UPDATE wholesaler SET legal_name = 'Mine'"),
        ("rashid", "UPDATE billing_period SET status = 'closed'"),
        ("rashid", "UPDATE price_rule SET percent = 0"),
        ("carla", "UPDATE price_rule_scope SET sku = ''"),
        ("rashid", "DELETE FROM account_mapping"),
        ("rashid", "UPDATE user_account SET is_active = false WHERE email LIKE 'wanda%'"),
        ("rashid", "UPDATE membership SET role = 'owner' WHERE audience = 'wholesaler'"),
        (
            "carla",
            "UPDATE user_session SET revoked_at = now() WHERE user_id IN (SELECT user_id FROM user_session)",
        ),
    ],
)
def test_what_may_be_seen_may_not_all_be_written(people: Database, persona: str, statement: str) -> None:
    with people.owner_transaction() as session:
        make_rule(session, Hop.WHOLESALE, reseller=reseller_called(session, "nord"))
        make_period(session)
    actor_called(people, "rashid")  # somebody else is signed in too

    with people.transaction(actor_called(people, persona)) as session:
        changed = session.execute(text(f"{statement} RETURNING 1")).all()
        own = persona == "carla" and "user_session" in statement

    assert len(changed) <= (2 if own else 0)


@pytest.mark.parametrize(
    "columns",
    [
        {"audience": "wholesaler", "role": "administrator"},
        {"audience": "reseller", "role": "owner", "reseller": "sud"},
        {"audience": "customer", "role": "owner", "customer": "stella-mills"},
    ],
)
def test_an_owner_cannot_make_a_membership_elsewhere(people: Database, columns: dict[str, str]) -> None:
    with people.owner_transaction() as session:
        rosa = user_called(session, "rosa").id
        reseller = reseller_called(session, columns["reseller"]).id if "reseller" in columns else None
        customer = customer_called(session, columns["customer"]).id if "customer" in columns else None

    with (
        pytest.raises(ProgrammingError, match="row-level security"),
        people.transaction(actor_called(people, "rashid")) as session,
    ):
        session.add(
            Membership(
                user_id=rosa,
                audience=columns["audience"],
                role=columns["role"],
                reseller_id=reseller,
                customer_id=customer,
            )
        )
        session.flush()


def test_a_reseller_cannot_write_a_wholesale_rule(people: Database) -> None:
    rashid = actor_called(people, "rashid")

    with pytest.raises(ProgrammingError, match="row-level security"), people.transaction(rashid) as session:
        session.add(PriceRuleScope(hop=Hop.WHOLESALE.value, reseller_id=rashid.party_id))
        session.flush()


def test_a_reseller_can_write_its_own_retail_rule(people: Database) -> None:
    rashid = actor_called(people, "rashid")

    with people.transaction(rashid) as session:
        own = session.get_one(Reseller, rashid.party_id)
        rule = make_rule(session, Hop.RETAIL, reseller=own, percent="20")

    assert rule.id


def test_who_views_as_somebody_else_can_write_nothing(people: Database) -> None:
    with people.owner_transaction() as session:
        nord = reseller_called(session, "nord").id
    looking = Actor(
        name="Nord",
        audience=Audience.RESELLER,
        party_id=nord,
        staff_id=1,
        staff_name="Wanda",
        is_read_only=True,
    )

    with pytest.raises(DBAPIError, match="read-only transaction"), people.transaction(looking) as session:
        session.execute(text("SELECT notify_people('reseller', 1, ARRAY['owner'], NULL, 'x', '{}', '')"))


def test_people_of_others_are_not_shown(people: Database) -> None:
    with people.transaction(actor_called(people, "rashid")) as session:
        names = {user.name for user in session.query(User)}

    # A reseller invites the people of its customers, and sees whom it has invited.
    assert names == {"Rashid", "Rosa", "Fatou", "Carla", "Victor"}


def test_entering_twice_keeps_the_latest_actor(people: Database) -> None:
    rashid, pavel = actor_called(people, "rashid"), actor_called(people, "pavel")

    with people.transaction(rashid) as session:
        enter(session, pavel)
        names = {user.name for user in session.query(User)}

    assert names == {"Pavel", "Stella"}


def test_a_reseller_sees_no_session_of_its_customers_people(people: Database) -> None:
    actor_called(people, "carla")

    with people.transaction(actor_called(people, "rashid")) as session:
        found = session.execute(text("SELECT user_id FROM user_session")).all()
        rashid = user_called(session, "rashid").id

    assert {user_id for (user_id,) in found} == {rashid}
