"""Every address × every persona × somebody else's object: whoever does not own it finds nothing there.

New pages are covered without a word here. A variable of a new name is filled by its type with an id that nobody has;
give it a provider in `theirs` where somebody else's real object can be named.
"""

from collections.abc import Callable
from decimal import Decimal
from http import HTTPStatus
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.models import Sku
from marketplace.accounts.models import Membership, Notification, UserSession
from marketplace.accounts.operations.notifying import notify_user
from marketplace.billing.models import Preview, Question, Statement, StatementLine, StatementPayment
from marketplace.core.actor import Audience
from marketplace.core.clock import utc_now
from marketplace.core.db import Database
from marketplace.core.errors import N_, Phrase
from marketplace.orders.models import Order, OrderApproval, OrderLine, OrderRule, Quote
from marketplace.settings import Settings
from marketplace.subscriptions.models import Subscription
from marketplace.vendors.models import ProvisioningRequest
from resellers.models import Hop, MarginFloor, PriceRule
from tests.architecture.routes import Route, routes
from tests.factories import make_customer, make_rule, make_subscription
from tests.offer_factories import make_plan, make_sku
from tests.order_factories import make_order
from tests.personas import (
    PERSONAS,
    PeopledSite,
    actor_called,
    begin_session,
    customer_called,
    reseller_called,
    sign_in,
    user_called,
)
from tests.statement_factories import make_line, make_period
from tests.vendor_factories import make_inquiry

NOTHING_THERE = HTTPStatus.NOT_FOUND
#: Where a page's own permission is missing: it is theirs by audience, not by role.
NOT_THEIR_ROLE = HTTPStatus.FORBIDDEN

Ids = dict[str, object]


#: For each variable's name, an object of Pavel's firm or of its customer Stella.
THEIRS: dict[str, Callable[[Session], object]] = {
    "reseller_id": lambda session: reseller_called(session, "sud").public_id,
    "customer_id": lambda session: customer_called(session, "stella-mills").public_id,
    "membership_id": lambda session: session.scalars(
        select(Membership.public_id).where(Membership.user_id == user_called(session, "pavel").id)
    ).one(),
    "session_id": lambda session: session.scalars(
        select(UserSession.public_id).where(UserSession.user_id == user_called(session, "pavel").id)
    ).first(),
    "notification_id": lambda session: session.scalars(select(Notification.public_id)).one(),
    "statement_id": lambda session: session.scalars(
        select(Statement.id).where(Statement.hop == "retail")
    ).first(),
    "payment_id": lambda session: session.scalars(select(StatementPayment.id)).first(),
    "line_id": lambda session: session.scalars(
        select(StatementLine.id).where(StatementLine.hop == "retail")
    ).first(),
    "question_id": lambda session: session.scalars(select(Question.public_id)).first(),
    "subscription_id": lambda session: session.scalars(select(Subscription.public_id)).first(),
    "inquiry_id": lambda session: session.scalars(select(ProvisioningRequest.public_id)).first(),
    "rule_id": lambda session: session.scalars(select(PriceRule.public_id)).first(),
    "order_id": lambda session: session.scalars(select(Order.public_id)).first(),
    "order_line_id": lambda session: session.scalars(select(OrderLine.public_id)).first(),
    "approval_id": lambda session: session.scalars(select(OrderApproval.public_id)).first(),
    "order_rule_id": lambda session: session.scalars(select(OrderRule.public_id)).first(),
    "quote_id": lambda session: session.scalars(select(Quote.public_id)).first(),
    # Goods are nobody's: what the shop does not show, nobody finds.
    "sku_id": lambda session: session.scalars(select(Sku.public_id)).first(),
    "metered_id": lambda session: session.scalars(select(Sku.public_id)).first(),
    "floor_id": lambda session: session.scalars(select(MarginFloor.public_id)).first(),
    "preview_id": lambda session: session.scalars(select(Preview.public_id)).first(),
    "period": lambda _session: "2024-09",
    "vendor_name": lambda _session: "microsoft",
}


@pytest.fixture
def theirs(site: PeopledSite) -> Ids:
    """Make everything of Pavel's, and nothing of anybody else's; give the ids by the variables' names."""
    begin_session(site.database, "pavel")
    pavel = actor_called(site.database, "pavel")
    with site.database.owner_transaction() as session:
        sud, stella = reseller_called(session, "sud"), customer_called(session, "stella-mills")
        make_period(session)
        line = make_line(session, hop=Hop.RETAIL, customer=stella)
        make_line(session, hop=Hop.WHOLESALE, customer=stella)
        session.add(
            StatementPayment(
                statement_id=line.statement_id,
                hop=line.hop,
                reseller_id=sud.id,
                customer_id=stella.id,
                amount_minor=1,
                paid_on=line.charge_from,
                noted_at=utc_now(),
            )
        )
        make_subscription(session, stella)
        make_rule(session, Hop.RETAIL, reseller=sud)
        session.add(MarginFloor(reseller_id=sud.id, soft_percent=Decimal(10), hard_percent=Decimal(0)))
        session.add(
            Question(
                period=line.period,
                line_id=line.id,
                hop=line.hop,
                reseller_id=sud.id,
                customer_id=stella.id,
                addressed_to="reseller",
                asked_by="Stella",
            )
        )
        session.add(
            Preview(
                key="k",
                audience="reseller",
                party_id=sud.id,
                user_id=pavel.user_id,
                asked_by="Pavel",
                permissions=[],
                kind="end_price",
                facts={},
                link="/rules/new",
                asked_at=utc_now(),
            )
        )
        make_inquiry(session, stella)
        make_order(session, stella, make_plan(session, make_sku(session, is_listed=False)))
        notify_user(
            session,
            user_id=pavel.user_id or 0,
            audience=Audience.RESELLER,
            party_id=sud.id,
            phrase=Phrase.of(N_("Somebody answered you.")),
        )
    with site.database.owner_transaction() as session:
        return {name: provide(session) for name, provide in THEIRS.items()}


@pytest.fixture
def site(settings: Settings, database: Database) -> PeopledSite:
    """The application, with forms taken without a token: what is tested is what lies behind it."""
    site = PeopledSite(settings, database)
    site.app.config["WTF_CSRF_ENABLED"] = False
    return site


def filled(route: Route, ids: Ids) -> tuple[str, bool]:
    """Give the address with somebody else's ids in it, and whether any of them is an object of somebody's."""
    address, names_an_object = route.rule, False
    for kind, name in route.variables:
        value = ids.get(name, {"uuid": uuid4(), "int": 999_999, "period": "2024-09"}.get(kind, "nobody"))
        names_an_object |= kind in {"uuid", "int"} and name != "percent"
        start = address.index("<")
        address = f"{address[:start]}{value}{address[address.index('>') + 1 :]}"
    return address, names_an_object


def browser_of(site: PeopledSite, persona: str) -> FlaskClient:
    """Sign in once for many addresses: one that ended the session would send the next to sign in, which fails."""
    client = site.app.test_client()
    sign_in(client, site.database, persona)
    return client


def answer(client: FlaskClient, route: Route, address: str) -> int:
    return int(client.open(address, method=route.method).status_code)


@pytest.mark.parametrize("persona", [name for name in PERSONAS if name not in {"pavel", "stella"}])
def test_somebody_elses_object_is_not_there(site: PeopledSite, theirs: Ids, persona: str) -> None:
    who = PERSONAS[persona]
    permissions = actor_called(site.database, persona).permissions
    # Staff may see everybody's objects: for them, those that are nobody's.
    ids: Ids = {"period": "2024-09"} if who.audience is Audience.WHOLESALER else theirs
    client = browser_of(site, persona)
    found = {}
    for route in routes(site.app):
        address, names_an_object = filled(route, ids)
        is_theirs = route.audience in {None, who.audience}
        if route.is_public or not names_an_object or not is_theirs:
            continue
        allowed = {NOTHING_THERE} if route.permission in permissions else {NOTHING_THERE, NOT_THEIR_ROLE}
        status = answer(client, route, address)
        if status not in allowed:
            found[f"{route} as {persona}"] = status

    assert found == {}


@pytest.mark.parametrize("persona", ["wanda", "rashid", "carla"])
def test_pages_of_another_audience_are_not_there(site: PeopledSite, theirs: Ids, persona: str) -> None:
    mine = PERSONAS[persona].audience
    client = browser_of(site, persona)
    found = {}
    for route in routes(site.app):
        if route.audience in {None, mine} or route.is_public:
            continue
        status = answer(client, route, filled(route, theirs)[0])
        goes_home = route.rule == "/" and status == HTTPStatus.FOUND
        if status != NOTHING_THERE and not goes_home:
            found[str(route)] = status

    assert found == {}


@pytest.mark.parametrize("persona", list(PERSONAS))
def test_what_the_role_does_not_allow_is_refused(site: PeopledSite, theirs: Ids, persona: str) -> None:
    permissions = actor_called(site.database, persona).permissions
    client = browser_of(site, persona)
    found = {}
    for route in routes(site.app):
        if route.audience is PERSONAS[persona].audience and route.permission not in permissions:
            status = answer(client, route, filled(route, theirs)[0])
            if status not in {NOT_THEIR_ROLE, NOTHING_THERE}:
                found[str(route)] = status

    assert found == {}


def test_visitors_are_sent_to_sign_in(site: PeopledSite, theirs: Ids) -> None:
    found = {}
    for route in routes(site.app):
        if route.is_public:
            continue
        response = site.app.test_client().open(filled(route, theirs)[0], method=route.method)
        if response.status_code != HTTPStatus.FOUND or not response.location.startswith("/sign-in"):
            found[str(route)] = response.status_code

    assert found == {}


def test_whoever_views_as_somebody_changes_nothing(site: PeopledSite, theirs: Ids) -> None:
    client = browser_of(site, "wanda")
    with site.database.owner_transaction() as session:
        sud = reseller_called(session, "sud").public_id
    begun = client.post(f"/admin/view-as/reseller/{sud}", data={"reason": "They asked about October"})
    assert begun.status_code == HTTPStatus.SEE_OTHER

    allowed = {"POST /sign-out", "POST /view-as/stop"}
    found = {}
    for route in routes(site.app):
        if not route.changes or str(route) in allowed:
            continue
        status = client.open(filled(route, theirs)[0], method=route.method).status_code
        if status != HTTPStatus.FORBIDDEN:
            found[str(route)] = status

    assert found == {}


def test_the_owner_opens_what_others_do_not_find(site: PeopledSite, theirs: Ids) -> None:
    """Else the tests above would pass on ids that nobody has."""
    assert all(isinstance(value, UUID | str | int) for value in theirs.values())
    opened = {
        "pavel": (
            "/users/{membership_id}",
            "/customers/{customer_id}",
            "/customer-statements/{statement_id}",
            "/lines/{line_id}",
            "/questions/{question_id}",
            "/rules/{rule_id}/end",
            "/vendor-questions/{inquiry_id}",
            "/subscriptions/{subscription_id}",
            "/orders/{order_id}",
            "/orders/{order_id}/quote",
        ),
        "stella": (
            "/portal/statements/{statement_id}",
            "/portal/lines/{line_id}",
            "/portal/questions/{question_id}",
            "/portal/subscriptions/{subscription_id}",
            "/portal/orders/{order_id}",
        ),
    }
    for persona, addresses in opened.items():
        client = browser_of(site, persona)
        for address in addresses:
            assert client.get(address.format(**theirs)).status_code == HTTPStatus.OK, address


def test_every_variable_in_a_partys_address_is_filled_with_somebodys_real_object(site: PeopledSite) -> None:
    """Else a new page would be tried with an id that nobody has, which nobody finds."""
    unknown = {
        name
        for route in routes(site.app)
        if route.audience is not Audience.WHOLESALER and not route.is_public
        for _kind, name in route.variables
        if name not in THEIRS
    }

    assert unknown == set()


@pytest.mark.parametrize("persona", ["carla", "victor"])
def test_another_customer_of_the_same_reseller_is_a_stranger_too(site: PeopledSite, persona: str) -> None:
    with site.database.owner_transaction() as session:
        nina = make_customer(session, "nina-forge", reseller=reseller_called(session, "nord"))
        make_period(session)
        line = make_line(session, hop=Hop.RETAIL, customer=nina)
        asked = ask_about(session, line)
        ids: Ids = {
            "statement_id": line.statement_id,
            "line_id": line.id,
            "question_id": asked.public_id,
            "customer_id": nina.public_id,
        }

    assert found_by(site, persona, ids) == {}


@pytest.mark.parametrize("persona", ["carla", "victor", "rosa"])
def test_what_the_own_reseller_buys_is_not_there_for_whom_it_is_not_meant(
    site: PeopledSite, persona: str
) -> None:
    """Carla's own usage, on the hop above hers; and salespeople, who do not see what their firm pays."""
    with site.database.owner_transaction() as session:
        make_period(session)
        line = make_line(session, hop=Hop.WHOLESALE, customer=customer_called(session, "carla-works"))
        asked = ask_about(session, line)
        ids: Ids = {
            "statement_id": line.statement_id,
            "line_id": line.id,
            "question_id": asked.public_id,
        }

    assert found_by(site, persona, ids) == {}


@pytest.mark.parametrize("persona", ["rashid", "fatou"])
def test_a_reseller_does_not_find_the_rules_it_buys_by(site: PeopledSite, persona: str) -> None:
    with site.database.owner_transaction() as session:
        rule = make_rule(session, Hop.WHOLESALE, reseller=reseller_called(session, "nord"))
        ids: Ids = {"rule_id": rule.public_id}

    assert found_by(site, persona, ids) == {}


@pytest.mark.parametrize("persona", ["rashid", "carla"])
def test_no_page_or_export_names_what_belongs_to_others(site: PeopledSite, theirs: Ids, persona: str) -> None:
    """Asked for plainly, and with their ids where lists take filters."""
    names = ("Sud Cloud", "stella-mills", "Stella", "Pavel")
    filters = "&".join(f"{name.removesuffix('_id')}={value}" for name, value in theirs.items())
    client = browser_of(site, persona)
    found = {}
    for route in routes(site.app):
        if route.method != "GET" or route.variables or route.audience is not PERSONAS[persona].audience:
            continue
        for query in ("", f"?{filters}", f"?format=csv&{filters}", "?format=csv"):
            text = client.get(f"{route.rule}{query}", buffered=True).get_data(as_text=True)
            if leaked := [name for name in names if name in text]:
                found[f"{route}{query}"] = leaked

    assert found == {}


def ask_about(session: Session, line: StatementLine) -> Question:
    """Put a question on a line, as its buyer would."""
    question = Question(
        period=line.period,
        line_id=line.id,
        hop=line.hop,
        reseller_id=line.reseller_id,
        customer_id=line.customer_id,
        addressed_to="wholesaler" if line.hop == Hop.WHOLESALE else "reseller",
        asked_by="Somebody",
    )
    session.add(question)
    session.flush()
    return question


def found_by(site: PeopledSite, persona: str, ids: Ids) -> dict[str, int]:
    """Give the addresses of a persona's shell that answer when filled with ids which must not be found."""
    permissions = actor_called(site.database, persona).permissions
    client = browser_of(site, persona)
    found = {}
    for route in routes(site.app):
        named = {name for _kind, name in route.variables}
        if (
            route.audience is not PERSONAS[persona].audience
            or not named
            or not named <= set(ids) | {"period"}
        ):
            continue
        allowed = {NOTHING_THERE} if route.permission in permissions else {NOTHING_THERE, NOT_THEIR_ROLE}
        status = answer(client, route, filled(route, {"period": "2024-09", **ids})[0])
        if status not in allowed:
            found[str(route)] = status
    return found
