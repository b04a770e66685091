"""Files: what they are called, and that those of others are as they came."""

import hashlib
import re
import socket
from pathlib import Path

import pytest
from pytest_socket import SocketConnectBlockedError

from marketplace.accounts.operations.mailing import carrier_for
from marketplace.settings import Settings

ROOT = Path(__file__).parents[2]
VENDORED = ROOT / "static" / "vendor"
SAYS_NOTHING = re.compile(r"(^|_)(utils?|helpers?|misc|common|tools|stuff|base|manager|service)$")


def test_no_module_has_a_name_that_says_nothing() -> None:
    found = [
        str(file.relative_to(ROOT))
        for package in ("marketplace", "catalog", "resellers", "tests", "benchmarks")
        for file in (ROOT / package).rglob("*.py")
        if SAYS_NOTHING.search(file.stem)
    ]

    assert found == []


def checksums() -> dict[str, str]:
    """Give the checksum of each file by its path."""
    lines = (VENDORED / "CHECKSUMS").read_text(encoding="utf-8").splitlines()
    return {path.removeprefix("./"): checksum for checksum, path in (line.split() for line in lines)}


def test_files_of_others_are_as_they_came() -> None:
    changed = [
        path
        for path, checksum in checksums().items()
        if hashlib.sha256((VENDORED / path).read_bytes()).hexdigest() != checksum
    ]

    assert changed == []


def test_no_file_of_others_is_without_a_checksum() -> None:
    ours = {"CHECKSUMS", "NOTICE.md"}
    there = {str(file.relative_to(VENDORED)) for file in VENDORED.rglob("*") if file.is_file()}

    assert there - ours == set(checksums())


def test_every_library_in_the_browser_brings_its_licence_and_is_named() -> None:
    notice = (VENDORED / "NOTICE.md").read_text(encoding="utf-8").casefold()

    for folder in (one for one in VENDORED.iterdir() if one.is_dir()):
        assert (folder / "LICENSE").is_file(), folder.name
        assert folder.name.rpartition("-")[0] in notice, folder.name


def test_tests_reach_no_other_machine() -> None:
    with (
        socket.socket() as outside,
        pytest.warns(UserWarning, match=r"192\.0\.2\.1"),
        pytest.raises(SocketConnectBlockedError),
    ):
        outside.connect(("192.0.2.1", 25))


def test_tests_mail_nobody(settings: Settings) -> None:
    assert settings.smtp_url == ""
    assert carrier_for(smtp_url=settings.smtp_url, folder=settings.mail).__qualname__.startswith(
        "carrier_for"
    )
    assert settings.mail.is_relative_to(settings.home)
