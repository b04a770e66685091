"""What the simulated vendor knows of the demonstration: its customers have accounts there, so that they can order."""

import csv

from marketplace.demo import firms
from marketplace.settings import Settings

FOLDER = "simulator"
_CUSTOMERS = "customers.csv"
_PRICE_LIST = "price_list.csv"


def prepare(settings: Settings) -> None:
    """Lay out the customers in the simulator's folder; it takes them in when it starts."""
    folder = settings.home / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _CUSTOMERS).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("account", "name", "domain", "country"))
        for customer in firms.CUSTOMERS:
            domain = f"{customer.reference[:20]}.onmicrosoft.com"
            writer.writerow((firms.tenant(customer), customer.name, domain, customer.country))


def sell(settings: Settings, price_list: bytes) -> None:
    """Have the simulator sell at the prices of a list."""
    folder = settings.home / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _PRICE_LIST).write_bytes(price_list)
