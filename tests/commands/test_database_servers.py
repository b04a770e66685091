"""A PostgreSQL server of one's own: what it must be, said in words."""

import pytest

from marketplace import schema
from marketplace.core.db import Database


def test_a_server_that_is_too_old_is_refused_with_the_remedy(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "OLDEST_SERVER", (99,))

    with pytest.raises(schema.ServerTooOld, match="version 99 or newer is needed"):
        schema.migrate(database)
