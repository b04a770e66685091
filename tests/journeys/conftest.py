"""One server with its worker, one world, and a browser a file: what every story needs."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from marketplace.core.db import Database
from marketplace.settings import Settings, environment_name, load_settings
from tests.conftest import ThrowAwayPostgres
from tests.journeys.browser import Person, at_a_browser
from tests.journeys.world import World, make_world

ROOT = Path(__file__).parents[2]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
SECONDS_TO_START = 60


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the stories: they need a browser."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.browser)


@dataclass(frozen=True)
class Server:
    """The product as it is served."""

    address: str
    world: World

    @property
    def database(self) -> Database:
        """The database it works on."""
        return self.world.database

    @property
    def settings(self) -> Settings:
        """What it was started with."""
        return self.world.settings


@pytest.fixture(scope="session")
def server(postgres: ThrowAwayPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve the world most stories happen in."""
    with serving(postgres, tmp_path_factory.mktemp("served"), make_world) as served:
        yield served


@contextmanager
def serving(
    postgres: ThrowAwayPostgres, home: Path, make: Callable[[Database, Settings], World]
) -> Iterator[Server]:
    """Serve a world by the product's own command."""
    if not CHROMIUM:
        pytest.skip("there is no chromium; to run this: apt-get install chromium, then make test")
    with pytest.MonkeyPatch.context() as patch:
        for field in Settings.model_fields:
            patch.delenv(environment_name(field), raising=False)
        patch.setitem(Settings.model_config, "env_file", None)
        patch.setenv("MARKETPLACE_HOME", str(home))
        patch.setenv("MARKETPLACE_PORT", str(_free_port()))
        patch.setenv("MARKETPLACE_SIMULATOR_PORT", str(_free_port()))
        database = Database(postgres.fresh_database())
        patch.setenv("DATABASE_URL", database.url)
        settings = load_settings()
        world = make(database, settings)
        with (settings.home / "server.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "marketplace", "serve"],
                cwd=ROOT,
                env=dict(os.environ),
                stdout=log,
                stderr=log,
            )
            try:
                _wait(settings.site_url, process, settings.home / "server.log")
                yield Server(settings.site_url, world)
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(30)
                database.dispose()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"{address}/sign-in", timeout=20):  # noqa: S310 - our own server
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"the server did not start: {log.read_text()}")


@pytest.fixture(scope="module")
def browser(server: Server) -> Iterator[Browser]:
    """Start a browser for a file: while it runs, its event loop stands in the way of others' in this thread."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM)
        yield chromium
        chromium.close()


@pytest.fixture
def sits_down(server: Server, browser: Browser) -> Iterator[Callable[..., Person]]:
    """Give somebody a browser of their own, signed in where an e-mail is given; faults fail the story at its end."""
    with ExitStack() as stack:

        def sit_down(email: str = "", **looks: str) -> Person:
            opened: AbstractContextManager[Person] = at_a_browser(browser, server.address, **looks)  # type: ignore[arg-type]
            person = stack.enter_context(opened)
            if email:
                person.signs_in(email)
            return person

        yield sit_down
