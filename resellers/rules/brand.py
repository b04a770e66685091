"""A reseller's look: an accent that everybody can read, in light and in dark, and addresses that are its own.

One colour cannot be read on white and on near-black alike, so the colour chosen is for the light theme, and the dark
one wears the nearest lighter shade of it that passes there.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from marketplace.core.cells import Entry, Unusable, email_or_blank
from marketplace.core.errors import N_, Phrase

#: Of text on its ground, by WCAG 2.2 AA.
LEAST_CONTRAST = 4.5
#: What the accent stands on as text, and white text stands on the accent.
LIGHT_GROUNDS = ("#ffffff", "#f6f7f9", "#f1f3f6")
DARK_GROUNDS = ("#11161d", "#151b23", "#1a212b", "#222b37")
_ON_LIGHT_ACCENT, _ON_DARK_ACCENT = "#ffffff", "#11161d"
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_HOST = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_PATH = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
_STEPS = 255


@dataclass(frozen=True, kw_only=True, slots=True)
class BrandEntry:
    """A brand as typed."""

    name: str
    accent: str
    host: str
    path: str
    sender_name: str
    support_email: str
    support_phone: str


@dataclass(frozen=True, slots=True)
class Shade:
    """A colour with its worst contrast in a theme, in hundredths, cut and never rounded up."""

    colour: str
    hundredths: int

    @property
    def passes(self) -> bool:
        """Whether it can be read wherever it stands."""
        return self.hundredths >= LEAST_CONTRAST * 100

    @property
    def ratio(self) -> str:
        """The contrast as people write it."""
        return f"{self.hundredths // 100}.{self.hundredths % 100:02d}:1"


def contrast(one: str, other: str) -> float:
    """Give the contrast of two colours, from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def in_light(colour: str) -> Shade:
    """Measure a colour in the light theme."""
    return _measured(colour, (*LIGHT_GROUNDS, _ON_LIGHT_ACCENT))


def in_dark(colour: str) -> Shade:
    """Measure a colour in the dark theme."""
    return _measured(colour, (*DARK_GROUNDS, _ON_DARK_ACCENT))


def nearest_in_light(colour: str) -> Shade:
    """Give the colour, or the nearest darker shade of it that passes in the light theme."""
    shades = (in_light(_mixed(colour, "#000000", step)) for step in range(_STEPS + 1))
    return next(shade for shade in shades if shade.passes)


def nearest_in_dark(colour: str) -> Shade:
    """Give the colour, or the nearest lighter shade of it that passes in the dark theme."""
    shades = (in_dark(_mixed(colour, "#ffffff", step)) for step in range(_STEPS + 1))
    return next(shade for shade in shades if shade.passes)


def read_accent(text: str) -> str:
    """Read a colour that passes; blank is the marketplace's own."""
    colour = text.lower() if text.startswith("#") or not text else f"#{text.lower()}"
    if not colour:
        return ""
    if not _COLOUR.fullmatch(colour):
        raise Unusable(Phrase.of(N_("is not a colour: write # and six digits or letters, such as #0b5cad")))
    shade = in_light(colour)
    if not shade.passes:
        reason = N_(
            "cannot be read by everybody: its contrast is %(ratio)s, the least is 4.5:1. The nearest that passes is %(nearest)s"
        )
        raise Unusable(Phrase.of(reason, ratio=shade.ratio, nearest=nearest_in_light(colour).colour))
    return colour


def read_host(text: str, *, own_host: str) -> str:
    """Read a host name of the reseller's own; ours is not one."""
    host = text.lower().rstrip(".")
    if host and (not _HOST.fullmatch(host) or host == own_host or host.endswith(f".{own_host}")):
        raise Unusable(Phrase.of(N_("is not a host name of your own, such as cloud.example.com")))
    return host


def read_path(text: str) -> str:
    """Read the word of our address under which the reseller is found."""
    if text and not _PATH.fullmatch(text):
        raise Unusable(Phrase.of(N_("is not a word of an address: write small letters, digits and hyphens")))
    return text


def read_brand(cells: Mapping[str, str], *, own_host: str) -> BrandEntry:
    """Read a brand. Raises `FaultyEntry` naming every field that cannot be used."""
    entry = Entry(cells)
    brand = BrandEntry(
        name=entry.text("name")[:60],
        accent=entry.take("accent", read_accent, ""),
        host=entry.take("host", lambda text: read_host(text, own_host=own_host), ""),
        path=entry.take("path", read_path, ""),
        sender_name=" ".join(entry.text("sender_name").split())[:60],
        support_email=entry.take("support_email", email_or_blank, ""),
        support_phone=entry.text("support_phone")[:40],
    )
    entry.check()
    return brand


def address_of(*, host: str, path: str, site_url: str) -> str:
    """Give what the links of a brand begin with: its host name, else its word of our address, else our address."""
    if host:
        site = urlsplit(site_url)
        port = f":{site.port}" if site.port else ""
        return f"{site.scheme}://{host}{port}"
    return f"{site_url}/at/{path}" if path else site_url


def stylesheet(accent: str) -> str:
    """Write the stylesheet that gives pages an accent, in light and in dark."""
    dark = nearest_in_dark(accent).colour
    themes = (
        (':root, [data-bs-theme="light"]', accent, _mixed(accent, "#000000", 48), _ON_LIGHT_ACCENT),
        ('[data-bs-theme="dark"]', dark, _mixed(dark, "#ffffff", 80), _ON_DARK_ACCENT),
    )
    return "".join(
        f"{selector} {{ --m-primary: {colour}; --m-link: {colour}; --m-focus: {colour}; "
        f"--m-primary-strong: {strong}; --m-on-primary: {on}; }}\n"
        for selector, colour, strong, on in themes
    )


def _measured(colour: str, grounds: tuple[str, ...]) -> Shade:
    return Shade(colour, min(int(contrast(colour, ground) * 100) for ground in grounds))


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(value / 255) for value in _parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4  # noqa: PLR2004 - sRGB's own


def _mixed(colour: str, other: str, step: int) -> str:
    pairs = zip(_parts(colour), _parts(other), strict=True)
    return "#" + "".join(f"{(one * (_STEPS - step) + two * step) // _STEPS:02x}" for one, two in pairs)


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
