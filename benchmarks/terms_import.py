"""How long the terms of a large wholesaler take to import: 4,000 resellers to 250,000 accounts and 50,000 rules.

Run as `python -m benchmarks.terms_import`; it uses a throw-away database. Each file is imported twice: the second time
nothing changes, which is what a nightly export from another system does.
"""

import csv
import io
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from catalog.operations.exchange_rates import import_fx_rates
from marketplace import schema
from marketplace.core import embedded_postgres
from marketplace.core.actor import Actor
from marketplace.core.db import Database
from resellers.imports.accounts import COLUMNS as ACCOUNT_COLUMNS
from resellers.imports.accounts import import_accounts
from resellers.imports.parties import import_customers, import_resellers
from resellers.imports.price_rules import import_price_rules
from resellers.rules.identity import CUSTOMER_COLUMNS, RESELLER_COLUMNS
from resellers.rules.price_rules import COLUMNS as RULE_COLUMNS

RESELLERS, CUSTOMERS, ACCOUNTS, RULES = 4_000, 120_000, 250_000, 50_000


def resellers() -> Iterable[Sequence[object]]:
    """Give the rows of resellers.csv."""
    for n in range(RESELLERS):
        yield f"R{n}", f"Reseller {n}", "FR", "FR40303265045", "303265045", 4_000_000 + n, "EUR", "resale", ""


def customers() -> Iterable[Sequence[object]]:
    """Give the rows of customers.csv."""
    for n in range(CUSTOMERS):
        yield (
            f"C{n}",
            f"R{n % RESELLERS}",
            f"Customer {n}",
            "FR",
            "FR40303265045",
            "",
            "EUR",
            f"it@c{n}.example",
        )


def accounts() -> Iterable[Sequence[object]]:
    """Give the rows of accounts.csv: two customers in turn for every other account."""
    for n in range(ACCOUNTS):
        start, end = ("", "2024-06-01") if n % 2 else ("2024-06-01", "")
        yield "microsoft", f"account-{n // 2:08d}", f"C{n % CUSTOMERS}", start, end


def rules() -> Iterable[Sequence[object]]:
    """Give the rows of rules.csv: two years of rules for products of customers."""
    for n in range(RULES):
        customer = n // 2
        start, end = ("2023-01-01", "2024-01-01") if n % 2 else ("2024-01-01", "")
        hop = "retail" if customer % 2 else "wholesale"
        yield (
            *(hop, f"R{customer % RESELLERS}", f"C{customer}", "", "microsoft", f"Product {n % 97}", ""),
            *("list", "-7.5", "", "", start, end),
        )


def fx() -> Iterable[Sequence[object]]:
    """Give the rows of fx.csv."""
    for year in range(2000, 2025):
        for month in range(1, 13):
            yield f"{year}-{month:02d}", "USD", "EUR", "0.9123456"


FILES = (
    (import_resellers, RESELLER_COLUMNS, resellers),
    (import_customers, CUSTOMER_COLUMNS, customers),
    (import_accounts, ACCOUNT_COLUMNS, accounts),
    (import_price_rules, RULE_COLUMNS, rules),
    (import_fx_rates, ("month", "from", "to", "rate"), fx),
)


def main() -> None:
    """Import everything twice and print seconds."""
    with tempfile.TemporaryDirectory() as folder:
        server = embedded_postgres.start(Path(folder))
        database = Database(server.url)
        schema.migrate(database)
        for carry_out, columns, rows in FILES:
            content = _csv(columns, rows())
            for _ in range(2):
                began = time.perf_counter()
                with database.transaction(Actor.system()) as session:
                    result = carry_out(session, actor=Actor.system(), file="file.csv", content=content)
                seconds = time.perf_counter() - began
                print(
                    f"{result.kind:10} {result.rows:8,} rows  {result.added:8,} added  "
                    f"{result.unchanged:8,} unchanged  {seconds:6.2f} s",
                    flush=True,
                )
        database.dispose()
        server.stop()


def _csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()


if __name__ == "__main__":
    main()
