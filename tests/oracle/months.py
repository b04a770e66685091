"""Random months: parties, terms, rates and vendor files as people and vendors would write them, kept small.

The names are few, so that rules of many levels, mappings and look-alike rows meet; the numbers are awkward on
purpose.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise, permutations
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tests.oracle import vendor_files
from tests.oracle.commands import Marketplace
from tests.oracle.model import Move, Ownership, Row, Rule, World

MONTH, NEXT_MONTH = "2024-09", "2024-10"
CURRENCIES = ("EUR", "USD", "JPY", "KWD")
VENDORS = ("Microsoft", "Hébergeur Ünï")
ACCOUNTS = ("0042", "acc-1", "7a1f52d0-6d3c-4b8e-9a51-0c6a6f0e1d11")
PRODUCTS = ("Virtual Machines", "Stockage “chaud”, 1re", "blob")
SKUS = ("S1", "0001")
METERS = ("", "m-1", "Mètre")
UNITS = ("Hours", "GB")
BILLING_ACCOUNTS = ("BA-1", "0099")
SUBSCRIPTIONS = ("sub-1", "sub-2")
# Where mappings and rules begin and end: in the month, at its edges, and outside.
CUTS = ("2024-08-15", "2024-09-01", "2024-09-02", "2024-09-12", "2024-09-30", "2024-10-01", "2024-10-15")
DAYS = ("2024-09-01", "2024-09-02", "2024-09-11", "2024-09-12", "2024-09-29", "2024-09-30")

FOCUS_COLUMNS = (
    "AvailabilityZone BilledCost BillingAccountId BillingAccountName BillingCurrency BillingPeriodEnd "
    "BillingPeriodStart ChargeCategory ChargeClass ChargeDescription ChargeFrequency ChargePeriodEnd "
    "ChargePeriodStart CommitmentDiscountCategory CommitmentDiscountId CommitmentDiscountName "
    "CommitmentDiscountStatus CommitmentDiscountType ConsumedQuantity ConsumedUnit ContractedCost "
    "ContractedUnitPrice EffectiveCost InvoiceIssuerName ListCost ListUnitPrice PricingCategory "
    "PricingQuantity PricingUnit ProviderName PublisherName RegionId RegionName ResourceId ResourceName "
    "ResourceType ServiceCategory ServiceName SkuId SkuPriceId SubAccountId SubAccountName Tags"
).split()
# Partner Center's daily rated usage file: 55 columns, in the order of the portal's export.
DAILY_COLUMNS = (
    "PartnerId PartnerName CustomerId CustomerName CustomerDomainName CustomerCountry MPNID "
    "ResellerMPNID InvoiceNumber ProductId SkuId AvailabilityId SkuName ProductName PublisherName "
    "PublisherId SubscriptionDescription SubscriptionId ChargeStartDate ChargeEndDate UsageDate "
    "MeterType MeterCategory MeterId MeterSubCategory MeterName MeterRegion Unit ResourceLocation "
    "ConsumedService ResourceGroup ResourceURI ChargeType UnitPrice Quantity UnitType BillingPreTaxTotal "
    "BillingCurrency PricingPreTaxTotal PricingCurrency ServiceInfo1 ServiceInfo2 Tags AdditionalInfo "
    "EffectiveUnitPrice PCToBCExchangeRate PCToBCExchangeRateDate EntitlementId EntitlementDescription "
    "PartnerEarnedCreditPercentage CreditPercentage CreditType BenefitOrderId BenefitId BenefitType"
).split()
# Partner Center's new-commerce reconciliation file: 46 columns, in the order published.
RECONCILIATION_COLUMNS = (
    "PartnerId CustomerId CustomerName CustomerDomainName CustomerCountry InvoiceNumber MPNID "
    "ResellerMPNID OrderId OrderDate ProductId SkuId AvailabilityId SkuName ProductName ChargeType "
    "UnitPrice Quantity Subtotal TaxTotal Total Currency PriceAdjustmentDescription PublisherName "
    "PublisherId SubscriptionDescription SubscriptionId ChargeStartDate ChargeEndDate "
    "TermAndBillingCycle EffectiveUnitPrice UnitType AlternateId BillableQuantity BillingFrequency "
    "PricingCurrency PCToBCExchangeRate PCToBCExchangeRateDate MeterDescription ReservationOrderId "
    "CreditReasonCode SubscriptionStartDate SubscriptionEndDate ReferenceID ProductQualifiers PromotionID"
).split()
COLUMNS: dict[str, Sequence[str]] = {
    "own": "account,product,sku,meter,usage_date,quantity,unit,list_unit_price,cost,currency".split(","),
    "focus": FOCUS_COLUMNS,
    "daily": DAILY_COLUMNS,
    "reconciliation": RECONCILIATION_COLUMNS,
}

Record = dict[str, str]


@dataclass(frozen=True)
class Delivery:
    """Files given together, all of one kind."""

    kind: str
    vendor: str
    billing_account: str | None
    files: tuple[tuple[Record, ...], ...]
    period: str | None = None
    is_addition: bool = False

    @property
    def records(self) -> list[Record]:
        """The records of all files."""
        return [record for file in self.files for record in file]

    def is_same_as(self, records: Sequence[Record]) -> bool:
        """Whether these could be the same bytes, which delivered again would change nothing."""
        distinct = {tuple(record.items()) for record in records}
        return distinct == {tuple(record.items()) for record in self.records}

    @property
    def rows(self) -> list[Row]:
        """The rows of the model, bad records left out."""
        good = [record for record in self.records if record.get("is") != "bad"]
        return vendor_files.rows(
            good, kind=self.kind, vendor=self.vendor, billing_account=self.billing_account, period=self.period
        )


@dataclass(frozen=True)
class Terms:
    """Records of the files of master data."""

    resellers: list[Record] = field(default_factory=list)
    customers: list[Record] = field(default_factory=list)
    accounts: list[Record] = field(default_factory=list)
    rules: list[Record] = field(default_factory=list)
    fx: list[Record] = field(default_factory=list)
    moves: list[Record] = field(default_factory=list)

    def add_to(self, world: World) -> None:
        """Add what the files say to the model's world."""
        world.reseller_currency |= {r["reference"]: r["currency"] for r in self.resellers}
        world.customers |= {c["reference"]: (c["reseller"], c["currency"]) for c in self.customers}
        world.mappings += [
            Ownership(a["vendor"], a["account"], a["customer"], day(a["valid_from"]), day(a["valid_until"]))
            for a in self.accounts
        ]
        world.moves += [
            Move(m["vendor"], m["subscription"], m["customer"], date.fromisoformat(m["moves_on"]))
            for m in self.moves
        ]
        world.rules += map(rule, self.rules)
        world.fx |= {(f["month"], f["from"], f["to"]): Fraction(f["rate"]) for f in self.fx}

    def import_into(self, marketplace: Marketplace) -> None:
        """Import the files that have rows, and note which subscriptions moved."""
        for kind in ("resellers", "customers", "accounts", "rules", "fx"):
            if records := getattr(self, kind):
                marketplace.import_terms(kind, records)
        if self.moves:
            marketplace.note_moves(self.moves)


@dataclass(frozen=True)
class Month:
    """Everything a month closes from."""

    terms: Terms
    deliveries: list[Delivery]

    @property
    def rows(self) -> list[Row]:
        """The rows of all deliveries."""
        return [row for delivery in self.deliveries for row in delivery.rows]

    @property
    def world(self) -> World:
        """The model's world."""
        world = World()
        self.terms.add_to(world)
        return world


def deliver(marketplace: Marketplace, delivery: Delivery) -> dict[str, Any]:
    """Write the files of a delivery and import them."""
    files: list[Path] = [
        marketplace.write(delivery.kind, file, columns=[*COLUMNS[delivery.kind]])
        for file in (
            [{k: v for k, v in record.items() if k != "is"} for record in file] for file in delivery.files
        )
    ]
    return marketplace.deliver(
        *files,
        vendor=delivery.vendor,
        billing_account=delivery.billing_account,
        period=delivery.period,
        options=["--add"] if delivery.is_addition else [],
    )


def day(text: str) -> date | None:
    """Read a day of a terms file; blank is open."""
    return date.fromisoformat(text) if text else None


def rule(record: Record) -> Rule:
    """Read a rule of a terms file."""
    return Rule(
        hop=record["hop"],
        basis=record["basis"],
        percent=Fraction(record["percent"]) if record["percent"] else None,
        unit_price=Fraction(record["unit_price"]) if record["unit_price"] else None,
        currency=record["currency"],
        **{
            name: record[name]
            for name in ("reseller", "customer", "subscription", "vendor", "product", "sku")
        },
        valid_from=day(record["valid_from"]),
        valid_until=day(record["valid_until"]),
    )


# --- Numbers ------------------------------------------------------------------------------------------------


@st.composite
def numbers(draw: st.DrawFn, *, largest: int = 1000, is_signed: bool = True) -> str:
    """A decimal as vendors write it: 0 to 15 decimals, at times nought, negative, tiny or large."""
    kind = draw(st.sampled_from(("plain", "plain", "plain", "round", "zero", "tiny", "large")))
    if kind == "zero":
        return draw(st.sampled_from(("0", "0.00", "0.00000000000")))
    if kind == "round":
        number = Decimal(draw(st.integers(1, largest)))
    elif kind == "tiny":
        number = Decimal(draw(st.integers(1, 999))).scaleb(-15)
    elif kind == "large":
        number = Decimal(draw(st.integers(10**8, 10**10))).scaleb(-2)
    else:
        decimals = draw(st.integers(0, 15))
        number = Decimal(draw(st.integers(1, largest * 10 ** min(decimals, 6)))).scaleb(-decimals)
    if is_signed and draw(st.integers(0, 5)) == 0:
        number = -number
    return format(number, "f")


# Halves of a cent, a yen and a fils: where rounding and ties are decided.
halves = st.sampled_from(("0.005", "0.5", "0.0005", "-0.005", "0.015", "0.01", "-0.5", "1.005", "0.0025"))
money = st.one_of(numbers(), halves)
quantities = st.one_of(numbers(), st.sampled_from(("1", "10", "-1", "0")))
unit_prices = st.one_of(numbers(largest=10, is_signed=False), halves, st.sampled_from(("0.0000001", "3")))
percents = st.sampled_from(
    ("0", "12.5", "-10", "-100", "33.333333333333", "250", "0.000001", "15", "-7.25", "100", "-120")
)
rates = st.sampled_from(("0.92", "1.0869565217391304", "161.3", "0.0062", "0.3071", "3.2562684", "1", "0.5"))


# --- Parties and terms --------------------------------------------------------------------------------------


@st.composite
def parties(draw: st.DrawFn) -> Terms:
    """One to four resellers, each with a few customers, in any currency."""
    resellers, customers = [], []
    for r in range(1, draw(st.integers(1, 4)) + 1):
        reseller = f"R{r}"
        resellers.append({"reference": reseller, "currency": draw(st.sampled_from(CURRENCIES))})
        for c in range(1, draw(st.integers(1, 2)) + 1):
            currency = draw(st.sampled_from(CURRENCIES))
            customers.append({"reference": f"C{r}{c}", "reseller": reseller, "currency": currency})
    for record in (*resellers, *customers):
        record |= {"legal_name": f"Firm {record['reference']}", "country": "FR", "email": "a@example.com"}
    for record in resellers:
        record["billing_mode"] = "resale"
    return Terms(resellers, customers)


@st.composite
def spans(draw: st.DrawFn) -> list[tuple[str, str]]:
    """Spans of days that do not overlap: they may follow each other, leave gaps, and be open at both ends."""
    cuts = sorted(draw(st.sets(st.sampled_from(CUTS), max_size=3)))
    return list(pairwise(["", *cuts, ""])) if cuts else [("", "")]


@st.composite
def mappings(draw: st.DrawFn, customers: Sequence[str]) -> list[Record]:
    """Whose each account is over time; some of the time nobody's."""
    found = []
    for vendor in VENDORS:
        for account in ACCOUNTS:
            for valid_from, valid_until in draw(spans()):
                owner = draw(st.sampled_from([*customers, *customers, ""]))
                if owner:
                    found.append(
                        {
                            "vendor": vendor,
                            "account": account,
                            "customer": owner,
                            "valid_from": valid_from,
                            "valid_until": valid_until,
                        }
                    )
    return found


@st.composite
def moves(draw: st.DrawFn, customers: Sequence[str]) -> list[Record]:
    """Subscriptions that go to another customer; most do not, some twice."""
    if len(customers) == 1:
        return []
    return [
        {
            "vendor": vendor,
            "subscription": subscription,
            "customer": draw(st.sampled_from(customers)),
            "moves_on": day,
        }
        for vendor in VENDORS
        for subscription in SUBSCRIPTIONS
        for day in sorted(draw(st.one_of(st.just(set()), st.sets(st.sampled_from(CUTS), max_size=2))))
    ]


@st.composite
def scopes(draw: st.DrawFn, owners: Sequence[tuple[str, str]]) -> Record:
    """What a rule is about: any of party, subscription and catalogue columns."""
    reseller, customer = draw(st.sampled_from(owners))
    party = draw(st.sampled_from(("none", "reseller", "customer", "both")))
    level = draw(st.integers(0, 3))
    return {
        "hop": draw(st.sampled_from(("wholesale", "retail"))),
        "reseller": reseller if party in ("reseller", "both") else "",
        "customer": customer if party in ("customer", "both") else "",
        "subscription": draw(st.sampled_from(("", "", "", *SUBSCRIPTIONS))),
        "vendor": draw(st.sampled_from(VENDORS)) if level >= 1 else "",
        "product": draw(st.sampled_from(PRODUCTS)) if level >= 2 else "",
        "sku": draw(st.sampled_from((*SKUS, "P1:S1"))) if level >= 3 else "",
    }


@st.composite
def prices(draw: st.DrawFn) -> Record:
    """What a rule says: a percentage of cost or list, or a unit price in some currency."""
    basis = draw(st.sampled_from(("cost", "list", "list", "fixed")))
    if basis == "fixed":
        return {
            "basis": basis,
            "percent": "",
            "unit_price": draw(unit_prices),
            "currency": draw(st.sampled_from(CURRENCIES)),
        }
    return {"basis": basis, "percent": draw(percents), "unit_price": "", "currency": ""}


@st.composite
def rules(draw: st.DrawFn, owners: Sequence[tuple[str, str]], *, most: int = 8) -> list[Record]:
    """Rules of all levels, each scope with one or more spans of days."""
    chosen = draw(st.lists(scopes(owners), max_size=most, unique_by=lambda scope: tuple(scope.values())))
    return [
        scope | draw(prices()) | {"valid_from": valid_from, "valid_until": valid_until}
        for scope in chosen
        for valid_from, valid_until in draw(spans())
        if draw(st.integers(0, 4))
    ]


@st.composite
def exchange(
    draw: st.DrawFn, *, months: Sequence[str] = (MONTH,), is_complete: bool | None = None
) -> list[Record]:
    """A rate for every pair of currencies, in some months but for a few."""
    pairs = list(permutations(CURRENCIES, 2))
    complete = is_complete if is_complete is not None else draw(st.booleans())
    absent = set() if complete else draw(st.sets(st.sampled_from(pairs), min_size=1, max_size=8))
    return [
        {"month": month, "from": pair[0], "to": pair[1], "rate": draw(rates)}
        for month in months
        for pair in pairs
        if pair not in absent
    ]


@st.composite
def terms(draw: st.DrawFn, *, is_complete: bool | None = None, months: Sequence[str] = (MONTH,)) -> Terms:
    """Parties with their mappings, rules and rates."""
    some = draw(parties())
    owners = [(customer["reseller"], customer["reference"]) for customer in some.customers]
    return replace(
        some,
        accounts=draw(mappings([customer for _, customer in owners])),
        moves=draw(moves([customer for _, customer in owners])),
        rules=draw(rules(owners)),
        fx=draw(exchange(months=months, is_complete=is_complete)),
    )


# --- Usage --------------------------------------------------------------------------------------------------


@st.composite
def own_records(draw: st.DrawFn, *, days: Sequence[str] = DAYS) -> Record:
    """A row of the plain form."""
    return {
        "account": draw(st.sampled_from(ACCOUNTS)),
        "product": draw(st.sampled_from(PRODUCTS)),
        "sku": draw(st.sampled_from(("", *SKUS))),
        "meter": draw(st.sampled_from(METERS)),
        "usage_date": draw(st.sampled_from(days)),
        "quantity": draw(quantities),
        "unit": draw(st.sampled_from(UNITS)),
        "list_unit_price": draw(st.one_of(unit_prices, unit_prices, st.just(""))),
        "cost": draw(money),
        "currency": draw(st.sampled_from(CURRENCIES)),
    }


@st.composite
def bad_records(draw: st.DrawFn) -> Record:
    """A row of the plain form that cannot be used."""
    column, value = draw(
        st.sampled_from(
            (
                ("quantity", "twelve"),
                ("cost", "1,5,0"),
                ("usage_date", "2024-02-30"),
                ("currency", "EURO"),
                ("quantity", "0.1234567890123456789"),
                ("list_unit_price", "free"),
            )
        )
    )
    return draw(own_records()) | {column: value, "is": "bad"}


@st.composite
def focus_records(draw: st.DrawFn) -> Record:
    """A FOCUS row: any charge category, some covered by a commitment, some beyond the edge of the month."""
    start = draw(
        st.sampled_from(
            ("2024-09-01 00:00:00", "2024-09-12 23:00:00", "2024-09-30 23:00:00", "2024-08-31 22:00:00")
        )
    )
    category = draw(st.sampled_from(("Usage", "Usage", "Usage", "Purchase", "Credit", "Adjustment", "Tax")))
    is_committed = category == "Usage" and draw(st.integers(0, 3)) == 0
    cost = draw(money)
    quantity = draw(quantities)
    null = draw(st.sampled_from(("NULL", "")))
    record = dict.fromkeys(FOCUS_COLUMNS, null)
    end = vendor_files.instant(start) + timedelta(hours=draw(st.sampled_from((1, 1, 2, 24, 720))))
    record |= {
        "BilledCost": cost,
        "BillingAccountId": draw(st.sampled_from(("F-1", "F-2"))),
        "BillingAccountName": "Firm",
        "BillingCurrency": draw(st.sampled_from(CURRENCIES)),
        "BillingPeriodStart": "2024-09-01 00:00:00",
        "BillingPeriodEnd": "2024-10-01 00:00:00",
        "ChargeCategory": category,
        "ChargeClass": draw(st.sampled_from((null, null, null, "Correction"))),
        "ChargeFrequency": "Usage-Based",
        "ChargePeriodStart": start,
        "ChargePeriodEnd": end.isoformat(" "),
        "ContractedCost": cost,
        "EffectiveCost": cost,
        "ListCost": draw(st.one_of(money, money, st.just(null))),
        "PricingQuantity": quantity,
        "PricingUnit": draw(st.sampled_from(UNITS)),
        "ConsumedQuantity": quantity,
        "ConsumedUnit": "Hours",
        "ProviderName": "AWS",
        "PublisherName": "AWS",
        "InvoiceIssuerName": "AWS",
        "ServiceCategory": "Compute",
        "ServiceName": draw(st.sampled_from(PRODUCTS)),
        "SkuId": draw(st.sampled_from((null, *SKUS))),
        "SkuPriceId": draw(st.sampled_from((null, "m-1"))),
        "SubAccountId": draw(st.sampled_from(ACCOUNTS)),
    }
    if is_committed:
        record |= {
            "CommitmentDiscountId": "ri-1",
            "CommitmentDiscountCategory": "Usage",
            "CommitmentDiscountStatus": "Used",
            "CommitmentDiscountType": "Reserved",
        }
    return record


@st.composite
def daily_records(draw: st.DrawFn) -> Record:
    """A row of Partner Center's daily rated usage; some are covered by a benefit and cost nothing."""
    record = dict.fromkeys(DAILY_COLUMNS, "")
    is_covered = draw(st.integers(0, 4)) == 0
    record |= {
        "PartnerId": draw(st.sampled_from(("P-1", "P-2"))),
        "CustomerId": draw(st.sampled_from(ACCOUNTS)),
        "InvoiceNumber": "G001",
        "ProductId": "P1",
        "SkuId": draw(st.sampled_from(SKUS)),
        "ProductName": draw(st.sampled_from(PRODUCTS)),
        "PublisherName": "Microsoft",
        "SubscriptionDescription": "Azure plan",
        "SubscriptionId": draw(st.sampled_from(SUBSCRIPTIONS)),
        "ChargeStartDate": draw(st.sampled_from(("9/1/2024", "2024-09-01"))),
        "ChargeEndDate": "9/30/2024",
        "UsageDate": draw(st.sampled_from(("9/1/2024", "9/12/2024", "2024-09-30"))),
        "MeterId": draw(st.sampled_from(METERS)),
        "Unit": "1 Hour",
        "ChargeType": draw(st.sampled_from(("New", "New", "Cancel"))),
        "UnitPrice": draw(unit_prices),
        "Quantity": draw(quantities),
        "UnitType": draw(st.sampled_from(UNITS)),
        "BillingPreTaxTotal": "0" if is_covered else draw(money),
        "BillingCurrency": draw(st.sampled_from(CURRENCIES)),
        "PricingCurrency": "USD",
        "PCToBCExchangeRate": draw(rates),
        "BenefitId": "benefit-1" if is_covered else "",
    }
    record["PricingPreTaxTotal"] = record["BillingPreTaxTotal"]
    record["EffectiveUnitPrice"] = record["UnitPrice"]
    return record


@st.composite
def files(draw: st.DrawFn, records: Sequence[Record]) -> tuple[tuple[Record, ...], ...]:
    """Rows in any order, split over one to three files, some repeated as look-alikes."""
    rows = list(records)
    if draw(st.integers(0, 2)) == 0:
        rows += [draw(st.sampled_from(rows))] * draw(st.integers(1, 2))
    rows = list(draw(st.permutations(rows)))
    cuts = sorted(draw(st.sets(st.integers(1, len(rows) - 1), max_size=2))) if len(rows) > 1 else []
    return tuple(tuple(rows[a:b]) for a, b in pairwise([0, *cuts, len(rows)]))


@st.composite
def deliveries(draw: st.DrawFn, *, kinds: Sequence[str] = ("own", "own", "focus", "daily")) -> list[Delivery]:
    """Deliveries of several vendors, billing accounts and formats, none of which replaces another."""
    found: list[Delivery] = []
    taken: set[tuple[str, str, str | None]] = set()
    records = {
        "own": st.one_of(own_records(), own_records(), own_records(), bad_records()),
        "focus": focus_records(),
        "daily": daily_records(),
    }
    for _ in range(draw(st.integers(1, 3))):
        kind, vendor = draw(st.sampled_from(kinds)), draw(st.sampled_from(VENDORS))
        billing_account = draw(st.sampled_from((None, *BILLING_ACCOUNTS)))
        rows = draw(st.lists(records[kind], min_size=1, max_size=8))
        key = (kind, vendor, billing_account)
        if any((d.kind, d.vendor, d.billing_account) == key and d.is_same_as(rows) for d in found):
            continue
        found.append(Delivery(kind, vendor, billing_account, draw(files(rows)), is_addition=key in taken))
        taken.add(key)
    if draw(st.integers(0, 3)) == 0:
        later = draw(st.lists(own_records(days=("2024-10-01", "2024-10-31")), min_size=1, max_size=3))
        found.append(Delivery("own", VENDORS[0], "LATER", (tuple(later),)))
    return found


@st.composite
def months(draw: st.DrawFn, *, is_complete: bool | None = None, months: Sequence[str] = (MONTH,)) -> Month:
    """A whole month, with all its rates where `is_complete` says so."""
    return Month(draw(terms(is_complete=is_complete, months=months)), draw(deliveries()))
