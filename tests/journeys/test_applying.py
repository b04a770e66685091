"""A firm applies, is asked for more, answers, is approved, and its owner comes home to its own brand."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from tests.journeys.browser import PHONE, Person
from tests.journeys.conftest import Server
from tests.journeys.mails import mailed_link

STAFF = "walter@demo.example"
PASSWORD = "nine quiet herons"


@dataclass(frozen=True)
class Firm:
    """Who applies."""

    name: str
    registration_number: str
    owner: str
    email: str
    reference: str


BELLE_ILE = Firm(
    "Belle-Île Informatique SARL", "404 833 048", "Aline Le Goff", "aline@belle-ile.example", "belle-ile"
)


def faults(person: Person) -> list[str]:
    return person.axe() + person.refused_by_the_policy() + person.overflow()


def applies(aline: Person, firm: Firm) -> None:
    aline.goes_to("/apply")
    for name, text in {
        "legal_name": firm.name,
        "registration_number": firm.registration_number,
        "owner_name": firm.owner,
        "owner_email": firm.email,
        "billing_name": "Bruno Petit",
        "billing_email": "bruno@belle-ile.example",
    }.items():
        aline.page.locator(f"#{name}").fill(text)
    for name, value in {"country": "FR", "currency": "EUR", "programme": "indirect_reseller"}.items():
        aline.page.locator(f"#{name}").select_option(value)
    aline.presses("Save and go on")
    aline.reads("5/6")
    add_document(aline, "registration")
    aline.reads("Complete: it can be sent.")


def add_document(aline: Person, kind: str) -> None:
    aline.page.locator("#kind").select_option(kind)
    file = {"name": f"{kind}.pdf", "mimeType": "application/pdf", "buffer": f"%PDF-1.7 {kind}".encode()}
    aline.page.locator("#file").set_input_files(file)  # type: ignore[arg-type]
    aline.presses("Add the document")
    aline.reads(f"{kind}.pdf")


def is_approved(walter: Person, firm: Firm) -> None:
    for _ in range(6):
        walter.presses(re.compile("^In order"))
    walter.reads("Everything was looked at.")
    walter.page.locator("#reference").fill(firm.reference)
    walter.presses("Approve")
    walter.is_at(firm.name)


def comes_in(owner: Person, server: Server, firm: Firm) -> None:
    """Choose a password behind the link that was mailed."""
    owner.goes_to(mailed_link(server, firm.email))
    owner.page.locator("#password").fill(PASSWORD)
    owner.page.locator("#again").fill(PASSWORD)
    owner.page.locator("main").get_by_role("button").click()
    owner.page.wait_for_url(lambda url: "/set-password" not in url)


def wears_a_brand(owner: Person) -> list[str]:
    """Choose a brand, refuse oneself a pale one, and find the pages wearing it."""
    owner.goes_to("/firm/brand")
    owner.page.locator("#name").fill("Belle-Île Cloud")
    owner.page.locator("#accent").fill("#ff8800")
    owner.reads("The nearest that passes is")
    owner.page.locator("#accent").fill("#7a3fd1")
    owner.reads("Everybody can read it.")
    seen = faults(owner)
    owner.presses("Save the brand")
    owner.goes_to("/")
    owner.reads("Belle-Île Cloud", within="header")
    button = owner.page.evaluate(
        "getComputedStyle(document.documentElement).getPropertyValue('--m-primary').trim()"
    )
    assert button == "#7a3fd1"
    owner.goes_to("/firm")
    return seen + faults(owner)


def test_from_the_application_to_the_branded_storefront(
    server: Server, sits_down: Callable[..., Person]
) -> None:
    aline, walter = sits_down(viewport=PHONE), sits_down(STAFF)
    applies(aline, BELLE_ILE)
    seen = faults(aline)
    aline.presses("Send the application")
    aline.reads("We look at your application")

    walter.goes_to("/admin/applications")
    walter.opens(BELLE_ILE.name)
    walter.presses("Take it up")
    walter.page.locator("#ask-text").fill("Please send your bank details.")
    walter.presses(re.compile("^Ask$"))
    walter.reads("Please send your bank details.")
    seen += faults(walter)

    aline.page.reload()
    aline.reads("We need something more from you")
    add_document(aline, "bank")
    aline.page.locator("#text").fill("There they are.")
    aline.presses("Send the answer")
    aline.reads("We look at your application")

    walter.page.reload()
    walter.reads("There they are.")
    is_approved(walter, BELLE_ILE)
    walter.opens("Enrolments")
    walter.reads("It may not sell")
    seen += faults(walter)
    aline.page.reload()
    aline.reads("You are welcome as a reseller")

    owner = sits_down()
    comes_in(owner, server, BELLE_ILE)
    seen += wears_a_brand(owner)
    assert not seen, "\n".join(seen)
