"""Typesetting: a template, its facts and its pictures in; a PDF out that is kept for years and read aloud.

PDF/A-2a keeps the fonts in the file and tags what is a heading, a table or a picture.
"""

import json
import tempfile
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import typst

TEMPLATES = Path(__file__).parents[2] / "templates" / "documents"


class NotTypeset(ValueError):
    """The template and what it was given make no document."""


@cache
def _fonts() -> typst.Fonts:
    """Give the fonts that come with the library: the same file on every machine."""
    return typst.Fonts(include_system_fonts=False)


def typeset(
    template: str, facts: Mapping[str, Any], *, pictures: Mapping[str, bytes], made_at: datetime
) -> bytes:
    """Give the PDF of a template; the same facts give the same bytes. Raises `NotTypeset`."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
        for name, content in pictures.items():
            (root / name).write_bytes(content)
        # What a template reads must lie beside it.
        page = root / template
        page.write_bytes((TEMPLATES / template).read_bytes())
        try:
            return typst.compile(
                page,
                root=root,
                font_paths=_fonts(),
                format="pdf",
                pdf_standards="a-2a",
                timestamp=int(made_at.timestamp()),
            )
        except typst.TypstError as error:
            raise NotTypeset(str(error)) from error
