"""The shop and the way from it to an order, as each party reads it."""

import re
from datetime import date
from io import BytesIO

import pytest

from tests.page import Page, Visitor
from tests.web.buyers import Statements
from tests.web.orders.conftest import COST, SellingSite


def put_in(visitor: Visitor, site: SellingSite, quantity: int = 10, *, under: str = "") -> str:
    """Put seats into Carla's cart; give the cart's address."""
    page = visitor.post(
        f"{under}/cart/add",
        {"customer": str(site.goods.carla), "plan": str(site.goods.plan), "quantity": str(quantity)},
    )
    return str(page.response.location)


def order(visitor: Visitor, cart: str, **facts: str) -> Page:
    """Order what is in a cart, as its page shows it."""
    seen = visitor.get(cart).hidden("seen")
    return visitor.post(f"{cart}/submit", {"seen": seen, **facts})


def without_cost(page: Page) -> bool:
    """Whether a page tells nothing of what the vendor charges."""
    return not any(figure in page.text for figure in COST)


class TestShop:
    """What is on sale."""

    def test_a_reseller_sees_its_price_the_customers_and_its_margin(
        self, rashid: Visitor, site: SellingSite
    ) -> None:
        page = rashid.get(f"/shop?customer={site.goods.carla}")

        premium = next(row for row in page.rows() if row[0].startswith("Microsoft 365 Business Premium"))
        assert premium[1:] == ["one year", "€13.85", "€16.62", "16.7%"]  # paid by the year, a month of it
        assert without_cost(page)

    def test_who_sells_without_seeing_margins_sees_the_customers_price_alone(
        self, rosa: Visitor, site: SellingSite
    ) -> None:
        page = rosa.get(f"/shop?customer={site.goods.carla}")

        assert "Your margin" not in page.text
        assert "13.85" not in page.text
        assert "€16.62" in page.text

    def test_a_customer_sees_its_own_price_alone(self, carla: Visitor, site: SellingSite) -> None:
        for address, price, of_its_reseller in (
            ("/portal/shop", "€16.62", "13.85"),
            (f"/portal/shop/{site.goods.sku}?quantity=10", "17.77", "14.81"),
        ):
            page = carla.get(address)
            assert of_its_reseller not in page.text
            assert "margin" not in page.main
            assert price in page.text
            assert without_cost(page)

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ("", 2),
            ("?q=business+prem", 1),
            ("?q=premiun", 0),
            ("?category=Business", 1),
            ("?cycle=annual", 1),
            ("?term=P3Y", 0),
            ("?most=230", 1),
            ("?vendor=microsoft&q=dynamics", 1),
            ("?q=%27%3B--", 2),
        ],
    )
    def test_filters_stand_in_the_address(self, rashid: Visitor, query: str, count: int) -> None:
        page = rashid.get(f"/shop{query}")

        assert len(page.rows()) == count

    def test_the_list_is_downloaded_without_secrets(self, rashid: Visitor) -> None:
        file = rashid.download("/shop?format=csv").decode("utf-8-sig")

        assert len(file.splitlines()) == 4
        assert not any(figure in file for figure in COST)

    def test_an_offer_shows_its_plans_side_by_side(self, rashid: Visitor, site: SellingSite) -> None:
        page = rashid.get(f"/shop/{site.goods.sku}?customer={site.goods.carla}&quantity=20")

        rows = page.rows()
        assert len(rows) == 2
        assert "€296.23" in rows[1][2] or "€296.23" in rows[0][2]
        assert "One unit, a month" in page.text
        assert "Cancel until" in page.text
        assert without_cost(page)

    def test_an_offer_shows_its_promotions_and_why_one_does_not_hold(
        self, rashid: Visitor, carla: Visitor, site: SellingSite
    ) -> None:
        site.promote(title="Spring", percent="10", ends_on=date(2030, 7, 1))
        site.promote(title="Big firms", percent="30", minimum_quantity=50)

        for visitor, address in (
            (rashid, f"/shop/{site.goods.sku}?customer={site.goods.carla}&quantity=20"),
            (carla, f"/portal/shop/{site.goods.sku}?quantity=20"),
        ):
            page = visitor.get(address)
            shown = {row[0]: row for row in page.rows("promotions")}
            assert (shown["Spring"][1], shown["Spring"][5]) == ("10%", "In these prices")
            assert "1 Jul 2030" in shown["Spring"][2]
            assert "begins at 50 seats" in shown["Big firms"][5]
            assert "Spring: 10% less than the full price" in page.main
            # 17.7735 a seat and month, less ten percent.
            assert "€15.99" in page.main
            assert without_cost(page)
            assert "12.03" not in page.text

    def test_the_order_and_the_quote_name_the_promotion(self, rashid: Visitor, site: SellingSite) -> None:
        site.promote(title="Spring", percent="10")
        cart = put_in(rashid, site)
        assert "Spring: 10% less than the full price" in rashid.get(cart).main

        order(rashid, cart)

        assert "Spring: 10% less than the full price" in rashid.get(cart).main

    def test_a_page_of_offers_needs_few_queries(self, rashid: Visitor, site: SellingSite) -> None:
        rashid.get("/shop")

        with Statements(site.database) as statements:
            rashid.get(f"/shop?customer={site.goods.carla}")

        assert len(statements.sent) <= 26


class TestOrdering:
    """From the cart to the order."""

    def test_what_is_in_the_cart_is_ordered_at_the_price_shown(
        self, rashid: Visitor, site: SellingSite
    ) -> None:
        cart = put_in(rashid, site)
        page = rashid.get(cart)
        assert "€148.11" in page.main
        assert "€177.74" in page.main

        order(rashid, cart, po_number="PO-77")

        shown = rashid.get(cart)
        assert "At the vendor" in shown.main
        assert "PO-77" in shown.main
        assert "Rashid" in shown.main
        assert without_cost(shown)
        assert rashid.get("/orders").rows()[0][0] == f"{shown.title} PO-77"

    def test_sent_twice_it_is_one_order(self, rashid: Visitor, site: SellingSite) -> None:
        cart = put_in(rashid, site)
        seen = rashid.get(cart).hidden("seen")

        rashid.post(f"{cart}/submit", {"seen": seen})
        rashid.post(f"{cart}/submit", {"seen": seen}, changes=False)

        assert [one.state for one in site.orders()] == ["provisioning"]

    def test_a_changed_cart_in_another_tab_is_refused_with_the_difference(
        self, rashid: Visitor, site: SellingSite
    ) -> None:
        cart = put_in(rashid, site)
        seen = rashid.get(cart).hidden("seen")
        put_in(rashid, site, 5)

        page = rashid.post(f"{cart}/submit", {"seen": seen}, status=422)

        assert "The price changed since you looked" in page.main
        assert "15 ×" in page.main
        assert [one.state for one in site.orders()] == ["draft"]
        # The page shows the new price: sent again as shown, it is ordered.
        rashid.post(f"{cart}/submit", {"seen": page.hidden("seen")})

    def test_a_form_somebody_made_up_orders_nothing(self, rashid: Visitor, site: SellingSite) -> None:
        cart = put_in(rashid, site)

        rashid.post(f"{cart}/submit", {"seen": "nonsense"}, status=422)

        assert [one.state for one in site.orders()] == ["draft"]

    def test_lines_are_changed_and_taken_out(self, rashid: Visitor, site: SellingSite) -> None:
        cart = put_in(rashid, site)
        address = next(
            form.get("action", "")
            for form in rashid.get(cart).all("form")
            if "/lines/" in form.get("action", "")
        )

        rashid.post(address, {"quantity": "25"})
        assert "€370.28" in rashid.get(cart).main
        rashid.post(address, {"quantity": "0"})
        assert "The cart is empty" in rashid.get(cart).main

    def test_sales_people_order_without_seeing_what_the_firm_pays(
        self, rosa: Visitor, site: SellingSite
    ) -> None:
        cart = put_in(rosa, site)
        assert "148.11" not in rosa.get(cart).text

        order(rosa, cart)

        page = rosa.get(cart)
        assert "148.11" not in page.text
        assert "€177.74" in page.main

    def test_strangers_find_nothing(self, rashid: Visitor, pavel: Visitor, site: SellingSite) -> None:
        cart = put_in(rashid, site)

        pavel.get(cart, status=404)
        pavel.post(f"{cart}/submit", {"seen": ""}, status=404)
        pavel.post(
            "/cart/add",
            {"customer": str(site.goods.carla), "plan": str(site.goods.plan), "quantity": "1"},
            status=404,
        )

    def test_the_customer_sees_the_order_made_for_it_at_its_own_price(
        self, rashid: Visitor, carla: Visitor, site: SellingSite
    ) -> None:
        cart = put_in(rashid, site)
        carla.get(f"/portal{cart}", status=404)
        order(rashid, cart)

        page = carla.get(f"/portal{cart}")

        assert "€177.74" in page.main
        assert "148.11" not in page.text
        assert "by the reseller" in page.main

    def test_a_customer_buys_where_its_reseller_allows_it(
        self, rashid: Visitor, carla: Visitor, site: SellingSite
    ) -> None:
        offer = f"/portal/shop/{site.goods.sku}"
        assert "Your reseller places orders for you" in carla.get(offer).main
        rashid.post(f"/customers/{site.goods.carla}/buying", {"may_buy": "yes", "needs_approval": "yes"})

        cart = put_in(carla, site, under="/portal")
        order(carla, cart)

        assert "Awaiting approval" in carla.get(cart).main
        page = rashid.get("/orders")
        assert "Ordered by the customer itself" in page.main

    def test_a_reseller_discards_a_cart(self, rashid: Visitor, site: SellingSite) -> None:
        cart = put_in(rashid, site)

        rashid.post(f"{cart}/discard", {})

        assert [one.state for one in site.orders()] == ["cancelled"]


class TestDeciding:
    """Rules, approvals and credit on pages."""

    def test_staff_approve_what_a_rule_holds_back(
        self, rashid: Visitor, wanda: Visitor, site: SellingSite
    ) -> None:
        wanda.post("/admin/order-rules/new", {"kind": "purchase", "role": "", "above": "1000"})
        assert "Every purchase above €1,000.00" in wanda.get("/admin/order-rules").main
        cart = put_in(rashid, site)
        order(rashid, cart)
        assert "The wholesaler decides" in rashid.get(cart).main

        page = wanda.get(f"/admin{cart}")
        assert "€133.71" in page.main
        approve = approval_of(page, "approve")
        wanda.post(approve, {})

        assert [one.state for one in site.orders()] == ["provisioning"]
        wanda.post(approve, {}, status=422)

    def test_a_refused_order_says_why_to_who_ordered(
        self, rashid: Visitor, wanda: Visitor, site: SellingSite
    ) -> None:
        wanda.post("/admin/order-rules/new", {"kind": "", "role": "", "above": ""})
        cart = put_in(rashid, site)
        order(rashid, cart)

        refuse = approval_of(wanda.get(f"/admin{cart}"), "refuse")
        wanda.post(refuse, {"reason": ""}, status=422)
        wanda.post(refuse, {"reason": "Ask for a discount first"})

        assert "Ask for a discount first" in rashid.get(cart).main

    def test_a_refused_order_is_put_into_the_cart_again_with_one_press(
        self, rashid: Visitor, wanda: Visitor, pavel: Visitor, site: SellingSite
    ) -> None:
        wanda.post("/admin/order-rules/new", {"kind": "", "role": "", "above": ""})
        refused = put_in(rashid, site)
        order(rashid, refused)
        assert "Put it into the cart again" not in rashid.get(refused).main
        address = approval_of(wanda.get(f"/admin{refused}"), "refuse")
        wanda.post(address, {"reason": "Fewer of them"})
        put_in(rashid, site, 2)

        rashid.get(refused).one("form", action=f"{refused}/again")
        pavel.post(f"{refused}/again", {}, status=404)
        cart = str(rashid.post(f"{refused}/again", {}).response.location)

        assert rashid.get(cart).one("input", name="quantity", type="number").get("value") == "12"
        assert order(rashid, cart).status == 303

    def test_credit_is_told_with_its_figures_and_a_raised_limit_lets_it_go_on(
        self, rashid: Visitor, wanda: Visitor, site: SellingSite
    ) -> None:
        address = wanda.get("/admin/credit").link("Nord Cloud SARL")
        wanda.post(address, {"limit": "1000", "payment_days": "30"})
        cart = put_in(rashid, site)
        assert "Credit does not reach" in rashid.get(cart).main
        order(rashid, cart)
        assert "Awaiting approval" in rashid.get(cart).main

        wanda.post(address, {"limit": "1.777,37", "payment_days": "30"}, status=422)
        page = wanda.post(address, {"limit": "1777.37", "payment_days": "30"})

        assert page.status == 303
        assert [one.state for one in site.orders()] == ["provisioning"]
        assert "Orders that go on now: 1" in wanda.get(address).text

    def test_a_reseller_makes_its_own_rules(self, rashid: Visitor, rosa: Visitor, site: SellingSite) -> None:
        rashid.post("/order-rules/new", {"kind": "", "role": "sales", "above": ""})
        cart = put_in(rosa, site)
        order(rosa, cart)

        rashid.post(approval_of(rashid.get(cart), "approve"), {})
        assert [one.state for one in site.orders()] == ["provisioning"]

        end = next(
            form.get("action", "")
            for form in rashid.get("/order-rules").all("form")
            if form.get("action", "").endswith("/end")
        )
        rashid.post(end, {})
        assert "No order needs approval" in rashid.get("/order-rules").main


def approval_of(page: Page, verb: str) -> str:
    """Give the address that decides about an order."""
    addresses = [form.get("action", "") for form in page.all("form")]
    addresses += [button.get("formaction", "") for button in page.all("button")]
    return next(one for one in addresses if one.endswith(f"/{verb}"))


class TestQuotes:
    """Quotes behind links."""

    def quote(self, rashid: Visitor, site: SellingSite) -> tuple[str, str]:
        """Make a quote; give the order's address and the link's path."""
        cart = put_in(rashid, site)
        page = rashid.post(
            f"{cart}/quote",
            {
                "valid_until": "2099-01-01",
                "sent_to": "carla@carla-works.example",
                "language": "en",
                "words": "As discussed",
            },
            status=422,
        )
        assert "within the next 90 days" in page.main
        form = rashid.get(f"{cart}/quote")
        until = form.one("input", id="valid_until").get("value", "")
        made = rashid.post(
            f"{cart}/quote",
            {
                "valid_until": until,
                "sent_to": "carla@carla-works.example",
                "language": "en",
                "words": "As discussed",
            },
            status=200,
        )
        link = made.one("input", id="quote-link").get("value", "")
        return cart, "/" + link.split("/", 3)[3]

    def test_whoever_has_the_link_signs_off_with_a_name(self, rashid: Visitor, site: SellingSite) -> None:
        cart, link = self.quote(rashid, site)
        visitor = site.visitor()
        page = visitor.get(link)
        assert "€177.74" in page.main
        assert "148.11" not in page.text
        assert "As discussed" in page.main

        visitor.post(link, {"name": ""}, status=422)
        visitor.post(link, {"name": "Camille Roux"})

        assert "By Camille Roux" in visitor.get(link).main
        shown = rashid.get(cart)
        assert "At the vendor" in shown.main
        assert "Signed off by" in shown.main
        assert "Camille Roux, version 1" in shown.main
        assert "Rashid" in shown.main

    def test_it_can_be_declined(self, rashid: Visitor, site: SellingSite) -> None:
        cart, link = self.quote(rashid, site)

        site.visitor().post(f"{link}/decline", {"name": "Camille", "reason": "Too dear"})

        assert "Too dear" in rashid.get(cart).main

    def test_the_customer_accepts_in_its_portal(
        self, rashid: Visitor, carla: Visitor, site: SellingSite
    ) -> None:
        cart, _ = self.quote(rashid, site)
        page = carla.get("/portal/orders")
        assert "Quotes for you" in page.main
        accept = next(
            form.get("action", "") for form in page.all("form") if form.get("action", "").endswith("/accept")
        )

        carla.post(accept, {})

        assert "At the vendor" in carla.get(f"/portal{cart}").main

    def test_a_link_nobody_made_leads_nowhere(self, site: SellingSite) -> None:
        site.visitor().get(f"/quotes/{'a' * 43}", status=404)


class TestFiles:
    """Orders of files."""

    def test_faulty_rows_are_named_and_good_files_ordered(self, rashid: Visitor, site: SellingSite) -> None:
        head = "customer,sku,term,billing_cycle,quantity,po_number\n"
        good = "carla-works,CFQ7TTC0LCHC:0001,P1Y,monthly,3,PO-1\n"
        bad = "stella-mills,CFQ7TTC0LCHC:0001,P1Y,monthly,3,PO-1\n"

        def send(text: str, status: int) -> Page:
            return rashid.post(
                "/orders/file", {"file": (BytesIO(text.encode()), "orders.csv")}, status=status
            )

        assert "is not the reference of one of your customers" in send(head + good + bad, 422).main
        assert site.orders() == []
        send(head + good, 303)
        assert [(one.state, one.po_number) for one in site.orders()] == [("provisioning", "PO-1")]


def test_pages_are_told_in_french(site: SellingSite) -> None:
    french = site.browser_of("rashid", language="fr")
    cart = put_in(french, site)

    for address in ("/shop", f"/shop/{site.goods.sku}", "/orders", cart, f"{cart}/quote", "/orders/file"):
        page = french.get(address)
        assert not re.search(r"\b(the|Order|Lines|Prices|Quantity)\b", page.main), address


def test_the_end_of_a_first_term_is_chosen_in_the_cart(rashid: Visitor, site: SellingSite) -> None:
    cart = put_in(rashid, site)
    page = rashid.get(cart)
    (end,) = (one.get("value") for one in page.all("option") if "with the month" in "".join(one.itertext()))
    (address,) = {str(one.get("action")) for one in page.all("form") if "/lines/" in str(one.get("action"))}

    rashid.post(address, {"quantity": "10", "ends_on": str(end)})

    chosen = [one for one in rashid.get(cart).all("option") if one.get("selected") is not None]
    assert [one.get("value") for one in chosen] == [end]
    refused = rashid.post(address, {"quantity": "10", "ends_on": "2031-03-17"}, status=422)
    assert "cannot be ordered until that day" in refused.main
