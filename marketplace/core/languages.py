"""The texts of the languages other than English, from `marketplace/translations`: nothing needs to be compiled."""

from collections.abc import Collection
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.languages import get_official_languages
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

FOLDER = Path(__file__).parent.parent / "translations"

#: What can be written, the language of the code first.
SPOKEN = ("en", *sorted(file.stem for file in FOLDER.glob("*.po")))


@cache
def catalogue(language: str) -> NullTranslations:
    """Give the texts of a language; English, in which the code is written, has none."""
    file = FOLDER / f"{language}.po"
    if not file.is_file():
        return NullTranslations()
    compiled = BytesIO()
    with file.open("rb") as source:
        write_mo(compiled, read_po(source, locale=language))
    compiled.seek(0)
    return Translations(compiled)


def language_of_country(country: str, *, known: Collection[str], otherwise: str) -> str:
    """Give the first official language of a country that we speak."""
    official = get_official_languages(country, regional=False, de_facto=True)
    return next((language for language in official if language in known), otherwise)
