"""The web application: everything is handed in and joined here, nothing is global."""

import importlib
import importlib.util
import pkgutil
from pathlib import Path

from flask import Blueprint, Flask
from flask_wtf.csrf import CSRFProtect
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix

from marketplace.core.db import Database
from marketplace.settings import Settings
from marketplace.web import icons, navigation
from marketplace.web.branding import look
from marketplace.web.charts import init_charts
from marketplace.web.errors import init_errors
from marketplace.web.filters import init_filters
from marketplace.web.guards import endpoint_exists, home_of, init_guards
from marketplace.web.headers import init_headers, init_uploads
from marketplace.web.listing import init_listing
from marketplace.web.preferences import init_preferences
from marketplace.web.previews import init_previews
from marketplace.web.request_log import init_request_log
from marketplace.web.session import ActorSource, actor_or_none, init_session
from marketplace.web.static_files import init_static_files
from marketplace.web.url_types import init_url_types

ROOT = Path(__file__).parents[1]
PAGE_PACKAGES = ("admin", "storefront", "portal", "sign_in", "apply", "brand", "help")
_MEGABYTE = 1024 * 1024


def create_app(
    settings: Settings, database: Database, *, actor_for_session: ActorSource | None = None
) -> Flask:
    """Make the application.

    `actor_for_session` turns the hash of a session token into an actor; it is the accounts' own unless a test says
    otherwise.
    """
    app = Flask(
        "marketplace", root_path=str(ROOT / "marketplace"), static_folder=None, template_folder="../templates"
    )
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_NAME="marketplace",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.site_url.startswith("https:"),
        MAX_CONTENT_LENGTH=8 * _MEGABYTE,
        MAX_FORM_MEMORY_SIZE=2 * _MEGABYTE,
        WTF_CSRF_TIME_LIMIT=12 * 3600,
        WTF_CSRF_HEADERS=["X-CSRFToken"],
        BABEL_DEFAULT_LOCALE=settings.locale,
    )
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.add_extension("jinja2.ext.do")
    app.jinja_env.globals.update(
        icon=icons.icon,
        menu=navigation.menu,
        actor_or_none=actor_or_none,
        endpoint_exists=endpoint_exists,
        home_of=home_of,
        look=look,
    )
    init_request_log(app)
    init_session(
        app,
        settings=settings,
        database=database,
        actor_for_session=actor_for_session or _stored_actor_for_session(),
    )
    init_preferences(app)
    init_guards(app)
    CSRFProtect(app)
    init_headers(app)
    init_uploads(app)
    init_filters(app)
    init_listing(app)
    init_charts(app)
    init_previews(app)
    init_errors(app)
    init_url_types(app)
    for blueprint in page_blueprints():
        app.register_blueprint(blueprint)
    init_static_files(app, cache_folder=settings.home / "cache")
    if settings.proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies, x_host=settings.proxies
        )
    return app


def page_blueprints() -> list[Blueprint]:
    """Import every page module and give the blueprints they put their pages on.

    A page module lies in one of the page packages and needs no entry anywhere: being there is enough. The package's
    `__init__` holds the blueprint, named `blueprint`.
    """
    blueprints = []
    for name in PAGE_PACKAGES:
        package_name = f"marketplace.web.{name}"
        if importlib.util.find_spec(package_name) is None:
            continue
        package = importlib.import_module(package_name)
        for module in pkgutil.walk_packages(package.__path__, f"{package_name}."):
            importlib.import_module(module.name)
        blueprints.append(package.blueprint)
    return blueprints


def _stored_actor_for_session() -> ActorSource:
    """Give the accounts' own way from a session to an actor."""
    from marketplace.accounts.queries import actor_for_session

    return actor_for_session
