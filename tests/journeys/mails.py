"""What the worker has mailed: into a folder, where there is no mail server."""

import re
import time

from tests.journeys.conftest import Server

SECONDS_FOR_A_MAIL = 15


def mailed_link(server: Server, email: str) -> str:
    """Wait for the mail that lets somebody choose a password, and give the link in it."""
    deadline = time.monotonic() + SECONDS_FOR_A_MAIL
    while time.monotonic() < deadline:
        for mail in server.settings.mail.glob("*.eml"):
            text = mail.read_text()
            if email in text and (link := re.search(r"/set-password/[\w-]{43}", text.replace("=\n", ""))):
                return link[0]
        time.sleep(0.2)
    raise AssertionError(f"no mail to {email}")
