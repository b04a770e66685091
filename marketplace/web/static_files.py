"""Static files: WhiteNoise, compressed ahead of time, kept by browsers for a year under an address that names them.

Compressed copies are made once per content in the data folder, so the repository holds only what people wrote.
"""

import gzip
import hashlib
import shutil
import tempfile
from functools import cache
from pathlib import Path
from wsgiref.headers import Headers

import brotli
from flask import Flask
from whitenoise import WhiteNoise

FOLDER = Path(__file__).parents[2] / "static"
_YEAR = 365 * 24 * 3600
_COMPRESSED = {".css", ".js", ".svg", ".txt", ".json"}
_SMALLEST_WORTH_IT = 800


# Copies this process has made: tests make many applications, each with a data folder of its own.
_made: dict[str, Path] = {}


class UnknownStaticFile(LookupError):
    """A template names a file that `static/` does not hold."""


@cache
def _fingerprint(path: str) -> str:
    file = FOLDER / path
    if not file.is_file():
        raise UnknownStaticFile(path)
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]


def static_url(path: str) -> str:
    """Give the address of a static file; it changes when the file does."""
    return f"/static/{path}?v={_fingerprint(path)}"


def compressed_copy(cache_folder: Path) -> Path:
    """Give a folder with the static files and their compressed forms, made once per content."""
    files = sorted(path for path in FOLDER.rglob("*") if path.is_file())
    digest = hashlib.sha256()
    for file in files:
        digest.update(str(file.relative_to(FOLDER)).encode())
        digest.update(file.read_bytes())
    target = cache_folder / f"static-{digest.hexdigest()[:16]}"
    if target.is_dir():
        return target
    made = _made.get(target.name)
    if made is not None and made.is_dir():
        return made
    cache_folder.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix="static-", dir=cache_folder))
    for file in files:
        copy = building / file.relative_to(FOLDER)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, copy)
        content = file.read_bytes()
        if file.suffix in _COMPRESSED and len(content) > _SMALLEST_WORTH_IT:
            copy.with_name(f"{copy.name}.gz").write_bytes(gzip.compress(content, 9, mtime=0))
            copy.with_name(f"{copy.name}.br").write_bytes(brotli.compress(content, quality=9))
    try:
        building.rename(target)
    except OSError:
        # Another process finished the same copy first; theirs is as good.
        shutil.rmtree(building)
    _made[target.name] = target
    return target


def _protect(headers: Headers, _path: str, _url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"


def init_static_files(app: Flask, *, cache_folder: Path) -> None:
    """Serve `static/` in front of the application, from a compressed copy in the data folder."""
    noise = WhiteNoise(app.wsgi_app, max_age=_YEAR, allow_all_origins=False, add_headers_function=_protect)
    noise.add_files(str(compressed_copy(cache_folder)), prefix="static/")
    app.wsgi_app = noise  # type: ignore[method-assign]
    app.jinja_env.globals["static_url"] = static_url
