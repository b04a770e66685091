"""The schema: made from nothing, the same when repeated, equal to the models, and stepping back."""

from collections.abc import Iterator

import pytest
from sqlalchemy import inspect, select, text

from marketplace import schema
from marketplace.billing.models import CloseRun
from marketplace.core.actor import Actor
from marketplace.core.db import Database
from marketplace.core.errors import Phrase
from marketplace.schema import SchemaAhead, SchemaMissing
from marketplace.usage.models import Delivery
from tests.conftest import ThrowAwayPostgres


@pytest.fixture
def empty(postgres: ThrowAwayPostgres) -> Iterator[Database]:
    database = Database(postgres.fresh_database(is_migrated=False))
    yield database
    database.dispose()
    postgres.drop(database.url)


def test_migrating_makes_everything_and_repeating_it_does_nothing(empty: Database) -> None:
    first = schema.migrate(empty)
    second = schema.migrate(empty)

    assert first[-1] == schema.newest_step()
    assert second == []
    schema.check_schema(empty)


def test_models_and_migrations_agree(database: Database) -> None:
    schema.check_models(database)


def test_every_step_can_be_undone_and_done_again(empty: Database) -> None:
    steps = schema.migrate(empty)

    for _ in steps:
        schema.undo_last_step(empty)
    left = [name for name in inspect(empty.engine).get_table_names() if not name.startswith("procrastinate_")]
    again = schema.migrate(empty)

    assert left == ["alembic_version"]
    assert again == steps


def test_a_database_with_a_month_in_it_goes_back_a_step_and_up_again_for_every_step(empty: Database) -> None:
    steps = schema.migrate(empty)
    with empty.owner_transaction() as session:
        refused = Phrase.verbatim("2024-09 is closed.")
        session.add(CloseRun(period=202409, status="refused", error=refused, started_by="Wanda"))
        session.add(CloseRun(period=202409, status="done", started_by="Wanda"))
        session.add(Delivery(vendor="microsoft", created_by="Wanda"))

    for _ in steps[1:]:
        schema.undo_last_step(empty)
    schema.migrate(empty)

    with empty.owner_transaction() as session:
        errors = session.scalars(select(CloseRun.error).order_by(CloseRun.id)).all()
        assert [str(error or "") for error in errors] == ["2024-09 is closed.", ""]
        assert session.scalars(select(Delivery.error)).all() == [None]


def test_a_new_database_has_its_wholesaler_in_euro(database: Database) -> None:
    with database.transaction(Actor.system()) as session:
        rows = session.execute(text("SELECT id, currency FROM wholesaler")).all()

    assert [tuple(row) for row in rows] == [(1, "EUR")]


def test_the_role_of_screens_owns_nothing_and_cannot_step_over_row_level_security(database: Database) -> None:
    with database.owner_transaction() as session:
        rights = session.execute(
            text("SELECT rolsuper, rolbypassrls, rolcanlogin FROM pg_roles WHERE rolname = 'marketplace_app'")
        ).one()
        owned = session.scalar(
            text("SELECT count(*) FROM pg_class WHERE relowner = 'marketplace_app'::regrole")
        )

    assert tuple(rights) == (False, False, False)
    assert owned == 0


def test_an_empty_database_is_refused_with_the_command_to_run(empty: Database) -> None:
    with pytest.raises(SchemaMissing, match="python -m marketplace migrate"):
        schema.check_schema(empty)


def test_a_database_of_a_newer_version_is_left_alone(database: Database) -> None:
    with database.owner_transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(SchemaAhead, match="9999"):
        schema.migrate(database)
    with pytest.raises(SchemaAhead, match="9999"):
        schema.check_schema(database)
