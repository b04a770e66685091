"""How amounts, numbers and days look, and what form fields understand."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from marketplace.core.actor import Actor, Machine
from marketplace.core.money import Money
from marketplace.core.period import DateRange, Period
from marketplace.web import filters
from marketplace.web.charts import (
    Part,
    Parts,
    Series,
    StackedBars,
    Step,
    Waterfall,
    ranked_bars,
    ring,
    stacked_bars,
    waterfall,
)
from marketplace.web.forms import NotANumber, parse_number
from resellers.rules.scopes import Scope
from resellers.words import Hop
from tests.page import Site

pytestmark = pytest.mark.only_reads

NARROW = "\u202f"
SPACE = "\u00a0"


@pytest.mark.parametrize(
    ("language", "value", "written"),
    [
        ("fr", Money(123456, "EUR"), f"1{NARROW}234,56{SPACE}€"),
        ("en", Money(123456, "EUR"), "€1,234.56"),
        ("en", Money(-123456, "EUR"), "\u2212€1,234.56"),
        ("fr", Money(-5, "EUR"), f"\u22120,05{SPACE}€"),
        ("en", Money(1250, "JPY"), "¥1,250"),
        ("en", Money(1250, "KWD"), f"KWD{SPACE}1.250"),
        ("en", Money(10**17, "EUR"), "€1,000,000,000,000,000.00"),
    ],
)
def test_amounts_are_written_with_their_currency(
    site: Site, language: str, value: Money, written: str
) -> None:
    with site.app.test_request_context(headers={"Accept-Language": language}):
        assert filters.money(value) == written


@pytest.mark.parametrize(
    ("name", "in_french"),
    [
        (Actor.system(Machine.RENEWAL_POLICY).name, "règle de renouvellement"),
        (Actor.system(Machine.COMMAND_LINE).name, "ligne de commande"),
        (Actor.system().name, "Marketplace"),
        ("Renée Renewal", "Renée Renewal"),
        ("", ""),
    ],
)
def test_machines_are_named_in_the_readers_language_and_people_as_they_are_called(
    site: Site, name: str, in_french: str
) -> None:
    with site.app.test_request_context(headers={"Accept-Language": "fr"}):
        assert filters.named(name) == in_french
    with site.app.test_request_context():
        assert filters.named(name) == name


def test_exact_amounts_lose_nothing(site: Site) -> None:
    with site.app.test_request_context():
        assert filters.exact_money(Decimal("0.000000000000000001"), "EUR") == "€0.000000000000000001"
        assert filters.exact_money(
            Decimal("12345678901234567890123456789012345678.12345678901"), "EUR"
        ).endswith("345,678.12345678901")
        assert filters.exact_money(Decimal("2.5000"), "EUR") == "€2.50"
        assert filters.quantity(Decimal("12345678901234567890123456789012345678.12345678901")).endswith(
            "12345678901"
        )


def test_a_unit_of_several_is_told_from_the_number_before_it(site: Site) -> None:
    with site.app.test_request_context(headers={"Accept-Language": "en"}):
        assert filters.quantity(Decimal("2.5"), "Hours") == "2.5\u00a0Hours"
        assert filters.quantity(Decimal("2.5"), "10K Transactions") == "2.5\u00a0\u00d7\u00a010K Transactions"


def test_days_and_months_are_written_as_people_say_them(site: Site) -> None:
    with site.app.test_request_context(headers={"Accept-Language": "fr"}):
        assert filters.period(Period(2024, 9)) == "septembre 2024"
        assert filters.short_period(Period(2024, 9)) == "sept. 2024"
        assert filters.day(date(2024, 9, 3)) == "3 sept. 2024"
        assert filters.moment(datetime(2024, 9, 3, 22, 30, tzinfo=UTC)) == "4 sept. 2024, 00:30"
        assert filters.days(DateRange(date(2024, 9, 1), date(2024, 10, 1))).count("30 sept. 2024") == 1
        assert filters.percent(Decimal("12.50")) == f"12,5{NARROW}%"


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("1234.50", "1234.50"),
        ("1234,50", "1234.50"),
        (f"1{NARROW}234,5", "1234.5"),
        ("1'000", "1000"),
        ("\u22123", "-3"),
        (" 0,000001 ", "0.000001"),
    ],
)
def test_numbers_are_read_as_people_type_them(typed: str, number: str) -> None:
    assert parse_number(typed) == Decimal(number)


@pytest.mark.parametrize("typed", ["1.234,50", "1,234.50", "", "1e5", "NaN", "0x1", "12.", "½", "\u0661"])
def test_what_could_mean_two_things_is_refused(typed: str) -> None:
    with pytest.raises(NotANumber):
        parse_number(typed)


@pytest.mark.parametrize(
    "values", [["0", "0"], ["-5", "5"], ["0.0000001", "0"], ["1E+12", "1"], ["-3", "-1"]]
)
def test_charts_draw_any_values(site: Site, values: list[str]) -> None:
    first, second = (Decimal(value) for value in values)
    with site.app.test_request_context():
        drawings = [
            stacked_bars(
                StackedBars(title="<T>", labels=["a", "b"], series=[Series(name="s", values=[first, second])])
            ),
            ranked_bars(
                Parts(title="<T>", parts=[Part(name="<a>", value=first), Part(name="b", value=second)])
            ),
            ring(Parts(title="<T>", parts=[Part(name="<a>", value=first), Part(name="b", value=second)])),
            waterfall(
                Waterfall(
                    title="<T>",
                    steps=[Step(name="<a>", value=first, is_total=True), Step(name="b", value=second)],
                )
            ),
        ]

    for drawing in drawings:
        assert "<T>" not in drawing
        assert "<a>" not in drawing
        assert "nan" not in drawing.lower()
        assert "style=" not in drawing


@pytest.mark.parametrize(
    ("left", "english", "french"),
    [
        (timedelta(days=40, hours=23, seconds=30), "in 40 days", "dans 40 jours"),
        (timedelta(hours=72, seconds=30), "in 3 days", "dans 3 jours"),
        (timedelta(hours=71, minutes=59, seconds=30), "in 71 hours", "dans 71 heures"),
        (timedelta(hours=1, seconds=30), "in 1 hour", "dans 1 heure"),
        (timedelta(minutes=59, seconds=30), "in 59 minutes", "dans 59 minutes"),
        (timedelta(seconds=30), "in 0 minutes", "dans 0 minute"),
        (timedelta(seconds=-30), "over", "passé"),
    ],
)
def test_the_time_left_is_never_said_longer_than_it_is(
    site: Site, left: timedelta, english: str, french: str
) -> None:
    for language, written in (("en", english), ("fr", french)):
        with site.app.test_request_context(f"/?lang={language}"):
            assert filters.time_left(datetime.now(UTC) + left) == written


def test_vendors_are_called_as_they_call_themselves_and_unknown_ones_by_their_key() -> None:
    assert [filters.vendor(key) for key in ("microsoft", "aws", "coffre")] == [
        "Microsoft",
        "Amazon Web Services",
        "coffre",
    ]


def test_a_price_rule_is_about_a_vendor_by_its_name_and_else_about_everything(site: Site) -> None:
    with site.app.test_request_context(headers={"Accept-Language": "fr"}):
        about = Scope(hop=Hop.WHOLESALE, vendor="microsoft", product="Azure plan")
        assert filters.scope(about) == "Microsoft · Azure plan"
        assert filters.scope(Scope(hop=Hop.WHOLESALE)) == "Tout"


def test_countries_are_called_by_their_names_and_unknown_ones_by_their_code(site: Site) -> None:
    with site.app.test_request_context(headers={"Accept-Language": "fr"}):
        assert [filters.country(code) for code in ("FR", "DE", "ZZZ")] == ["France", "Allemagne", "ZZZ"]


def test_bars_have_room_for_the_whole_of_their_longest_name(site: Site) -> None:
    with site.app.test_request_context():
        drawings = [
            ranked_bars(Parts(title="T", parts=[Part(name="x" * letters, value=Decimal(1))]))
            for letters in range(5, 30)
        ]

    assert not [drawing for drawing in drawings if "…" in drawing]
