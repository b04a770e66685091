"""What the worker does for the catalogue: price lists whose moment has come."""

from catalog.operations.price_lists import activate_due
from marketplace.core.actor import Actor
from marketplace.core.clock import utc_now
from marketplace.core.db import Database
from marketplace.jobs import register
from marketplace.settings import Settings

ACTIVATE = "catalog.activate"


@register(ACTIVATE, retries=5, every="*/5 * * * *")
def activate(database: Database, settings: Settings) -> int:
    """Put scheduled versions in force whose moment has come. Doing it again does nothing."""
    del settings
    with database.owner_transaction() as session:
        return activate_due(session, actor=Actor.system("price lists"), now=utc_now())
