"""Files that are kept as they are: below the files folder, under the hash of their bytes, which proves them whole."""

import hashlib
import os
from pathlib import Path
from uuid import uuid4

from marketplace.core.errors import N_, Refusal


class FileNotWhole(Refusal):
    """A kept file is gone, or not what it was."""

    sentence = N_("The stored file %(file)s is missing or damaged: restore it from a backup.")


def path_of(folder: str, sha256: str) -> str:
    """Give where a file is kept, below the files folder."""
    return f"{folder}/{sha256[:2]}/{sha256}"


def keep(files: Path, folder: str, content: bytes) -> str:
    """Keep bytes; give their path below the files folder. The same bytes are kept once."""
    path = path_of(folder, hashlib.sha256(content).hexdigest())
    target = files / path
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    incoming = target.with_name(f"{uuid4().hex}.incoming")
    try:
        descriptor = os.open(incoming, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        incoming.replace(target)
    finally:
        incoming.unlink(missing_ok=True)
    return path


def read_kept(files: Path, path: str) -> bytes:
    """Give the bytes that were kept. Raises `FileNotWhole`."""
    try:
        content = (files / path).read_bytes()
    except OSError:
        raise FileNotWhole(file=path) from None
    if hashlib.sha256(content).hexdigest() != Path(path).name:
        raise FileNotWhole(file=path)
    return content
