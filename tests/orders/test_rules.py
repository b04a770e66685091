"""What an order may become, who must approve it, and what credit it takes, as tables."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from catalog.words import BillingCycle, Term
from marketplace.accounts.roles import Role
from marketplace.core.actor import Audience
from marketplace.core.cells import FaultyEntry
from marketplace.core.languages import language_of_country
from marketplace.core.money import Money
from marketplace.orders.rules.approvals import (
    ApprovalRule,
    NotYourOwn,
    OrderFacts,
    SomebodyElseDecides,
    check_decider,
    is_needed,
    reasons,
)
from marketplace.orders.rules.bulk import BulkLine, read_line
from marketplace.orders.rules.credit import Exposure, Renewal, check
from marketplace.orders.rules.quotes import QuotedLine, QuoteState, by_cycle, state_of
from marketplace.orders.rules.seen import PriceChanged, ShownLine, as_text, check_unchanged, from_text
from marketplace.orders.rules.states import ENDED, TURNS, OrderHasMovedOn, check_turn, may_turn
from marketplace.orders.words import OrderKind, OrderState, Party
from tests.orders.shop import NOW, TODAY, euros, somebody

S = OrderState


class TestStates:
    """Which state may follow which."""

    @pytest.mark.parametrize(
        ("before", "after", "allowed"),
        [
            (S.DRAFT, S.QUOTED, True),
            (S.DRAFT, S.SUBMITTED, True),
            (S.DRAFT, S.PROVISIONING, False),
            (S.QUOTED, S.DRAFT, True),
            (S.QUOTED, S.QUOTED, True),
            (S.SUBMITTED, S.DRAFT, False),
            (S.SUBMITTED, S.AWAITING_APPROVAL, True),
            (S.SUBMITTED, S.SCHEDULED, True),
            (S.AWAITING_APPROVAL, S.REJECTED, True),
            (S.AWAITING_APPROVAL, S.COMPLETED, False),
            (S.SCHEDULED, S.CANCELLED, True),
            (S.PROVISIONING, S.CANCELLED, False),
            (S.PROVISIONING, S.FAILED, True),
            (S.FAILED, S.PROVISIONING, True),
            (S.COMPLETED, S.CANCELLED, False),
        ],
    )
    def test_turns(self, before: OrderState, after: OrderState, *, allowed: bool) -> None:
        assert may_turn(before.value, after) is allowed

    def test_every_state_says_where_it_leads_and_what_ended_stays_ended(self) -> None:
        assert set(TURNS) == set(OrderState)
        assert {state for state, into in TURNS.items() if not into} == ENDED

    def test_a_turn_that_is_not_possible_names_the_state(self) -> None:
        with pytest.raises(OrderHasMovedOn, match="awaiting approval by now"):
            check_turn("awaiting_approval", S.COMPLETED)


THOUSAND = euros("1000")


def facts(
    kind: OrderKind = OrderKind.PURCHASE,
    *,
    audience: Audience = Audience.RESELLER,
    role: str = "sales",
    wholesale: Money | None = THOUSAND,
) -> OrderFacts:
    return OrderFacts(kind, audience, role, wholesale, euros("1500"))


W, R = Party.WHOLESALER, Party.RESELLER


class TestApprovals:
    """Who must approve what."""

    @pytest.mark.parametrize(
        ("rule", "order", "needed"),
        [
            (ApprovalRule(W), facts(), True),
            (ApprovalRule(W, above=euros("999.99")), facts(), True),
            (ApprovalRule(W, above=euros("1000")), facts(), False),
            # The reseller's rules look at what its customer commits to.
            (ApprovalRule(R, above=euros("1200")), facts(), True),
            (ApprovalRule(R, above=euros("1500")), facts(), False),
            (ApprovalRule(W, kind=OrderKind.CANCEL), facts(), False),
            (ApprovalRule(W, kind=OrderKind.CANCEL), facts(OrderKind.CANCEL), True),
            (ApprovalRule(R, role="sales"), facts(), True),
            (ApprovalRule(R, role="sales"), facts(role="owner"), False),
            # What cannot be compared is looked at by a person.
            (ApprovalRule(W, above=Money(10**9, "USD")), facts(), True),
            (ApprovalRule(W, above=euros("5000")), facts(wholesale=None), True),
            # What the wholesaler orders itself is not the reseller's to approve.
            (ApprovalRule(R), facts(audience=Audience.WHOLESALER), False),
        ],
    )
    def test_rules(self, rule: ApprovalRule, order: OrderFacts, *, needed: bool) -> None:
        assert is_needed(rule, order) is needed

    def test_each_party_approves_once_however_many_rules_ask(self) -> None:
        rules = [ApprovalRule(W, above=euros("10")), ApprovalRule(W), ApprovalRule(R, role="sales")]

        found = reasons(rules, facts())

        assert {party: str(words) for party, words in found.items()} == {
            W: "Every order above 10.00 EUR",
            R: "Every order ordered by sales",
        }

    def test_nobody_approves_their_own(self) -> None:
        rashid = somebody("Rashid", Audience.RESELLER, Role.OWNER, 1, user_id=7)

        check_decider(rashid, R, placed_by_id=8)
        with pytest.raises(NotYourOwn):
            check_decider(rashid, R, placed_by_id=7)
        with pytest.raises(SomebodyElseDecides):
            check_decider(rashid, W, placed_by_id=8)
        with pytest.raises(SomebodyElseDecides):
            check_decider(somebody("Rosa", Audience.RESELLER, Role.SALES, 1), R, placed_by_id=8)


def exposure(unpaid: str = "0", unbilled: str = "0", committed: str = "0", ordered: str = "0") -> Exposure:
    return Exposure(euros(unpaid), euros(unbilled), euros(committed), euros(ordered), euros("0"))


def days(number: int) -> date:
    return TODAY + timedelta(days=number)


class TestCredit:
    """Everything that is owed and will be, against a limit."""

    @pytest.mark.parametrize(
        ("owed", "order", "limit", "within", "missing"),
        [
            (exposure(), "100", "100", True, "0"),
            (exposure(), "100.01", "100", False, "0.01"),
            (exposure("10", "20", "30", "39"), "1", "100", True, "0"),
            (exposure("10", "20", "30", "39"), "2", "100", False, "1"),
            (exposure("500"), "0", "100", True, "0"),
            (exposure("500"), "-5", "100", True, "0"),
            (exposure("500"), "1", None, True, "0"),
        ],
    )
    def test_an_order_is_within_the_limit_or_names_what_is_missing(
        self, owed: Exposure, order: str, limit: str | None, missing: str, *, within: bool
    ) -> None:
        found = check(owed, euros(order), limit=euros(limit) if limit else None, today=TODAY)

        assert found.is_within is within
        assert found.missing == euros(missing)

    @pytest.mark.parametrize(
        ("owed", "daily", "renewals", "crossed_on"),
        [
            ("1001", None, [], TODAY),
            ("1000", None, [], None),
            # 400 are left at 100 a day: the fifth day takes the last and more.
            ("600", "100", [], days(5)),
            ("600", None, [(30, "400")], None),
            ("600", None, [(30, "400.01")], days(30)),
            # Ten days of 10 leave 300 before the renewal, 50 after it.
            ("600", "10", [(10, "250")], days(16)),
            ("0", "1", [], None),
            # A renewal that is past, or too far ahead, tells nothing.
            ("900", None, [(-1, "500"), (400, "500")], None),
        ],
    )
    def test_the_day_a_limit_would_be_crossed(
        self, owed: str, daily: str | None, renewals: list[tuple[int, str]], crossed_on: date | None
    ) -> None:
        found = check(
            exposure(owed),
            euros("0"),
            limit=euros("1000"),
            today=TODAY,
            renewals=[Renewal(days(day), euros(amount)) for day, amount in renewals],
            daily=euros(daily) if daily else None,
        )

        assert found.crossed_on == crossed_on


class TestWhatWasSeen:
    """Nobody buys at a price they were not shown."""

    def test_it_comes_back_from_the_form_as_it_went(self) -> None:
        shown = {uuid4(): ShownLine(3, euros("9.90"), euros("12")), uuid4(): ShownLine(1, None, euros("-5"))}

        assert from_text(as_text(shown)) == shown

    def test_another_price_is_refused_with_both(self) -> None:
        line = uuid4()
        seen = {line: ShownLine(10, None, euros("198"))}
        now = {line: ShownLine(10, None, euros("220"))}

        with pytest.raises(PriceChanged) as refused:
            check_unchanged(seen, now, names={line: "Microsoft 365"})

        row = refused.value.rows[0]
        assert (row.column, row.value) == ("Microsoft 365", "10 × 198.00 EUR")
        assert row.reason == "is 10 × 220.00 EUR now"

    def test_a_line_that_came_or_went_is_refused(self) -> None:
        one, other = uuid4(), uuid4()
        line = ShownLine(1, None, euros("1"))

        check_unchanged({one: line}, {one: line}, names={})
        for seen, now in (({one: line, other: line}, {one: line}), ({one: line}, {one: line, other: line})):
            with pytest.raises(PriceChanged):
                check_unchanged(seen, now, names={})


class TestQuotes:
    """What became of a quote."""

    @pytest.mark.parametrize(
        ("accepted", "declined", "withdrawn", "until", "state"),
        [
            (False, False, False, TODAY, QuoteState.OPEN),
            (False, False, False, TODAY - timedelta(days=1), QuoteState.EXPIRED),
            (True, False, False, TODAY - timedelta(days=1), QuoteState.ACCEPTED),
            (False, True, False, TODAY, QuoteState.DECLINED),
            (False, False, True, TODAY, QuoteState.WITHDRAWN),
            (True, False, True, TODAY, QuoteState.ACCEPTED),
        ],
    )
    def test_states(
        self, until: date, state: QuoteState, *, accepted: bool, declined: bool, withdrawn: bool
    ) -> None:
        found = state_of(
            accepted_at=NOW if accepted else None,
            declined_at=NOW if declined else None,
            withdrawn_at=NOW if withdrawn else None,
            valid_until=until,
            today=TODAY,
        )

        assert found is state


class TestPapers:
    """In which language a quote is written, and what a charge of it comes to."""

    @pytest.mark.parametrize(
        ("country", "language"),
        [("FR", "fr"), ("BE", "fr"), ("CH", "fr"), ("CA", "en"), ("GB", "en"), ("DE", "en"), ("", "en")],
    )
    def test_a_country_has_a_language_we_speak(self, country: str, language: str) -> None:
        assert language_of_country(country, known=("en", "fr"), otherwise="en") == language

    def test_charges_are_added_up_by_how_often_they_come(self) -> None:
        def line(cycle: str, charge: str) -> QuotedLine:
            return QuotedLine(
                product="P",
                term="P1Y",
                billing_cycle=cycle,
                unit="seat",
                quantity=1,
                unit_price=Decimal(charge),
                charge=euros(charge),
                commitment=euros(charge),
                term_end=None,
            )

        lines = [line("monthly", "10"), line("annual", "100"), line("monthly", "2.50")]
        assert by_cycle(lines) == [("monthly", euros("12.50")), ("annual", euros("100"))]


class TestBulkRows:
    """Rows of an order file."""

    def test_a_row_is_read(self) -> None:
        cells = {
            "customer": "carla",
            "sku": "CFQ7TTC0LH18:0001",
            "term": "p1y",
            "billing_cycle": "Monthly",
            "quantity": "25",
            "po_number": "PO-1",
        }

        assert read_line(cells) == BulkLine(
            "carla", "CFQ7TTC0LH18:0001", Term.P1Y, BillingCycle.MONTHLY, 25, "PO-1"
        )

    @pytest.mark.parametrize("quantity", ["0", "-1", "1.5", "", "many", "9999999999", "٣"])
    def test_a_quantity_is_a_whole_number_of_at_least_one(self, quantity: str) -> None:
        cells = {
            "customer": "c",
            "sku": "a:b",
            "term": "P1M",
            "billing_cycle": "monthly",
            "quantity": quantity,
        }

        with pytest.raises(FaultyEntry) as refused:
            read_line(cells)

        assert [row.column for row in refused.value.rows] == ["quantity"]

    def test_every_faulty_cell_is_named(self) -> None:
        with pytest.raises(FaultyEntry) as refused:
            read_line({"term": "P2Y", "billing_cycle": "weekly", "quantity": "3", "customer": "", "sku": ""})

        assert [row.column for row in refused.value.rows] == ["customer", "sku", "term", "billing_cycle"]
