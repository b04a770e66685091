"""Deciding what rows of a file add, change or leave alone, by their keys. Pure."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from marketplace.core.csv_table import Faults
from marketplace.core.errors import N_, Phrase

Id = TypeVar("Id")
Key = TypeVar("Key", bound=Hashable)
Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True)
class Given(Generic[Key, Entry]):
    """A row as given: its number, what it is about, what it says."""

    row: int
    key: Key
    entry: Entry


@dataclass(frozen=True, slots=True)
class Standing(Generic[Id, Entry]):
    """What stands already."""

    id: Id
    entry: Entry


@dataclass(frozen=True, slots=True)
class Change(Generic[Id, Entry]):
    """A row that says something else than what stands."""

    row: int
    id: Id
    before: Entry
    after: Entry


@dataclass
class Upsert(Generic[Id, Key, Entry]):
    """What a file comes to."""

    added: list[Given[Key, Entry]] = field(default_factory=list)
    changed: list[Change[Id, Entry]] = field(default_factory=list)
    unchanged: int = 0


def plan_upsert(
    given: Iterable[Given[Key, Entry]],
    standing: Mapping[Key, Standing[Id, Entry]],
    *,
    faults: Faults,
    key_column: str,
) -> Upsert[Id, Key, Entry]:
    """Compare rows with what stands. Two rows of one key must say the same; the second then changes nothing."""
    plan: Upsert[Id, Key, Entry] = Upsert()
    seen: dict[Key, Given[Key, Entry]] = {}
    for row in given:
        first = seen.setdefault(row.key, row)
        stands = standing.get(row.key)
        if first is not row and first.entry != row.entry:
            reason = Phrase.of(
                N_("stands in row %(row)s already, with other values: keep one of the two"), row=first.row
            )
            faults.add(row.row, key_column, _shown(row.key), reason)
        elif first is not row or (stands is not None and stands.entry == row.entry):
            plan.unchanged += 1
        elif stands is None:
            plan.added.append(row)
        else:
            plan.changed.append(Change(row.row, stands.id, stands.entry, row.entry))
    return plan


def _shown(key: object) -> str:
    return " ".join(map(str, key)) if isinstance(key, tuple) else str(key)
