"""Reading pages as people get them: every page a test fetches is parsed and checked on the way."""

import json
import re
import secrets
from dataclasses import dataclass, field
from html import unescape
from typing import Any, ClassVar
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

import html5lib
from flask import Config, Flask
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from marketplace.accounts.queries import actor_for_session
from marketplace.app import create_app
from marketplace.core.actor import Actor
from marketplace.core.audit import AuditEntry
from marketplace.core.db import Database
from marketplace.settings import Settings
from marketplace.web.session import _EXTENSION, ActorSource, Wiring, token_hash
from marketplace.web.static_files import FOLDER

# What one has read, and the gallery, which keeps nothing.
_LEAVE_NO_TRACE = ("/account/notifications/read-all", "/open", "/admin/gallery")
_UNLABELLED = {"hidden", "submit", "button", "reset", "image"}


class CompiledTemplates(BytecodeCache):
    """Templates compiled by this process: each test makes an application of its own, and compiling takes longest."""

    kept: ClassVar[dict[str, bytes]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give a template as it was compiled before."""
        if bucket.key in self.kept:
            bucket.bytecode_from_string(self.kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a template that was compiled."""
        self.kept[bucket.key] = bucket.bytecode_to_string()


def for_tests(app: Flask) -> Flask:
    """Let failures of the application fail the test, and compile each template once a process."""
    app.testing = True
    app.jinja_env.bytecode_cache = CompiledTemplates()
    return app


_shared: list[tuple[Flask, Config]] = []


def shared_application(
    settings: Settings, database: Database, actor_for_session: ActorSource = actor_for_session
) -> Flask:
    """Have the one application of this process work for a test: to make one takes longer than most tests.

    Who needs other addresses or unusual settings makes an application of their own.
    """
    if not _shared:
        made = for_tests(create_app(settings, database))
        _shared.append((made, Config(made.root_path, made.config)))
    app, as_made = _shared[0]
    app.config.clear()
    app.config.update(as_made, SECRET_KEY=settings.secret_key)
    app.extensions[_EXTENSION] = Wiring(settings, database, actor_for_session)
    return app


@dataclass
class Page:
    """An answer, and its HTML as a tree without namespaces."""

    response: TestResponse
    root: Element
    url: str

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.response.status_code

    @property
    def text(self) -> str:
        """The page's words, spaces squeezed."""
        return words(self.one("body"))

    @property
    def main(self) -> str:
        """The words of the main part alone."""
        return words(self.one("main"))

    @property
    def title(self) -> str:
        """The main heading."""
        return words(self.one("h1"))

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Find elements by tag and attributes (`class_`, `data_label`); `class_` asks for one of the classes."""
        return [element for element in self.root.iter(tag) if _has(element, attributes)]

    def one(self, tag: str, **attributes: str) -> Element:
        """Find the one element there should be."""
        found = self.all(tag, **attributes)
        assert len(found) == 1, f"{len(found)} <{tag} {attributes}> on {self.url}"
        return found[0]

    def link(self, label: str) -> str:
        """Give the address of the link with a label."""
        found = [element.get("href", "") for element in self.root.iter("a") if words(element) == label]
        assert found, f"no link {label!r} on {self.url}"
        return found[0]

    def rows(self, within: str = "") -> list[list[str]]:
        """Give the words of the rows of the first table, of the page or of the element with an id."""
        root = next((element for element in self.root.iter() if element.get("id") == within), self.root)
        body = next(root.iter("tbody"), None)
        if body is None:
            return []
        return [[words(cell) for cell in row if cell.tag in {"td", "th"}] for row in body]

    def hidden(self, name: str) -> str:
        """Give the value of a hidden field, such as `csrf_token`."""
        return self.all("input", name=name)[0].get("value", "")


@dataclass
class Visitor:
    """A browser without JavaScript: keeps cookies, follows redirects where asked, checks every page."""

    site: "Site"
    actor: Actor | None = None
    language: str = "en"
    client: Any = None

    def get(self, url: str, *, status: int = 200, follow: bool = False, **kwargs: Any) -> Page:
        """Fetch a page, expect a status, and check it as HTML."""
        response = self.client.get(
            url, follow_redirects=follow, headers=self._headers(kwargs), buffered=True, **kwargs
        )
        assert response.status_code == status, f"{url} gave {response.status_code}, not {status}"
        return self._page(response, url)

    def post(
        self,
        url: str,
        data: dict[str, Any] | None = None,
        *,
        status: int = 303,
        changes: bool = True,
        **kwargs: Any,
    ) -> Page:
        """Send a form with its token, expect a status, and check the answer.

        What is carried out must be in the audit trail, unless the test says that there was nothing to change.
        """
        data = {"csrf_token": self.token(), **(data or {})}
        before = self._entries()
        response = self.client.post(url, data=data, headers=self._headers(kwargs), buffered=True, **kwargs)
        assert response.status_code == status, f"{url} gave {response.status_code}, not {status}"
        if changes and response.status_code in {302, 303} and not any(map(url.endswith, _LEAVE_NO_TRACE)):
            assert self._entries() > before, f"{url} was carried out and the audit trail does not know"
        return self._page(response, url)

    def _entries(self) -> int:
        with self.site.database.owner_transaction() as session:
            return session.scalar(select(func.count()).select_from(AuditEntry)) or 0

    def download(self, url: str) -> bytes:
        """Fetch a file."""
        response = self.client.get(url, headers=self._headers({}), buffered=True)
        assert response.status_code == 200, f"{url} gave {response.status_code}"
        assert "attachment" in response.headers["Content-Disposition"]
        # Of text it is said once how it is written.
        is_text = response.mimetype.startswith("text/")
        assert response.headers["Content-Type"].count("charset=utf-8") == is_text
        return bytes(response.data)

    def json(self, url: str) -> Any:
        """Fetch JSON."""
        response = self.client.get(url, headers=self._headers({}), buffered=True)
        assert response.status_code == 200, f"{url} gave {response.status_code}"
        return response.get_json()

    def token(self) -> str:
        """Give a token that this browser's forms may carry."""
        response = self.client.get("/no-such-page", headers=self._headers({}))
        carried = re.search(r"<body[^>]* hx-headers:inherited='([^']*)'", response.get_data(as_text=True))
        assert carried, "no token on the page that is not there"
        return str(json.loads(unescape(carried[1]))["X-CSRFToken"])

    def _headers(self, kwargs: dict[str, Any]) -> dict[str, str]:
        return {"Accept-Language": self.language, **kwargs.pop("headers", {})}

    def _page(self, response: TestResponse, url: str) -> Page:
        is_html = (
            response.mimetype == "text/html" and response.data and response.status_code not in range(300, 400)
        )
        page = Page(response, _parsed(response.get_data(as_text=True) if is_html else ""), url)
        if is_html and b"<!doctype html" in response.data[:100].lower():
            check(page, self.site.app)
        return page


@dataclass
class Site:
    """The application under test, and who is signed in where."""

    settings: Settings
    database: Database
    app: Flask = field(init=False)
    actors: dict[str, Actor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.app = shared_application(self.settings, self.database, self._actor)

    def visitor(self, actor: Actor | None = None, *, language: str = "en") -> Visitor:
        """Open a browser, signed in as an actor or as nobody."""
        visitor = Visitor(self, actor, language, self.app.test_client())
        if actor is not None:
            with visitor.client.session_transaction() as cookie:
                cookie["_user_id"] = self.token_for(actor)
        return visitor

    def token_for(self, actor: Actor) -> str:
        """Give a session token that stands for an actor."""
        token = secrets.token_urlsafe(16)
        self.actors[token_hash(token)] = actor
        return token

    def _actor(self, _session: Session, hashed: str) -> Actor | None:
        return self.actors.get(hashed)


def words(element: Element) -> str:
    """Give the words in an element, spaces squeezed; no-break spaces stay."""
    text = "".join(element.itertext()).replace("\n", " ")
    return " ".join(part for part in text.split(" ") if part)


def check(page: Page, app: Flask) -> None:
    """Assert what every page owes its readers; the message names all faults at once."""
    faults = [
        *_structure(page),
        *_fields(page),
        *_forms(page),
        *_inline(page),
        *_links(page, app),
    ]
    assert not faults, f"{page.url}:\n" + "\n".join(faults)


def _structure(page: Page) -> list[str]:
    faults = []
    if len(page.all("h1")) != 1:
        faults.append(f"{len(page.all('h1'))} main headings")
    elif not words(page.all("h1")[0]):
        faults.append("an empty main heading")
    titles = [title for title in page.all("title") if title in list(page.one("head"))]
    if len(titles) != 1 or not words(titles[0]).strip(" ·"):
        faults.append("no title")
    if page.one("html").get("lang") not in {"en", "fr"}:
        faults.append("no language")
    ids = [element.get("id") for element in page.root.iter() if element.get("id")]
    faults.extend(
        f"id {name} twice" for name in sorted({name for name in ids if ids.count(name) > 1} - {None}, key=str)
    )
    for attribute in ("aria-labelledby", "aria-describedby", "aria-controls"):
        for element in page.root.iter():
            faults.extend(
                f"{attribute} names {name}, which is nowhere"
                for name in (element.get(attribute) or "").split()
                if name not in ids
            )
    faults.extend("an image without alt" for image in page.all("img") if image.get("alt") is None)
    faults.extend(
        f"a table without headings: {words(table)[:40]}"
        for table in page.all("table")
        if not list(table.iter("th"))
    )
    return faults


def _fields(page: Page) -> list[str]:
    labelled = {label.get("for") for label in page.all("label")}
    faults = []
    for tag in ("input", "select", "textarea"):
        for element in page.all(tag):
            if element.get("type") in _UNLABELLED:
                continue
            if element.get("id") not in labelled and not element.get("aria-label"):
                faults.append(f"a field without a label: {element.get('name')}")
    for tag in ("button", "a", "summary"):
        faults.extend(
            f"a {tag} without words: {element.attrib}"
            for element in page.all(tag)
            if not words(element)
            and not element.get("aria-label")
            and not any(inner.get("aria-label") for inner in element.iter())
        )
    return faults


def _forms(page: Page) -> list[str]:
    faults = []
    for form in page.all("form"):
        method = form.get("method", "get").lower()
        if method == "dialog":
            continue
        if not form.get("action"):
            faults.append("a form without an action")
        names = {element.get("name") for element in form.iter("input")}
        if method == "post" and "csrf_token" not in names:
            faults.append(f"a form without a token: {form.get('action')}")
        if method == "get" and "csrf_token" in names:
            faults.append(f"a token in an address: {form.get('action')}")
    return faults


def _inline(page: Page) -> list[str]:
    faults = [
        f"inline script: {words(script)[:40]}"
        for script in page.all("script")
        if not script.get("src") and script.get("type") != "application/json"
    ]
    faults.extend("an inline stylesheet" for _ in page.all("style"))
    for element in page.root.iter():
        faults.extend(
            f"{name}= on <{element.tag}>"
            for name in element.attrib
            if name == "style" or name.startswith("on")
        )
    return faults


def _links(page: Page, app: Flask) -> list[str]:
    ids = {element.get("id") for element in page.root.iter()}
    adapter = app.url_map.bind("localhost")
    faults = []
    addresses = [(element.get("href", ""), "GET") for element in page.all("a")]
    addresses += [
        (element.get("src") or element.get("href") or "", "GET")
        for tag in ("script", "link")
        for element in page.all(tag)
    ]
    addresses += [
        (form.get("action", ""), form.get("method", "get").upper())
        for form in page.all("form")
        if form.get("method", "get").lower() != "dialog"
    ]
    addresses += [(element.get("hx-get", ""), "GET") for element in page.root.iter() if element.get("hx-get")]
    for address, method in addresses:
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            continue
        if address.startswith("#"):
            if address != "#" and parts.fragment not in ids:
                faults.append(f"a link to {address}, which is nowhere")
        elif parts.path.startswith("/static/"):
            if not (FOLDER / parts.path.removeprefix("/static/")).is_file():
                faults.append(f"no static file {parts.path}")
        elif not _leads_somewhere(adapter, parts.path, method):
            faults.append(f"{method} {address} leads nowhere")
    return faults


def _leads_somewhere(adapter: Any, path: str, method: str) -> bool:
    try:
        adapter.match(path or "/", method=method)
    except HTTPException as error:
        return getattr(error, "code", 404) in range(300, 400)
    return True


def _parsed(text: str) -> Element:
    root: Element = html5lib.HTMLParser(strict=text != "", namespaceHTMLElements=False).parse(
        text or "<!doctype html>"
    )
    for element in root.iter():
        if isinstance(element.tag, str) and "}" in element.tag:
            element.tag = element.tag.rpartition("}")[2]
    return root


def _has(element: Element, attributes: dict[str, str]) -> bool:
    for name, wanted in attributes.items():
        value = element.get(name.rstrip("_").replace("_", "-"))
        if value is None or (wanted not in value.split() if name == "class_" else value != wanted):
            return False
    return True
