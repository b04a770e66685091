"""Finding English on a French page."""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po
from playwright.sync_api import Page

import marketplace

CATALOGUE = Path(marketplace.__file__).parent / "translations" / "fr.po"
#: Words that no French sentence holds, so that what holds one was never translated.
_ENGLISH = re.compile(
    r"\b(the|of|and|is|are|was|has|have|been|you|your|this|that|these|with|which|for|not|from|its|until|"
    r"there|here|what|who|when|where|nothing|every|each|by|to|at)\b",
    re.IGNORECASE,
)
_TEXTS = """
() => {
  const texts = new Set();
  const add = (text) => { const words = text.replace(/\\s+/g, " ").trim(); if (words) texts.add(words); };
  const walk = (element) => {
    // What is marked as another language is meant to be in it, and so are a vendor's own words.
    if (!element.translate) return;
    if (element !== document.documentElement && element.lang && element.lang !== "fr") return;
    if (["SCRIPT", "STYLE", "NOSCRIPT", "KBD", "CODE"].includes(element.tagName)) return;
    for (const name of ["aria-label", "title", "placeholder", "alt"]) add(element.getAttribute(name) || "");
    for (const child of element.childNodes) {
      if (child.nodeType === Node.TEXT_NODE) add(child.data);
      else if (child.nodeType === Node.ELEMENT_NODE) walk(child);
    }
  };
  walk(document.documentElement);
  return [...texts];
}
"""


@cache
def _untranslated_forms() -> frozenset[str]:
    """Give the English texts whose French is another, and which are no French of any other text."""
    with CATALOGUE.open("rb") as file:
        messages = [message for message in read_po(file, locale="fr") if message.id]
    english, french = set(), set()
    for message in messages:
        english.update(_forms(message.id))
        french.update(_forms(message.string or ""))
    return frozenset(english - french)


def _forms(texts: str | Iterable[str]) -> set[str]:
    return {texts} if isinstance(texts, str) else set(texts)


def english_on(page: Page, *, besides: Iterable[str]) -> list[str]:
    """Give the texts of a French page that are English once `besides` is taken out of them."""
    names = sorted(besides, key=len, reverse=True)
    return [f"{page.url}: {text}" for text in page.evaluate(_TEXTS) if is_english(text, names)]


def is_english(text: str, names: Iterable[str]) -> bool:
    """Whether a text is English once names are taken out of it."""
    for name in names:
        text = text.replace(name, "")
    return text.strip() in _untranslated_forms() or _ENGLISH.search(text) is not None
