"""599 real rows of three vendors, imported, mapped, priced and closed by the commands."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.shared_data import shared
from tests.conftest import ThrowAwayPostgres
from tests.oracle import vendor_files
from tests.oracle.commands import Marketplace, fresh_marketplace
from tests.oracle.model import Row, World
from tests.oracle.months import Terms

SAMPLE = "focus/focus_1.0_sample.csv"
VENDOR = "multicloud"
PERIODS = ("2024-09", "2024-10")
PARTY = {"country": "FR", "vat_number": "", "registration_number": "", "email": ""}
RULE = dict.fromkeys(
    "hop reseller customer subscription vendor product sku basis percent unit_price currency valid_from".split(),
    "",
) | {"valid_until": ""}


@dataclass
class RealMonth:
    """The installation, what the commands answered, and the same files read a second time."""

    marketplace: Marketplace
    file: Path
    terms: Terms
    imported: dict[str, Any]
    closed: dict[str, dict[str, Any]]

    @cached_property
    def records(self) -> list[dict[str, str]]:
        """The rows of the file, as Python's csv reads them."""
        return read(self.file)

    @cached_property
    def rows(self) -> list[Row]:
        """The rows as the model sees them."""
        return vendor_files.rows(self.records, kind="focus", vendor=VENDOR)

    @property
    def world(self) -> World:
        """Parties and terms as the model sees them."""
        world = World()
        self.terms.add_to(world)
        return world


def read(file: Path) -> list[dict[str, str]]:
    """Read a CSV file."""
    with file.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def customer_of(record: dict[str, str], number: int) -> str:
    """Two customers a provider, so that every provider's bill is shared."""
    return f"{record['ProviderName']}-{number % 2}"


def terms_for(records: list[dict[str, str]]) -> Terms:
    """Make parties of three currencies, a mapping for each account, rules of every basis, and the rates."""
    currencies = {"AWS": "EUR", "Microsoft": "JPY", "Oracle": "KWD"}
    resellers = [
        {"reference": f"R-{provider}", "legal_name": provider, "currency": currency, **PARTY}
        | {"partner_id": "", "billing_mode": "resale"}
        for provider, currency in currencies.items()
    ]
    customers = [
        {
            "reference": f"{provider}-{number}",
            "reseller": f"R-{provider}",
            "legal_name": f"{provider} {number}",
        }
        | PARTY
        | {"currency": "USD" if number else currency}
        for provider, currency in currencies.items()
        for number in (0, 1)
    ]
    owners: dict[str, str] = {}
    for record in records:
        account = record["SubAccountId"].replace("NULL", "") or record["BillingAccountId"]
        owners.setdefault(account, customer_of(record, len(owners)))
    accounts = [
        {"vendor": VENDOR, "account": account, "customer": customer, "valid_from": "", "valid_until": ""}
        for account, customer in owners.items()
    ]
    rules = [
        RULE | {"hop": "wholesale", "basis": "cost", "percent": "7.25"},
        RULE
        | {"hop": "wholesale", "basis": "cost", "percent": "-3.5", "vendor": VENDOR}
        | {"product": "Amazon Elastic Compute Cloud", "valid_from": "2024-09-10"},
        RULE | {"hop": "retail", "reseller": "R-AWS", "basis": "cost", "percent": "18"},
        RULE | {"hop": "retail", "reseller": "R-Microsoft", "basis": "list", "percent": "-2"},
        RULE | {"hop": "retail", "customer": "Oracle-0", "basis": "fixed", "unit_price": "0.0123", "currency": "USD"},
    ]  # fmt: skip
    rates = {
        ("USD", "EUR"): "0.89847",
        ("USD", "JPY"): "143.2",
        ("USD", "KWD"): "0.30512",
        ("EUR", "USD"): "1.11301",
        ("JPY", "USD"): "0.0069832",
        ("KWD", "USD"): "3.2774",
    }
    fx = [
        {"month": period, "from": source, "to": target, "rate": rate}
        for period in PERIODS
        for (source, target), rate in rates.items()
    ]
    return Terms(resellers=resellers, customers=customers, accounts=accounts, rules=rules, fx=fx)


@pytest.fixture(scope="session")
def real(postgres: ThrowAwayPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealMonth]:
    """Import and close the real file."""
    file = shared(SAMPLE)
    terms = terms_for(read(file))
    with fresh_marketplace(postgres, tmp_path_factory.mktemp("real")) as marketplace:
        terms.import_into(marketplace)
        imported = marketplace.deliver(file, vendor=VENDOR)
        closed = {period: marketplace.close(period, "--approve") for period in PERIODS}
        yield RealMonth(marketplace, file, terms, imported, closed)
