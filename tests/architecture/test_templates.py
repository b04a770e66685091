"""Every template: read as syntax, so that one nobody has rendered yet is looked at too."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import Environment, StrictUndefined, UndefinedError, meta, nodes

from tests.personas import PeopledSite

ROOT = Path(__file__).parents[2] / "templates"
#: Parts of pages and mails, which have no head of their own.
NO_PAGES = ("components/", "emails/", "layouts/")
FRAGMENTS = {
    "admin/gallery/job.html",
    "admin/imports/progress.html",
    "admin/periods/run.html",
    "admin/terms/polled.html",
    "storefront/rules/polled.html",
    "admin/suggestions.html",
}


def templates() -> Iterator[tuple[str, str]]:
    """Give every template by its path."""
    for file in sorted(ROOT.rglob("*")):
        if file.suffix in {".html", ".txt"}:
            yield str(file.relative_to(ROOT)), file.read_text(encoding="utf-8")


def parsed(text: str) -> nodes.Template:
    """Read a template as syntax."""
    extensions = ["jinja2.ext.do", "jinja2.ext.i18n"]
    return Environment(extensions=extensions, autoescape=True).parse(text)


def test_every_page_has_a_title() -> None:
    parents = {
        node.template.value
        for _, text in templates()
        for node in parsed(text).find_all(nodes.Extends)
        if isinstance(node.template, nodes.Const)
    }
    untitled = [
        name
        for name, text in templates()
        if not name.startswith(NO_PAGES)
        and "{% extends" in text
        and name not in parents
        and not any(block.name == "title" for block in parsed(text).find_all(nodes.Block))
    ]

    assert untitled == []


def test_every_file_in_a_folder_of_pages_is_a_page_or_part_of_one() -> None:
    """A page extends a layout; what does not is included or imported by another template, or is a fragment."""
    used = {
        name
        for _, text in templates()
        for name in meta.find_referenced_templates(parsed(text))
        if name is not None
    }
    stray = [
        name
        for name, text in templates()
        if not name.startswith(NO_PAGES) and "{% extends" not in text and name not in used | FRAGMENTS
    ]

    assert stray == []


def test_what_is_imported_is_used() -> None:
    unused = []
    for name, text in templates():
        tree = parsed(text)
        imported = {
            alias if isinstance(alias, str) else alias[1]
            for node in tree.find_all(nodes.FromImport)
            for alias in node.names
        } | {node.target for node in tree.find_all(nodes.Import)}
        used = {node.name for node in tree.find_all(nodes.Name) if node.ctx == "load"}
        unused += [f"{name}: {one}" for one in sorted(imported - used)]

    assert unused == []


def test_text_becomes_html_only_where_what_is_filled_in_is_escaped() -> None:
    """`safe` stands on a text written in the template itself, and `format` behind it escapes what it fills in."""
    found = [
        f"{name}: {text[match.start() - 30 : match.end() + 20]!r}"
        for name, text in templates()
        for match in re.finditer(r"\|\s*safe\b(?!\s*\|\s*format\()", text)
    ]

    assert found == []
    assert [name for name, text in templates() if "autoescape" in text] == []


def test_a_name_that_is_nowhere_fails(site: PeopledSite) -> None:
    assert site.app.jinja_env.undefined is StrictUndefined

    with site.app.app_context(), pytest.raises(UndefinedError, match="nowhere"):
        site.app.jinja_env.from_string("{{ nowhere }}").render()
