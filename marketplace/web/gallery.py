"""Made-up values for the page that shows every component; the page is itself a test of the kit."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from flask_babel import gettext, lazy_gettext
from wtforms import BooleanField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired

from marketplace.core.clock import utc_now
from marketplace.core.errors import N_, FaultyRow
from marketplace.core.money import Money
from marketplace.core.period import Period
from marketplace.web.charts import Part, Parts, Series, StackedBars, Step, Waterfall, in_currency
from marketplace.web.forms import AmountField, DayField, PageForm, PercentField, PeriodField
from marketplace.web.listing import Column, Filter, Kind, ListView, OnPhone

_NAMES = (
    "Coopérative des Halles",
    "Imprimerie du Quai",
    "Northwind Traders",
    "Énergie Locale SCIC",
    "Hôtel des Voyageurs",
    "Duroc & Partners",
    "Transports Kervella",
    "Lycée Jean-Monnet",
    "=HYPERLINK(formula)",
    "Ville de Saint-Aubin",
    "Clinique du Parc",
    "Boulangerie Martin SARL",
)
_CURRENCIES = ("EUR", "EUR", "USD", "EUR", "JPY", "EUR", "KWD")
_STATUSES = ("closed", "rated", "open", "reviewed", "parked")


@dataclass(frozen=True)
class Sample:
    """One row of the gallery's list."""

    number: int
    customer: str
    period: Period
    day: date
    lines: int
    amount: Money
    status: str


@dataclass(frozen=True)
class Event:
    """One event of the gallery's timeline."""

    moment: datetime
    title: str
    who: str
    detail: str = ""
    icon_name: str = ""
    tone: str = ""


def samples() -> list[Sample]:
    """Give rows enough for several pages."""
    month = Period(2026, 10)
    return [
        Sample(
            number=1000 + at,
            customer=_NAMES[at % len(_NAMES)],
            period=month if at % 3 else month.previous(),
            day=date(2026, 11, 3) - timedelta(days=at),
            lines=(at * 37) % 2400 + 3,
            amount=Money((at * 991_733) % 12_400_000 * (1 if at % 11 else -1), _CURRENCIES[at % 7]),
            status=_STATUSES[at % len(_STATUSES)],
        )
        for at in range(58)
    ]


SAMPLES = ListView[Sample](
    name="samples",
    columns=(
        Column(
            key="number",
            label=N_("Statement"),
            value=lambda row: str(row.number),
            sort=True,
            phone=OnPhone.TITLE,
        ),
        Column(key="customer", label=N_("Customer"), value=lambda row: row.customer, sort=True),
        Column(key="period", label=N_("Period"), value=lambda row: row.period, sort=True),
        Column(
            key="day",
            label=N_("Written on"),
            value=lambda row: row.day,
            sort=True,
            kind=Kind.DAY,
            phone=OnPhone.HIDDEN,
        ),
        Column(key="lines", label=N_("Lines"), value=lambda row: row.lines, sort=True, kind=Kind.NUMBER),
        Column(key="amount", label=N_("Amount"), value=lambda row: row.amount, sort=True, kind=Kind.MONEY),
        Column(
            key="status",
            label=N_("Status"),
            value=lambda row: row.status,
            kind=Kind.STATUS,
            phone=OnPhone.SIDE,
        ),
    ),
    filters=(
        Filter(
            key="status",
            label=N_("Status"),
            choices=(("open", N_("Open")), ("rated", N_("Rated")), ("closed", N_("Closed"))),
            keeps=lambda row, value: row.status == value,
        ),
        Filter(
            key="since",
            label=N_("Written since"),
            input="date",
            keeps=lambda row, value: row.day.isoformat() >= value,
        ),
    ),
    finds=lambda row, text: text in row.customer.casefold() or text in str(row.number),
    search_label=N_("Customer or number"),
    sort="-number",
    page_size=10,
)


class GalleryForm(PageForm):
    """Every kind of field."""

    name = StringField(lazy_gettext("Legal name"), validators=[DataRequired()])
    email = StringField(lazy_gettext("E-mail"), validators=[DataRequired()])
    percent = PercentField(
        lazy_gettext("Percent"), description=lazy_gettext("On top of the cost, such as 12.5")
    )
    price = AmountField(lazy_gettext("Unit price"))
    month = PeriodField(lazy_gettext("Period"))
    start = DayField(lazy_gettext("Valid from"), validators=[DataRequired()])
    basis = SelectField(
        lazy_gettext("Basis"),
        choices=[
            SelectChoice("cost", lazy_gettext("Cost")),
            SelectChoice("list", lazy_gettext("List price")),
            SelectChoice("fixed", lazy_gettext("Fixed")),
        ],
    )
    hop = RadioField(
        lazy_gettext("Hop"),
        choices=[
            SelectChoice("wholesale", lazy_gettext("Wholesale")),
            SelectChoice("retail", lazy_gettext("Retail")),
        ],
        default="wholesale",
    )
    told = BooleanField(lazy_gettext("Tell the reseller by e-mail"))
    note = TextAreaField(lazy_gettext("Reason"))


def stacked() -> StackedBars:
    """Give a month of usage by service."""
    names = (gettext("Compute"), gettext("Storage"), gettext("Databases"), gettext("Network"))
    sizes = (300, 170, 110, 50)
    return StackedBars(
        title=gettext("Usage by service, October 2026"),
        labels=[str(day) for day in range(1, 32)],
        label_head=gettext("Day"),
        series=[
            Series(
                name=name,
                values=[Decimal(size + (day * (size + 7) * 13) % (size // 2)) / 1 for day in range(1, 32)],
            )
            for name, size in zip(names, sizes, strict=True)
        ],
        write=in_currency("EUR"),
    )


def ranked() -> Parts:
    """Give customers by amount."""
    return Parts(
        title=gettext("Largest customers"),
        parts=[
            Part(name=name, value=Decimal(9_860_000 // (at + 1) ** 2 * (-1 if at == 5 else 1)) / 100)  # noqa: PLR2004
            for at, name in enumerate(_NAMES[:7])
        ],
        write=in_currency("EUR"),
    )


def shares() -> Parts:
    """Give vendors as parts of a whole."""
    return Parts(
        title=gettext("Cost by vendor"),
        parts=[
            Part(name="Microsoft", value=Decimal("61204.20")),
            Part(name="Amazon Web Services", value=Decimal("30110.55")),
            Part(name="Google Cloud", value=Decimal("12001.10")),
            Part(name="OVHcloud", value=Decimal("4003.99")),
        ],
        write=in_currency("EUR"),
        total_label=gettext("vendor cost"),
    )


def balance() -> Waterfall:
    """Give a vendor's bill and where its money went."""
    return Waterfall(
        title=gettext("From the vendor's bill to cost on statements"),
        steps=[
            Step(name=gettext("Vendor bill"), value=Decimal("184932.40"), is_total=True),
            Step(name=gettext("Vendor tax"), value=Decimal("-20548.04")),
            Step(name=gettext("Unmapped"), value=Decimal("-7310.22")),
            Step(name=gettext("Parked"), value=Decimal("-12003.75")),
            Step(name=gettext("Vendor rounding"), value=Decimal("-0.03")),
            Step(name=gettext("Cost on statements"), value=Decimal("145070.36"), is_total=True),
        ],
        write=in_currency("EUR"),
    )


def events() -> list[Event]:
    """Give what happened to a month."""
    begin = datetime(2026, 11, 3, 8, 12, tzinfo=UTC)
    return [
        Event(
            begin + timedelta(hours=5),
            gettext("Month closed"),
            "Wanda Keller",
            icon_name="lock",
            tone="success",
        ),
        Event(
            begin + timedelta(hours=2),
            gettext("Close stopped"),
            "Walter Brandt",
            gettext("A rate from USD to EUR is missing for October 2026."),
            "alert-triangle",
            "warning",
        ),
        Event(
            begin, gettext("File imported"), gettext("system"), "october-usage.csv.gz", "file-import", "info"
        ),
    ]


def deadline() -> datetime:
    """Give an instant after which something will be too late."""
    return utc_now() + timedelta(days=5, hours=7)


def faults() -> list[FaultyRow]:
    """Give faulty rows of a file."""
    return [
        FaultyRow("rules.csv", 4, "percent", "12,5%%", gettext("is not a number")),
        FaultyRow("rules.csv", 1931, "valid_from", "2026-13-01", gettext("is not a day")),
    ]


def trend() -> list[Decimal]:
    """Give a figure that moved."""
    return [Decimal(100 + (at * 29) % 23 + at) for at in range(24)]
