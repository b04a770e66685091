"""The connector against the simulator, over real HTTP: what is asked for happens, and refusals say why."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from catalog.words import BillingCycle, Term
from marketplace.vendors.addresses import AddressUnfit
from marketplace.vendors.errors import NotConnected, NotSold, VendorBusy, VendorRefused
from marketplace.vendors.partner_center.connector import PartnerCenter
from marketplace.vendors.values import (
    Attestation,
    Change,
    NextTerm,
    OrderStatus,
    SubscriptionStatus,
    TermEnd,
    Upgrade,
)
from tests.vendors.simulated import (
    BASIC,
    CAMILLE,
    COMMUNICATIONS,
    PREMIUM,
    RESELLER,
    STANDARD,
    Simulator,
    bought,
    buy,
    firm,
    line,
    open_account,
)


def refusal_of(code: str) -> pytest.RaisesExc[VendorRefused]:
    return pytest.raises(VendorRefused, check=lambda refusal: refusal.code == code)


def test_the_vendor_is_reached_and_says_who_we_are(connector: PartnerCenter) -> None:
    health = connector.health()

    assert health.is_well
    assert health.words == "Wholesaler (simulated)"


def test_the_catalogue_is_read_down_to_what_an_order_names(connector: PartnerCenter) -> None:
    titles = {product.reference: product.title for product in connector.products(country="FR")}
    items = {item.sku: item for item in connector.items(product="CFQ7TTC0LCHC", country="FR")}

    assert titles["CFQ7TTC0LCHC"] == "Microsoft 365 Business Premium"
    assert items["0002"].reference.startswith("CFQ7TTC0LCHC:0002:CFQ7TTC")
    assert set(items["0002"].terms) == {Term.P1M, Term.P1Y, Term.P3Y}
    assert items["0002"].currency == "EUR"
    assert items["0003"].is_trial


def test_a_customer_gets_an_account_for_its_reseller(connector: PartnerCenter) -> None:
    customer = connector.create_customer(firm(), key=uuid4())

    assert connector.customer(customer.account) == customer
    assert (customer.domain, customer.country) == ("carnac.onmicrosoft.com", "FR")
    assert customer.reseller_account == connector.resellers()[0].account


def test_an_account_is_opened_for_resellers_of_ours_only(
    connector: PartnerCenter, simulator: Simulator
) -> None:
    simulator.tell("resellers", partner_id=RESELLER, is_active=False)

    with pytest.raises(NotConnected, match="accept our invitation"):
        connector.create_customer(firm(), key=uuid4())

    assert simulator.overview()["customers"] == 0


def test_the_same_key_opens_one_account_and_a_domain_is_had_once(connector: PartnerCenter) -> None:
    key = uuid4()

    assert connector.create_customer(firm(), key=key) == connector.create_customer(firm(), key=key)
    with pytest.raises(VendorRefused, match="not available"):
        connector.create_customer(firm(), key=uuid4())


def test_an_address_that_breaks_the_rules_of_its_country_is_refused(connector: PartnerCenter) -> None:
    rules = connector.address_rules("FR")

    assert rules.postal_code_pattern == r"^\d{5}$"
    with pytest.raises(AddressUnfit, match="Postal code is not a postal code of FR"):
        connector.create_customer(firm(postal_code="5634"), key=uuid4())


def test_a_country_that_wants_a_registration_number_gets_one(connector: PartnerCenter) -> None:
    with refusal_of("600002"):
        connector.create_customer(firm(country="PL", postal_code="00-001"), key=uuid4())


def test_nothing_is_sold_before_the_customer_accepted_the_terms(connector: PartnerCenter) -> None:
    customer = connector.create_customer(firm(), key=uuid4())

    with refusal_of("13605") as caught:
        buy(connector, customer.account)

    assert "accepted the Microsoft Customer Agreement" in str(caught.value)
    assert "Record that" in caught.value.remedy


def test_the_same_person_may_be_attested_twice(connector: PartnerCenter) -> None:
    customer = open_account(connector)
    attestation = Attestation(CAMILLE, date(2021, 1, 1), "117a77b0-9360-443b-8795-c6dedc750cf9")

    again = connector.attest(customer.account, attestation, key=uuid4())

    assert again.contact == CAMILLE
    assert len(connector.agreements(customer.account)) == 1


def test_an_agreement_is_not_accepted_tomorrow(connector: PartnerCenter) -> None:
    customer = connector.create_customer(firm(), key=uuid4())

    with pytest.raises(VendorRefused, match="future"):
        connector.attest(customer.account, Attestation(CAMILLE, date(2025, 3, 11), "t"), key=uuid4())


@pytest.mark.parametrize(
    ("partner_id", "is_known", "has_signed"),
    [(RESELLER, True, True), ("8888888", True, False), ("9999999", False, False)],
)
def test_the_standing_of_a_reseller(
    connector: PartnerCenter, partner_id: str, is_known: bool, has_signed: bool
) -> None:
    standing = connector.partner_standing(partner_id)

    assert (standing.is_known, standing.has_signed) == (is_known, has_signed)


@pytest.mark.parametrize(
    ("partner_id", "code"),
    [
        ("6034453", "2072"),
        ("9999999", "800015"),
        ("7777777", "800016"),
        ("6666666", "800039"),
        ("8888888", "900123"),
    ],
)
def test_the_partner_on_record_must_be_a_reseller_in_good_standing(
    connector: PartnerCenter, partner_id: str, code: str
) -> None:
    account = open_account(connector).account

    with refusal_of(code):
        buy(connector, account, line(partner_id=partner_id))


def test_an_order_becomes_a_subscription_with_its_windows(connector: PartnerCenter) -> None:
    account = open_account(connector).account

    subscription = bought(connector, account)

    assert subscription.status is SubscriptionStatus.ACTIVE
    assert (subscription.quantity, subscription.partner_id) == (10, RESELLER)
    assert (subscription.term, subscription.billing_cycle) == (Term.P1Y, BillingCycle.MONTHLY)
    assert subscription.ends_on == date(2026, 3, 10)
    assert subscription.may_cancel_until == datetime(2025, 3, 17, 9, tzinfo=UTC)
    assert [one.quantity for one in subscription.reducible] == [10]


def test_a_purchase_with_two_billing_cycles_becomes_two_orders(connector: PartnerCenter) -> None:
    account = open_account(connector).account

    orders = buy(
        connector,
        account,
        line(),
        line(STANDARD, 3, number=1, cycle=BillingCycle.ANNUAL),
        line(BASIC, 2, number=2),
    )

    assert [len(order.lines) for order in orders] == [2, 1]
    assert len(connector.subscriptions(account)) == 3


def test_the_same_purchase_again_is_the_same_order(connector: PartnerCenter) -> None:
    account, key = open_account(connector).account, uuid4()

    first, again = buy(connector, account, key=key), buy(connector, account, key=key)

    assert first == again
    assert len(connector.subscriptions(account)) == 1


def test_what_is_not_sold_for_a_term_is_not_ordered(connector: PartnerCenter) -> None:
    account = open_account(connector).account

    with pytest.raises(NotSold, match="import the vendor's current price list"):
        buy(connector, account, line(term=Term.ONE_TIME, cycle=BillingCycle.ONE_TIME))


def test_an_add_on_needs_its_base(connector: PartnerCenter) -> None:
    account = open_account(connector).account

    with refusal_of("400041"):
        buy(connector, account, line(COMMUNICATIONS))
    bought(connector, account)
    buy(connector, account, line(COMMUNICATIONS))

    assert len(connector.subscriptions(account)) == 2


def test_seats_are_limited_over_all_subscriptions_of_a_customer(connector: PartnerCenter) -> None:
    account = open_account(connector).account
    bought(connector, account, line(quantity=290))

    with refusal_of("800088") as caught:
        buy(connector, account, line(quantity=11))

    assert "remaining limit of 10" in caught.value.words


def test_a_first_term_may_end_with_a_month_and_not_in_the_middle(connector: PartnerCenter) -> None:
    account = open_account(connector).account

    assert bought(connector, account, line(ends_on=date(2026, 3, 1))).ends_on == date(2026, 3, 1)
    with refusal_of("900242"):
        buy(connector, account, line(ends_on=date(2026, 2, 20)))


class TestChanges:
    def test_seats_go_up_and_what_was_added_may_be_given_back(
        self, simulator: Simulator, connector: PartnerCenter
    ) -> None:
        account = open_account(connector).account
        one = bought(connector, account)
        simulator.at("2025-04-20T10:00:00Z")

        more = connector.change(account, one.reference, Change(quantity=15), key=uuid4())
        fewer = connector.change(account, one.reference, Change(quantity=12), key=uuid4())

        assert (more.quantity, fewer.quantity) == (15, 12)
        assert [(seats.quantity, seats.until.date()) for seats in fewer.reducible] == [(2, date(2025, 4, 27))]
        with refusal_of("900214"):
            connector.change(account, one.reference, Change(quantity=9), key=uuid4())

    def test_a_change_that_is_so_already_is_not_sent(self, connector: PartnerCenter) -> None:
        account = open_account(connector).account
        one = bought(connector, account)

        again = connector.change(account, one.reference, Change(quantity=10), key=uuid4())

        assert again.etag == one.etag

    def test_a_subscription_is_cancelled_within_seven_days_and_not_later(
        self, simulator: Simulator, connector: PartnerCenter
    ) -> None:
        account = open_account(connector).account
        first, second = bought(connector, account), bought(connector, account)

        simulator.at("2025-03-17T09:00:00Z")
        gone = connector.change(account, first.reference, Change(is_cancelled=True), key=uuid4())
        simulator.at("2025-03-17T09:00:01Z")

        assert gone.status is SubscriptionStatus.DELETED
        with refusal_of("900117"):
            connector.change(account, second.reference, Change(is_cancelled=True), key=uuid4())

    def test_suspending_turns_the_renewal_off_and_resuming_does_not_turn_it_on(
        self, connector: PartnerCenter
    ) -> None:
        account = open_account(connector).account
        one = bought(connector, account)

        suspended = connector.change(account, one.reference, Change(is_suspended=True), key=uuid4())
        with refusal_of("2001"):
            connector.change(account, one.reference, Change(quantity=11), key=uuid4())
        resumed = connector.change(account, one.reference, Change(is_suspended=False), key=uuid4())

        assert (suspended.status, suspended.auto_renew) == (SubscriptionStatus.SUSPENDED, False)
        assert (resumed.status, resumed.auto_renew) == (SubscriptionStatus.ACTIVE, False)

    def test_what_is_scheduled_happens_at_the_renewal(
        self, simulator: Simulator, connector: PartnerCenter
    ) -> None:
        account = open_account(connector).account
        one = bought(connector, account)
        wanted = NextTerm(*STANDARD, Term.P1Y, BillingCycle.ANNUAL, 7)

        scheduled = connector.change(account, one.reference, Change(next_term=wanted), key=uuid4())
        simulator.at("2026-03-10T00:00:00Z")
        renewed = connector.subscription(account, one.reference)

        assert scheduled.next_term == wanted
        assert (renewed.quantity, renewed.billing_cycle) == (7, BillingCycle.ANNUAL)
        assert (renewed.name, renewed.ends_on) == ("Microsoft 365 Business Standard", date(2027, 3, 10))
        assert renewed.next_term is None

    def test_any_change_of_seats_drops_what_was_scheduled(self, connector: PartnerCenter) -> None:
        account = open_account(connector).account
        one = bought(connector, account)
        wanted = NextTerm(*STANDARD, Term.P1Y, BillingCycle.ANNUAL, 7)
        connector.change(account, one.reference, Change(next_term=wanted), key=uuid4())

        changed = connector.change(account, one.reference, Change(quantity=11), key=uuid4())

        assert changed.next_term is None

    def test_all_seats_are_upgraded_in_place_and_some_into_a_new_subscription(
        self, connector: PartnerCenter
    ) -> None:
        account = open_account(connector).account
        one = bought(connector, account, line(STANDARD, 10))

        some = connector.upgrade(
            account, one.reference, Upgrade(*PREMIUM, 4, Term.P1Y, BillingCycle.MONTHLY), key=uuid4()
        )
        rest = connector.upgrade(
            account, one.reference, Upgrade(*PREMIUM, 6, Term.P1Y, BillingCycle.MONTHLY), key=uuid4()
        )

        assert some.is_done
        assert some.to_subscription != one.reference
        assert rest.to_subscription == one.reference
        found = {
            sub.reference: (sub.name, sub.quantity, sub.ends_on) for sub in connector.subscriptions(account)
        }
        assert found == {
            one.reference: ("Microsoft 365 Business Premium", 6, date(2026, 3, 10)),
            some.to_subscription: ("Microsoft 365 Business Premium", 4, date(2026, 3, 10)),
        }

    def test_nobody_upgrades_downwards(self, connector: PartnerCenter) -> None:
        account = open_account(connector).account
        one = bought(connector, account)

        with refusal_of("900258"):
            connector.upgrade(
                account, one.reference, Upgrade(*BASIC, 10, Term.P1Y, BillingCycle.MONTHLY), key=uuid4()
            )

    def test_who_was_slower_reads_again_and_overwrites_nothing(
        self, simulator: Simulator, connector: PartnerCenter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        account = open_account(connector).account
        one = bought(connector, account)
        read, others = connector._body_of, [20]

        def read_while_somebody_adds_seats(account: str, subscription: str) -> dict[str, object]:
            body = read(account, subscription)
            for quantity in others[:]:
                others.remove(quantity)
                simulator.tell(f"subscriptions/{subscription}", quantity=quantity)
            return body

        monkeypatch.setattr(connector, "_body_of", read_while_somebody_adds_seats)

        changed = connector.change(account, one.reference, Change(at_term_end=TermEnd.EXTEND), key=uuid4())

        assert (changed.quantity, changed.auto_renew) == (20, False)


def test_what_is_being_provisioned_is_busy(simulator: Simulator, connector: PartnerCenter) -> None:
    account = open_account(connector).account
    simulator.tell("provisioning", seconds=120)
    (order,) = buy(connector, account)
    one = connector.subscription(account, order.lines[0].subscription)

    assert order.status is OrderStatus.PENDING
    assert one.status is SubscriptionStatus.PENDING
    with pytest.raises(VendorBusy):
        connector.change(account, one.reference, Change(quantity=11), key=uuid4())
    simulator.tell("clock", seconds=120)
    assert connector.order_state(account, order.reference).status is OrderStatus.COMPLETED
    assert connector.change(account, one.reference, Change(quantity=11), key=uuid4()).quantity == 11


def test_the_vendor_asks_and_goes_on_when_it_is_answered(
    simulator: Simulator, connector: PartnerCenter
) -> None:
    account = open_account(connector).account
    simulator.disturb("ask", words="Is this a school?")

    (order,) = buy(connector, account)
    answered = connector.answer_order(account, order.reference, "No, a cannery.", key=uuid4())

    assert (order.status, order.words) == (OrderStatus.ASKING, "Is this a school?")
    assert answered.status is OrderStatus.COMPLETED
    assert connector.subscription(account, order.lines[0].subscription).status is SubscriptionStatus.ACTIVE


def test_a_term_nobody_renews_runs_on_by_the_month_since_may_2026(
    simulator: Simulator, connector: PartnerCenter
) -> None:
    simulator.at("2025-06-10T09:00:00Z")
    account = open_account(connector).account
    one = bought(connector, account)
    connector.change(account, one.reference, Change(at_term_end=TermEnd.EXTEND), key=uuid4())

    simulator.at("2026-06-10T00:00:00Z")
    extended = connector.subscription(account, one.reference)

    assert (extended.status, extended.term) == (SubscriptionStatus.ACTIVE, Term.P1M)
    assert extended.ends_on == date(2026, 7, 10)


def test_bills_come_page_by_page_and_add_up(simulator: Simulator, connector: PartnerCenter) -> None:
    account = open_account(connector).account
    one = bought(connector, account)
    for quantity in range(11, 80):
        connector.change(account, one.reference, Change(quantity=quantity), key=uuid4())

    simulator.at("2025-04-06T00:00:00Z")
    (bill,) = connector.invoices()
    lines = list(connector.bill_lines(bill.reference))

    assert (bill.reference, bill.invoiced_on, bill.currency) == ("G000202503", date(2025, 4, 6), "EUR")
    assert len(lines) == 139
    assert sum(Decimal(str(found["totalForCustomer"])) for found in lines) == bill.total
    kinds = [str(found["chargeType"]) for found in lines]
    assert kinds[:3] == ["new", "addQuantity", "addQuantity"]
    assert timedelta(days=30) == date.fromisoformat(str(lines[0]["chargeEndDate"])[:10]) - date(2025, 3, 10)
