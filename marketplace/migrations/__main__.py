"""For developers: `python -m marketplace.migrations check`, or `... new "add a column"`, on a throw-away server."""

import sys
import tempfile
from pathlib import Path

from alembic.util import CommandError

from marketplace import schema
from marketplace.core import embedded_postgres
from marketplace.core.db import Database


def main(arguments: list[str]) -> int:
    """Compare the models with the migrations, or write the next migration."""
    if arguments[:1] not in (["check"], ["new"]) or (arguments[0] == "new") != (len(arguments) == 2):  # noqa: PLR2004
        print('usage: python -m marketplace.migrations (check | new "what changes")', file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        server = embedded_postgres.start(Path(folder), is_durable=False)
        database = Database(server.url)
        try:
            schema.migrate(database)
            if arguments[0] == "new":
                schema.write_step(database, arguments[1])
            else:
                schema.check_models(database)
        except CommandError as difference:
            print(f"{difference}\nRun `make migration MESSAGE='what changes'`.", file=sys.stderr)
            return 1
        finally:
            database.dispose()
            server.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
