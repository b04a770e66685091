"""A renewal from the reminder to the bill: mailed, answered behind the link, approved, renewed and charged."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from playwright.sync_api import expect
from sqlalchemy import select

from catalog.words import BillingCycle, Term
from marketplace.billing.charges import charges_billed
from marketplace.core.actor import Actor
from marketplace.core.period import Period
from marketplace.demo import simulated_vendor
from marketplace.demo.orders import customer_called, owner_of, plan_called
from marketplace.orders.models import Order, OrderLine
from marketplace.orders.operations.cart import put_in_cart
from marketplace.orders.operations.placing import submit
from marketplace.rating.proration import ChargeKind
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.operations.reminding import remind
from marketplace.subscriptions.operations.renewing import renew_due
from marketplace.subscriptions.rules.history import midnight
from tests.journeys.browser import Person
from tests.journeys.conftest import Server
from tests.journeys.mails import SECONDS_FOR_A_MAIL
from tests.journeys.test_ordering import is_well
from tests.journeys.test_vendor_asks import comes
from tests.journeys.world import ARMOR

CUSTOMER, SKU = "clinique-du-port", "CFQ7TTC0LDPB:0001"
SECONDS_TO_CARRY_OUT = 60
#: As browsers count: in milliseconds.
HOUR = 3_600_000
NOW = datetime.now(UTC)
SYSTEM = Actor.system("renewals")


def bought_a_year_ago(server: Server) -> UUID:
    """Have eleven months pass since the clinic bought 20 seats for a year, at the vendor too; give the subscription."""
    at = NOW - timedelta(days=345)
    simulated_vendor.set_clock(server.settings, at)
    with server.database.owner_transaction() as session:
        rashid = owner_of(session, ARMOR)
        cart = put_in_cart(
            session,
            actor=rashid,
            customer_id=customer_called(session, CUSTOMER).public_id,
            plan_id=plan_called(session, SKU, Term.P1Y, BillingCycle.ANNUAL).public_id,
            quantity=20,
        )
        order = submit(session, actor=rashid, order_id=cart.public_id, now=at)
        order_id = order.id
    deadline = time.monotonic() + SECONDS_TO_CARRY_OUT
    while time.monotonic() < deadline:
        with server.database.owner_transaction() as session:
            if session.get_one(Order, order_id).state == "completed":
                simulated_vendor.set_clock(server.settings, None)
                became = select(OrderLine.became_id).where(OrderLine.order_id == order_id)
                return session.scalars(
                    select(Subscription.public_id).where(Subscription.id == became.scalar_subquery())
                ).one()
        time.sleep(0.3)
    raise AssertionError("the order was not carried out")


def found(server: Server, subscription: UUID) -> Subscription:
    """Give the subscription as it is now."""
    with server.database.owner_transaction() as session:
        one = session.scalars(select(Subscription).where(Subscription.public_id == subscription)).one()
        session.expunge(one)
        return one


def mailed_link(server: Server, email: str) -> str:
    """Wait for the mail that asks about renewals, and give the link in it."""
    deadline = time.monotonic() + SECONDS_FOR_A_MAIL
    while time.monotonic() < deadline:
        for mail in server.settings.mail.glob("*.eml"):
            text = mail.read_text().replace("=\n", "")
            if f"To: {email}" in text and (link := re.search(r"/renew/[\w-]{43}", text)):
                return link[0]
        time.sleep(0.2)
    raise AssertionError(f"no mail to {email}")


def ticks(reader: Person, link: str) -> None:
    """Look on while time passes: what is left becomes less without anybody's doing."""
    reader.page.clock.install(time=NOW)
    reader.goes_to(link)
    left = reader.page.locator("[data-deadline-left]")
    expect(left).to_have_text(re.compile("dans (19|20) jours"))
    reader.page.clock.fast_forward(10 * 24 * HOUR)
    expect(left).to_have_text(re.compile("dans (9|10) jours"))
    reader.page.clock.fast_forward(11 * 24 * HOUR)
    expect(left).to_have_text("passé")


def test_a_customer_is_reminded_answers_and_is_charged_for_what_it_said(
    server: Server, sits_down: Callable[..., Person]
) -> None:
    subscription = bought_a_year_ago(server)
    end = found(server, subscription).term_end
    assert end is not None
    with server.database.owner_transaction() as session:
        remind(session, actor=SYSTEM, site_url=server.address, day=NOW.date(), now=NOW)
        email = customer_called(session, CUSTOMER).email

    link = mailed_link(server, email)
    ticks(sits_down(language="fr"), link)

    somebody = sits_down(language="fr")
    somebody.goes_to(link)
    somebody.reads("20 licences")
    is_well(somebody)
    somebody.page.get_by_label("Le renouveler avec un autre nombre de postes").check()
    somebody.page.locator("input[name^=seats-]").fill("15")
    somebody.page.locator("#name").fill("Solène Prigent")
    somebody.presses("Envoyer les réponses")
    somebody.reads("le renouveler avec 15 postes, Solène Prigent")

    rashid = sits_down("rashid@demo.example")
    rashid.goes_to(f"/renewals?period={end:%Y-%m}")
    row = rashid.row("Clinique du Port")
    expect(row).to_contain_text("renew it with 15 seats, Solène Prigent")
    expect(row).to_contain_text("Nobody yet")
    is_well(rashid)
    rashid.goes_to("/orders?state=awaiting_approval")
    rashid.row("Clinique du Port").get_by_role("link").first.click()
    rashid.presses("Approve")
    comes(rashid, rashid.page.locator(".page-actions").get_by_text("Completed"))
    rashid.goes_to(f"/renewals?period={end:%Y-%m}")
    expect(rashid.row("Clinique du Port")).to_contain_text("20 → 15 seats")
    expect(rashid.row("Clinique du Port")).to_contain_text("Customer")

    with server.database.owner_transaction() as session:
        renew_due(session, actor=SYSTEM, day=end, now=midnight(end))
    renewed = found(server, subscription)
    assert (renewed.quantity, renewed.term_start, renewed.decided_by) == (15, end, "")
    with server.database.owner_transaction() as session:
        (charge,) = [
            row.charge
            for row in charges_billed(session, Period.of(end))
            if row.sold.subscription == renewed.statement_id
        ]
    assert (charge.kind, charge.quantity, charge.start) == (ChargeKind.RENEW, 15, end)

    # Whoever comes back to the link is told that it is over.
    somebody.page.reload()
    somebody.reads("Plus rien ne peut être décidé ici")
