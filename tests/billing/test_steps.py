"""The steps of a month: who may take them, when they are refused, and what a run that is refused leaves."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from marketplace.billing import periods
from marketplace.billing.closing import workshop
from marketplace.billing.jobs import rate as rating_job
from marketplace.billing.models import BillingPeriod, CloseRun
from marketplace.billing.rating_run import NothingToRate, begin, carry_out
from marketplace.billing.run_progress import RunCancelled
from marketplace.core.actor import Actor, Audience
from marketplace.core.db import Database
from marketplace.core.period import Period
from marketplace.rating.statements import round_document
from marketplace.settings import Settings
from resellers.models import Customer, Wholesaler
from tests.billing.conftest import NOW, Close
from tests.billing.lake import Usage, deliver
from tests.factories import make_customer, make_fx, make_mapping

SEPTEMBER, OCTOBER = Period.parse("2024-09"), Period.parse("2024-10")
SYSTEM = Actor.system()


@pytest.fixture
def customer(database: Database, lake: Path) -> Customer:
    """A customer with usage in September."""
    with database.owner_transaction() as session:
        customer = make_customer(session, "C1")
        make_mapping(session, customer=customer, account="a1", vendor="cloud")
        deliver(session, lake, [Usage(cost="1"), Usage(cost="2", product="Disk")])
    return customer


def take(step: Callable[..., Any], database: Database, period: Period, actor: Actor = SYSTEM) -> None:
    with database.owner_transaction() as session:
        if step is periods.reopen:
            step(session, period=period, actor=actor, reason="a mistake")
        else:
            step(session, period=period, actor=actor, now=NOW)


def add_usage(database: Database, lake: Path, cost: str, period: str = "2024-09", **about: Any) -> None:
    with database.owner_transaction() as session:
        deliver(session, lake, [Usage(cost=cost, **about)], period=period)


def billed(database: Database) -> str:
    """What was billed wholesale in all months, in minor units."""
    with database.owner_transaction() as session:
        query = "SELECT sum(amount_minor) FROM statement_line WHERE hop = 'wholesale'"
        return str(session.scalar(text(query)))


@pytest.mark.parametrize("step", [periods.approve, periods.close, periods.reopen])
@pytest.mark.usefixtures("customer")
def test_a_step_is_refused_while_a_close_is_at_work(
    database: Database, close: Close, step: Callable[..., Any]
) -> None:
    close()
    with database.engine.connect() as at_work:
        at_work.execute(text("SELECT pg_advisory_xact_lock(7202201)"))

        with pytest.raises(Exception, match="A close is running already"):
            take(step, database, SEPTEMBER)


@pytest.mark.usefixtures("customer")
def test_a_month_that_has_not_begun_is_a_slip_and_bills_no_differences(
    database: Database, lake: Path, close: Close
) -> None:
    close(approve=True)
    add_usage(database, lake, "5")

    with pytest.raises(NothingToRate, match="There is no usage for 2099-12"):
        close("2099-12", approve=True)

    assert billed(database) == "300"


@pytest.mark.usefixtures("customer")
def test_a_close_is_refused_in_words_while_another_is_at_work(database: Database, close: Close) -> None:
    with database.engine.connect() as at_work:
        at_work.execute(text("SELECT pg_advisory_xact_lock(7202201)"))

        with pytest.raises(Exception, match="A close is running already"):
            close()

    with database.owner_transaction() as session:
        assert session.scalars(select(CloseRun.status)).all() == ["refused"]


@pytest.mark.usefixtures("customer")
def test_what_a_reopened_month_bills_itself_no_later_month_bills_again(
    database: Database, lake: Path, close: Close
) -> None:
    close(approve=True)
    add_usage(database, lake, "0.50")
    add_usage(database, lake, "7", "2024-10")
    close("2024-10")
    take(periods.approve, database, OCTOBER)
    take(periods.reopen, database, SEPTEMBER)
    close("2024-09", approve=True)

    with pytest.raises(Exception, match="rate it again"):
        take(periods.close, database, OCTOBER)

    take(periods.reopen, database, OCTOBER)
    close("2024-10", approve=True)
    assert billed(database) == "1050"


@pytest.mark.usefixtures("customer")
def test_late_usage_is_billed_by_the_first_open_month_even_where_an_older_one_turns_up(
    database: Database, lake: Path, close: Close
) -> None:
    close(approve=True)
    add_usage(database, lake, "0.50")
    add_usage(database, lake, "7", "2024-10")
    add_usage(database, lake, "3", "2024-08")

    figures = close("2024-10", approve=True)

    assert figures["also_rated"] == ["2024-08"]
    assert billed(database) == "1350"


@pytest.mark.parametrize(("months_later", "period"), [(1, "2024-10"), (3, "2024-12"), (12, "2025-09")])
@pytest.mark.usefixtures("customer")
def test_usage_that_comes_late_is_billed_once_and_names_its_month(
    database: Database, lake: Path, close: Close, months_later: int, period: str
) -> None:
    month = SEPTEMBER
    for _ in range(months_later):
        close(str(month), approve=True)
        month = month.next()
        add_usage(database, lake, "1", str(month))
    closed = documents(database)
    add_usage(database, lake, "-1.25")

    assert str(month) == period
    close(period, approve=True)

    assert documents(database)[: len(closed)] == closed
    with database.owner_transaction() as session:
        query = (
            "SELECT period, amount_minor FROM statement_line WHERE corrects = 202409 AND hop = 'wholesale'"
        )
        assert [tuple(row) for row in session.execute(text(query))] == [(month.number, -125)]
    month = month.next()
    add_usage(database, lake, "1", str(month))
    close(str(month), approve=True)
    with database.owner_transaction() as session:
        query = "SELECT count(*) FROM statement_line WHERE corrects IS NOT NULL AND hop = 'wholesale'"
        assert session.scalar(text(query)) == 1


def documents(database: Database) -> list[str]:
    with database.owner_transaction() as session:
        query = "SELECT md5(l::text) FROM statement_line l ORDER BY period, id"
        return list(session.scalars(text(query)))


@pytest.mark.usefixtures("customer")
def test_months_that_nobody_closed_are_each_billed_once(database: Database, lake: Path, close: Close) -> None:
    for period in ("2024-10", "2024-12"):
        add_usage(database, lake, "5", period)

    figures = close("2024-12", approve=True)

    assert figures["also_rated"] == ["2024-09", "2024-10"]
    with database.owner_transaction() as session:
        query = "SELECT period, sum(total_minor) FROM statement WHERE hop = 'retail' GROUP BY 1 ORDER BY 1"
        found = [tuple(row) for row in session.execute(text(query))]
        assert found == [(202409, 300), (202410, 500), (202412, 500)]
        assert set(session.scalars(select(BillingPeriod.status))) == {"closed"}


@pytest.mark.usefixtures("customer")
def test_a_dry_run_leaves_nothing_behind(database: Database, close: Close) -> None:
    figures = close(dry_run=True)

    assert figures["totals"]["wholesale"] == {"EUR": "3.00"}
    with database.owner_transaction() as session:
        for table in ("close_run", "billing_period", "statement", "statement_line", "period_balance"):
            assert session.scalar(text(f"SELECT count(*) FROM {table}")) == 0


@pytest.mark.usefixtures("customer")
def test_who_started_it_may_not_approve_it_even_under_another_name(database: Database, close: Close) -> None:
    close()
    wanda = Actor(name="Wanda", audience=Audience.WHOLESALER, user_id=7)
    with database.owner_transaction() as session:
        session.get_one(Wholesaler, 1).four_eyes = True
        session.execute(text("UPDATE billing_period SET rated_by = 'Wanda', rated_by_id = 7"))
    renamed = Actor(name="Wanda Smith", audience=Audience.WHOLESALER, user_id=wanda.user_id)

    for same in (wanda, renamed):
        with pytest.raises(Exception, match="another person must approve"):
            take(periods.approve, database, SEPTEMBER, same)

    take(periods.approve, database, SEPTEMBER, Actor(name="Wanda", audience=Audience.WHOLESALER, user_id=8))
    with database.owner_transaction() as session:
        assert session.scalar(select(BillingPeriod.reviewed_by_id)) == 8


@pytest.mark.usefixtures("customer")
def test_rating_a_closed_month_is_refused_and_changes_nothing(
    database: Database, settings: Settings, close: Close
) -> None:
    close(approve=True)
    before = documents(database)
    with database.owner_transaction() as session:
        run_id = begin(session, period=SEPTEMBER, actor=SYSTEM).id

    rating_job(database, settings, run_id=run_id)

    assert documents(database) == before
    with database.owner_transaction() as session:
        run = session.get_one(CloseRun, run_id)
        assert run.status == "refused"
        assert run.error is not None
        assert run.error.startswith("2024-09 is closed:")


@pytest.mark.usefixtures("customer")
def test_where_an_earlier_month_is_refused_no_run_seems_to_go_on(
    database: Database, lake: Path, close: Close
) -> None:
    add_usage(database, lake, "5", "2024-10")
    with database.owner_transaction() as session:
        session.execute(text('UPDATE delivery_slice SET cost = \'{"EUR": "99"}\' WHERE period = 202409'))

    with pytest.raises(Exception, match="were imported and"):
        close("2024-10")

    with database.owner_transaction() as session:
        assert session.scalars(select(CloseRun.status)).all() == ["refused", "refused"]


@pytest.mark.usefixtures("customer")
def test_a_close_cancelled_while_it_prices_leaves_the_old_draft(
    database: Database, settings: Settings, lake: Path, close: Close, monkeypatch: pytest.MonkeyPatch
) -> None:
    close()
    before = documents(database)
    add_usage(database, lake, "5")
    with database.owner_transaction() as session:
        run_id = begin(session, period=SEPTEMBER, actor=SYSTEM).id

    def cancelled_meanwhile(*arguments: Any) -> Any:
        with database.owner_transaction() as session:
            run = session.get_one(CloseRun, run_id)
            if not run.cancel_requested:
                periods.cancel_run(session, run=run, actor=SYSTEM)
        time.sleep(0.7)
        return round_document(*arguments)

    monkeypatch.setattr("marketplace.billing.pricing.round_document", cancelled_meanwhile)
    with pytest.raises(RunCancelled):
        carry_out(database, run_id=run_id, workshop=workshop(settings), now=NOW)

    assert documents(database) == before
    with database.owner_transaction() as session:
        assert session.get_one(CloseRun, run_id).status == "cancelled"
    monkeypatch.undo()


def test_usage_of_another_vendor_with_the_same_invoice_number_is_not_lost(
    database: Database, lake: Path, close: Close
) -> None:
    with database.owner_transaction() as session:
        owner = make_customer(session, "C1")
        for vendor in ("east", "west"):
            make_mapping(session, customer=owner, account="a1", vendor=vendor)
            deliver(session, lake, [Usage(cost="10", invoice="G1", kind="reconciliation")], vendor=vendor)
        deliver(session, lake, [Usage(cost="9.99", invoice="G1", kind="daily")], vendor="east")

    figures = close()

    assert figures["totals"]["cost"] == {"EUR": "19.99"}
    assert figures["vendor_bill"] == {"EUR": "20.00"}
    assert figures["vendor_rounding"] == {"EUR": "0.01"}


def test_approval_waits_while_a_rate_is_missing_and_yen_and_dinars_have_their_own_decimals(
    database: Database, lake: Path, close: Close
) -> None:
    with database.owner_transaction() as session:
        for currency in ("JPY", "KWD"):
            owner = make_customer(session, currency, currency=currency)
            make_mapping(session, customer=owner, account=currency, vendor="cloud")
            deliver(session, lake, [Usage(account=currency, cost="1.0005", billing_account=currency)])
        make_fx(session, "160.5", source="EUR", target="JPY", month="2024-09")
    with pytest.raises(Exception, match=r"wait for an exchange rate \(EUR>KWD 2024-09\)"):
        close(approve=True)
    with database.owner_transaction() as session:
        assert session.scalar(
            select(func.count()).select_from(BillingPeriod).where(BillingPeriod.status == "rated")
        )
        make_fx(session, "0.333", source="EUR", target="KWD", month="2024-09")

    figures = close(approve=True)

    assert figures["totals"]["retail"] == {"JPY": "161", "KWD": "0.333"}
    assert figures["status"] == "closed"
