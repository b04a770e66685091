"""A price rule as a whole: a scope, a price, and the usage days it holds on."""

from collections.abc import Mapping
from dataclasses import dataclass

from marketplace.core.cells import Entry
from marketplace.core.errors import N_, Phrase
from marketplace.core.period import DateRange
from resellers.rules.prices import Price, plain, price_words, read_price
from resellers.rules.scopes import Scope, read_scope, scope_words
from resellers.rules.spans import ALWAYS, check_span, read_span, span_words

COLUMNS = (
    *("hop", "reseller", "customer", "subscription", "vendor", "product", "sku"),
    *("basis", "percent", "unit_price", "currency", "valid_from", "valid_until"),
)


@dataclass(frozen=True, slots=True)
class RuleTerms:
    """The terms of a rule. Wrong ones cannot be made: they raise `FaultyEntry`."""

    scope: Scope
    price: Price
    span: DateRange = ALWAYS

    def __post_init__(self) -> None:
        check_span(self.span)


def read_rule(cells: Mapping[str, str], *, allow_comma: bool = False) -> RuleTerms:
    """Read a rule from a row of a file or from a form. Raises `FaultyEntry` naming every faulty cell."""
    entry = Entry(cells)
    scope = read_scope(entry)
    price = read_price(entry, allow_comma=allow_comma)
    span = read_span(entry)
    entry.check()
    return RuleTerms(scope, price, span)


def rule_words(terms: RuleTerms) -> Phrase:
    """Say a rule in a line: "list -10 % for reseller R1, vendor aws, from 2024-09-01"."""
    sentence = (
        N_("%(price)s for %(scope)s") if terms.span == ALWAYS else N_("%(price)s for %(scope)s, %(span)s")
    )
    facts = {"price": price_words(terms.price), "scope": scope_words(terms.scope)}
    if terms.span != ALWAYS:
        facts["span"] = span_words(terms.span)
    return Phrase.of(sentence, **facts)


def rule_as_json(terms: RuleTerms) -> dict[str, str]:
    """Give a rule as the cells it would have in a file: what the audit trail keeps."""
    scope, price, span = terms.scope, terms.price, terms.span
    return {
        "hop": scope.hop.value,
        "reseller": scope.reseller,
        "customer": scope.customer,
        "subscription": scope.subscription,
        "vendor": scope.vendor,
        "product": scope.product,
        "sku": scope.sku,
        "basis": price.basis.value,
        "percent": "" if price.percent is None else plain(price.percent),
        "unit_price": "" if price.unit_price is None else plain(price.unit_price),
        "currency": price.currency or "",
        "valid_from": span.start.isoformat() if span.start else "",
        "valid_until": span.end.isoformat() if span.end else "",
    }
