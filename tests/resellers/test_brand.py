"""A reseller's brand: colours everybody can read, logos that are pictures, addresses nobody else has."""

import struct
import zlib
from typing import Any

import pytest

from marketplace.core.cells import FaultyEntry, Unusable
from marketplace.core.db import Database
from marketplace.core.errors import NotPermitted
from resellers.conflicts import AddressTaken
from resellers.operations.brand import change_brand
from resellers.queries.brands import accent_of, logo_of, look_at_address
from resellers.rules import brand as rules
from resellers.rules.logo import MOST_BYTES, LogoTooLarge, NotALogo, cleaned_logo
from tests.personas import actor_called, make_personas


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(*, width: int = 2, height: int = 2, extra: bytes = b"", after: bytes = b"") -> bytes:
    """Make a small picture."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" + b"\x10\x20\x30" * 2 + b"\0" + b"\x10\x20\x30" * 2)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + extra
        + chunk(b"IDAT", pixels)
        + chunk(b"IEND", b"")
        + after
    )


def webp(*, extra: bytes = b"") -> bytes:
    """Make a picture of one pixel, lossless."""
    drawn = b"VP8L" + struct.pack("<I", 6) + b"\x2f\x00\x00\x00\x00\x00"
    body = b"WEBP" + drawn + extra
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize(
    ("one", "other", "hundredths"),
    [("#000000", "#ffffff", 2100), ("#777777", "#ffffff", 447), ("#767676", "#ffffff", 454)],
)
def test_contrast_is_what_the_guidelines_print(one: str, other: str, hundredths: int) -> None:
    assert int(rules.contrast(one, other) * 100) == hundredths


@pytest.mark.parametrize("colour", ["#ffffff", "#f5a55c", "#ffff00", "#0b5cad", "#000000", "#00ff00"])
def test_what_is_proposed_passes_wherever_it_stands(colour: str) -> None:
    light, dark = rules.nearest_in_light(colour), rules.nearest_in_dark(colour)

    assert all(rules.contrast(light.colour, ground) >= 4.5 for ground in rules.LIGHT_GROUNDS)
    assert all(rules.contrast(dark.colour, ground) >= 4.5 for ground in rules.DARK_GROUNDS)


def test_a_colour_that_passes_is_proposed_itself() -> None:
    assert rules.nearest_in_light("#0b5cad").colour == "#0b5cad"
    assert rules.nearest_in_dark("#8cc4ff").colour == "#8cc4ff"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#0B5CAD", "#0b5cad"),
        ("0b5cad", "#0b5cad"),
        ("", ""),
        ("blue", None),
        ("#fff", None),
        ("#ff8800", None),
    ],
)
def test_which_accents_are_taken(text: str, expected: str | None) -> None:
    if expected is not None:
        assert rules.read_accent(text) == expected
        return
    with pytest.raises(Unusable):
        rules.read_accent(text)


def test_a_pale_accent_is_refused_with_the_nearest_that_passes() -> None:
    with pytest.raises(Unusable) as refused:
        rules.read_accent("#ff8800")

    assert refused.value.reason.facts["nearest"] == rules.nearest_in_light("#ff8800").colour


def test_the_stylesheet_gives_both_themes_their_shade() -> None:
    light, dark = rules.stylesheet("#7a3fd1").splitlines()

    assert "--m-primary: #7a3fd1" in light
    assert f"--m-primary: {rules.nearest_in_dark('#7a3fd1').colour}" in dark


TAKEN = png()
ADDRESSES: list[tuple[str, dict[str, str], bool]] = [
    ("host", {"host": "cloud.nord.example"}, True),
    ("host", {"host": "market.example"}, False),
    ("host", {"host": "nord.market.example"}, False),
    ("host", {"host": "https://nord.example"}, False),
    ("path", {"path": "nord-cloud"}, True),
    ("path", {"path": "Nord Cloud"}, False),
    ("support_email", {"support_email": "help"}, False),
]


@pytest.mark.parametrize(("column", "typed", "is_taken"), ADDRESSES)
def test_which_addresses_are_taken(column: str, typed: dict[str, str], is_taken: bool) -> None:
    if is_taken:
        assert getattr(rules.read_brand(typed, own_host="market.example"), column) == typed[column]
        return
    with pytest.raises(FaultyEntry) as refused:
        rules.read_brand(typed, own_host="market.example")
    assert [row.column for row in refused.value.rows] == [column]


def test_a_logo_keeps_the_picture_alone() -> None:
    told = png(extra=chunk(b"tEXt", b"Author\0Somebody"), after=b"<script>alert(1)</script>")

    assert cleaned_logo(told) == ("image/png", png())
    assert cleaned_logo(webp(extra=b"EXIF" + struct.pack("<I", 4) + b"GPS!")) == ("image/webp", webp())


LOGOS: list[tuple[bytes, Any]] = [
    (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", NotALogo),
    (b"GIF89a", NotALogo),
    (png()[:-6], NotALogo),
    (png()[:20] + b"\xff" + png()[21:], NotALogo),
    (b"\x89PNG\r\n\x1a\n" + chunk(b"IDAT", b""), NotALogo),
    (b"\x89PNG\r\n\x1a\n", NotALogo),
    (png(width=0), NotALogo),
    (png(width=5000), LogoTooLarge),
    (png() + b" " * MOST_BYTES, LogoTooLarge),
    (webp()[:-3], NotALogo),
    (b"RIFF\x04\x00\x00\x00WEBP", NotALogo),
]


@pytest.mark.parametrize(("content", "refusal"), LOGOS)
def test_what_is_no_picture_is_refused(content: bytes, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        cleaned_logo(content)


def test_a_brand_is_its_owners_and_found_by_its_addresses(database: Database) -> None:
    with database.owner_transaction() as session:
        make_personas(session)
    rashid, fatou, pavel = (actor_called(database, name) for name in ("rashid", "fatou", "pavel"))
    entry = rules.read_brand(
        {"name": "Nord", "accent": "#7a3fd1", "host": "cloud.nord.example", "path": "nord"},
        own_host="m.example",
    )
    with database.transaction(rashid) as session:
        brand = change_brand(session, actor=rashid, entry=entry, logo=png())
        first = brand.public_id
    with database.transaction(rashid) as session:
        change_brand(session, actor=rashid, entry=entry, logo=None)

    with database.owner_transaction() as session:
        by_host = look_at_address(session, host="cloud.nord.example")
        assert by_host is not None
        assert by_host == look_at_address(session, path="nord")
        assert by_host.brand_id != first
        assert logo_of(session, by_host.brand_id) == ("image/png", png())
        assert accent_of(session, by_host.brand_id) == "#7a3fd1"
        assert look_at_address(session, host="cloud.sud.example", path="sud") is None
    with database.transaction(fatou) as session, pytest.raises(NotPermitted):
        change_brand(session, actor=fatou, entry=entry, logo=None)
    with pytest.raises(AddressTaken), database.transaction(pavel) as session:
        change_brand(session, actor=pavel, entry=entry, logo=None)


def test_people_wear_the_brand_of_whose_pages_they_read(database: Database) -> None:
    with database.owner_transaction() as session:
        make_personas(session)
    rashid = actor_called(database, "rashid")
    with database.transaction(rashid) as session:
        change_brand(session, actor=rashid, entry=rules.read_brand({}, own_host="m"), logo=None)

    worn = {
        name: actor_called(database, name).look
        for name in ("rashid", "rosa", "carla", "pavel", "stella", "wanda")
    }

    assert {name: look and look.name for name, look in worn.items()} == {
        **dict.fromkeys(("rashid", "rosa", "carla"), "Nord Cloud SARL"),
        **dict.fromkeys(("pavel", "stella", "wanda")),
    }
