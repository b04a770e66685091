"""What pages say in another language than English."""

from babel.support import NullTranslations
from flask_babel import Babel, Domain, get_locale

from marketplace.core.languages import catalogue


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
