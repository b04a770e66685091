"""`explain`: the whole arithmetic for who may see it, and nothing of the hops above for who may not."""

import json
from fractions import Fraction
from typing import Any

import pytest

from tests.commands.conftest import Month

COST_FACTS = {"cost", "list_unit_price", "list_fx", "list_cost", "invoice", "billing_account", "file_kind"}


def line_of(month: Month, hop: str, customer: str, product: str, basis: str = "cost") -> dict[str, str]:
    return next(
        line
        for line in month.lines(hop)
        if (line["customer"], line["product"], line["basis"]) == (customer, product, basis)
        and not line["charge_type"]
    )


def steps(hop: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {step["step"]: step for step in hop["steps"]}


@pytest.mark.parametrize("hop", ["wholesale", "retail"])
def test_every_line_explains_itself_to_its_amount(month: Month, hop: str) -> None:
    for line in month.lines(hop):
        own = month.explain(line["line"], "wholesaler")["hops"][-1]

        said = steps(own)
        assert own["amount"] == line["amount"]
        assert Fraction(said["exact"]["amount"]) + Fraction(said["rounded"]["difference"]) == Fraction(
            line["amount"]
        )
        assert (own["seller"], own["buyer"]) == (line["seller"], line["buyer"])


@pytest.mark.parametrize("hop", ["wholesale", "retail"])
def test_every_line_opens_onto_the_source_rows_it_counts(month: Month, hop: str) -> None:
    for line in month.lines(hop):
        explained = month.explain(line["line"], "wholesaler")

        assert explained["rows_total"] == len(explained["rows"]) == int(line["source_rows"])
        assert sum(Fraction(row["quantity"]) for row in explained["rows"]) == Fraction(line["quantity"])


def test_the_source_rows_can_be_read_page_by_page(month: Month) -> None:
    line = next(line for line in month.lines("retail") if int(line["source_rows"]) > 1)
    whole = month.explain(line["line"], "wholesaler")["rows"]

    pages = [
        month.marketplace.run("explain", line["line"], "--start", str(start), "--rows", "1")
        for start in range(len(whole))
    ]

    assert [page["rows"] for page in pages] == [[row] for row in whole]
    assert {page["rows_total"] for page in pages} == {len(whole)}


@pytest.mark.parametrize("wrong", ["-1", "x", "1.5"])
def test_a_page_that_is_no_number_is_wrong_usage(month: Month, wrong: str) -> None:
    line = month.lines("retail")[0]

    refused = month.marketplace.run("explain", line["line"], "--start", wrong, code=2)

    assert "0 or more" in refused["error"]


def test_the_wholesaler_sees_both_hops_of_a_retail_line_and_the_vendors_cost(month: Month) -> None:
    line = line_of(month, "retail", "C1", "Compute")

    wholesale, retail = month.explain(line["line"], "wholesaler")["hops"]

    assert steps(wholesale)["vendor_cost"]["amount"] == "1.00500004"
    assert steps(wholesale)["rule"]["rule"]["percent"] == "12.5"
    assert steps(wholesale)["exchange"]["rate"] == "0.9012345"
    assert steps(retail)["wholesale_amount"]["amount"] == steps(wholesale)["exact"]["amount"]
    assert steps(retail)["rule"]["rule"]["scope"] == {"reseller": "R1"}


def test_a_reseller_sees_what_it_pays_and_its_own_rule_and_nothing_of_the_vendors_cost(month: Month) -> None:
    line = line_of(month, "retail", "C1", "Compute")

    explained = month.explain(line["line"], "reseller")

    wholesale, retail = explained["hops"]
    assert list(steps(wholesale)) == ["quantity", "sellers_price", "exact", "rounded"]
    assert steps(retail)["rule"]["percent"] == "20"
    text = json.dumps(explained)
    assert "1.00500004" not in text
    assert "12.5" not in text
    assert not COST_FACTS & set(explained["rows"][0])


def test_a_customer_sees_its_price_and_nothing_of_what_its_reseller_pays(month: Month) -> None:
    line = line_of(month, "retail", "C1", "Compute")

    explained = month.explain(line["line"], "customer")

    (retail,) = explained["hops"]
    assert list(steps(retail)) == ["quantity", "sellers_price", "exact", "rounded"]
    text = json.dumps(explained)
    assert not any(secret in text for secret in ("1.00500004", "12.5", "1.0189582971180525", '"20"'))
    assert not COST_FACTS & set(explained["rows"][0])


def test_a_customer_sees_the_list_price_it_was_given_a_discount_on(month: Month) -> None:
    line = line_of(month, "retail", "C2", "Compute", "list")

    (retail,) = month.explain(line["line"], "customer")["hops"]

    assert steps(retail)["list_price"]["amount"] == "1.4"
    assert steps(retail)["rule"]["percent"] == "-5"


def test_a_customer_sees_a_fixed_price_and_its_conversion(month: Month) -> None:
    lines = [line for line in month.lines("retail") if line["unit_price"] == "0.0153"]

    (retail,) = month.explain(lines[0]["line"], "customer")["hops"]

    assert steps(retail)["rule"]["unit_price"] == "0.0153"
    assert steps(retail)["exchange"]["rate"] == "0.3055"


def test_a_wholesale_line_does_not_exist_for_the_customer(month: Month) -> None:
    line = line_of(month, "wholesale", "C1", "Compute")

    answer = month.explain(line["line"], "customer", code=1)

    assert answer["error"].startswith(f"There is no statement line {line['line']}")


def test_a_line_that_no_list_price_applied_to_says_so(month: Month) -> None:
    line = next(line for line in month.lines("retail") if "HYPERLINK" in line["product"])

    _, retail = month.explain(line["line"], "wholesaler")["hops"]

    assert steps(retail)["fall_back"]["gap"] == "no_list_price"
