"""The catalogue of offers as Partner Center's API gave it (`GET /v1/offers`): what can be bought, without prices.

An offer is a SKU of its own, sold by the year and paid by the month or at once. What names another offer that the
file does not hold is left out: it is sold elsewhere.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from catalog.price_files.rows import PlanKey, PlanRow, PriceFile, Relation, SkuWords
from catalog.price_files.sheets import SINCE_EVER
from catalog.rules.plans import is_payable
from catalog.words import BillingCycle, PriceListKind, ProductKind, RelationKind, Segment, Term
from marketplace.core.country import is_country
from marketplace.core.errors import N_, FaultyRow, Phrase, Refusal

_CYCLES = {
    "annual": BillingCycle.ANNUAL,
    "monthly": BillingCycle.MONTHLY,
    "triennial": BillingCycle.TRIENNIAL,
    "none": BillingCycle.NONE,
    "one_time": BillingCycle.ONE_TIME,
}
_CATEGORY_SEGMENTS = {
    "nonprofit": Segment.CHARITY,
    "academic": Segment.EDUCATION,
    "government": Segment.GOVERNMENT,
}
_RELATIONS = {
    "prerequisiteOffers": RelationKind.PREREQUISITE,
    "upgradeTargetOffers": RelationKind.UPGRADE,
    "conversionTargetOffers": RelationKind.CONVERSION,
}
# The price list's own currency is told: offers have none.
NO_CURRENCY = ""


class NoOffers(Refusal):
    """JSON, but no catalogue."""

    sentence = N_(
        "%(file)s is JSON without `items`: a catalogue of offers is an object with a list of offers."
    )


class _FaultyOffer(ValueError):
    def __init__(self, field: str, value: object, reason: str) -> None:
        super().__init__(reason)
        self.field, self.value, self.reason = field, value, reason


def read_offers(data: object, *, file: str) -> PriceFile:
    """Read offers. Raises `NoOffers`; an offer that cannot be used is a reject."""
    offers = data.get("items") if isinstance(data, dict) else None
    if not isinstance(offers, list):
        raise NoOffers(file=file)
    read = PriceFile(kind=PriceListKind.OFFERS, rows=len(offers))
    for number, offer in enumerate(offers, start=1):
        try:
            read.plans += _plans(number, offer)
        except _FaultyOffer as fault:
            read.rejects.append(
                FaultyRow(file, number, fault.field, str(fault.value)[:200], Phrase.of(fault.reason))
            )
    read.relations = list(_relations(read.plans, offers))
    return read


def _plans(number: int, offer: Any) -> list[PlanRow]:
    if not isinstance(offer, Mapping):
        raise _FaultyOffer("", offer, N_("is not an offer"))
    words = _words(offer)
    country = _text(offer, "country")
    if not is_country(country):
        raise _FaultyOffer(
            "country", country, N_("is not a country of ISO 3166: write two letters, such as FR")
        )
    category = _text(offer.get("category") or {}, "name", must=False)
    segment = _CATEGORY_SEGMENTS.get(category.replace(" ", "").casefold(), Segment.COMMERCIAL)
    plans = []
    for name in offer.get("supportedBillingCycles") or ():
        term = _term(offer, is_trial=words.is_trial)
        if (cycle := _CYCLES.get(str(name).casefold())) is None:
            raise _FaultyOffer("supportedBillingCycles", name, N_("is not a way of paying that is known"))
        if not is_payable(term, cycle):
            raise _FaultyOffer("supportedBillingCycles", name, N_("is longer than the term"))
        plans.append(
            PlanRow(
                number=number,
                words=words,
                plan=PlanKey(words.product, words.sku, term, cycle, segment),
                market=country,
                currency=NO_CURRENCY,
                unit_cost=None,
                unit_list=None,
                quantity_from=words.minimum_quantity,
                quantity_until=words.maximum_quantity,
                valid_from=SINCE_EVER,
                valid_until=None,
            )
        )
    if not plans:
        raise _FaultyOffer("supportedBillingCycles", "", N_("must not be blank"))
    return plans


def _words(offer: Mapping[str, Any]) -> SkuWords:
    product = offer.get("product") or {}
    least, most = _units(offer, "minimumQuantity"), _units(offer, "maximumQuantity")
    if most < least:
        raise _FaultyOffer("maximumQuantity", most, N_("is below the least quantity of the row"))
    is_usage = _text(offer, "billing", must=False) == "usage"
    return SkuWords(
        product=_text(product, "id"),
        sku=_text(offer, "id"),
        kind=ProductKind.CONSUMPTION if is_usage else ProductKind.LICENCE,
        product_title=_text(product, "name"),
        sku_title=_text(offer, "name"),
        publisher="Microsoft Corporation" if offer.get("isMicrosoftProduct") else "-",
        description=_text(offer, "description", must=False),
        category=_text(offer.get("category") or {}, "name", must=False),
        unit=_text(offer, "unitType", must=False),
        minimum_quantity=least,
        maximum_quantity=most,
        is_addon=bool(offer.get("isAddOn")),
        is_trial=bool(offer.get("isTrial")),
        may_cancel="Cancel" in (offer.get("actions") or ()),
        may_renew=bool(offer.get("isAutoRenewable")),
    )


def _term(offer: Mapping[str, Any], *, is_trial: bool) -> Term:
    """Give the term: trials of a month or some days, and what is used without one, count by the month."""
    unit = _text(offer, "termUnitOfMeasure", must=False).casefold()
    if is_trial or unit in {"month", "day"}:
        return Term.P1M
    return Term.P3Y if unit == "year" and offer.get("term") == 3 else Term.P1Y  # noqa: PLR2004 - three years


def _relations(plans: Sequence[PlanRow], offers: Sequence[Mapping[str, Any]]) -> set[Relation]:
    known = {row.words.sku: (row.words.product, row.words.sku) for row in plans}
    return {
        Relation(known[offer["id"]], kind, known[target])
        for offer in offers
        if isinstance(offer, Mapping) and offer.get("id") in known
        for name, kind in _RELATIONS.items()
        for target in offer.get(name) or ()
        if target in known
    }


def _text(values: Mapping[str, Any], field: str, *, must: bool = True) -> str:
    text = str(values.get(field) or "").strip()
    if must and not text:
        raise _FaultyOffer(field, text, N_("must not be blank"))
    return text


def _units(offer: Mapping[str, Any], field: str) -> int:
    value = offer.get(field)
    if not isinstance(value, int) or value < 0:
        raise _FaultyOffer(field, value, N_("is not a whole number of units"))
    return value
