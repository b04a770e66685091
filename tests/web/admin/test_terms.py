"""Terms on the wholesaler's pages: typed as people type, tried before they are saved, ended on a day."""

import io
import re

import pytest
from sqlalchemy import func, select

from resellers.models import AccountMapping, PriceRule, PriceRuleScope
from tests.page import Visitor
from tests.web.admin.conftest import WholesalersSite

RULE = {
    "hop": "wholesale",
    "reseller": "nord",
    "vendor": "cloud",
    "basis": "cost",
    "percent": "12,5 %",
    "valid_from": "2024-09-10",
}
HEADER = b"hop,reseller,customer,subscription,vendor,product,sku,basis,percent,unit_price,currency,valid_from,valid_until\n"


def test_a_rule_is_typed_with_a_comma_tried_and_saved(site: WholesalersSite, walter: Visitor) -> None:
    tried = walter.post("/admin/rules/new", {**RULE, "step": "effect"}, status=200)
    assert "From 10 Sep 2024." in tried.main
    assert "customer changes" in tried.main
    with site.database.owner_transaction() as session:
        before = session.scalar(select(func.count()).select_from(PriceRule))
    walter.post("/admin/rules/new", {**RULE, "step": "save"})

    page = walter.get("/admin/rules?reseller=nord")
    assert "cost +12.5%" in page.main
    with site.database.owner_transaction() as session:
        assert session.scalar(select(func.count()).select_from(PriceRule)) == (before or 0) + 1


def test_what_cannot_be_used_is_said_at_its_field_in_the_readers_language(
    site: WholesalersSite, walter: Visitor
) -> None:
    walter.language = "fr"
    page = walter.post(
        "/admin/rules/new", {**RULE, "reseller": "nobody", "sku": "K", "step": "save"}, status=422
    )

    assert page.one("input", id="field-sku").get("aria-invalid") == "true"
    assert page.one("input", id="field-vendor").get("aria-invalid") is None
    assert "n’est pas connu" in page.main
    with site.database.owner_transaction() as session:
        assert session.scalar(select(PriceRuleScope.id).where(PriceRuleScope.sku == "K")) is None


def test_an_overlap_is_refused_naming_the_rule_in_the_way(walter: Visitor) -> None:
    walter.post("/admin/rules/new", {**RULE, "step": "save"})

    page = walter.post(
        "/admin/rules/new", {**RULE, "percent": "7", "valid_from": "", "step": "save"}, status=422
    )

    assert "overlaps the rule that stands: cost +12.5 % for reseller nord, vendor cloud" in page.main


@pytest.mark.parametrize(
    ("rows", "status", "words"),
    [
        (b"wholesale,nord,,,cloud,,,cost,5,,,,\n", 200, "would be added"),
        (b"wholesale,nobody,,,,,,cost,x,,,,\nretail,nord,,,,P,,cost,1,,,,\n", 422, "import resellers first"),
    ],
)
def test_a_file_is_tried_and_what_comes_of_it_shown(
    site: WholesalersSite, walter: Visitor, rows: bytes, status: int, words: str
) -> None:
    file = (io.BytesIO(HEADER + rows), "rules.csv")

    page = walter.post(
        "/admin/rules/import",
        {"files": file, "step": "try"},
        status=status,
        content_type="multipart/form-data",
    )

    assert words in page.main
    if status == 200:
        assert "customer changes" in page.main
    else:
        faults = page.rows()
        assert [(row[1], row[2]) for row in faults] == [("1", "percent"), ("1", "reseller"), ("2", "product")]
    with site.database.owner_transaction() as session:
        assert session.scalar(select(func.count()).select_from(PriceRule)) == 2


def test_a_mapping_ends_on_a_day_and_may_end_earlier(site: WholesalersSite, walter: Visitor) -> None:
    with site.database.owner_transaction() as session:
        mapping = session.scalars(select(AccountMapping.public_id).order_by(AccountMapping.id)).first()
    address = f"/admin/accounts/{mapping}/end"

    assert "Customer carla-works" in walter.get(address).main
    tried = walter.post(address, {"end": "2024-09-20", "step": "effect"}, status=200)
    assert "From 20 Sep 2024." in tried.main
    walter.post(address, {"end": "2999-09-20", "step": "save"})
    assert walter.get("/admin/accounts").link("End")
    walter.post(address, {"end": "2024-09-20", "step": "save"})

    page = walter.post(address, {"end": "2024-10-01", "step": "save"}, status=422)
    assert "It ends on 20 Sep 2024 already" in page.main


@pytest.mark.parametrize(
    ("field", "typed", "offered"),
    [
        ("reseller", "no", ["nord"]),
        ("reseller", "Sud Cloud", ["sud"]),
        ("customer", "carla", ["carla-works"]),
        ("customer", "100%", []),
    ],
)
def test_a_reference_is_offered_by_its_letters_or_the_name(
    walter: Visitor, field: str, typed: str, offered: list[str]
) -> None:
    answer = walter.client.get(f"/admin/suggestions/{field}", query_string={field: typed})

    assert re.findall(r'<option value="([^"]*)">', answer.text) == offered


def test_a_form_asks_for_what_may_be_meant(walter: Visitor) -> None:
    page = walter.get("/admin/rules/new")

    field = page.one("input", id="field-customer")
    assert field.get("hx-get") == "/admin/suggestions/customer"
    assert field.get("hx-target") == "#known-customer"
    assert page.one("datalist", id="known-customer") is not None
