"""The price lists of the demonstration, in the form their vendors publish them in.

Two versions of the licence list, so that prices have a history; an Azure plan sheet; a backup billed by the gigabyte;
and an offer prepaid by the year, as licences were sold before they were billed by the month.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from catalog.words import BillingCycle, Term

MICROSOFT = "microsoft"
BACKUP = "coffre"
MARKETS = ("FR", "BE", "CH", "GB")
#: Microsoft 365 Business Premium, which the vendor promotes.
PROMOTED = "CFQ7TTC0LCHC"
#: What the wholesaler calls a family of products, by how their titles begin.
FAMILIES = (
    "Microsoft 365",
    "Office 365",
    "Dynamics 365",
    "Azure",
    "Power BI",
    "Exchange",
    "Defender",
    "Visio",
)
LICENCE_COLUMNS = (
    *("ProductTitle", "ProductId", "SkuId", "SkuTitle", "Publisher", "SkuDescription", "UnitOfMeasure"),
    *("TermDuration", "BillingPlan", "Market", "Currency", "UnitPrice", "PricingTierRangeMin"),
    *("PricingTierRangeMax", "EffectiveStartDate", "EffectiveEndDate", "Tags", "ERP Price"),
)
_METER_COLUMNS = (
    *("ProductTitle", "ProductId", "SkuId", "SkuTitle", "Publisher", "SkuDescription", "UnitOfMeasure"),
    *("TermDuration", "Market", "Currency", "UnitPrice", "PricingTierRangeMin", "PricingTierRangeMax"),
    *("EffectiveStartDate", "EffectiveEndDate", "MeterIds", "MeterType", "Tags"),
)
_MATRIX_COLUMNS = (
    *("ProductTitle", "ProductId", "SkuId", "SkuTitle", "MinLicenses", "MaxLicenses", "AssetOwnershipLimit"),
    *("AssetOwnershipLimitType", "ProductSkuPreRequisites", "ProductSkuConversion"),
)


@dataclass(frozen=True, kw_only=True)
class _Licence:
    """A SKU: a month of it, in euros, where a year is paid at once."""

    product: str
    sku: str = "0001"
    title: str
    month: str
    about: str
    # What the month cost before the newest version of the list; blank: the same.
    before: str = ""
    seats: int | None = None
    needs: tuple[str, ...] = ()
    upgrades: tuple[str, ...] = ()
    is_trial: bool = False


_BUSINESS_BASIC, _BUSINESS_STANDARD, _BUSINESS_PREMIUM = (
    "CFQ7TTC0LH18/0001",
    "CFQ7TTC0LDPB/0001",
    "CFQ7TTC0LCHC/0002",
)
_OFFICE_E1, _OFFICE_E3 = "CFQ7TTC0LF8Q/0001", "CFQ7TTC0LF8R/0001"
_MICROSOFT_E3, _MICROSOFT_E5 = "CFQ7TTC0LFLX/0001", "CFQ7TTC0LFLZ/0002"

_LICENCES = (
    _Licence(
        product="CFQ7TTC0LH18",
        title="Microsoft 365 Business Basic",
        month="4.50",
        before="4.20",
        about="Mail, Teams and a terabyte of files, in the browser.",
        seats=300,
        upgrades=(_BUSINESS_STANDARD, _BUSINESS_PREMIUM, _MICROSOFT_E3),
    ),
    _Licence(
        product="CFQ7TTC0LDPB",
        title="Microsoft 365 Business Standard",
        month="9.38",
        about="Business Basic with the Office applications on each device.",
        seats=300,
        upgrades=(_BUSINESS_PREMIUM, _MICROSOFT_E3, _MICROSOFT_E5),
    ),
    _Licence(
        product="CFQ7TTC0LCHC",
        sku="0002",
        title="Microsoft 365 Business Premium",
        month="16.50",
        before="15.90",
        about="Business Standard with device management and protection.",
        seats=300,
        upgrades=(_MICROSOFT_E3, _MICROSOFT_E5),
    ),
    _Licence(
        product="CFQ7TTC0LCHC",
        sku="0003",
        title="Microsoft 365 Business Premium Trial",
        month="0",
        about="Twenty-five seats for thirty days.",
        is_trial=True,
    ),
    _Licence(
        product="CFQ7TTC0LF8Q",
        title="Office 365 E1",
        month="8.10",
        about="Mail, Teams and files for large firms, in the browser.",
        upgrades=(_OFFICE_E3, _MICROSOFT_E3),
    ),
    _Licence(
        product="CFQ7TTC0LF8R",
        title="Office 365 E3",
        month="19.20",
        before="19.80",
        about="Office applications, mail and archives for large firms.",
        upgrades=(_MICROSOFT_E3,),
    ),
    _Licence(
        product="CFQ7TTC0LFLX",
        title="Microsoft 365 E3",
        month="30.24",
        about="Office 365 E3 with Windows, identities and device management.",
        upgrades=(_MICROSOFT_E5,),
    ),
    _Licence(
        product="CFQ7TTC0LFLZ",
        sku="0002",
        title="Microsoft 365 E5",
        month="47.90",
        before="46.70",
        about="Microsoft 365 E3 with telephony, analysis and full protection.",
    ),
    _Licence(
        product="CFQ7TTC0LH16", title="Exchange Online (Plan 1)", month="3.20", about="A mailbox of 50 GB."
    ),
    _Licence(
        product="CFQ7TTC0LHSL",
        title="Defender for Office 365 Plan 2",
        month="4.20",
        about="Protection of mail against phishing, beside an Office plan.",
        needs=(_OFFICE_E3, _MICROSOFT_E3, _MICROSOFT_E5),
    ),
    _Licence(
        product="CFQ7TTC0HDK0",
        title="Advanced Communications",
        month="9.60",
        about="Recording and management of calls, beside Teams.",
        needs=(_BUSINESS_PREMIUM, _OFFICE_E3, _MICROSOFT_E3, _MICROSOFT_E5),
    ),
    _Licence(product="CFQ7TTC0H9MP", title="Power BI Pro", month="7.90", about="Reports that are shared."),
    _Licence(product="CFQ7TTC0HD32", title="Visio Plan 2", month="11.80", about="Drawings and diagrams."),
    _Licence(
        product="CFQ7TTC0LFDZ",
        title="Dynamics 365 Sales Professional",
        month="54.80",
        about="Customers, offers and forecasts.",
    ),
    _Licence(
        product="CFQ7TTC0LFNK",
        title="Dynamics 365 Business Central Essentials",
        month="58.90",
        before="57.50",
        about="Accounts, stock and purchasing for small and medium firms.",
    ),
)
# Months of the term, how it is paid, and what is added to the year paid at once.
_PLANS = (
    (Term.P1M, BillingCycle.MONTHLY, 1, Decimal("1.20")),
    (Term.P1Y, BillingCycle.MONTHLY, 12, Decimal("1.05")),
    (Term.P1Y, BillingCycle.ANNUAL, 12, Decimal(1)),
    (Term.P3Y, BillingCycle.ANNUAL, 36, Decimal(1)),
)
_TRIAL_PLANS = ((Term.P1M, BillingCycle.NONE, 1, Decimal(1)),)
# What the vendor suggests that a customer pays, for four fifths that the wholesaler pays.
_SUGGESTED = Decimal("1.25")
_STEPS: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "Bandwidth, data transfer out": (
        ("0.0870", "1", "10240"),
        ("0.0830", "10241", "51200"),
        ("0.0700", "51201", ""),
    ),
    "Virtual machines, D2s v5": (("0.1150", "", ""),),
    "Blob storage, hot, locally redundant": (("0.0196", "1", "51200"), ("0.0188", "51201", "")),
}
_BACKUP_STEPS = (("0.0900", "1", "1000"), ("0.0720", "1001", "10000"), ("0.0580", "10001", ""))


def licence_list(*, since: datetime, is_newest: bool) -> bytes:
    """Write the licences for every market, in one version or the other."""
    return _csv(LICENCE_COLUMNS, _licences(since, is_newest=is_newest))


def licence_history(*, begun: datetime, risen: datetime) -> bytes:
    """Write both versions in one list, as the vendor itself keeps them: the older until the newer one holds."""
    older = ({**row, "EffectiveEndDate": _moment(risen)} for row in _licences(begun, is_newest=False))
    return _csv(LICENCE_COLUMNS, [*older, *_licences(risen, is_newest=True)])


def offer_matrix() -> bytes:
    """Write what may be bought together, how many, and what is better."""
    rows = (
        {
            "ProductTitle": one.title,
            "ProductId": one.product,
            "SkuId": one.sku,
            "SkuTitle": one.title,
            "MinLicenses": "25" if one.is_trial else "1",
            "MaxLicenses": str(25 if one.is_trial else one.seats or 10_000_000),
            "AssetOwnershipLimit": str(one.seats or ""),
            "AssetOwnershipLimitType": "PerCustomer" if one.seats else "",
            "ProductSkuPreRequisites": ",".join(one.needs),
            "ProductSkuConversion": ",".join(one.upgrades),
        }
        for one in _LICENCES
    )
    return _csv(_MATRIX_COLUMNS, rows)


def azure_sheet(*, since: datetime) -> bytes:
    """Write the steps of the Azure plan, in dollars."""
    return _csv(
        _METER_COLUMNS,
        (
            _step(
                since,
                product=f"DZH318Z0BP{number}Q",
                title=title,
                step=step,
                publisher="Microsoft",
                currency="USD",
            )
            for number, (title, steps) in enumerate(_STEPS.items())
            for step in steps
        ),
    )


def backup_sheet(*, since: datetime) -> bytes:
    """Write the steps of a backup that is billed by the gigabyte."""
    return _csv(
        _METER_COLUMNS,
        (
            _step(
                since,
                product="COFFRE",
                title="Coffre Sauvegarde",
                step=step,
                publisher="Coffre",
                currency="EUR",
            )
            for step in _BACKUP_STEPS
        ),
    )


def _licences(since: datetime, *, is_newest: bool) -> Iterator[dict[str, str]]:
    for market in MARKETS:
        for one in _LICENCES:
            month = Decimal(one.month if is_newest or not one.before else one.before)
            for term, cycle, months, factor in _TRIAL_PLANS if one.is_trial else _PLANS:
                yield _licence(one, since, market, term, cycle, month * months * factor)
        yield _prepaid(since, market)


def _licence(
    one: _Licence, since: datetime, market: str, term: Term, cycle: BillingCycle, price: Decimal
) -> dict[str, str]:
    return {
        "ProductTitle": one.title.removesuffix(" Trial"),
        "ProductId": one.product,
        "SkuId": one.sku,
        "SkuTitle": one.title,
        "Publisher": "Microsoft Corporation",
        "SkuDescription": one.about,
        "UnitOfMeasure": "1 licence",
        "TermDuration": term.value,
        "BillingPlan": cycle.value.capitalize(),
        "Market": market,
        "Currency": "EUR",
        "UnitPrice": _plain(price),
        "EffectiveStartDate": _moment(since),
        "EffectiveEndDate": "12/31/9999 11:59:59 PM",
        "Tags": "License;Trial" if one.is_trial else "License",
        "ERP Price": _plain(price * _SUGGESTED),
    }


def _prepaid(since: datetime, market: str) -> dict[str, str]:
    """Give the offer of the older model: a year, paid before it begins."""
    one = _Licence(
        product="ADVISOR00001",
        title="Office 365 Business (a year, prepaid)",
        month="8.80",
        about="The older model: a year paid before it begins, and no change of seats in it.",
    )
    row = _licence(one, since, market, Term.P1Y, BillingCycle.ANNUAL, Decimal(one.month) * 12)
    return {**row, "Tags": "License;Prepaid"}


def _step(
    since: datetime, *, product: str, title: str, step: tuple[str, str, str], publisher: str, currency: str
) -> dict[str, str]:
    price, first, last = step
    return {
        "ProductTitle": title,
        "ProductId": product,
        "SkuId": "0001",
        "SkuTitle": title,
        "Publisher": publisher,
        "SkuDescription": "",
        "UnitOfMeasure": "1 GB" if "machine" not in title else "1 hour",
        "TermDuration": "payG-1",
        "Market": "FR",
        "Currency": currency,
        "UnitPrice": price,
        "PricingTierRangeMin": first,
        "PricingTierRangeMax": last,
        "EffectiveStartDate": _moment(since),
        "EffectiveEndDate": "",
        "MeterIds": f"{product.lower()}-meter",
        "MeterType": "",
        "Tags": "Consumption",
    }


def _moment(instant: datetime) -> str:
    """Write an instant as American price lists do."""
    hour = instant.strftime("%I:%M:%S %p")
    return f"{instant.month}/{instant.day}/{instant.year} {hour}"


def _plain(price: Decimal) -> str:
    return f"{price.normalize():f}"


def _csv(columns: Iterable[str], rows: Iterable[Mapping[str, str]]) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, list(columns))
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode()
