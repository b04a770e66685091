"""Every text of the pages is there in French, with the same facts in it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from marketplace.core.languages import FOLDER, catalogue

ROOT = Path(__file__).parents[2]
# What a text is filled in with: %(name)s, {name}, and a percent sign.
FACT = re.compile(r"%\(\w+\)s|\{\w+\}|%%")


@pytest.fixture(scope="module")
def texts() -> Catalog:
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    keywords = {**DEFAULT_KEYWORDS, "N_": None, "lazy_gettext": None}
    found = Catalog()
    for _, _, text, comments, context in extract_from_dir(
        str(ROOT), methods, options, keywords, directory_filter=_is_ours
    ):
        found.add(text, None, auto_comments=comments, context=context)
    return found


def _is_ours(folder: str) -> bool:
    """Leave out what is not searched anyway, which is quicker than searching it."""
    return not Path(folder).name.startswith(".") and Path(folder).name not in {"tests", "var", "benchmarks"}


@pytest.fixture(scope="module")
def french() -> Catalog:
    with (FOLDER / "fr.po").open("rb") as file:
        return read_po(file, locale="fr")


def forms(message: Message) -> Iterator[tuple[str, str]]:
    """Give each form of a text, singular or plural, with its translation."""
    texts = [message.id] if isinstance(message.id, str) else message.id
    said = [message.string] if isinstance(message.string, str) else message.string or []
    yield from ((str(text), str(french)) for text, french in zip(texts, said, strict=True))


def test_every_text_has_its_french(texts: Catalog, french: Catalog) -> None:
    missing = [
        message.id
        for message in texts
        if message.id and not (french.get(message.id) and all(said for _, said in forms(french[message.id])))
    ]

    assert not missing, "run `make translations` and fill in the French of these"


def test_no_french_is_kept_of_texts_that_are_gone(texts: Catalog, french: Catalog) -> None:
    assert [message.id for message in french if message.id and not texts.get(message.id)] == []


def test_the_french_names_the_same_facts(french: Catalog) -> None:
    unlike = [
        (text, said)
        for message in french
        if message.id
        for text, said in forms(message)
        if sorted(FACT.findall(text)) != sorted(FACT.findall(said))
    ]

    assert unlike == []


def test_plurals_follow_french_grammar() -> None:
    texts = catalogue("fr")

    said = [texts.ngettext("%(num)s result", "%(num)s results", count) for count in (0, 1, 2)]

    assert said == ["%(num)s résultat", "%(num)s résultat", "%(num)s résultats"]


def test_templates_that_others_import_translate_within_their_macros() -> None:
    """What stands outside is kept from one request to the next, in the language of the first."""
    templates = ROOT / "templates"
    texts = {path: path.read_text() for path in templates.rglob("*.html")}
    imported = {name for text in texts.values() for name in re.findall(r'{%-? from "([^"]+)" import', text)}

    outside = [
        name for name in imported if re.search(r"^{%-? set [^%]*\b_\(", texts[templates / name], re.MULTILINE)
    ]

    assert outside == []
