"""Rows of a bulk order: a customer, a SKU, a term and how it is paid, how many, and the customer's order number."""

from collections.abc import Mapping
from dataclasses import dataclass

from catalog.words import BillingCycle, Term
from marketplace.core.cells import Entry, Unusable, filled
from marketplace.core.errors import N_, Phrase

COLUMNS = ("customer", "sku", "term", "billing_cycle", "quantity", "po_number")
MOST_ROWS = 2000
_MOST_DIGITS = 9


@dataclass(frozen=True, slots=True)
class BulkLine:
    """A row that can be used as far as it goes; whether such a thing is sold, the catalogue knows."""

    customer: str
    # As statements name it: CFQ7TTC0LH18:0001.
    sku: str
    term: Term
    billing_cycle: BillingCycle
    quantity: int
    po_number: str


def read_line(cells: Mapping[str, str]) -> BulkLine:
    """Read a row. Raises `FaultyEntry` naming every faulty cell."""
    entry = Entry(cells)
    line = BulkLine(
        customer=entry.take("customer", filled, ""),
        sku=entry.take("sku", filled, ""),
        term=entry.take("term", _term, Term.P1Y),
        billing_cycle=entry.take("billing_cycle", _billing_cycle, BillingCycle.MONTHLY),
        quantity=entry.take("quantity", quantity_of, 1),
        po_number=entry.text("po_number"),
    )
    entry.check()
    return line


def quantity_of(text: str) -> int:
    """Read how many."""
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS and int(text) > 0):
        raise Unusable(Phrase.of(N_("is not a number of units: write a whole number of at least 1")))
    return int(text)


def _term(text: str) -> Term:
    found = {term.value.casefold(): term for term in Term}.get(text.casefold())
    if found is None:
        raise Unusable(
            Phrase.of(N_("is not a term: write %(known)s"), known=", ".join(term.value for term in Term))
        )
    return found


def _billing_cycle(text: str) -> BillingCycle:
    found = {cycle.value: cycle for cycle in BillingCycle}.get(text.casefold())
    if found is None:
        known = ", ".join(cycle.value for cycle in BillingCycle)
        raise Unusable(Phrase.of(N_("is not a way to pay: write %(known)s"), known=known))
    return found
