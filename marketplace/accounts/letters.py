"""How mails look: plain text, and under a reseller's letterhead the same text in its colours."""

import re
from html import escape

from marketplace.core.errors import N_
from marketplace.core.languages import catalogue
from marketplace.core.look import Letterhead

_QUESTIONS = N_("Questions? %(name)s: %(contact)s")
_PLAIN_ACCENT = "#1f2937"
_PARAGRAPHS = re.compile(r"\n\s*\n")
_BODY = "margin:0;padding:24px;background:#f6f7f9;color:#1f2937;font:16px/1.5 system-ui,Arial,sans-serif"
_SHEET = "max-width:36rem;margin:0 auto;padding:24px;background:#ffffff;border-top:4px solid"


def with_support(body: str, letterhead: Letterhead | None, *, language: str) -> str:
    """Say at the end whom to ask, where the letterhead names somebody."""
    contact = (
        ", ".join(one for one in (letterhead.support_email, letterhead.support_phone) if one)
        if letterhead
        else ""
    )
    if letterhead is None or not contact:
        return body
    say = catalogue(language).gettext
    words = say(_QUESTIONS) % {"name": letterhead.name, "contact": contact}
    return f"{body.rstrip()}\n\n{words.replace('{', '(').replace('}', ')')}\n"


def as_html(body: str, letterhead: Letterhead, *, link: str) -> str:
    """Write a mail's text in a reseller's colours. Mail programs know no stylesheets, so each element carries its own."""
    accent = letterhead.accent or _PLAIN_ACCENT
    anchor = f'<a href="{escape(link)}" style="color:{accent};word-break:break-all">{escape(link)}</a>'
    paragraphs = "".join(
        f'<p style="margin:16px 0">{escape(one.strip()).replace(chr(10), "<br>").replace("{link}", anchor)}</p>'
        for one in _PARAGRAPHS.split(body.strip())
    )
    name = f'<p style="margin:0;color:{accent};font-weight:bold">{escape(letterhead.name)}</p>'
    return (
        f'<!doctype html><html><head><meta charset="utf-8"></head><body style="{_BODY}">'
        f'<div style="{_SHEET} {accent}">{name}{paragraphs}</div></body></html>\n'
    )
