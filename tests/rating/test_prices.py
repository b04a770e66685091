"""What a rule comes down to, and what a line and its document come to: tables of figures made by hand."""

from decimal import Decimal
from fractions import Fraction
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.core.rounding import EXACT, allot, to_minor, whole_numbers
from marketplace.rating.balance import Parts, balance
from marketplace.rating.exact import plain, plus_percent
from marketplace.rating.price import AT_COST, Listing, Terms, effective
from marketplace.rating.statements import (
    Amounts,
    ExchangeRates,
    Formula,
    FormulaTable,
    MissingRate,
    Sum,
    list_unit_amount,
    retail_formula,
    round_document,
    wholesale_formula,
)

NO_RATES = ExchangeRates({})
#: What the rows of a line come to.
SUMS = {Sum.COST: Decimal(100), Sum.LIST: Decimal(150), Sum.QUANTITY: Decimal(10)}


def cost(percent: str) -> Terms:
    return Terms(1, "everything", "cost", Decimal(percent))


def listed(percent: str) -> Terms:
    return Terms(2, "everything", "list", Decimal(percent))


def fixed(price: str, currency: str = "EUR") -> Terms:
    return Terms(3, "everything", "fixed", None, Decimal(price), currency)


def bought_by(
    terms: Terms,
    *,
    row: str = "EUR",
    reseller: str = "EUR",
    rates: ExchangeRates = NO_RATES,
    listing: Listing = Listing.PRICED,
) -> Formula:
    return wholesale_formula(terms, listing, row_currency=row, reseller_currency=reseller, rates=rates)


def sold_by(
    wholesale: Terms,
    retail: Terms,
    *,
    row: str = "EUR",
    reseller: str = "EUR",
    customer: str = "EUR",
    rates: ExchangeRates = NO_RATES,
    listing: Listing = Listing.PRICED,
) -> Formula:
    return retail_formula(
        retail,
        listing,
        wholesale=wholesale,
        row_currency=row,
        reseller_currency=reseller,
        customer_currency=customer,
        rates=rates,
    )


def amount(formula: Formula, **sums: str) -> str:
    """Give the exact amount of one line."""
    some = {**SUMS, **{Sum(name): Decimal(value) for name, value in sums.items()}}
    return plain(exact_amounts([(formula, some[formula.sum])])[0])


def exact_amounts(lines: list[tuple[Formula, Decimal]]) -> list[Decimal]:
    """Price some lines."""
    return [exact for _, exact in priced(lines)]


def priced(lines: list[tuple[Formula, Decimal]]) -> list[tuple[Decimal, Decimal]]:
    """Give the basis amount and the exact amount of lines."""
    table = FormulaTable([formula for formula, _ in lines])
    sums = Amounts(*whole_numbers(amount for _, amount in lines))
    columns = table.price(range(len(lines)), sums)
    return list(
        zip(*([EXACT.scaleb(Decimal(n), -c.decimals) for n in c.numbers] for c in columns), strict=True)
    )


def rounded(exacts: list[Decimal], currency: str) -> tuple[int, list[int]]:
    """Round a document."""
    return round_document(*whole_numbers(exacts), currency)


@pytest.mark.parametrize(
    ("wholesale", "retail", "bought", "sold"),
    [
        (cost("10"), cost("20"), "110", "132"),
        (cost("0"), cost("-5"), "100", "95"),
        (listed("-10"), cost("10"), "135", "148.5"),
        (cost("10"), listed("0"), "110", "150"),
        (fixed("0.0000000123"), cost("100"), "0.000000123", "0.000000246"),
        (cost("10"), fixed("17.5"), "110", "175"),
        (
            listed("12.512345678901234567890"),
            AT_COST,
            "168.768518518351851851835",
            "168.768518518351851851835",
        ),
        (AT_COST, cost("-100"), "100", "0"),
    ],
)
def test_each_basis_gives_its_exact_amount(wholesale: Terms, retail: Terms, bought: str, sold: str) -> None:
    assert (amount(bought_by(wholesale)), amount(sold_by(wholesale, retail))) == (bought, sold)


@pytest.mark.parametrize(
    ("listing", "basis", "gap"),
    [
        (Listing.PRICED, "list", ""),
        (Listing.WITHOUT_PRICE, "cost", "no_list_price"),
        (Listing.NOT_PRICED, "cost", "not_list_priced"),
    ],
)
def test_a_list_rule_prices_at_cost_what_has_no_list_price_and_says_so(
    listing: Listing, basis: str, gap: str
) -> None:
    found = effective(listed("-10"), listing)

    assert (found.basis, found.gap) == (basis, gap)
    assert gap == "" or found.percent == 0


@pytest.mark.parametrize("listing", Listing)
def test_other_rules_know_no_gap_of_list_prices(listing: Listing) -> None:
    assert effective(cost("3"), listing).gap == ""
    assert effective(fixed("3"), listing).gap == ""
    assert effective(AT_COST, listing).gap == "no_rule"


def test_retail_starts_from_the_exact_wholesale_amount_and_not_the_rounded_one() -> None:
    assert amount(sold_by(cost("0"), cost("100")), cost="0.004") == "0.008"


def test_retail_cost_is_what_wholesale_fell_back_to_where_there_is_no_list_price() -> None:
    assert amount(sold_by(listed("-10"), cost("10"), listing=Listing.WITHOUT_PRICE)) == "110"


def test_a_list_price_is_multiplied_by_the_rate_of_its_own() -> None:
    assert list_unit_amount(Decimal("1.5"), Decimal("0.5")) == Decimal("0.75")
    assert list_unit_amount(Decimal("1.5"), None) == Decimal("1.5")


RATES = ExchangeRates(
    {
        ("USD", "CHF"): Decimal("0.9"),
        ("CHF", "GBP"): Decimal("0.8"),
        ("USD", "GBP"): Decimal("0.7"),
        ("JPY", "GBP"): Decimal("0.005"),
    }
)


@pytest.mark.parametrize(
    ("retail", "sold"),
    [
        (cost("0"), "72"),
        (listed("0"), "105"),
        (fixed("1", "USD"), "7"),
        (fixed("300", "JPY"), "15"),
        (fixed("2", "GBP"), "20"),
    ],
)
def test_each_amount_is_exchanged_once_from_its_own_currency(retail: Terms, sold: str) -> None:
    formula = sold_by(cost("0"), retail, row="USD", reseller="CHF", customer="GBP", rates=RATES)

    assert amount(bought_by(cost("0"), row="USD", reseller="CHF", rates=RATES)) == "90"
    assert amount(formula) == sold


@pytest.mark.parametrize(
    ("wholesale", "retail", "pair"),
    [
        (cost("0"), cost("0"), "USD>EUR"),
        (cost("0"), listed("0"), "USD>EUR"),
        (cost("0"), fixed("1", "CHF"), "CHF>EUR"),
        (fixed("1", "GBP"), cost("0"), "GBP>EUR"),
    ],
)
def test_a_rate_is_neither_inverted_nor_crossed(wholesale: Terms, retail: Terms, pair: str) -> None:
    rates = ExchangeRates(
        {("EUR", "USD"): Decimal("1.1"), ("USD", "CHF"): Decimal(1), ("EUR", "GBP"): Decimal(1)}
    )

    with pytest.raises(MissingRate, match=pair):
        sold_by(wholesale, retail, row="USD", rates=rates)


def test_a_retail_price_of_its_own_does_not_wait_for_the_rate_of_the_purchase() -> None:
    assert amount(sold_by(cost("0"), fixed("2"), row="USD")) == "20"


@pytest.mark.parametrize(
    ("currency", "exact", "minor"),
    [("JPY", "1234567.5", 1234568), ("KWD", "0.0005", 1), ("JPY", "-0.5", -1), ("LAK", "-0.005", -1)],
)
def test_a_document_is_rounded_to_its_currencys_minor_unit(currency: str, exact: str, minor: int) -> None:
    assert rounded([Decimal(exact)], currency) == (minor, [minor])


def test_ties_go_to_the_lines_that_come_first() -> None:
    assert rounded([Decimal("0.005")] * 5, "EUR") == (3, [1, 1, 1, 0, 0])


cents = st.integers(-(10**9), 10**9).map(lambda n: Decimal(n).scaleb(-5))
percents = st.integers(-(10**6), 10**6).map(lambda n: Decimal(n).scaleb(-4))
formulas = st.sampled_from([cost("12.5"), fixed("0.00000123"), AT_COST, listed("-7.25")]).map(bought_by)


@given(st.lists(st.tuples(formulas, cents), min_size=1, max_size=20))
def test_lines_come_to_sum_times_before_times_factor_and_add_up_to_their_document(
    some: list[tuple[Formula, Decimal]],
) -> None:
    found = priced(some)

    for (formula, amount), (basis, exact) in zip(some, found, strict=True):
        assert Fraction(basis) == Fraction(amount) * Fraction(formula.before)
        assert Fraction(exact) == Fraction(basis) * Fraction(formula.factor)
    exacts = [exact for _, exact in found]
    total, minors = rounded(exacts, "EUR")
    assert sum(minors) == total
    assert total == to_minor(reduce(EXACT.add, exacts), "EUR")
    assert minors == allot([EXACT.scaleb(exact, 2) for exact in exacts], total)


@given(cents, percents, percents)
def test_prices_are_what_fractions_say(start: Decimal, first: Decimal, second: Decimal) -> None:
    found = amount(sold_by(cost(str(first)), cost(str(second))), cost=str(start))

    assert Fraction(found) == Fraction(start) * (100 + Fraction(first)) / 100 * (100 + Fraction(second)) / 100


@pytest.mark.parametrize(
    ("percent", "factor"), [("12.5", "1.125"), ("-100", "0"), ("0", "1"), ("1e-30", None)]
)
def test_a_percentage_becomes_a_factor(percent: str, factor: str | None) -> None:
    found = plus_percent(Decimal(percent))

    assert plain(found) == (factor or "1." + "0" * 31 + "1")


@given(cents, cents, cents, cents)
def test_the_parts_of_a_bill_add_up_to_it(
    cost_: Decimal, tax: Decimal, unmapped: Decimal, parked: Decimal
) -> None:
    found = balance(Parts(cost_, tax, unmapped, parked), bill=None, currency="EUR")

    assert found.cost + found.tax + found.unmapped + found.parked == found.bill
    assert found.rounding == 0


def test_what_the_vendor_cut_off_is_its_rounding() -> None:
    found = balance(Parts(cost=Decimal("10.004")), bill=Decimal("9.99"), currency="EUR")

    assert (found.bill, found.cost, found.rounding) == (999, 1000, -1)
