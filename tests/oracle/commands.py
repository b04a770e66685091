"""The product as tests use it from outside: its commands, one marketplace at a time, files in and out."""

import contextlib
import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import uuid4

from sqlalchemy.orm import Session

from marketplace import cli
from marketplace.core.db import Database
from marketplace.settings import Settings, environment_name
from tests.conftest import ThrowAwayPostgres
from tests.factories import make_subscription_move
from tests.personas import customer_called

PARTY_COLUMNS = "legal_name,country,vat_number,registration_number"
COLUMNS = {
    "resellers": f"reference,{PARTY_COLUMNS},partner_id,currency,billing_mode,email".split(","),
    "customers": f"reference,reseller,{PARTY_COLUMNS},currency,email".split(","),
    "accounts": ["vendor", "account", "customer", "valid_from", "valid_until"],
    "rules": (
        "hop,reseller,customer,subscription,vendor,product,sku,basis,percent,unit_price,currency,valid_from,valid_until"
    ).split(","),
    "fx": ["month", "from", "to", "rate"],
    "own": "account,product,sku,meter,usage_date,quantity,unit,list_unit_price,cost,currency".split(","),
}
STATEMENT_COLUMNS = (
    "line,period,hop,seller,buyer,customer,vendor,account,subscription,product,sku,meter,charge_category,"
    "charge_type,charge_from,charge_until,quantity,unit,basis,basis_amount,percent,unit_price,fx_rate,"
    "amount,currency,source_rows,correction_of"
).split(",")

Record = Mapping[str, str]


class CommandFailed(AssertionError):
    """A command ended otherwise than the test says."""


@dataclass
class Marketplace:
    """One installation: a database and a data folder."""

    home: Path
    database_url: str
    drops: Path = field(init=False)
    _files: int = 0

    def __post_init__(self) -> None:
        self.drops = self.home.with_name(f"{self.home.name}-drops")
        self.drops.mkdir(parents=True, exist_ok=True)

    @contextlib.contextmanager
    def session(self) -> Iterator[Session]:
        """Open its database with the owner's rights, for one transaction."""
        database = Database(self.database_url)
        try:
            with database.owner_transaction() as session:
                yield session
        finally:
            database.dispose()

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to work on this installation."""
        return {"MARKETPLACE_HOME": str(self.home), "DATABASE_URL": self.database_url}

    def run(self, *arguments: str | Path, code: int = 0) -> dict[str, Any]:
        """Run a command in this process and give the object it prints."""
        ours = {environment_name(name) for name in Settings.model_fields}
        environment = {
            name: value for name, value in os.environ.items() if name not in ours
        } | self.environment
        printed = io.StringIO()
        with (
            mock.patch.dict(os.environ, environment, clear=True),
            mock.patch.dict(Settings.model_config, {"env_file": None}),
            contextlib.redirect_stdout(printed),
        ):
            ended = cli.main([*map(str, arguments), "--json"])
        text = printed.getvalue()
        if ended != code:
            raise CommandFailed(f"{' '.join(map(str, arguments))} ended with {ended}, not {code}: {text}")
        answer: dict[str, Any] = json.loads(text) if text.strip() else {}
        return answer

    def write(
        self, kind: str, records: Iterable[Record], *, name: str = "", columns: Sequence[str] = ()
    ) -> Path:
        """Write a file of records, blank where a record says nothing."""
        self._files += 1
        file = self.drops / (name or f"{kind}-{self._files}.csv")
        write_csv(file, columns or COLUMNS[kind], records)
        return file

    def import_terms(self, kind: str, records: Iterable[Record], *, code: int = 0) -> dict[str, Any]:
        """Import parties, mappings, rules or rates."""
        return self.run("import", kind, self.write(kind, records), code=code)

    def note_moves(self, records: Iterable[Record]) -> None:
        """Note subscriptions that are another customer's from a day on, as the page that moves them does."""
        database = Database(self.database_url)
        with database.owner_transaction() as session:
            for record in records:
                make_subscription_move(
                    session,
                    customer=customer_called(session, record["customer"]),
                    vendor=record["vendor"],
                    subscription=record["subscription"],
                    moves_on=date.fromisoformat(record["moves_on"]),
                )
        database.dispose()

    def deliver(
        self,
        *files: Path,
        vendor: str,
        billing_account: str | None = None,
        period: str | None = None,
        options: Sequence[str] = (),
        code: int = 0,
    ) -> dict[str, Any]:
        """Import usage files as one delivery."""
        told = ["--vendor", vendor]
        told += ["--billing-account", billing_account] if billing_account is not None else []
        told += ["--period", period] if period else []
        return self.run("usage", "import", *files, *told, *options, code=code)

    def deliver_own(self, records: Iterable[Record], *, vendor: str, **told: Any) -> dict[str, Any]:
        """Import rows in the own form."""
        return self.deliver(self.write("own", records), vendor=vendor, **told)

    def close(self, period: str, *options: str, code: int = 0) -> dict[str, Any]:
        """Rate or close a period."""
        return self.run("close", period, *options, code=code)

    def lines(self, period: str, hop: str, *options: str) -> list[dict[str, str]]:
        """Export the statements of a hop as CSV and read them."""
        self._files += 1
        file = self.drops / f"statements-{self._files}.csv"
        self.run("statements", "export", period, "--hop", hop, *options, "--format", "csv", "--output", file)
        with file.open(encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream)
            lines = list(reader)
        assert reader.fieldnames == STATEMENT_COLUMNS
        return lines


def write_csv(file: Path, columns: Sequence[str], records: Iterable[Record]) -> None:
    """Write records as a CSV file with a header."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, restval="")
        writer.writeheader()
        writer.writerows(records)


@contextlib.contextmanager
def fresh_marketplace(postgres: ThrowAwayPostgres, folder: Path) -> Iterator[Marketplace]:
    """Make an installation of its own, empty, for one example; gone afterwards."""
    url = postgres.fresh_database()
    try:
        yield Marketplace(folder / uuid4().hex, url)
    finally:
        postgres.drop(url)
