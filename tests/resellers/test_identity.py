"""Numbers of firms: checked as their country has them, blank allowed, kept compact in the European Union."""

import pytest

from marketplace.core.cells import FaultyEntry, Unusable
from resellers.rules.identity import read_customer, read_reseller, registration_number, vat_number


@pytest.mark.parametrize(
    ("country", "text", "number"),
    [
        ("FR", "FR40303265045", "FR40303265045"),
        ("FR", "fr 40 303 265 045", "FR40303265045"),
        ("FR", "40303265045", "FR40303265045"),
        ("DE", "DE 136,695 976", "DE136695976"),
        ("GR", "EL 094259216", "EL094259216"),
        ("GB", "GB 980 7806 84", "GB 980 7806 84"),
        ("CH", "CHE-107.787.577 IVA", "CHE-107.787.577 IVA"),
        ("NO", "NO 995 525 828 MVA", "NO 995 525 828 MVA"),
        ("MC", "53 0000 04605", "FR53000004605"),
        ("US", "whatever they call it", "whatever they call it"),
        ("FR", "", ""),
    ],
)
def test_a_vat_number_of_its_country_is_taken(country: str, text: str, number: str) -> None:
    assert vat_number(text, country=country) == number


@pytest.mark.parametrize(
    ("country", "text"),
    [
        ("FR", "FR40303265046"),
        ("DE", "DE136695978"),
        ("DE", "FR40303265045"),
        ("GB", "802311781"),
        ("CH", "CHE-107.787.578 IVA"),
        ("BE", "none"),
    ],
)
def test_a_vat_number_that_cannot_be_is_refused(country: str, text: str) -> None:
    with pytest.raises(Unusable, match=f"is not a VAT number of {country}"):
        vat_number(text, country=country)


@pytest.mark.parametrize(
    ("country", "text", "number"),
    [
        ("FR", "303 265 045", "303265045"),
        ("FR", "732 829 320 00074", "73282932000074"),
        ("BE", "0403.170.701", "0403.170.701"),
        ("SE", "556036-0793", "556036-0793"),
        ("DE", "HRB 12345 Köln", "HRB 12345 Köln"),
        ("FR", "", ""),
    ],
)
def test_a_registration_number_of_its_country_is_taken(country: str, text: str, number: str) -> None:
    assert registration_number(text, country=country) == number


@pytest.mark.parametrize(
    ("country", "text"), [("FR", "303265046"), ("FR", "73282932000075"), ("FR", "12"), ("NO", "988077918")]
)
def test_a_registration_number_that_cannot_be_is_refused(country: str, text: str) -> None:
    with pytest.raises(Unusable, match="is not a"):
        registration_number(text, country=country)


def test_every_faulty_cell_of_a_party_is_named() -> None:
    with pytest.raises(FaultyEntry) as raised:
        read_customer(
            {"reference": "", "country": "FR", "vat_number": "FR1", "currency": "€", "email": "a@b"}
        )

    columns = {fault.column for fault in raised.value.rows}
    assert columns == {"reference", "reseller", "legal_name", "vat_number", "currency", "email"}


@pytest.mark.parametrize(
    ("text", "mode"),
    [("", "resale"), ("On behalf", "on_behalf"), ("on-behalf", "on_behalf"), ("AGENT", "agent")],
)
def test_who_invoices_is_read_however_it_is_written(text: str, mode: str) -> None:
    cells = {"reference": "R", "legal_name": "R", "country": "FR", "currency": "EUR", "billing_mode": text}

    assert read_reseller(cells).billing_mode == mode


def test_no_reseller_takes_the_wholesalers_own_reference() -> None:
    with pytest.raises(FaultyEntry, match="choose another reference"):
        read_reseller({"reference": "Wholesaler", "legal_name": "R", "country": "FR", "currency": "EUR"})


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("732829321", "its check digits do not fit"),
        ("7328293", "it is too short or too long"),
        ("73282932A", "it has signs that do not belong there"),
    ],
)
def test_what_is_wrong_with_a_number_is_said_in_words_that_can_be_translated(
    number: str, reason: str
) -> None:
    with pytest.raises(Unusable) as refused:
        registration_number(number, country="FR")

    said = refused.value.reason.said_with(lambda sentence: f"[{sentence}]", str)
    assert said.endswith(f"[{reason}]]")
