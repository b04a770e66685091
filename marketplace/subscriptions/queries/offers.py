"""Plans of the catalogue as subscriptions know them, and what they cost on a day."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from marketplace.subscriptions.rules.history import Offer, Quoted


@dataclass(frozen=True, slots=True)
class Asked:
    """What a price is asked for: so many units of a plan, in a market and currency, on a day."""

    plan_id: int
    quantity: int
    market: str
    currency: str
    day: date


def offers_of(session: Session, plan_ids: Iterable[int]) -> dict[int, Offer]:
    """Give plans by id, in one query."""
    del session, plan_ids
    return {}


def quotes(session: Session, asked: Iterable[Asked]) -> Mapping[Asked, Quoted]:
    """Give prices; what is not sold then has none."""
    del session, asked
    return {}


def monthly_plans(session: Session, plan_ids: Iterable[int]) -> Mapping[int, int]:
    """Give for plans the plan of the same SKU that is bought by the month, where there is one."""
    del session, plan_ids
    return {}
