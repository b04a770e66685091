"""Alembic's entry: it is handed a connection by `marketplace.schema`, never an address.

Each step is a transaction of its own. It waits five seconds for a lock and no longer: a step that queues behind a long
transaction would make every page queue behind it.
"""

import importlib
import importlib.util
import pkgutil

from alembic import context
from sqlalchemy import Connection, text

import marketplace
import marketplace.core.audit  # registers its table when imported
from marketplace.core.db import Base

LOCK_TIMEOUT = "5s"


def load_models() -> None:
    """Import the models of every capability, so that none can be forgotten."""
    capabilities = [f"marketplace.{package.name}" for package in pkgutil.iter_modules(marketplace.__path__)]
    for capability in ("catalog", "resellers", *capabilities):
        package = importlib.util.find_spec(capability)
        if package is not None and package.submodule_search_locations is not None:
            name = f"{capability}.models"
            if importlib.util.find_spec(name) is not None:
                importlib.import_module(name)


def run(connection: Connection) -> None:
    """Run the steps Alembic was asked for."""
    partitions = set(connection.scalars(text("SELECT relname FROM pg_class WHERE relispartition")))

    def is_ours(name: str | None, kind: str, _parents: object) -> bool:
        """Leave out partitions, which the close makes, and the tables of the job queue, which bring their own."""
        return kind != "table" or not (name in partitions or str(name).startswith("procrastinate_"))

    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_name=is_ours,
        transaction_per_migration=True,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.execute(text("RESET lock_timeout"))
    connection.commit()


load_models()
run(context.config.attributes["connection"])
