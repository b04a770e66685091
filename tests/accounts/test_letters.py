"""Mails to a reseller's customers: its address, its name, its colours, whom to ask; to all others our own."""

import email
from email import policy
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from marketplace.accounts.jobs import send_mails
from marketplace.accounts.letters import as_html, with_support
from marketplace.accounts.models import OutgoingMail
from marketplace.accounts.operations.notifying import notify_user
from marketplace.core.actor import Audience
from marketplace.core.db import Database
from marketplace.core.errors import Phrase
from marketplace.core.look import Letterhead
from marketplace.settings import Settings
from resellers.models import Brand
from resellers.rules.brand import address_of
from tests.personas import PeopledSite, actor_called, reseller_called, user_called

NORD = Letterhead(
    name="Nord <Cloud>",
    sender_name="Nord",
    accent="#8a1538",
    support_email="help@nord.example",
    support_phone="",
    address="https://cloud.nord.example",
)


@pytest.mark.parametrize(
    ("host", "path", "address"),
    [
        ("", "", "https://market.example"),
        ("", "nord", "https://market.example/at/nord"),
        ("cloud.nord.example", "nord", "https://cloud.nord.example"),
    ],
)
def test_links_begin_with_the_brands_own_address(host: str, path: str, address: str) -> None:
    assert address_of(host=host, path=path, site_url="https://market.example") == address


def test_a_letter_says_whom_to_ask_in_the_readers_language() -> None:
    assert with_support("Hello", NORD, language="en").endswith("Questions? Nord <Cloud>: help@nord.example\n")
    assert "Des questions" in with_support("Bonjour", NORD, language="fr")
    assert with_support("Hello", None, language="en") == "Hello"


def test_what_people_wrote_stays_text_in_the_letters_colours() -> None:
    html = as_html("Hello <b>\n\n{link}\n", NORD, link="https://x.example/a?b=1&c=2")

    assert "Hello &lt;b&gt;" in html
    assert "Nord &lt;Cloud&gt;" in html
    assert 'href="https://x.example/a?b=1&amp;c=2" style="color:#8a1538' in html


@pytest.fixture
def site(settings: Settings, database: Database) -> PeopledSite:
    site = PeopledSite(settings, database)
    with database.owner_transaction() as session:
        session.add(
            Brand(
                reseller_id=reseller_called(session, "nord").id,
                public_id=uuid4(),
                name="Nord Cloud",
                accent="#8a1538",
                path="nord",
                support_email="help@nord.example",
            )
        )
    return site


def sent(site: PeopledSite) -> list[Any]:
    send_mails(site.database, site.settings)
    return [
        email.message_from_bytes(file.read_bytes(), policy=policy.default)
        for file in sorted(site.settings.mail.glob("*.eml"))
    ]


def test_a_password_link_leads_to_the_brand_of_the_persons_seller_alone(site: PeopledSite) -> None:
    visitor = site.visitor()
    for address in ("carla@carla-works.example", "rashid@nord.example", "wanda@northwind.example"):
        visitor.post("/forgotten-password", {"email": address}, status=200, changes=False)

    letters = {str(one["To"]): one for one in sent(site)}
    carla = letters["carla@carla-works.example"]
    text = carla.get_body(("plain",)).get_content()
    assert f"{site.settings.site_url}/at/nord/set-password/" in text
    assert str(carla["From"]).startswith("Nord Cloud <")
    assert str(carla["Reply-To"]) == "help@nord.example"
    assert "#8a1538" in carla.get_body(("html",)).get_content()
    for address in ("rashid@nord.example", "wanda@northwind.example"):
        ours = letters[address]
        assert f"{site.settings.site_url}/set-password/" in ours.get_body(("plain",)).get_content()
        assert ours.get_body(("html",)) is None
        assert ours["Reply-To"] is None


def test_what_customers_are_told_leads_to_their_sellers_address(site: PeopledSite) -> None:
    with site.database.owner_transaction() as session:
        for persona, audience in (("carla", Audience.CUSTOMER), ("wanda", Audience.WHOLESALER)):
            user = user_called(session, persona)
            notify_user(
                session,
                user_id=user.id,
                audience=audience,
                party_id=actor_called(site.database, persona).party_id,
                phrase=Phrase.verbatim("It is done."),
                link="/portal/orders" if audience is Audience.CUSTOMER else "/admin/orders",
            )

    texts = {str(one["To"]): one.get_body(("plain",)).get_content() for one in sent(site)}
    assert f"{site.settings.site_url}/at/nord/portal/orders" in texts["carla@carla-works.example"]
    assert f"{site.settings.site_url}/admin/orders" in texts["wanda@northwind.example"]


def test_such_a_link_shows_the_brand_and_goes_on_to_this_site_alone(site: PeopledSite) -> None:
    visitor = site.visitor()

    def target(address: str) -> str:
        return str(visitor.client.get(address).headers["Location"])

    assert target("/at/nord/set-password/abc?x=1") == "/set-password/abc?x=1"
    assert target("/at/nord/%5Cevil.example") == "/%5Cevil.example"
    assert "Nord Cloud" in visitor.get("/sign-in").text
    visitor.get("/at/nobody/sign-in", status=404)


def test_nothing_of_a_letter_is_kept_but_what_it_wears(site: PeopledSite) -> None:
    site.visitor().post(
        "/forgotten-password", {"email": "carla@carla-works.example"}, status=200, changes=False
    )
    sent(site)

    with site.database.owner_transaction() as session:
        mail = session.scalars(select(OutgoingMail)).one()
        assert mail.link == ""
        assert mail.letterhead is not None
        assert mail.letterhead["address"].endswith("/at/nord")
