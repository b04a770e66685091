"""Customers a simulator starts with: tenants that were there before anybody connected to the vendor.

`customers.csv` in the state folder: account,name,domain,country. Each has accepted the vendor's terms. A customer that
is there already stays as it is.
"""

import csv
import io
from pathlib import Path

from marketplace.vendors.simulator.documents import Customer, Signed
from marketplace.vendors.simulator.store import Store

CUSTOMERS = "customers.csv"
_AGREED = "2024-01-01T00:00:00Z"


def plant(store: Store, folder: Path | None) -> None:
    """Add the customers of the file that are not there yet."""
    file = None if folder is None else folder / CUSTOMERS
    if file is None or not file.exists():
        return
    for row in csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"))):
        account = row["account"].casefold()
        if store.find(Customer, account) is None:
            store.put(_customer(account, row))
            store.put(_signed(account))


def _customer(account: str, row: dict[str, str]) -> Customer:
    return Customer(
        id=account,
        country=row["country"],
        body={
            "id": account,
            "companyProfile": {"tenantId": account, "domain": row["domain"], "companyName": row["name"]},
            "billingProfile": {
                "companyName": row["name"],
                "culture": "en-US",
                "language": "en",
                "defaultAddress": {"country": row["country"]},
            },
        },
    )


def _signed(account: str) -> Signed:
    contact = {"firstName": "First", "lastName": "Contact", "email": "first.contact@customer.example"}
    return Signed(
        id=f"agreement of {account}",
        account=account,
        body={
            "primaryContact": contact,
            "templateId": "117a77b0-9360-443b-8795-c6dedc750cf9",
            "dateAgreed": _AGREED,
            "type": "MicrosoftCustomerAgreement",
            "userId": "",
        },
    )
