"""The simulator's bill is the vendor's: its own printed examples, to the cent, and errors only on demand."""

import csv
import gzip
import json
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest

from catalog.words import BillingCycle, Term
from marketplace.vendors.partner_center.connector import PartnerCenter
from marketplace.vendors.values import Attestation, Change, FileKind, FileRequest, Upgrade
from tests.vendors.simulated import (
    CAMILLE,
    PREMIUM,
    STANDARD,
    Simulator,
    azure_plan,
    bought,
    firm,
    line,
    open_account,
    running_simulator,
)

PRICES = (("CFQ7TTC0LDPB", "1", "10.08"), ("CFQ7TTC0LCHC", "2", "6.43"))
COLUMNS = (
    "ProductTitle,ProductId,SkuId,SkuTitle,Publisher,SkuDescription,UnitOfMeasure,TermDuration,BillingPlan,Market,"
    "Currency,UnitPrice,PricingTierRangeMin,PricingTierRangeMax,EffectiveStartDate,EffectiveEndDate,Tags,ERP Price"
)


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    """A vendor that sells at the prices of its own examples, by a price list without leading zeros."""
    with (tmp_path / "price_list.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS.split(","))
        writer.writeheader()
        for product, sku, price in PRICES:
            for term, plan, months in (("P1M", "Monthly", 1), ("P1Y", "Monthly", 12), ("P1Y", "Annual", 12)):
                writer.writerow(
                    {
                        "ProductTitle": product,
                        "ProductId": product,
                        "SkuId": sku,
                        "SkuTitle": product,
                        "TermDuration": term,
                        "BillingPlan": plan,
                        "Market": "FR",
                        "Currency": "EUR",
                        "UnitPrice": Decimal(price) * months,
                        "EffectiveStartDate": "2/1/2019 12:00:00 AM",
                        "EffectiveEndDate": "9999-12-31T00:00:00.0000000Z",
                        "Tags": "License",
                    }
                )
    with running_simulator(tmp_path) as simulator:
        simulator.at("2021-06-18T09:00:00Z")
        yield simulator


def billed(connector: PartnerCenter, invoice: str = "G000202106") -> list[tuple[str, int, str]]:
    """Give charge type, seats and subtotal of each line."""
    return [
        (str(found["chargeType"]), int(str(found["billableQuantity"])), str(found["subtotal"]))
        for found in connector.bill_lines(invoice)
    ]


@pytest.mark.parametrize(
    ("seats", "expected"),
    [
        (12, [("addQuantity", -10, "-94.08"), ("addQuantity", 12, "112.89")]),
        (8, [("removeQuantity", -10, "-94.08"), ("removeQuantity", 8, "75.26")]),
    ],
)
def test_a_change_of_seats_is_two_lines(
    simulator: Simulator, connector: PartnerCenter, seats: int, expected: list[tuple[str, int, str]]
) -> None:
    account = open_account(connector).account
    one = bought(connector, account, line(STANDARD))
    simulator.at("2021-06-20T09:00:00Z")
    connector.change(account, one.reference, Change(quantity=seats), key=uuid4())

    simulator.at("2021-07-06T00:00:00Z")

    assert billed(connector) == [("new", 10, "100.80"), *expected]


def test_what_is_cancelled_on_the_third_day_is_given_back_for_the_days_left(
    simulator: Simulator, connector: PartnerCenter
) -> None:
    simulator.at("2021-07-15T09:00:00Z")
    account = open_account(connector).account
    one = bought(connector, account, line(STANDARD))
    simulator.at("2021-07-17T09:00:00Z")
    connector.change(account, one.reference, Change(is_cancelled=True), key=uuid4())

    simulator.at("2021-08-06T00:00:00Z")

    assert billed(connector, "G000202107") == [("new", 10, "100.80"), ("cancelImmediate", -10, "-94.20")]


def test_what_is_cancelled_on_the_first_day_is_given_back_whole(
    simulator: Simulator, connector: PartnerCenter
) -> None:
    account = open_account(connector).account
    one = bought(connector, account, line(STANDARD))
    simulator.at("2021-06-19T08:59:59Z")
    connector.change(account, one.reference, Change(is_cancelled=True), key=uuid4())

    simulator.at("2021-07-06T00:00:00Z")

    assert billed(connector) == [("new", 10, "100.80"), ("cancelImmediate", -10, "-100.80")]


def test_an_upgrade_gives_back_and_charges_the_days_left(
    simulator: Simulator, connector: PartnerCenter
) -> None:
    account = open_account(connector).account
    one = bought(connector, account, line(STANDARD, 300))
    simulator.at("2021-06-25T09:00:00Z")
    wanted = Upgrade(*PREMIUM, 300, Term.P1Y, BillingCycle.MONTHLY)
    connector.upgrade(account, one.reference, wanted, key=uuid4())

    simulator.at("2021-07-06T00:00:00Z")

    assert billed(connector) == [
        ("new", 300, "3024.00"),
        ("convert", -300, "-2316.00"),
        ("convert", 300, "1476.00"),
    ]


def test_a_year_paid_at_once_and_a_month_that_renews(simulator: Simulator, connector: PartnerCenter) -> None:
    account = open_account(connector).account
    bought(connector, account, line(STANDARD, cycle=BillingCycle.ANNUAL))
    bought(connector, account, line(STANDARD, term=Term.P1M))

    simulator.at("2021-09-06T00:00:00Z")

    assert billed(connector, "G000202106") == [("new", 10, "1209.60"), ("new", 10, "100.80")]
    assert billed(connector, "G000202107") == [("renew", 10, "100.80")]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("missing", []),
        ("twice", [("new", 10, "100.80"), ("new", 10, "100.80")]),
        ("wrong_price", [("new", 10, "110.80")]),
        ("wrong_quantity", [("new", 11, "110.88")]),
        ("unknown_subscription", [("new", 10, "100.80")]),
    ],
)
def test_a_bill_is_wrong_on_demand(
    simulator: Simulator, connector: PartnerCenter, kind: str, expected: list[tuple[str, int, str]]
) -> None:
    account = open_account(connector).account
    one = bought(connector, account, line(STANDARD))
    simulator.tell("bill-errors", kind=kind, period="2021-06")

    simulator.at("2021-07-06T00:00:00Z")

    assert billed(connector) == expected
    known = {str(found["subscriptionId"]) == one.reference for found in connector.bill_lines("G000202106")}
    assert known == ({kind != "unknown_subscription"} if expected else set())


class TestFiles:
    def fetch(self, connector: PartnerCenter, request: FileRequest, folder: Path) -> list[dict[str, object]]:
        operation = connector.begin_export(request, key=uuid4())
        files = connector.export_state(operation)
        assert files is not None
        rows = []
        for file in connector.download(files, folder):
            rows += [json.loads(one) for one in gzip.decompress(file.read_bytes()).splitlines()]
        return rows

    def test_files_are_made_while_we_wait(self, simulator: Simulator, connector: PartnerCenter) -> None:
        simulator.tell("provisioning", seconds=60)
        request = FileRequest(FileKind.USAGE, currency="EUR")

        operation = connector.begin_export(request, key=uuid4())
        early = connector.export_state(operation)
        simulator.tell("clock", seconds=60)
        late = connector.export_state(operation)

        assert early is None
        assert late is not None

    def test_a_months_usage_and_its_bill(
        self, simulator: Simulator, connector: PartnerCenter, tmp_path: Path
    ) -> None:
        account = open_account(connector).account
        bought(connector, account, azure_plan())
        simulator.at("2021-07-06T00:00:00Z")

        usage = self.fetch(connector, FileRequest(FileKind.USAGE, invoice="G000202106"), tmp_path)
        bill = self.fetch(connector, FileRequest(FileKind.RECONCILIATION, invoice="G000202106"), tmp_path)

        assert len(usage) == 13 * 4
        assert len(usage[0]) == 54
        assert len(bill[0]) == 46
        spent = sum(Decimal(str(row["BillingPreTaxTotal"])) for row in usage)
        charged = sum(Decimal(str(row["Subtotal"])) for row in bill)
        # The vendor cuts cents off twice a line, and never adds any.
        assert Decimal(0) <= spent - charged < Decimal("0.02") * len(bill)

    def test_an_azure_plan_that_stands_still_uses_nothing(
        self, simulator: Simulator, connector: PartnerCenter, tmp_path: Path
    ) -> None:
        account = open_account(connector).account
        plan = bought(connector, account, azure_plan())
        simulator.at("2021-06-20T12:00:00Z")
        suspended = connector.change(account, plan.reference, Change(is_suspended=True), key=uuid4())
        simulator.at("2021-06-25T12:00:00Z")
        resumed = connector.change(account, plan.reference, Change(is_suspended=False), key=uuid4())
        simulator.at("2021-06-27T12:00:00Z")

        rows = self.fetch(connector, FileRequest(FileKind.USAGE, currency="EUR"), tmp_path)

        assert [one.status.value for one in (suspended, resumed)] == ["suspended", "active"]
        assert sorted({str(row["UsageDate"])[8:10] for row in rows}) == ["18", "19", "25", "26"]

    def test_usage_without_a_bill_does_not_tell_the_reseller(
        self, simulator: Simulator, connector: PartnerCenter, tmp_path: Path
    ) -> None:
        account = open_account(connector).account
        bought(connector, account, azure_plan())
        simulator.at("2021-06-20T12:00:00Z")

        rows = self.fetch(connector, FileRequest(FileKind.USAGE, currency="EUR"), tmp_path)

        assert {row["UsageDate"] for row in rows} == {"2021-06-18T00:00:00Z", "2021-06-19T00:00:00Z"}
        assert {row["Tier2MpnId"] for row in rows} == {""}


def test_a_free_trial_becomes_what_it_tried() -> None:
    with running_simulator() as built_in, closing(built_in.connector()) as own:
        built_in.at("2025-03-10T09:00:00Z")
        account = open_account(own).account
        trial = bought(
            own, account, line(("CFQ7TTC0LCHC", "0003"), 25, term=Term.P1M, cycle=BillingCycle.NONE)
        )

        built_in.at("2025-04-10T00:00:00Z")
        paid = own.subscription(account, trial.reference)

    assert (trial.is_trial, paid.is_trial) == (True, False)
    assert (paid.term, paid.billing_cycle, paid.quantity) == (Term.P1Y, BillingCycle.MONTHLY, 25)


def test_the_wholesaler_is_billed_in_its_own_currency_wherever_its_customers_are(
    simulator: Simulator, connector: PartnerCenter
) -> None:
    customer = connector.create_customer(
        firm("leeds.onmicrosoft.com", country="GB", postal_code="LS1 4AP"), key=uuid4()
    )
    attestation = Attestation(CAMILLE, date(2021, 1, 1), "117a77b0-9360-443b-8795-c6dedc750cf9")
    connector.attest(customer.account, attestation, key=uuid4())
    bought(connector, customer.account, line(STANDARD))
    bought(connector, customer.account, azure_plan())

    simulator.at("2021-07-06T00:00:00Z")

    assert {found["currency"] for found in connector.bill_lines("G000202106")} == {"EUR"}
