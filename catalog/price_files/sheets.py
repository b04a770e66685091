"""Rows of the vendor's CSV lists: licences, software, and the plan of consumption.

Columns and their meaning: Microsoft, Partner Center, "Pricing and offers" and "Get a price sheet" (October 2023).
A price is for the whole term; a start in the year 1753 and an end in 9999 stand for none.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache

from catalog.price_files.rows import MeterRow, PlanKey, PlanRow, PriceFile, SkuWords
from catalog.rules.plans import is_payable
from catalog.words import BillingCycle, BillingModel, PriceListKind, ProductKind, Segment, Term
from marketplace.core.cells import Entry, Unusable, country_code, currency_code, decimal_number, filled
from marketplace.core.errors import N_, FaultyRow, Phrase

COLUMNS = (
    *("ProductTitle", "ProductId", "SkuId", "SkuTitle", "Publisher", "SkuDescription", "UnitOfMeasure"),
    *("TermDuration", "Market", "Currency", "UnitPrice", "PricingTierRangeMin", "PricingTierRangeMax"),
    *("EffectiveStartDate", "EffectiveEndDate", "Tags"),
)
METER_COLUMNS = ("MeterIds",)

#: The start of what holds since ever: before anything was sold.
SINCE_EVER = datetime(2000, 1, 1, tzinfo=UTC)
_SINCE_EVER_YEAR, _NO_END_YEAR = 1900, 9000
_SKU_LETTERS = 4
_SKU = re.compile(r"[0-9A-Z]{1,4}", re.ASCII)
_ISO = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}:\d{2})(?:\.\d+)?Z?)?", re.ASCII)
_AMERICAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?: (\d{1,2}):(\d{2}):(\d{2})(?: ([AP])M)?)?", re.ASCII)
_NOON = 12
_LONGEST_SHOWN = 200

_TERMS = {term.value.casefold(): term for term in Term}
_CYCLES = {
    "monthly": BillingCycle.MONTHLY,
    "annual": BillingCycle.ANNUAL,
    "triennial": BillingCycle.TRIENNIAL,
    "none": BillingCycle.NONE,
    "onetime": BillingCycle.ONE_TIME,
}
_SEGMENTS = {
    "commercial": Segment.COMMERCIAL,
    "education": Segment.EDUCATION,
    "charity": Segment.CHARITY,
    "nonprofit": Segment.CHARITY,
    "government": Segment.GOVERNMENT,
}
# Where a list names no way of paying, it is paid at once.
_AT_ONCE = {Term.P1M: BillingCycle.MONTHLY, Term.P1Y: BillingCycle.ANNUAL, Term.P3Y: BillingCycle.TRIENNIAL}


class SheetReader:
    """Takes one row after the other."""

    def __init__(self, read: PriceFile, *, file: str, segment: Segment) -> None:
        """Add to what was read so far."""
        self._read, self._file, self._segment = read, file, segment

    def take(self, number: int, cells: Mapping[str, str]) -> None:
        """Read a row: a plan's price, a step of consumption, or rejects naming what is wrong."""
        entry = Entry(cells)
        tags = {tag.strip().casefold() for tag in entry.text("tags").split(";")}
        words = _words(entry, tags, is_consumption=self._read.kind is PriceListKind.CONSUMPTION)
        market = entry.take("market", country_code, "")
        currency = entry.take("currency", currency_code, "")
        starts = entry.take("effectivestartdate", instant, None) or SINCE_EVER
        ends = entry.take("effectiveenddate", instant, None)
        if ends is not None and ends <= starts:
            entry.fault("effectiveenddate", Phrase.of(N_("is not after the start of the price")))
        if words.kind is ProductKind.CONSUMPTION:
            step = _step(entry, number, words, market, currency, starts, ends)
            if not entry.is_faulty:
                self._read.meters.append(step)
        else:
            plan = self._plan(
                entry, number, words, market, currency, starts, ends, is_prepaid="prepaid" in tags
            )
            if not entry.is_faulty:
                self._read.plans.append(plan)
        self._read.rejects += [
            FaultyRow(self._file, number, COLUMN_NAMES.get(column, column), value[:_LONGEST_SHOWN], reason)
            for column, value, reason in entry.faults
        ]

    def _plan(
        self,
        entry: Entry,
        number: int,
        words: SkuWords,
        market: str,
        currency: str,
        starts: datetime,
        ends: datetime | None,
        *,
        is_prepaid: bool,
    ) -> PlanRow:
        term = entry.take("termduration", _term, Term.P1Y)
        cycle = entry.take("billingplan", lambda text: _cycle(text, term), None)
        if cycle is not None and not is_payable(term, cycle):
            entry.fault(
                "billingplan",
                Phrase.of(N_("is longer than the term of %(term)s, or no way to pay it"), term=term.value),
            )
        first, last = (
            entry.take("pricingtierrangemin", _units, None),
            entry.take("pricingtierrangemax", _units, None),
        )
        if first is not None and last is not None and last < first:
            entry.fault("pricingtierrangemax", Phrase.of(N_("is below the least quantity of the row")))
        segment = entry.take("segment", lambda text: _segment(text, self._segment), self._segment)
        return PlanRow(
            number=number,
            words=words,
            plan=PlanKey(words.product, words.sku, term, cycle or BillingCycle.ANNUAL, segment),
            market=market,
            currency=currency,
            unit_cost=entry.take("unitprice", price, Decimal(0)),
            unit_list=entry.take("erpprice", _price_or_none, None),
            quantity_from=max(1, first or 1),
            quantity_until=last or None,
            valid_from=starts,
            valid_until=ends,
            billing_model=BillingModel.PREPAID if is_prepaid else BillingModel.POSTPAID,
        )


def _words(entry: Entry, tags: set[str], *, is_consumption: bool) -> SkuWords:
    is_meter = is_consumption and "reservation" not in tags and not _is_term(entry.text("termduration"))
    kind = ProductKind.LICENCE
    if is_meter:
        kind = ProductKind.CONSUMPTION
    elif "software" in tags or "perpetual" in tags:
        kind = ProductKind.SOFTWARE
    title = entry.take("producttitle", filled, "")
    return SkuWords(
        product=entry.take("productid", filled, ""),
        sku=entry.take("skuid", sku_reference, ""),
        kind=kind,
        product_title=title,
        sku_title=entry.text("skutitle") or title,
        publisher=entry.text("publisher") or "-",
        description=entry.text("skudescription"),
        unit=entry.text("unitofmeasure"),
        is_trial="trial" in tags,
    )


def _step(
    entry: Entry,
    number: int,
    words: SkuWords,
    market: str,
    currency: str,
    starts: datetime,
    ends: datetime | None,
) -> MeterRow:
    """Read a step: the sheet prints the first and the last unit of it, so it begins one unit earlier."""
    first = entry.take("pricingtierrangemin", _quantity, None)
    last = entry.take("pricingtierrangemax", _quantity, None)
    begins = max(Decimal(0), (first or Decimal(1)) - 1)
    if last is not None and last <= begins:
        entry.fault("pricingtierrangemax", Phrase.of(N_("is below the least quantity of the row")))
    return MeterRow(
        number=number,
        words=words,
        meter=entry.text("meterids"),
        market=market,
        currency=currency,
        unit_list=entry.take("unitprice", price, Decimal(0)),
        quantity_from=begins,
        quantity_until=last,
        valid_from=starts,
        valid_until=ends,
    )


def sku_reference(text: str) -> str:
    """Read the id of a SKU, whose leading zeros spreadsheets drop."""
    if not _SKU.fullmatch(text.upper()):
        raise Unusable(Phrase.of(N_("is not the id of a SKU: four letters or digits, such as 0001")))
    return text.upper().rjust(_SKU_LETTERS, "0")


@lru_cache(maxsize=10_000)
def instant(text: str) -> datetime | None:
    """Read `2/1/2019 12:00:00 AM` or `2021-10-01T00:00:00.0000000Z`, in UTC; placeholders are None."""
    if not text:
        return None
    found = _iso(text) or _american(text)
    if found is None:
        raise Unusable(Phrase.of(N_("is not a day such as 2021-10-01 or 2/1/2019 12:00:00 AM")))
    return None if found.year < _SINCE_EVER_YEAR or found.year > _NO_END_YEAR else found


def _iso(text: str) -> datetime | None:
    match = _ISO.fullmatch(text)
    try:
        return match and datetime.fromisoformat(f"{match[1]}T{match[2] or '00:00:00'}+00:00")
    except ValueError:
        return None


def _american(text: str) -> datetime | None:
    match = _AMERICAN.fullmatch(text)
    if match is None:
        return None
    month, day, year, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    if match[7]:
        hour = hour % _NOON + (_NOON if match[7] == "P" else 0)
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None


def price(text: str) -> Decimal:
    """Read a price: not blank, not negative, with all its decimals."""
    number = decimal_number(text)
    if number < 0:
        raise Unusable(Phrase.of(N_("is negative: a price is zero or more")))
    return number


def _price_or_none(text: str) -> Decimal | None:
    return price(text) if text else None


def _is_term(text: str) -> bool:
    return text.casefold() in _TERMS


def _term(text: str) -> Term:
    if (term := _TERMS.get(text.casefold())) is None:
        raise Unusable(Phrase.of(N_("is not a term: P1M, P1Y, P3Y or OneTime")))
    return term


def _cycle(text: str, term: Term) -> BillingCycle:
    if not text:
        return _AT_ONCE.get(term, BillingCycle.ONE_TIME)
    if (cycle := _CYCLES.get(text.replace("-", "").replace(" ", "").casefold())) is None:
        raise Unusable(Phrase.of(N_("is not a billing plan: Monthly, Annual, Triennial, None or OneTime")))
    return cycle


def _segment(text: str, otherwise: Segment) -> Segment:
    if not text:
        return otherwise
    if (segment := _SEGMENTS.get(text.replace("-", "").casefold())) is None:
        raise Unusable(Phrase.of(N_("is not a segment: Commercial, Education, Charity or Government")))
    return segment


def _units(text: str) -> int | None:
    quantity = _quantity(text)
    if quantity is not None and quantity != quantity.to_integral_value():
        raise Unusable(Phrase.of(N_("is not a whole number of units")))
    return None if quantity is None else int(quantity)


def _quantity(text: str) -> Decimal | None:
    if not text:
        return None
    number = decimal_number(text)
    if number < 0:
        raise Unusable(Phrase.of(N_("is negative: a quantity is zero or more")))
    return number


#: How the vendor writes the columns, to name them in rejects.
COLUMN_NAMES = {name.casefold(): name for name in (*COLUMNS, *METER_COLUMNS, "BillingPlan", "Segment")} | {
    "erpprice": "ERP Price"
}
