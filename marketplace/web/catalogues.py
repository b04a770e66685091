"""What pages say in another language than English, from `marketplace/translations`: nothing needs to be compiled."""

from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask_babel import Babel, Domain, get_locale

FOLDER = Path(__file__).parent.parent / "translations"


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


class _Texts(Domain):  # type: ignore[misc]
    """All texts of the pages, in the language of the request."""

    def get_translations(self) -> NullTranslations:
        locale = get_locale()
        return NullTranslations() if locale is None else catalogue(locale.language)


class Catalogues(Babel):  # type: ignore[misc]
    """Flask-Babel, reading the catalogues as translators write them."""

    @property
    def domain_instance(self) -> Domain:
        """Where `gettext` looks."""
        return _Texts()
