"""Colours that can be told apart, files that are what they claim, and styles the content policy allows."""

import hashlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
STATIC = ROOT / "static"
TOKENS = (STATIC / "css/tokens.css").read_text()

TEXT = 4.5
SHAPE = 3.0
# (foreground, background, least contrast): text needs 4.5:1, edges of fields and marks of charts 3:1.
PAIRS = [
    *(("text", surface, TEXT) for surface in ("page", "surface", "raised", "sunken")),
    *(("text-soft", surface, TEXT) for surface in ("page", "surface", "raised", "sunken")),
    *(("link", surface, TEXT) for surface in ("page", "surface", "sunken")),
    *(
        (f"{tone}-text", f"{tone}-soft", TEXT)
        for tone in ("neutral", "info", "success", "warning", "danger", "accent")
    ),
    *(("text", f"{tone}-soft", TEXT) for tone in ("info", "success", "warning", "danger")),
    *((f"{tone}-text", "surface", TEXT) for tone in ("info", "success", "warning", "danger", "accent")),
    ("on-primary", "primary", TEXT),
    ("on-primary", "primary-strong", TEXT),
    ("on-danger", "danger", TEXT),
    ("on-danger", "danger-strong", TEXT),
    ("danger-text", "sunken", TEXT),
    ("link", "info-soft", TEXT),
    ("chart-text", "surface", TEXT),
    *(("line-strong", surface, SHAPE) for surface in ("page", "surface", "raised", "sunken")),
    *(("focus", surface, SHAPE) for surface in ("page", "surface", "raised", "sunken")),
    ("danger", "surface", SHAPE),
    ("primary", "sunken", SHAPE),
    *((f"chart-{name}", "surface", SHAPE) for name in ("1", "2", "3", "4", "5", "6", "gain", "loss")),
]


def palette(theme: str) -> dict[str, str]:
    start = TOKENS.index(f'[data-bs-theme="{theme}"] {{')
    block = TOKENS[start : TOKENS.index("}", start)]
    return dict(re.findall(r"--m-([\w-]+): (#[0-9a-f]{6});", block))


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("front", "back", "least"), PAIRS)
def test_colours_can_be_told_apart(theme: str, front: str, back: str, least: float) -> None:
    colours = palette(theme)

    assert contrast(colours[front], colours[back]) >= least


@pytest.mark.parametrize(
    ("front", "back"),
    [("#c6d1dc", "#141b24"), ("#ffffff", "#24405f"), ("#ffffff", "#202a36"), ("#a9b6c4", "#141b24")],
)
def test_the_side_menu_can_be_read(front: str, back: str) -> None:
    assert contrast(front, back) >= TEXT


def test_both_themes_define_the_same_colours() -> None:
    assert palette("light").keys() == palette("dark").keys()


def test_vendored_files_are_the_ones_that_were_published() -> None:
    vendor = STATIC / "vendor"
    lines = [line.split("  ./", 1) for line in (vendor / "CHECKSUMS").read_text().splitlines()]
    listed = {path: checksum for checksum, path in lines}

    found = {
        str(path.relative_to(vendor)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in vendor.rglob("*")
        if path.is_file() and path.name not in {"CHECKSUMS", "NOTICE.md"}
    }

    assert found == listed


def test_every_vendored_folder_holds_its_licence() -> None:
    assert [
        path.name
        for path in (STATIC / "vendor").iterdir()
        if path.is_dir() and not (path / "LICENSE").is_file()
    ] == []


@pytest.mark.parametrize("folder", ["layouts", "components"])
def test_templates_of_the_kit_carry_no_style_and_no_script(folder: str) -> None:
    for template in (ROOT / "templates" / folder).glob("*.html"):
        text = template.read_text()
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:|<script(?![^>]*src=)", text), (
            template.name
        )


def test_icons_that_templates_name_exist() -> None:
    named = {
        name
        for template in (ROOT / "templates").rglob("*.html")
        for name in re.findall(r"""icon\('([a-z0-9-]+)'""", template.read_text())
    }

    assert {
        name for name in named if not (ROOT / f"templates/components/icons/{name}.svg").is_file()
    } == set()
