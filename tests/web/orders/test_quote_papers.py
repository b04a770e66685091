"""The paper of a quote: in the customer's language, wearing the reseller's brand, and never another one afterwards."""

import email
import io
import struct
import zlib
from email import policy
from typing import Any
from uuid import uuid4

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from marketplace.accounts.jobs import send_mails
from marketplace.core.stored_files import FileNotWhole, read_kept
from marketplace.orders.models import Quote
from resellers.models import Brand
from tests.page import Visitor
from tests.personas import reseller_called, user_called
from tests.resellers.test_brand import png
from tests.web.orders.conftest import SellingSite
from tests.web.orders.test_shop import put_in

TO = "carla@carla-works.example"


def make(visitor: Visitor, cart: str, *, words: str = "As *discussed*, #now", **facts: str) -> str:
    """Make a quote; give the path of its link."""
    form = visitor.get(f"{cart}/quote")
    until = form.one("input", id="valid_until").get("value", "")
    language = next(one for one in form.all("option") if one.get("selected") is not None).get("value", "")
    sent = {"valid_until": until, "sent_to": TO, "words": words, "language": language, **facts}
    made = visitor.post(f"{cart}/quote", sent, status=200)
    return "/" + (made.one("input", id="quote-link").get("value", "")).split("/", 3)[3]


def read(content: bytes) -> tuple[PdfReader, str]:
    """Read a PDF and everything that stands on it, on one line."""
    pdf = PdfReader(io.BytesIO(content))
    return pdf, " ".join(" ".join(page.extract_text() for page in pdf.pages).split())


def picture(width: int = 40, height: int = 20) -> bytes:
    """Draw a grey PNG."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    rows = (b"\0" + b"\x80" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def papers_on(visitor: Visitor, cart: str) -> list[str]:
    return [
        one.get("href", "") for one in visitor.get(cart).all("a") if one.get("href", "").endswith("/paper")
    ]


class TestPaper:
    """What stands on it."""

    def test_it_says_who_offers_what_to_whom_at_the_customers_prices_and_how_to_accept(
        self, rashid: Visitor, site: SellingSite
    ) -> None:
        link = make(rashid, put_in(rashid, site), language="en")
        pdf, text = read(site.visitor().download(f"{link}/paper"))

        for words in (
            "Nord",
            "Customer carla-works",
            "Version 1",
            "Microsoft 365 Business Premium",
            "one year",
        ):
            assert words in text
        for amount in ("€17.77", "€177.74", "€2,132.84"):
            assert amount in text
        assert not any(secret in text for secret in ("13.37", "14.81", "148.11"))
        assert "As *discussed*, #now" in text
        assert f"{site.settings.site_url}{link}" in text.replace(" ", "")
        root: Any = pdf.root_object
        assert root["/MarkInfo"]["/Marked"]
        assert root["/Lang"] == "en"
        assert "pdfaid" in root["/Metadata"].get_data().decode()

    def test_all_its_fonts_are_in_it(self, rashid: Visitor, site: SellingSite) -> None:
        pdf, _ = read(site.visitor().download(f"{make(rashid, put_in(rashid, site))}/paper"))

        pages: Any = pdf.pages
        fonts = [font.get_object() for page in pages for font in page["/Resources"]["/Font"].values()]
        described = [one["/DescendantFonts"][0].get_object()["/FontDescriptor"] for one in fonts]
        assert fonts
        assert all({"/FontFile2", "/FontFile3"} & set(one) for one in described)

    @pytest.mark.parametrize(("logo", "pictures"), [(picture(), 1), (png(width=40, height=20), 0)])
    def test_it_wears_the_resellers_logo_if_that_can_be_drawn(
        self, rashid: Visitor, site: SellingSite, logo: bytes, pictures: int
    ) -> None:
        with site.database.owner_transaction() as session:
            session.add(
                Brand(
                    reseller_id=reseller_called(session, "nord").id,
                    public_id=uuid4(),
                    accent="#0b5cad",
                    logo_type="image/png",
                    logo=logo,
                )
            )
        pdf, _ = read(site.visitor().download(f"{make(rashid, put_in(rashid, site))}/paper"))

        assert len(pdf.pages[0].images) == pictures

    def test_it_is_written_in_the_language_of_the_customers_people(
        self, rashid: Visitor, site: SellingSite
    ) -> None:
        with site.database.owner_transaction() as session:
            user_called(session, "carla").locale = "fr"
        _, text = read(site.visitor().download(f"{make(rashid, put_in(rashid, site))}/paper"))

        assert "Devis pour Customer carla-works" in text
        assert "177,74" in text
        assert "Offered" not in text

    def test_without_people_the_country_decides_and_the_seller_has_the_last_word(
        self, rashid: Visitor, site: SellingSite
    ) -> None:
        cart = put_in(rashid, site)

        assert "Devis" in read(site.visitor().download(f"{make(rashid, cart)}/paper"))[1]
        assert "Quote" in read(site.visitor().download(f"{make(rashid, cart, language='en')}/paper"))[1]


class TestKeeping:
    """That what was sent stays."""

    def test_a_version_keeps_its_bytes_whatever_is_quoted_later(
        self, rashid: Visitor, wanda: Visitor, site: SellingSite
    ) -> None:
        cart = put_in(rashid, site)
        first = site.visitor().download(f"{make(rashid, cart)}/paper")
        make(rashid, cart, words="Another word")

        addresses = papers_on(rashid, cart)
        assert [rashid.download(one) for one in addresses].count(first) == 1
        assert len(addresses) == 2
        assert wanda.download(f"/admin{addresses[0]}")[:5] == b"%PDF-"

    def test_a_file_that_was_changed_on_the_disk_is_not_given_out(
        self, rashid: Visitor, site: SellingSite
    ) -> None:
        make(rashid, put_in(rashid, site))
        with site.database.owner_transaction() as session:
            path = session.scalars(select(Quote.paper)).one()
        file = site.settings.files / path
        file.write_bytes(file.read_bytes() + b"%")

        with pytest.raises(FileNotWhole):
            read_kept(site.settings.files, path)
        file.unlink()
        with pytest.raises(FileNotWhole):
            read_kept(site.settings.files, path)

    def test_nobody_else_gets_it(
        self, rashid: Visitor, pavel: Visitor, carla: Visitor, site: SellingSite
    ) -> None:
        cart = put_in(rashid, site)
        make(rashid, cart)
        (address,) = papers_on(rashid, cart)

        pavel.get(address, status=404)
        site.browser_of("stella").get(f"/portal{address}", status=404)
        # It holds the link that accepts: who may not order does not get it.
        site.browser_of("victor").get(f"/portal{address}", status=403)
        assert carla.download(f"/portal{address}")[:5] == b"%PDF-"


def test_it_goes_with_the_mail(rashid: Visitor, site: SellingSite) -> None:
    cart = put_in(rashid, site)
    link = make(rashid, cart, language="fr")

    send_mails(site.database, site.settings)

    (file,) = site.settings.mail.glob("*.eml")
    mail: Any = email.message_from_bytes(file.read_bytes(), policy=policy.default)
    (paper,) = mail.iter_attachments()
    assert str(mail["Subject"]).startswith("Devis de Nord")
    assert paper.get_filename().endswith("-1.pdf")
    assert paper.get_content() == site.visitor().download(f"{link}/paper")
    assert link in mail.get_body().get_content()


def test_quotes_of_before_have_no_paper(rashid: Visitor, site: SellingSite) -> None:
    cart = put_in(rashid, site)
    link = make(rashid, cart)
    with site.database.owner_transaction() as session:
        session.scalars(select(Quote)).one().paper = ""

    site.visitor().get(f"{link}/paper", status=404)
    assert papers_on(rashid, cart) == []
    assert "PDF" not in site.visitor().get(link).main
