"""What the simulated vendor knows of the demonstration: its customers have accounts there, so that they can order."""

import csv
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime

from catalog.rules.promotions import PromotionTerms
from catalog.words import Term
from marketplace.core.period import Period
from marketplace.demo import firms
from marketplace.settings import Settings
from marketplace.vendors.simulator import bills
from marketplace.vendors.simulator.catalogue import load
from marketplace.vendors.simulator.desk import Desk
from marketplace.vendors.simulator.documents import BillError, World
from marketplace.vendors.simulator.server import open_server
from marketplace.vendors.simulator.store import Store

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


@contextmanager
def running(settings: Settings) -> Iterator[Settings]:
    """Run the simulator while the demonstration is made; give settings that reach it."""
    server, close = open_server(0, settings.home / FOLDER, provisioning_seconds=0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield settings.model_copy(update={"simulator_port": server.port})
    finally:
        server.shutdown()
        server.server_close()
        close()


def set_clock(settings: Settings, at: datetime | None) -> None:
    """Have it be an instant there from the next request on; None lets its clock run like ours."""
    with closing(Store(settings.home / FOLDER)) as store:
        store.begin()
        world = store.find(World, "world") or World()
        world.stopped_at, world.ahead_seconds = at, 0
        store.put(world)
        store.end(is_kept=True)


def get_a_bill_wrong(settings: Settings, period: Period) -> None:
    """Have the vendor bill a seat too many in a month, for the comparison to find."""
    with closing(Store(settings.home / FOLDER)) as store:
        store.begin()
        store.put(BillError(id=f"demo {period}", kind="wrong_quantity", period=period.number))
        store.end(is_kept=True)


def billed(settings: Settings, period: Period, *, now: datetime) -> list[dict[str, str]]:
    """Give the licence lines of the vendor's bill of a month, by the columns of its file."""
    folder = settings.home / FOLDER
    with closing(Store(folder)) as store:
        desk = Desk(store, load(folder), store.find(World, "world") or World(), now)
        rows = bills.rows_of(desk, period)
    return [
        {name: str(value) for name, value in row.items()} for row in rows if row["UnitType"] == "Licenses"
    ]
