"""Language and theme: chosen by `?lang=` and `?theme=`, remembered in a cookie, so both work without JavaScript."""

from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from flask import Flask, Response, current_app, request, url_for
from flask_babel import get_locale

from marketplace.web.catalogues import Catalogues

LANGUAGES = {"en": "English", "fr": "Français"}
THEMES = ("auto", "light", "dark")
_YEAR = 365 * 24 * 3600


def language() -> str:
    """Give the language of the answer: asked for, remembered, or the browser's."""
    wanted = request.args.get("lang") or request.cookies.get("lang")
    if wanted in LANGUAGES:
        return wanted
    return request.accept_languages.best_match(LANGUAGES) or str(current_app.config["BABEL_DEFAULT_LOCALE"])


def theme() -> str:
    """Give the chosen theme; `auto` follows the device."""
    wanted = request.args.get("theme") or request.cookies.get("theme")
    return wanted if wanted in THEMES else "auto"


def here(**changes: Any) -> str:
    """Give the address of this page with some of its query changed; None drops a name.

    `lang` and `theme` are dropped unless asked for: they have been remembered by then.
    """
    if request.routing_exception is not None or request.url_rule is None:
        path = quote(f"/{request.path.lstrip('/')}")  # two slashes, or one of each kind, lead to other sites
        query: dict[str, Any] = {}
    elif "GET" not in (request.url_rule.methods or ()):
        path, query = _page_before(), {}
    else:
        path, query = (
            url_for(request.url_rule.endpoint, **(request.view_args or {})),
            request.args.to_dict(flat=False),
        )
    changes = {"lang": None, "theme": None, **changes}
    merged = {name: values for name, values in query.items() if name not in changes}
    merged |= {name: [str(value)] for name, value in changes.items() if value is not None}
    text = urlencode([(name, value) for name, values in merged.items() for value in values])
    return f"{path}?{text}" if text else path


def remember_choice(response: Response, name: str, value: str) -> None:
    """Keep a choice of `lang` or `theme` in the browser."""
    response.set_cookie(
        name, value, max_age=_YEAR, samesite="Lax", secure=request.is_secure, httponly=name == "lang"
    )


def _page_before() -> str:
    """Give the page a form was sent from: an address that only takes forms cannot be gone to."""
    before = urlsplit(request.referrer or "")
    return f"/{before.path.lstrip('/')}" if before.netloc == request.host else "/"


def init_preferences(app: Flask) -> None:
    """Wire languages and remember choices."""
    app.config.setdefault("BABEL_DEFAULT_TIMEZONE", "Europe/Paris")
    Catalogues(app, locale_selector=language)

    @app.after_request
    def remember(response: Response) -> Response:
        for name, allowed in (("lang", tuple(LANGUAGES)), ("theme", THEMES)):
            value = request.args.get(name)
            if value in allowed:
                remember_choice(response, name, value)
        return response

    app.jinja_env.globals.update(
        here=here, theme=theme, language=language, languages=LANGUAGES, locale=get_locale
    )
    app.jinja_env.globals["request_path"] = lambda: request.path
