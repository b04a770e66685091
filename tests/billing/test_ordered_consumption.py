"""Consumption that was ordered: what its account uses afterwards is on the customer's statement."""

from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from marketplace.billing.closing import close_period
from marketplace.core.actor import Actor
from marketplace.core.db import Database
from marketplace.core.period import Period
from marketplace.orders.operations.fulfilling import follow
from marketplace.settings import Settings
from marketplace.vendors.provisioning.operations import complete_by_hand
from tests.billing.lake import Usage, deliver
from tests.offer_factories import make_metered
from tests.orders.shop import NOW, SYSTEM, TODAY, open_shop


def test_what_is_used_after_the_order_is_billed_to_its_customer(
    database: Database, settings: Settings, lake: Path
) -> None:
    with database.owner_transaction() as session:
        shop = open_shop(session)
        carla = shop.carla.reference
        order = shop.order(1, plan=make_metered(session))
        (request,) = shop.requests(order)
        request.state = "by_hand"
        complete_by_hand(
            session,
            actor=shop.wanda,
            request_id=request.public_id,
            order="V-1",
            references={1: "coffre-7"},
            now=NOW,
        )
        follow(session, actor=SYSTEM, order_id=order.public_id, now=NOW)
        # One day before the order, when the account was nobody's, and two from it on.
        days = [TODAY - timedelta(days=1), TODAY, TODAY + timedelta(days=2)]
        rows = [
            Usage(account="coffre-7", day=day, cost="10", product="Backup by the gigabyte", unit="1 GB")
            for day in days
        ]
        deliver(session, lake, rows, vendor="backup", period="2026-06")

    close_period(
        database,
        settings,
        period=Period.of(date(2026, 6, 1)),
        actor=Actor.system(),
        approve=False,
        dry_run=False,
        now=datetime.combine(date(2026, 7, 5), NOW.timetz()),
    )

    with database.owner_transaction() as session:
        billed = session.execute(
            text(
                "SELECT c.reference, l.product, l.amount_minor FROM statement_line l "
                "JOIN statement s ON s.id = l.statement_id JOIN customer c ON c.id = s.customer_id "
                "WHERE l.hop = 'retail'"
            )
        ).all()
        # 20 at cost, plus ten and plus twenty percent; nothing for having it.
        assert [tuple(row) for row in billed] == [(carla, "Backup by the gigabyte", 2640)]
