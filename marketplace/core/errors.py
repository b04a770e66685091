"""The base of every failure we anticipate: a sentence a person can act on, and the facts behind it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, ClassVar

from marketplace.core.money import Money
from marketplace.core.vendor_names import name_of


def N_(sentence: str) -> str:  # noqa: N802 - gettext's own name for "translate later"
    """Mark a sentence for translation without translating it here: screens know the language, rules do not."""
    return sentence


class Phrase(str):
    """English text that remembers the template and the facts it was made from, so that screens can translate it.

    Facts that are phrases themselves are translated too; the fact `vendor` is a key, and said as the vendor's name.
    """

    __slots__ = ("facts", "sentence")

    sentence: str
    facts: Mapping[str, object]

    @classmethod
    def of(cls, sentence: str, **facts: object) -> "Phrase":
        """Fill a template marked with `N_`."""
        phrase = cls(sentence % facts if facts else sentence)
        phrase.sentence = sentence
        phrase.facts = facts
        return phrase

    def said_with(self, translate: Callable[[str], str], write: Callable[[object], str]) -> str:
        """Say it in another language, given the functions that translate templates and write amounts and days."""
        if not self.facts:
            return translate(self.sentence)
        facts = {name: _said(name, fact, translate, write) for name, fact in self.facts.items()}
        return translate(self.sentence) % facts

    @classmethod
    def verbatim(cls, text: str) -> "Phrase":
        """Keep words that nobody can translate, such as a library's."""
        return cls.of("%(text)s", text=text)

    def as_data(self) -> dict[str, Any]:
        """Give template and facts as they are stored in JSON; kinds of facts that have no form there as text."""
        facts = {name: _fact_as_data(fact) for name, fact in self.facts.items()}
        return {"sentence": self.sentence, "facts": facts}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Phrase":
        """Take a stored one up again."""
        return cls.of(
            data["sentence"], **{name: _fact_from_data(fact) for name, fact in data["facts"].items()}
        )


def _said(name: str, fact: object, translate: Callable[[str], str], write: Callable[[object], str]) -> str:
    if isinstance(fact, Phrase):
        return fact.said_with(translate, write)
    return name_of(str(fact)) if name == "vendor" else write(fact)


def _fact_as_data(fact: object) -> object:
    match fact:
        case Phrase():
            return fact.as_data()
        case Money():
            return {"minor": fact.minor, "currency": fact.currency}
        case datetime():
            return {"moment": fact.isoformat()}
        case date():
            return {"day": fact.isoformat()}
        case bool() | int() | None:
            return fact
        case _:
            return str(fact)


def _fact_from_data(data: Any) -> object:
    match data:
        case {"sentence": _}:
            return Phrase.from_data(data)
        case {"minor": minor, "currency": currency}:
            return Money(minor, currency)
        case {"moment": moment}:
            return datetime.fromisoformat(moment)
        case {"day": day}:
            return date.fromisoformat(day)
        case _:
            return data


@dataclass(frozen=True)
class FaultyRow:
    """One bad value of a file: where it stands and why it cannot be used. Data rows count from 1."""

    file: str
    row: int
    column: str
    value: str
    reason: str

    def as_dict(self) -> dict[str, str | int]:
        """Give the row as it is printed with `--json`."""
        return asdict(self)


class Refusal(Exception):
    """An anticipated failure. Subclasses stand next to the code that raises them and carry the facts.

    `sentence` is an English template over `facts`; screens translate it before filling it in.
    """

    sentence: ClassVar[str] = N_("The request cannot be carried out.")

    def __init__(self, rows: Sequence[FaultyRow] = (), **facts: object) -> None:
        """Keep the facts of the failure and, for files, every faulty row."""
        super().__init__()
        self.facts = facts
        self.rows = tuple(rows)

    def __str__(self) -> str:
        """Give the sentence in English."""
        return self.sentence % self.facts

    @property
    def phrase(self) -> Phrase:
        """The sentence, to be stored and said in any language later."""
        return Phrase.of(self.sentence, **self.facts)


class NotFound(Refusal):
    """What was asked for does not exist, or is somebody else's, which must look the same."""

    sentence = N_("There is no such thing here.")


class NotPermitted(Refusal):
    """The person's role does not include the act."""

    sentence = N_("Your role does not include this. An administrator of your company can change your role.")
