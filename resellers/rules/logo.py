"""A logo as it is taken from a stranger: PNG or WebP, known by its bytes, with nothing in it but the picture.

Vector drawings can carry scripts and are not taken. What is not needed to draw the picture is left out: texts,
places and dates that cameras and programs write into files, and whatever hides behind the end.
"""

import struct
import zlib

from marketplace.core.errors import N_, Refusal

MOST_BYTES = 256 << 10
MOST_PIXELS = 2000
_PNG = b"\x89PNG\r\n\x1a\n"
#: Chunks that draw; all others tell something.
_DRAWS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"gAMA", b"sRGB", b"IDAT", b"IEND"})
_WEBP_DRAWS = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH"})
_WEBP_TELLS_FLAGS = 0b0010_1110  # colour profile, EXIF, XMP, animation: chunks that are left out


class LogoTooLarge(Refusal):
    """The file or the picture is larger than any page needs."""

    sentence = N_("The logo is too large: at most %(kilobytes)s kB and %(pixels)s pixels a side.")


class NotALogo(Refusal):
    """The bytes are no whole PNG or WebP picture."""

    sentence = N_("This is no whole PNG or WebP picture. Save the logo as PNG and choose it again.")


def cleaned_logo(content: bytes) -> tuple[str, bytes]:
    """Give the kind of a logo, and the logo with the picture alone. Raises `LogoTooLarge`, `NotALogo`."""
    if len(content) > MOST_BYTES:
        raise LogoTooLarge(kilobytes=MOST_BYTES >> 10, pixels=MOST_PIXELS)
    try:
        if content.startswith(_PNG):
            return "image/png", _cleaned_png(content)
        if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
            return "image/webp", _cleaned_webp(content)
    except (struct.error, IndexError):
        raise NotALogo from None
    raise NotALogo


def _cleaned_png(content: bytes) -> bytes:
    kept, at, is_whole = [_PNG], len(_PNG), False
    while at < len(content) and not is_whole:
        (length,) = struct.unpack_from(">I", content, at)
        chunk = content[at : at + 12 + length]
        name, body = chunk[4:8], chunk[8:-4]
        if len(chunk) != 12 + length or zlib.crc32(name + body) != struct.unpack(">I", chunk[-4:])[0]:
            raise NotALogo
        if at == len(_PNG):
            if name != b"IHDR":
                raise NotALogo
            _check_size(*struct.unpack_from(">II", body))
        if name in _DRAWS:
            kept.append(chunk)
        is_whole = name == b"IEND"
        at += 12 + length
    if not is_whole:
        raise NotALogo
    return b"".join(kept)


def _cleaned_webp(content: bytes) -> bytes:
    kept, at, is_drawn = [], 12, False
    end = 8 + struct.unpack_from("<I", content, 4)[0]
    if end > len(content):
        raise NotALogo
    while at < end:
        name = content[at : at + 4]
        (length,) = struct.unpack_from("<I", content, at + 4)
        body = content[at + 8 : at + 8 + length]
        if len(body) != length:
            raise NotALogo
        if name in _WEBP_DRAWS:
            if name != b"ALPH":
                _check_size(*_webp_size(name, body))
            if name == b"VP8X":
                body = bytes([body[0] & ~_WEBP_TELLS_FLAGS]) + body[1:]
            is_drawn |= name in {b"VP8 ", b"VP8L"}
            kept.append(name + struct.pack("<I", length) + body + b"\0" * (length % 2))
        at += 8 + length + length % 2
    if not is_drawn:
        raise NotALogo
    drawing = b"WEBP" + b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(drawing)) + drawing


def _webp_size(name: bytes, body: bytes) -> tuple[int, int]:
    if name == b"VP8X":
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if name == b"VP8L":
        if body[0] != 0x2F:  # noqa: PLR2004 - the format's own mark
            raise NotALogo
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if body[3:6] != b"\x9d\x01\x2a":
        raise NotALogo
    width, height = struct.unpack_from("<HH", body, 6)
    return width & 0x3FFF, height & 0x3FFF


def _check_size(width: int, height: int) -> None:
    if not width or not height:
        raise NotALogo
    if max(width, height) > MOST_PIXELS:
        raise LogoTooLarge(kilobytes=MOST_BYTES >> 10, pixels=MOST_PIXELS)
