"""The monthly close, row by row, in exact fractions: the close written a second time, small and slow.

Nothing here imports the product. Agreement of the two is the proof, so they must not share a thought.

It is meant to be read beside the rules of amounts, in their order: attribute, choose the rule, price, round
once per document, share out by largest remainder, balance, and bill later changes as differences. It knows
nothing of groups being priced once: each row is priced alone and the exact amounts are added, which comes to
the same in fractions.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from math import floor
from typing import NamedTuple

DECIMALS = {"EUR": 2, "USD": 2, "GBP": 2, "JPY": 0, "KWD": 3}
WHOLESALE, RETAIL = "wholesale", "retail"


# --- What goes in -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One usage row of a vendor's file."""

    vendor: str
    billing_account: str
    period: str
    account: str
    day: date
    quantity: Fraction
    cost: Fraction
    currency: str
    # None where the vendor gives no list price.
    list_amount: Fraction | None = None
    is_committed: bool = False
    subscription: str = ""
    product: str = ""
    sku: str = ""
    meter: str = ""
    unit: str = ""
    category: str = "Usage"
    charge_type: str = ""
    # Exclusive end; None where the row says nothing but its day.
    charge_from: date | None = None
    charge_until: date | None = None
    provider: str = ""
    invoice: str = ""
    kind: str = "own"


@dataclass(frozen=True)
class Ownership:
    """Whose an account is, from a day until a day (exclusive)."""

    vendor: str
    account: str
    customer: str
    valid_from: date | None = None
    valid_until: date | None = None


@dataclass(frozen=True)
class Move:
    """That a subscription is another customer's from a day on, whoever has its account."""

    vendor: str
    subscription: str
    customer: str
    day: date


@dataclass(frozen=True)
class Rule:
    """A price rule. Blank scope columns match anything."""

    hop: str
    basis: str
    percent: Fraction | None = None
    unit_price: Fraction | None = None
    currency: str = ""
    reseller: str = ""
    customer: str = ""
    subscription: str = ""
    vendor: str = ""
    product: str = ""
    sku: str = ""
    valid_from: date | None = None
    valid_until: date | None = None

    @property
    def name(self) -> tuple[str, ...]:
        """The rule by its scope and start."""
        start = self.valid_from.isoformat() if self.valid_from else ""
        return (self.reseller, self.customer, self.subscription, self.vendor, self.product, self.sku, start)


NO_RULE = ("", "", "", "", "", "", "")


@dataclass
class World:
    """Parties, terms and rates as they stand."""

    reseller_currency: dict[str, str] = field(default_factory=dict)
    # customer -> (reseller, currency)
    customers: dict[str, tuple[str, str]] = field(default_factory=dict)
    mappings: list[Ownership] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    # (month, from, to) -> rate
    fx: dict[tuple[str, str, str], Fraction] = field(default_factory=dict)


# --- What comes out -----------------------------------------------------------------------------------------


class LineKey(NamedTuple):
    """The business fields of a statement line, in the order in which ties are decided."""

    seller: str
    buyer: str
    customer: str
    vendor: str
    account: str
    subscription: str
    product: str
    sku: str
    meter: str
    unit: str
    category: str
    charge_type: str
    rule: tuple[str, ...]
    basis: str
    upper_rule: tuple[str, ...]
    upper_basis: str
    currency: str

    @property
    def in_bytes(self) -> tuple[bytes | tuple[bytes, ...], ...]:
        """The order of ties: UTF-8."""
        return tuple(tuple(x.encode() for x in f) if isinstance(f, tuple) else f.encode() for f in self)


class DocumentKey(NamedTuple):
    """One hop, seller, buyer, customer and currency; the period is the close's."""

    hop: str
    seller: str
    buyer: str
    customer: str
    currency: str


@dataclass
class Worth:
    """What the rows of a line come to, exactly."""

    quantity: Fraction = Fraction(0)
    basis_amount: Fraction = Fraction(0)
    amount: Fraction = Fraction(0)
    source_rows: int = 0
    percent: Fraction | None = None
    unit_price: Fraction | None = None
    fx_rate: Fraction = Fraction(1)
    charge_from: date | None = None
    charge_until: date | None = None
    is_gap: bool = False
    has_no_rule: bool = False

    def differs_from(self, other: "Worth") -> bool:
        """Whether a closed line has to be corrected to become this one."""
        mine = (self.quantity, self.basis_amount, self.amount, self.source_rows)
        return mine != (other.quantity, other.basis_amount, other.amount, other.source_rows)


@dataclass
class Line:
    """A line of a statement, in whole minor units."""

    key: LineKey
    worth: Worth
    minor: int
    corrects: str = ""


@dataclass
class Document:
    """A statement: its lines add up to its total."""

    lines: list[Line] = field(default_factory=list)
    total: int = 0


Worths = dict[DocumentKey, dict[LineKey, Worth]]
# Vendor, billing account, currency.
Source = tuple[str, str, str]


@dataclass
class Rated:
    """What the usage of a period is worth by its own rules."""

    worths: Worths = field(default_factory=dict)
    # Documents that wait for a rate: the (month, from, to) they lack, and how many rows are on them.
    parked: dict[DocumentKey, set[tuple[str, str, str]]] = field(default_factory=dict)
    parked_rows: dict[DocumentKey, int] = field(default_factory=dict)
    # Exact cost, in the first of these that holds for a row.
    tax: dict[Source, Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    unmapped: dict[Source, Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    parked_cost: dict[Source, Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    cost: dict[Source, Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    bill: dict[Source, Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    # Rows that are charged from.
    rows: int = 0
    tax_rows: int = 0
    unmapped_rows: int = 0


@dataclass
class Close:
    """The draft of a period: its documents, and what is on none."""

    period: str
    documents: dict[DocumentKey, Document]
    rated: Rated

    def lines(self, hop: str) -> list[Line]:
        """All lines of a hop."""
        return [line for key, document in self.documents.items() if key.hop == hop for line in document.lines]

    def totals(self, hop: str) -> dict[str, int]:
        """Sum of the hop's documents by currency, in minor units."""
        totals: dict[str, int] = defaultdict(int)
        for key, document in self.documents.items():
            if key.hop == hop:
                totals[key.currency] += document.total
        return dict(totals)


# --- Steps 2 and 3: whose is a row, and what is its price ---------------------------------------------------


def holds(span: Ownership | Rule, day: date) -> bool:
    """Whether a day lies in a span whose end is exclusive."""
    return (span.valid_from is None or span.valid_from <= day) and (
        span.valid_until is None or day < span.valid_until
    )


def owner(world: World, row: Row) -> str | None:
    """The customer a row belongs to on its day: that of the subscription's latest move, else that of the account."""
    moves = [
        move
        for move in world.moves
        if (move.vendor, move.subscription) == (row.vendor, row.subscription) and move.day <= row.day
    ]
    if moves:
        return max(moves, key=lambda move: move.day).customer
    found = [
        m.customer
        for m in world.mappings
        if (m.vendor, m.account) == (row.vendor, row.account) and holds(m, row.day)
    ]
    assert len(found) <= 1, f"overlapping mappings of {row.account}"
    return found[0] if found else None


def specificity(rule: Rule) -> tuple[bool, int, int, bool]:
    """How narrow a rule is: subscription, narrowest party, narrowest catalogue column, both parties."""
    party = 2 if rule.customer else 1 if rule.reseller else 0
    catalogue = 3 if rule.sku else 2 if rule.product else 1 if rule.vendor else 0
    return (bool(rule.subscription), party, catalogue, bool(rule.reseller and rule.customer))


def matches(rule: Rule, *, hop: str, row: Row, customer: str, reseller: str) -> bool:
    """Whether all filled columns of a rule's scope, and its days, fit a row."""
    scope = (
        (rule.reseller, reseller),
        (rule.customer, customer),
        (rule.subscription, row.subscription),
        (rule.vendor, row.vendor),
        (rule.product, row.product),
        (rule.sku, row.sku),
    )
    return rule.hop == hop and holds(rule, row.day) and all(want in ("", have) for want, have in scope)


def choose(world: World, *, hop: str, row: Row, customer: str, reseller: str) -> Rule | None:
    """The most specific rule that matches, None where none does."""
    fitting = [r for r in world.rules if matches(r, hop=hop, row=row, customer=customer, reseller=reseller)]
    if not fitting:
        return None
    best = max(map(specificity, fitting))
    chosen = [r for r in fitting if specificity(r) == best]
    assert len(chosen) == 1, f"two rules of one scope and day: {chosen}"
    return chosen[0]


@dataclass(frozen=True)
class Terms:
    """What a rule comes down to for a row."""

    rule: tuple[str, ...]
    basis: str
    percent: Fraction | None
    unit_price: Fraction | None
    currency: str
    is_gap: bool
    has_no_rule: bool


def terms(rule: Rule | None, row: Row) -> Terms:
    """The effective basis: a list rule falls back to cost where there is nothing to list."""
    at_cost = Terms(
        rule.name if rule else NO_RULE, "cost", Fraction(0), None, "", rule is not None, rule is None
    )
    if rule is None:
        return at_cost
    if rule.basis == "fixed":
        return Terms(
            rule.name, "fixed", None, rule.unit_price, rule.currency, is_gap=False, has_no_rule=False
        )
    if rule.basis == "list":
        is_listable = (
            row.category in ("Usage", "Purchase") and not row.is_committed and row.list_amount is not None
        )
        if not is_listable:
            return at_cost
    return Terms(rule.name, rule.basis, rule.percent, None, "", is_gap=False, has_no_rule=False)


# --- Step 4: price, round once per document, share out ------------------------------------------------------


@dataclass(frozen=True)
class Priced:
    """A row's exact amount at one hop; None where a rate is missing."""

    basis_amount: Fraction | None
    amount: Fraction | None
    fx_rate: Fraction | None
    missing: frozenset[tuple[str, str, str]]


def price(
    world: World,
    *,
    row: Row,
    month: str,
    terms: Terms,
    cost: tuple[Fraction | None, str],
    currency: str,
    missing_above: frozenset[tuple[str, str, str]] = frozenset(),
) -> Priced:
    """Price one row at one hop: basis, percentage or unit price, then the month's rate, once and last."""
    missing: frozenset[tuple[str, str, str]] = frozenset()
    before: Fraction | None
    basis: Fraction | None
    if terms.basis == "fixed":
        assert terms.unit_price is not None
        basis, before, source = row.quantity, row.quantity * terms.unit_price, terms.currency
    else:
        if terms.basis == "list":
            basis, source = row.list_amount, row.currency
        else:
            basis, source, missing = *cost, missing_above
        assert terms.percent is not None
        before = None if basis is None else basis * (100 + terms.percent) / 100
    rate: Fraction | None = Fraction(1) if source == currency else world.fx.get((month, source, currency))
    if rate is None:
        missing |= {(month, source, currency)}
    return Priced(basis, None if before is None or rate is None else before * rate, rate, missing)


@dataclass(frozen=True)
class Entry:
    """A row on a line of a document, priced."""

    document: DocumentKey
    key: LineKey
    row: Row
    terms: Terms
    priced: Priced


def entries(world: World, *, row: Row, customer: str, month: str) -> tuple[Entry, Entry]:
    """Price a row at both hops: what the reseller pays, and what the customer pays."""
    reseller, retail_currency = world.customers[customer]
    wholesale_currency = world.reseller_currency[reseller]
    buy = terms(choose(world, hop=WHOLESALE, row=row, customer=customer, reseller=reseller), row)
    sell = terms(choose(world, hop=RETAIL, row=row, customer=customer, reseller=reseller), row)
    at_cost = (row.cost, row.currency)
    bought = price(world, row=row, month=month, terms=buy, cost=at_cost, currency=wholesale_currency)
    sold = price(
        world,
        row=row,
        month=month,
        terms=sell,
        cost=(bought.amount, wholesale_currency),
        currency=retail_currency,
        missing_above=bought.missing,
    )
    return (
        Entry(
            DocumentKey(WHOLESALE, "wholesaler", reseller, customer, wholesale_currency),
            line_key("wholesaler", reseller, customer, row, buy, None),
            row,
            buy,
            bought,
        ),
        Entry(
            DocumentKey(RETAIL, reseller, customer, customer, retail_currency),
            line_key(reseller, customer, customer, row, sell, buy),
            row,
            sell,
            sold,
        ),
    )


def line_key(seller: str, buyer: str, customer: str, row: Row, at: Terms, above: Terms | None) -> LineKey:
    """The line a row belongs to."""
    return LineKey(
        seller,
        buyer,
        customer,
        row.vendor,
        row.account,
        row.subscription,
        row.product,
        row.sku,
        row.meter,
        row.unit,
        row.category,
        row.charge_type,
        at.rule,
        at.basis,
        above.rule if above else NO_RULE,
        above.basis if above else "",
        row.currency,
    )


def add(entry: Entry, lines: dict[LineKey, Worth]) -> None:
    """Add a row to its line."""
    row, at, priced = entry.row, entry.terms, entry.priced
    worth = lines.setdefault(entry.key, Worth(percent=at.percent, unit_price=at.unit_price))
    worth.quantity += row.quantity
    worth.basis_amount += priced.basis_amount or 0
    worth.amount += priced.amount or 0
    worth.source_rows += 1
    worth.fx_rate = priced.fx_rate or Fraction(0)
    worth.is_gap, worth.has_no_rule = at.is_gap, at.has_no_rule
    start = row.charge_from or row.day
    until = row.charge_until or row.day + timedelta(days=1)
    worth.charge_from = min(filter(None, (worth.charge_from, start)))
    worth.charge_until = max(filter(None, (worth.charge_until, until)))


def rate(world: World, *, period: str, rows: Sequence[Row]) -> Rated:
    """Say what the rows of a period are worth at both hops."""
    rated = Rated()
    costs: dict[DocumentKey, list[tuple[Source, Fraction]]] = defaultdict(list)
    for row, is_charged, is_billed in charged(rows):
        source = (row.vendor, row.billing_account, row.currency)
        rated.bill[source] += row.cost if is_billed else 0
        if not is_charged:
            continue
        rated.rows += 1
        customer = owner(world, row)
        if row.category == "Tax":
            rated.tax[source] += row.cost
            rated.tax_rows += 1
        elif customer is None:
            rated.unmapped[source] += row.cost
            rated.unmapped_rows += 1
        else:
            for entry in entries(world, row=row, customer=customer, month=period):
                add(entry, rated.worths.setdefault(entry.document, {}))
                if entry.priced.missing:
                    rated.parked.setdefault(entry.document, set()).update(entry.priced.missing)
                if entry.document.hop == WHOLESALE:
                    costs[entry.document].append((source, row.cost))
    for document, parts in costs.items():
        for source, amount in parts:
            (rated.parked_cost if document in rated.parked else rated.cost)[source] += amount
    for document in rated.parked:
        lines = rated.worths.pop(document)
        rated.parked_rows[document] = sum(worth.source_rows for worth in lines.values())
    return rated


def charged(rows: Sequence[Row]) -> Iterable[tuple[Row, bool, bool]]:
    """Say of each row whether it is charged from, and whether it counts in the vendor's bill.

    A reconciliation file is the bill. Its usage lines are charged from the daily usage of the same invoice
    where that was imported, and that daily usage is no bill of its own.
    """
    detailed = {(r.vendor, r.billing_account, r.invoice) for r in rows if r.kind == "daily"}
    billed = {(r.vendor, r.billing_account, r.invoice) for r in rows if r.kind == "reconciliation"}
    for row in rows:
        invoice = (row.vendor, row.billing_account, row.invoice)
        is_replaced_by_detail = (
            row.kind == "reconciliation" and row.category == "Usage" and invoice in detailed
        )
        is_detail_of_bill = row.kind == "daily" and invoice in billed
        yield row, not is_replaced_by_detail, not is_detail_of_bill


def round_half_away(amount: Fraction) -> int:
    """Round to a whole number, halves away from zero."""
    return floor(amount + Fraction(1, 2)) if amount >= 0 else -floor(-amount + Fraction(1, 2))


def in_minor(amount: Fraction, currency: str) -> Fraction:
    """An exact amount in (fractions of) minor units."""
    return amount * Fraction(10) ** DECIMALS[currency]


def allot(exact: Mapping[LineKey, Fraction], total: int) -> dict[LineKey, int]:
    """Largest remainder: floor each, then one unit more for the largest fractions; ties in key order."""
    keys = sorted(exact, key=lambda key: key.in_bytes)
    shares = {key: floor(exact[key]) for key in keys}
    left = total - sum(shares.values())
    by_fraction = sorted(
        (key for key in keys if exact[key] != shares[key]), key=lambda k: shares[k] - exact[k]
    )
    for key in by_fraction[: max(left, 0)]:
        shares[key] += 1
        left -= 1
    if left:
        shares[max(keys, key=lambda key: abs(exact[key]))] += left
    return shares


def own_lines(document: DocumentKey, worths: Mapping[LineKey, Worth]) -> tuple[list[Line], int]:
    """The lines and total of a document: rounded once, then shared out."""
    exact = {key: in_minor(worth.amount, document.currency) for key, worth in worths.items()}
    total = round_half_away(sum(exact.values(), Fraction(0)))
    shares = allot(exact, total)
    return [Line(key, worth, shares[key]) for key, worth in worths.items()], total


# --- Step 7: what was billed, and what changed since --------------------------------------------------------


@dataclass
class Billed:
    """What has been billed for the usage of a closed period, over all closes so far."""

    worths: Worths
    totals: dict[DocumentKey, int]


@dataclass
class Books:
    """All usage and all that was billed: closing a period bills it, and differences of earlier ones."""

    world: World
    rows: list[Row] = field(default_factory=list)
    billed: dict[str, Billed] = field(default_factory=dict)

    def rate(self, period: str) -> Rated:
        """What a period's usage is worth now."""
        return rate(self.world, period=period, rows=[row for row in self.rows if row.period == period])

    def draft(self, period: str) -> Close:
        """Draft a period that is not closed, with the differences of all that are."""
        assert period not in self.billed
        rated = self.rate(period)
        documents: dict[DocumentKey, Document] = {}
        for key, worths in rated.worths.items():
            lines, total = own_lines(key, worths)
            documents[key] = Document(lines, total)
        for closed in sorted(self.billed):
            for key, lines, total in self.differences(closed):
                document = documents.setdefault(key, Document())
                document.lines += lines
                document.total += total
        return Close(period, documents, rated)

    def differences(self, closed: str) -> Iterable[tuple[DocumentKey, list[Line], int]]:
        """Bill what a closed period is worth now, less what was billed for it."""
        now, before = self.rate(closed), self.billed[closed]
        assert not now.parked, "a correction without a rate is not modelled"
        for document in sorted({*now.worths, *before.worths}):
            worths, billed = now.worths.get(document, {}), before.worths.get(document, {})
            changed: dict[LineKey, Worth] = {}
            for key in {*worths, *billed}:
                new, old = worths.get(key, Worth()), billed.get(key, Worth())
                if new.differs_from(old):
                    terms_of = new if key in worths else old
                    changed[key] = Worth(
                        quantity=new.quantity - old.quantity,
                        basis_amount=new.basis_amount - old.basis_amount,
                        amount=new.amount - old.amount,
                        source_rows=new.source_rows - old.source_rows,
                        percent=terms_of.percent,
                        unit_price=terms_of.unit_price,
                        fx_rate=terms_of.fx_rate,
                        charge_from=terms_of.charge_from,
                        charge_until=terms_of.charge_until,
                    )
            if not changed:
                continue
            total = self.total(document, worths) - before.totals.get(document, 0)
            shares = allot({k: in_minor(w.amount, document.currency) for k, w in changed.items()}, total)
            yield document, [Line(key, worth, shares[key], closed) for key, worth in changed.items()], total

    def approve(self, period: str) -> Close:
        """Close a period: its draft becomes what was billed."""
        close = self.draft(period)
        assert not close.rated.parked, "a parked document keeps the period from being closed"
        for closed in (*self.billed, period):
            worths = self.rate(closed).worths
            totals = {document: self.total(document, lines) for document, lines in worths.items()}
            self.billed[closed] = Billed(worths, totals)
        return close

    @staticmethod
    def total(document: DocumentKey, worths: Mapping[LineKey, Worth]) -> int:
        """The rounded total of a document."""
        exact = sum((worth.amount for worth in worths.values()), Fraction(0))
        return round_half_away(in_minor(exact, document.currency))


# --- Step 5: the balance ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Balance:
    """The two sides of one vendor, billing account and currency, in minor units; the right one exact."""

    bill: int
    rounding: int
    cost: Fraction
    tax: Fraction
    unmapped: Fraction
    parked: Fraction


def balance(rated: Rated) -> dict[Source, Balance]:
    """Vendor bill = cost on statements + vendor tax + unmapped + parked + vendor rounding."""
    sides = {}
    for source in {*rated.bill, *rated.cost, *rated.tax, *rated.unmapped, *rated.parked_cost}:
        kinds = (rated.bill, rated.cost, rated.tax, rated.unmapped, rated.parked_cost)
        exact_bill, *parts = (in_minor(kind[source], source[2]) for kind in kinds)
        bill, detail = round_half_away(exact_bill), round_half_away(sum(parts, Fraction(0)))
        sides[source] = Balance(bill, bill - detail, *parts)
    return sides
