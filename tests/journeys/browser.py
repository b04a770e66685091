"""A real browser that notes whatever a page does wrong while somebody uses it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Download, Locator, Page, expect

from marketplace.demo.make import PASSWORD

AXE = Path(__file__).parents[1] / "vendor" / "axe.min.js"
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 320, "height": 720}
MOST_MILLISECONDS = 15_000
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_VIOLATIONS = """
window.__refused = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.__refused.push(`${event.violatedDirective} refused ${event.blockedURI || event.sourceFile}`));
"""
_RUN_AXE = """
async ([only]) => {
  const options = { resultTypes: ["violations"], runOnly: only };
  const { violations } = await axe.run(document, options);
  return violations.map((one) =>
    `${one.id}: ${one.help} (${one.nodes.slice(0, 3).map((node) => node.target.join(" ")).join(" | ")})`);
}
"""


@dataclass
class Person:
    """Somebody at a browser of their own."""

    page: Page
    address: str
    faults: list[str] = field(default_factory=list)
    forgiven: int = 0

    def __post_init__(self) -> None:
        self.page.set_default_timeout(MOST_MILLISECONDS)
        self.page.add_init_script(_VIOLATIONS)
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.faults.append(f"{self.page.url}: {error}"))

    def goes_to(self, path: str) -> None:
        """Open an address of the site."""
        self.page.goto(self.address + path)

    def signs_in(self, email: str, password: str = PASSWORD) -> None:
        """Sign in by the form."""
        self.goes_to("/sign-in")
        self.page.locator("#email").fill(email)
        self.page.locator("#password").fill(password)
        self.page.locator("main").get_by_role("button").click()
        self.page.wait_for_url(lambda url: "/sign-in" not in url)

    def opens(self, name: str | re.Pattern[str], *, within: str = "main") -> None:
        """Follow the first link with a name; in a menu, with just that name."""
        place = self.page.locator(within)
        if within == "nav":
            group = place.locator("details:not([open])").filter(has=place.page.get_by_text(name, exact=True))
            for closed in group.all():
                closed.locator("summary").click()
        place.get_by_role("link", name=name, exact=within == "nav").first.click()
        self.page.wait_for_load_state()

    def presses(self, name: str | re.Pattern[str], *, within: str = "main") -> None:
        """Press the first button with a name."""
        self.page.locator(within).get_by_role("button", name=name).first.click()
        self.page.wait_for_load_state()

    def reads(self, words: str | re.Pattern[str], *, within: str = "main") -> None:
        """Wait until words stand on the page."""
        place = self.page.locator(within)
        try:
            expect(place).to_contain_text(words, timeout=MOST_MILLISECONDS)
        except AssertionError:
            said = " ".join(place.inner_text().split())
            pytest.fail(f"{words!r} does not stand on {self.path}: {said[:2000]}", pytrace=False)

    def is_at(self, title: str | re.Pattern[str]) -> None:
        """Wait until the main heading is this."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(title, timeout=MOST_MILLISECONDS)

    def downloads(self, name: str, *, within: str = "main") -> Download:
        """Take a file from the page's menu of downloads, or from its link."""
        menu = self.page.locator(within).locator("details.download > summary")
        if menu.count():
            menu.first.click()
        with self.page.expect_download() as waiting:
            self.page.locator(within).get_by_role("link", name=name).first.click()
        return waiting.value

    def row(self, words: str) -> Locator:
        """Give the table row with words in it."""
        return self.page.locator("main tbody tr").filter(has_text=words).first

    def expects_refusal(self) -> None:
        """Let the next refusal pass: the browser writes each answer that is none of 2xx to the console."""
        self.forgiven += 1

    def csrf_token(self) -> str:
        """Give the token that this browser's forms carry."""
        return str(self.page.locator("input[name=csrf_token]").first.get_attribute("value"))

    @property
    def path(self) -> str:
        """Where the browser is."""
        return self.page.url.removeprefix(self.address)

    @property
    def status(self) -> int:
        """What the server answered with."""
        entry = "performance.getEntriesByType('navigation')[0].responseStatus"
        return int(self.page.evaluate(entry))

    def axe(self, *rules: str) -> list[str]:
        """Give what axe finds wrong with the page: by all rules, or by those named."""
        if not self.page.evaluate("typeof axe === 'object'"):
            self.page.evaluate(AXE.read_text())
        only: dict[str, Any] = {
            "type": "rule" if rules else "tag",
            "values": list(rules) or RULES,
        }
        return [f"{self.path}: {one}" for one in self.page.evaluate(_RUN_AXE, [only])]

    def refused_by_the_policy(self) -> list[str]:
        """Give what the content policy refused on this page."""
        return [f"{self.path}: {one}" for one in self.page.evaluate("window.__refused")]

    def overflow(self) -> list[str]:
        """Say by how much the page is wider than the screen."""
        pixels = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return [f"{self.path}: {pixels} pixels too wide"] if pixels > 0 else []

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            if self.forgiven and message.text.startswith("Failed to load resource"):
                self.forgiven -= 1
                return
            self.faults.append(f"{self.page.url}: {message.text}")


@contextmanager
def at_a_browser(
    browser: Browser,
    address: str,
    *,
    language: str = "en",
    theme: str = "light",
    viewport: dict[str, int] | None = None,
) -> Iterator[Person]:
    """Open a browser of somebody's own; what went wrong in it fails the test at the end."""
    context = browser.new_context(
        locale={"en": "en-GB", "fr": "fr-FR"}[language],
        color_scheme="dark" if theme == "dark" else "light",
        viewport=viewport or DESKTOP,  # type: ignore[arg-type]
        reduced_motion="reduce",
    )
    person = Person(context.new_page(), address)
    try:
        yield person
    finally:
        context.close()
    assert not person.faults, "\n".join(person.faults)
