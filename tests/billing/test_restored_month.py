"""A month that was backed up and restored elsewhere."""

from pathlib import Path

from tests.conftest import ThrowAwayPostgres
from tests.oracle.commands import Marketplace, fresh_marketplace
from tests.oracle.model import RETAIL, WHOLESALE

MONTH = "2024-09"


def test_a_restored_month_closes_to_the_same_lines_and_cents(
    postgres: ThrowAwayPostgres, tmp_path: Path
) -> None:
    archive = tmp_path / "september.tar.gz"
    with fresh_marketplace(postgres, tmp_path) as original:
        fill(original)
        original.run("backup", archive)
        figures = original.close(MONTH, "--approve")
        lines = [original.lines(MONTH, hop) for hop in (WHOLESALE, RETAIL)]
        place = tmp_path / "elsewhere"
        url = postgres.fresh_database(is_migrated=False)
        restored = Marketplace(place, url)
        restored.run("restore", archive)

        again = restored.close(MONTH, "--approve")

        for one in (figures, again):
            one.pop("seconds")
        assert again == figures
        assert figures["totals"]["retail"] == {"EUR": "4.44"}
        assert [restored.lines(MONTH, hop) for hop in (WHOLESALE, RETAIL)] == lines
    postgres.drop(url)


def fill(marketplace: Marketplace) -> None:
    """One customer with three thirds of something, and an account that nobody owns."""
    party = {"legal_name": "R", "country": "FR", "currency": "EUR"}
    marketplace.import_terms("resellers", [party | {"reference": "R"}])
    marketplace.import_terms("customers", [party | {"reference": "C", "reseller": "R"}])
    marketplace.import_terms("accounts", [{"vendor": "v", "account": "a", "customer": "C"}])
    marketplace.import_terms(
        "rules",
        [
            {"hop": hop, "basis": "cost", "percent": percent}
            for hop, percent in (("wholesale", "10"), ("retail", "21"))
        ],
    )
    row = {
        "product": "p",
        "sku": "s",
        "quantity": "1",
        "unit": "u",
        "usage_date": f"{MONTH}-05",
        "currency": "EUR",
    }
    rows = [row | {"account": "a", "meter": f"m{number}", "cost": "1.1111111"} for number in range(3)]
    marketplace.deliver_own([*rows, row | {"account": "nobody", "cost": "9.99"}], vendor="v")
