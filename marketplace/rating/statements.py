"""From the usage of one customer to its two documents: group, price once, round once.

The wholesale document is what the reseller owes for the customer, the retail one what the customer owes. Both
come from the same groups of rows. A document for which an exchange rate is missing is parked whole.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import blake2b
from operator import attrgetter
from typing import NamedTuple

from marketplace.core.currency import minor_units
from marketplace.core.rounding import EXACT, allot, to_minor
from marketplace.rating.exact import add, multiply
from marketplace.rating.price import COST, FIXED, Effective, Listing, Terms, effective

WHOLESALE = "wholesale"
RETAIL = "retail"
_ZERO = Decimal(0)
_ONE = Decimal(1)
#: Stands between the fields of a key. Smaller than any character, so that keys compare as their fields would.
_SEPARATOR = "\x00"


class Subject(NamedTuple):
    """The business fields a line shares with its source rows, in the order in which lines are sorted."""

    vendor: str
    account: str
    subscription: str
    product: str
    sku: str
    meter: str
    unit: str
    charge_category: str
    charge_type: str


class DayBasis(NamedTuple):
    """The basis of each usage day, as two PostgreSQL array literals of equal length."""

    days: str
    amounts: str


class UsageGroup(NamedTuple):
    """Rows of one subject and currency under the same two rules, summed exactly. Days are ISO dates."""

    subject: Subject
    row_currency: str
    wholesale_terms: Terms
    retail_terms: Terms
    listing: Listing
    # Where the list basis is quantity x price x rate: the same price and rate for all rows of the group.
    list_price: Decimal | None
    list_fx: Decimal | None
    quantity: Decimal
    cost: Decimal
    # Where the rows carry their list cost.
    list_cost: Decimal
    rows: int
    charge_from: str
    charge_until: str
    days: str
    day_quantity: str
    day_cost: str
    day_list: str


@dataclass(frozen=True, slots=True)
class Chain:
    """A customer and its reseller: who buys at each hop and in which currency."""

    customer_id: int
    customer: str
    customer_currency: str
    reseller_id: int
    reseller: str
    reseller_currency: str


@dataclass(slots=True)
class Line:
    """One statement line in the making; complete once its document is rounded."""

    # The business fields in their order, a rule by its scope and start: equal keys are one line.
    key: str
    subject: Subject
    row_currency: str
    terms: Terms
    effective: Effective
    upper_rule_id: int | None
    upper_basis: str
    basis_currency: str
    fx_rate: Decimal
    # What the basis is multiplied by: the rule's factor and the exchange rate.
    factor: Decimal
    quantity: Decimal
    basis_amount: Decimal
    cost: Decimal
    rows: int
    charge_from: str
    charge_until: str
    # One entry a group that was added up here; nearly always one.
    day_parts: list[tuple[Decimal, DayBasis]]
    exact: Decimal = _ZERO
    minor: int = 0
    group_id: str = ""


@dataclass(slots=True)
class Document:
    """One hop of one customer in one currency: its lines in order, its exact total, its one rounding."""

    hop: str
    chain: Chain
    currency: str
    lines: list[Line] = field(default_factory=list)
    exact_total: Decimal = Decimal(0)
    total_minor: int = 0
    parked_pair: str = ""
    cost: dict[tuple[str, str], Decimal] = field(default_factory=dict)


class MissingRate(LookupError):
    """There is no exchange rate for a pair in the month."""

    def __init__(self, source: str, target: str) -> None:
        """Keep the pair."""
        super().__init__(f"{source}>{target}")


class ExchangeRates:
    """The rates of one month. A rate is never inverted or crossed."""

    def __init__(self, rates: dict[tuple[str, str], Decimal]) -> None:
        """Keep the rates by (from, to)."""
        self._rates = rates

    def rate(self, source: str, target: str) -> Decimal:
        """Give the rate; 1 for the same currency. Raises `MissingRate`."""
        if source == target:
            return _ONE
        try:
            return self._rates[source, target]
        except KeyError:
            raise MissingRate(source, target) from None


def documents_of_customer(
    chain: Chain, groups: Iterable[UsageGroup], *, rates: ExchangeRates, usage_period: str
) -> tuple[Document, Document]:
    """Price and round everything one customer used in a period: its wholesale and its retail document."""
    wholesale = Document(WHOLESALE, chain, chain.reseller_currency)
    retail = Document(RETAIL, chain, chain.customer_currency)
    wholesale_lines: dict[str, Line] = {}
    retail_lines: dict[str, Line] = {}
    for group in groups:
        lower = _basis(group, group.wholesale_terms)
        bought = None
        try:
            bought = _add(wholesale_lines, group, lower, rates, chain.reseller_currency)
        except MissingRate as missing:
            wholesale.parked_pair = wholesale.parked_pair or str(missing)
        cost_key = (group.subject.vendor, group.row_currency)
        wholesale.cost[cost_key] = add(wholesale.cost.get(cost_key, _ZERO), group.cost)
        upper = _basis(group, group.retail_terms)
        if upper.effective.basis == COST:
            if bought is None:
                retail.parked_pair = retail.parked_pair or wholesale.parked_pair
                continue
            upper = _Basis(
                upper.terms,
                upper.effective,
                multiply(lower.amount, bought.factor),
                chain.reseller_currency,
                multiply(lower.day_multiplier, bought.factor),
                lower.day_basis,
            )
        try:
            _add(retail_lines, group, upper, rates, chain.customer_currency, below=lower)
        except MissingRate as missing:
            retail.parked_pair = retail.parked_pair or str(missing)
    _finish(wholesale, wholesale_lines.values(), usage_period)
    _finish(retail, retail_lines.values(), usage_period)
    return wholesale, retail


class _Basis(NamedTuple):
    terms: Terms
    effective: Effective
    amount: Decimal
    currency: str
    # A day's amount is day basis x multiplier x the line's factor and rate.
    day_multiplier: Decimal
    day_basis: str


def _basis(group: UsageGroup, terms: Terms) -> _Basis:
    """What a hop's rule starts from for a group: the vendor's cost, the list price or the quantity."""
    price = effective(terms, group.listing)
    if price.basis == COST:
        return _Basis(terms, price, group.cost, group.row_currency, _ONE, group.day_cost)
    if price.basis == FIXED:
        return _Basis(terms, price, group.quantity, terms.currency, _ONE, group.day_quantity)
    if group.list_price is None:
        return _Basis(terms, price, group.list_cost, group.row_currency, _ONE, group.day_list)
    unit = group.list_price if group.list_fx is None else multiply(group.list_price, group.list_fx)
    amount = multiply(group.quantity, unit)
    return _Basis(terms, price, amount, group.row_currency, unit, group.day_quantity)


def _add(
    lines: dict[str, Line],
    group: UsageGroup,
    basis: _Basis,
    rates: ExchangeRates,
    currency: str,
    *,
    below: _Basis | None = None,
) -> Line:
    """Add a group to its line, which is begun where it is the first. Retail lines note what they were bought under."""
    upper_words, upper_basis = ("", "") if below is None else (below.terms.words, below.effective.basis)
    key = _SEPARATOR.join(
        (
            *group.subject,
            basis.terms.words,
            basis.effective.basis,
            upper_words,
            upper_basis,
            group.row_currency,
        )
    )
    day_part = (basis.day_multiplier, DayBasis(group.days, basis.day_basis))
    line = lines.get(key)
    if line is None:
        fx_rate = rates.rate(basis.currency, currency)
        line = lines[key] = Line(
            key,
            group.subject,
            group.row_currency,
            basis.terms,
            basis.effective,
            None if below is None else below.terms.rule_id,
            upper_basis,
            basis.currency,
            fx_rate,
            multiply(basis.effective.factor, fx_rate),
            group.quantity,
            basis.amount,
            group.cost,
            group.rows,
            group.charge_from,
            group.charge_until,
            [day_part],
        )
        return line
    line.quantity = add(line.quantity, group.quantity)
    line.basis_amount = add(line.basis_amount, basis.amount)
    line.cost = add(line.cost, group.cost)
    line.rows += group.rows
    line.charge_from = min(line.charge_from, group.charge_from)
    line.charge_until = max(line.charge_until, group.charge_until)
    line.day_parts.append(day_part)
    return line


def _finish(document: Document, lines: Iterable[Line], usage_period: str) -> None:
    """Price each line's exact sum once, round the document once, and share its total among the lines."""
    if document.parked_pair:
        return
    chain = document.chain
    document.lines = sorted(lines, key=attrgetter("key"))
    identity = _SEPARATOR.join(
        (usage_period, document.hop, chain.reseller, chain.customer, document.currency)
    )
    total = _ZERO
    for line in document.lines:
        line.exact = multiply(line.basis_amount, line.factor)
        total = add(total, line.exact)
        line.group_id = digest(identity, line.key)
    document.exact_total = total
    document.total_minor = to_minor(total, document.currency)
    shift = minor_units(document.currency)
    parts = allot([EXACT.scaleb(line.exact, shift) for line in document.lines], document.total_minor)
    for line, minor in zip(document.lines, parts, strict=True):
        line.minor = minor


def digest(*fields: str) -> str:
    """Derive an id (a UUID in hexadecimal) from texts: the same texts always give the same."""
    return blake2b(_SEPARATOR.join(fields).encode(), digest_size=16).hexdigest()
