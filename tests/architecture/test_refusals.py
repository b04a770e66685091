"""Every anticipated failure says what is wrong in its own words, and the screens know how to answer it."""

import importlib
import pkgutil
import re
from collections.abc import Iterator

import catalog
import marketplace
import resellers
from marketplace.core.errors import Refusal


def refusals() -> Iterator[type[Refusal]]:
    """Give every refusal of the product."""
    for package in (catalog, marketplace, resellers):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations" not in module.name and not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    yield from _below(Refusal)


def _below(parent: type[Refusal]) -> Iterator[type[Refusal]]:
    for child in parent.__subclasses__():
        if child.__module__.partition(".")[0] in {"catalog", "marketplace", "resellers"}:
            yield child
            yield from _below(child)


def test_each_has_a_sentence_and_says_when_it_is_raised() -> None:
    mute = [
        kind.__qualname__
        for kind in refusals()
        if kind.sentence == Refusal.sentence
        or not kind.__doc__
        or not re.search(r"[.:!%]\S*$", kind.sentence.strip())
    ]

    assert mute == []


def test_no_refusal_knows_of_http() -> None:
    told = [kind.__name__ for kind in refusals() if {"status", "code", "http_status"} & set(vars(kind))]

    assert told == []
