"""What was paid of statements: whole or in part, by hand or from a file, once, with what is overdue apart."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from marketplace.billing.models import PeriodStatus, StatementPayment
from marketplace.core.cells import FaultyEntry, Unusable
from marketplace.core.csv_table import FaultyFile
from marketplace.core.errors import NotFound, NotPermitted
from marketplace.core.money import Money
from marketplace.orders.operations.settling import NothingChosen, import_payments, settle
from marketplace.orders.queries.exposure import debtor_called, owed_by, statements_of
from marketplace.orders.queries.unpaid import OpenStatement, open_statements
from marketplace.orders.rules.credit import Exposure
from marketplace.orders.rules.payments import amount_of, check_amount, read_payment
from resellers.models import Hop
from tests.orders.shop import NOW, TODAY, Shop, euros
from tests.statement_factories import make_line, make_period

HEAD = "statement,amount,paid_on\n"


class TestRules:
    """Rows and amounts."""

    @pytest.mark.parametrize(
        ("cells", "column"),
        [
            ({"statement": "x", "amount": "1", "paid_on": "2026-06-01"}, "statement"),
            ({"statement": str(uuid4()), "amount": "1,5", "paid_on": "2026-06-01"}, "amount"),
            ({"statement": str(uuid4()), "amount": "1", "paid_on": ""}, "paid_on"),
            ({"statement": str(uuid4()), "amount": "1", "paid_on": "2026-06-19"}, "paid_on"),
        ],
    )
    def test_a_row_that_cannot_be_used_names_its_column(self, cells: dict[str, str], column: str) -> None:
        with pytest.raises(FaultyEntry) as refused:
            read_payment(cells, today=TODAY)

        assert [row.column for row in refused.value.rows] == [column]

    @pytest.mark.parametrize(
        ("amount", "left", "words"),
        [
            (100, 100, ""),
            (1, 100, ""),
            (101, 100, "more than"),
            (0, 100, "above nought"),
            (-5, 100, "above nought"),
            (-5, -10, ""),
            (-11, -10, "more than"),
            (5, -10, "below nought"),
            (1, 0, "more than"),
        ],
    )
    def test_no_more_than_is_left_can_be_noted(self, amount: int, left: int, words: str) -> None:
        if not words:
            check_amount(Money(amount, "EUR"), left=Money(left, "EUR"))
            return
        with pytest.raises(Unusable, match=words):
            check_amount(Money(amount, "EUR"), left=Money(left, "EUR"))

    def test_an_amount_has_no_more_decimals_than_its_currency(self) -> None:
        assert amount_of(Decimal("12.50"), "EUR") == Money(1250, "EUR")
        with pytest.raises(Unusable, match="more decimals"):
            amount_of(Decimal("12.505"), "EUR")
        with pytest.raises(Unusable, match="more decimals"):
            amount_of(Decimal("12.5"), "JPY")


@pytest.fixture
def april(shop: Shop) -> str:
    """Give the id of a closed statement of 300, due on the second of June."""
    period = make_period(shop.session, "2026-04", status=PeriodStatus.CLOSED)
    period.closed_at = datetime(2026, 5, 3, 23, 59, tzinfo=UTC)
    line = make_line(shop.session, period="2026-04", hop=Hop.WHOLESALE, customer=shop.carla, amount="300")
    shop.session.flush()
    return str(line.statement_id)


def owed(shop: Shop, *, today: date = TODAY) -> Exposure:
    return owed_by(shop.session, debtor_called(shop.nord), today=today).exposure


def left(shop: Shop) -> list[OpenStatement]:
    wanted = statements_of(debtor_called(shop.nord))
    return list(open_statements(shop.session, wanted, today=TODAY, limit=10))


def take(shop: Shop, *rows: str, dry_run: bool = False) -> tuple[int, int]:
    content = (HEAD + "".join(f"{row}\n" for row in rows)).encode()
    done = import_payments(
        shop.session, actor=shop.wanda, file="settlements.csv", content=content, now=NOW, dry_run=dry_run
    )
    return done.added, done.unchanged


class TestOverdue:
    """What should have been paid by now."""

    @pytest.mark.parametrize(("day", "overdue"), [(date(2026, 6, 2), "0"), (date(2026, 6, 3), "300")])
    def test_it_is_told_apart_from_the_day_after_it_was_due(
        self, shop: Shop, april: str, day: date, overdue: str
    ) -> None:
        del april
        found = owed(shop, today=day)

        assert (found.unpaid, found.overdue) == (euros("300"), euros(overdue))
        assert found.total == euros("300")

    def test_terms_agreed_later_do_not_move_a_day_already_told(self, shop: Shop, april: str) -> None:
        del april
        shop.limit("5000", payment_days=90)
        assert owed(shop).overdue == euros("300")
        (one,) = left(shop)
        assert (one.due_on, one.is_overdue) == (date(2026, 6, 2), True)


class TestFiles:
    """Payments from a file."""

    def test_a_part_leaves_the_rest(self, shop: Shop, april: str) -> None:
        assert take(shop, f"{april},100.50,2026-06-10", f"{april},0.50,2026-06-10") == (2, 0)

        assert owed(shop).unpaid == euros("199")
        assert [one.left for one in left(shop)] == [euros("199")]

    def test_the_same_file_again_notes_nothing_twice(self, shop: Shop, april: str) -> None:
        take(shop, f"{april},100,2026-06-10")

        assert take(shop, f"{april},100,2026-06-10", f"{april},50,2026-06-11") == (1, 1)
        assert owed(shop).unpaid == euros("150")

    def test_one_faulty_row_and_nothing_is_noted(self, shop: Shop, april: str) -> None:
        with pytest.raises(FaultyFile) as refused:
            take(
                shop,
                f"{april},200,2026-06-10",
                f"{april},100.01,2026-06-11",
                f"{uuid4()},1,2026-06-11",
                f"{april},1.001,2026-06-11",
                "x,1,2026-06-11",
            )

        assert sorted((row.row, row.column) for row in refused.value.rows) == [
            (2, "amount"),
            (3, "statement"),
            (4, "amount"),
            (5, "statement"),
        ]
        assert owed(shop).unpaid == euros("300")

    def test_trying_it_saves_nothing(self, shop: Shop, april: str) -> None:
        assert take(shop, f"{april},100,2026-06-10", dry_run=True) == (1, 0)
        assert owed(shop).unpaid == euros("300")

    def test_open_months_cannot_be_paid(self, shop: Shop) -> None:
        make_period(shop.session, "2026-05", status=PeriodStatus.RATED)
        line = make_line(shop.session, period="2026-05", hop=Hop.WHOLESALE, customer=shop.carla, amount="300")
        with pytest.raises(FaultyFile, match="not final"):
            take(shop, f"{line.statement_id},100,2026-06-10")

    def test_a_payment_lets_a_held_order_go_on(self, shop: Shop, april: str) -> None:
        shop.limit("2000")
        order = shop.order(10)
        assert order.state == "awaiting_approval"

        take(shop, f"{april},280,{NOW.date() - timedelta(days=1)}")

        assert order.state == "provisioning"

    def test_only_those_who_keep_credit_note_payments(self, shop: Shop, april: str) -> None:
        with pytest.raises(NotPermitted):
            import_payments(
                shop.session, actor=shop.rashid, file="f", content=HEAD.encode() + april.encode(), now=NOW
            )


class TestByHand:
    """Ticking statements."""

    def test_what_is_left_is_noted_once_however_often_it_is_ticked(self, shop: Shop, april: str) -> None:
        take(shop, f"{april},100,2026-06-10")
        (one,) = left(shop)
        for _ in range(2):
            settle(shop.session, actor=shop.wanda, statement_ids=[one.id], now=NOW)

        paid = shop.session.scalar(select(func.sum(StatementPayment.amount_minor)))
        assert paid == 30000
        assert left(shop) == []

    def test_nothing_ticked_and_what_is_not_there_are_refused(self, shop: Shop) -> None:
        with pytest.raises(NothingChosen):
            settle(shop.session, actor=shop.wanda, statement_ids=[], now=NOW)
        with pytest.raises(NotFound):
            settle(shop.session, actor=shop.wanda, statement_ids=[uuid4()], now=NOW)
