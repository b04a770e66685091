"""What a change would do to documents, and what a closed month differs by: values, and how they are kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marketplace.core.actor import Actor, Audience
from marketplace.core.money import Money
from marketplace.core.period import Period
from resellers.words import Hop

MOST_DOCUMENTS = 50
"""So many of the wholesaler's documents are named, those that change most; the others are counted and summed."""


@dataclass(frozen=True, slots=True)
class DocumentEffect:
    """What one customer's document of one hop and period would become. None: it waits for an exchange rate."""

    period: Period
    hop: str
    reseller_id: int
    customer_id: int
    before: Money | None
    after: Money | None

    @property
    def difference(self) -> Money | None:
        """The difference, where both are known (a parked document has no total)."""
        if self.before is None or self.after is None:
            return None
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change would do, as far as whoever asked may see it."""

    # The first of them, by month and by how much they change.
    documents: Sequence[DocumentEffect]
    document_count: int
    customer_count: int
    # By hop and currency.
    differences: Sequence[tuple[str, Money]]
    # Closed periods among them: there the difference would be billed with the next open period.
    closed: Sequence[Period]

    def as_data(self) -> dict[str, Any]:
        """Give it as it is kept in JSON."""
        return {
            "documents": [
                [
                    one.period.number,
                    one.hop,
                    one.reseller_id,
                    one.customer_id,
                    _money_as_data(one.before),
                    _money_as_data(one.after),
                ]
                for one in self.documents
            ],
            "document_count": self.document_count,
            "customer_count": self.customer_count,
            "differences": [[hop, _money_as_data(amount)] for hop, amount in self.differences],
            "closed": [period.number for period in self.closed],
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Effect":
        """Take a kept one up again."""
        return cls(
            documents=[
                DocumentEffect(
                    Period.from_number(period),
                    hop,
                    reseller_id,
                    customer_id,
                    Money(*before) if before else None,
                    Money(*after) if after else None,
                )
                for period, hop, reseller_id, customer_id, before, after in data["documents"]
            ],
            document_count=data["document_count"],
            customer_count=data["customer_count"],
            differences=[(hop, Money(*amount)) for hop, amount in data["differences"]],
            closed=[Period.from_number(number) for number in data["closed"]],
        )


def effect_for(actor: Actor, documents: Sequence[DocumentEffect], *, closed: Sequence[Period]) -> Effect:
    """Cut what a change does to what the actor may see: the wholesaler all, a reseller its own sales."""
    seen = [one for one in documents if actor.audience is Audience.WHOLESALER or _is_own_sale(actor, one)]
    periods = {one.period for one in seen}
    sums: dict[tuple[str, str], int] = {}
    for one in seen:
        if one.difference is not None:
            key = (one.hop, one.difference.currency)
            sums[key] = sums.get(key, 0) + one.difference.minor
    seen.sort(key=_most_first)
    return Effect(
        documents=seen[:MOST_DOCUMENTS] if actor.audience is Audience.WHOLESALER else seen,
        document_count=len(seen),
        customer_count=len({one.customer_id for one in seen}),
        differences=[(hop, Money(minor, currency)) for (hop, currency), minor in sorted(sums.items())],
        closed=[period for period in closed if period in periods],
    )


def _is_own_sale(actor: Actor, one: DocumentEffect) -> bool:
    return one.hop == Hop.RETAIL.value and one.reseller_id == actor.reseller_id


def _most_first(one: DocumentEffect) -> tuple[int, int, int]:
    change = one.difference
    return -one.period.number, -abs(change.minor) if change else 0, one.customer_id


@dataclass(frozen=True, slots=True)
class PendingDifference:
    """What a closed period's documents of one hop and currency would be corrected by if the next one were rated now."""

    hop: str
    amount: Money
    documents: int


def differences_as_data(differences: Sequence[PendingDifference]) -> dict[str, Any]:
    """Give differences as they are kept in JSON."""
    return {"differences": [[one.hop, _money_as_data(one.amount), one.documents] for one in differences]}


def differences_from_data(data: Mapping[str, Any]) -> list[PendingDifference]:
    """Take kept ones up again."""
    return [
        PendingDifference(hop, Money(*amount), documents) for hop, amount, documents in data["differences"]
    ]


def _money_as_data(amount: Money | None) -> list[int | str] | None:
    return None if amount is None else [amount.minor, amount.currency]
