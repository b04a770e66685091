"""What the simulated vendor knows of the demonstration: its customers have accounts there, so that they can order."""

import csv
from collections.abc import Sequence

from catalog.rules.promotions import PromotionTerms
from catalog.words import Term
from marketplace.demo import firms
from marketplace.settings import Settings

FOLDER = "simulator"
_CUSTOMERS = "customers.csv"
_PRICE_LIST = "price_list.csv"
_PROMOTIONS = "promotions.csv"


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


def promote(settings: Settings, promotion: PromotionTerms, *, terms: Sequence[Term]) -> None:
    """Have the simulator take a promotion off, for some terms."""
    with (settings.home / FOLDER / _PROMOTIONS).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(
            ("reference", "percent", "starts_on", "ends_on", "terms", "maximum_quantity", "first_purchase")
        )
        writer.writerow(
            (
                promotion.reference,
                promotion.percent,
                promotion.starts_on,
                promotion.ends_on,
                " ".join(term.value for term in terms),
                promotion.maximum_quantity or "",
                "yes" if promotion.is_first_purchase_only else "",
            )
        )
