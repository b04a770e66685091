"""Making the demonstration: every step is one a wholesaler's own staff could take, in their order."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from catalog.models import Plan, PriceList, Product, Sku
from catalog.operations.exchange_rates import import_fx_rates
from catalog.operations.price_lists import activate, import_price_list
from catalog.operations.products import OwnWords, change_product
from catalog.operations.promotions import add_promotion
from catalog.rules.promotions import PromotionTerms
from catalog.words import PriceListStatus, Segment, Term
from marketplace.accounts.models import User
from marketplace.accounts.operations.people import Party, create_user
from marketplace.billing.closing import close_period
from marketplace.billing.models import ChargeDifference, StatementLine
from marketplace.billing.questions import ask
from marketplace.billing.settling import settle_all
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.clock import utc_now
from marketplace.core.db import Database
from marketplace.core.period import Period
from marketplace.demo import firms, orders, past, price_lists, simulated_vendor, vendor_files
from marketplace.settings import Settings
from marketplace.subscriptions.rules.comparison import DifferenceKind
from marketplace.usage.operations import GivenFile, import_files
from resellers.imports.accounts import import_accounts
from resellers.imports.parties import import_customers, import_resellers
from resellers.imports.price_rules import import_price_rules
from resellers.models import Customer, Hop, Reseller, Wholesaler

#: For a demonstration on the reader's own machine; `demo` prints it.
PASSWORD = "a clear sky over Brest"  # noqa: S105
STAFF = Actor.system("Wanda Morel")
CLOSED_MONTHS = 3

Say = Callable[[str], None]


@dataclass(frozen=True)
class Person:
    """Somebody who can sign in to the demonstration."""

    email: str
    name: str
    audience: Audience
    role: str
    party: str = ""


PEOPLE = (
    Person("wanda@demo.example", "Wanda Morel", Audience.WHOLESALER, "finance"),
    Person("walter@demo.example", "Walter Kern", Audience.WHOLESALER, "administrator"),
    Person("rashid@demo.example", "Rashid Benali", Audience.RESELLER, "owner", "armor-it"),
    Person("rosa@demo.example", "Rosa Le Goff", Audience.RESELLER, "sales", "armor-it"),
    Person("carla@demo.example", "Carla Tanguy", Audience.CUSTOMER, "owner", "carnac-conserves"),
    Person("pavel@demo.example", "Pavel Novak", Audience.RESELLER, "owner", "rhone-cloud"),
)


def is_made(database: Database) -> bool:
    """Whether the demonstration is there already, whole."""
    with database.owner_transaction() as session:
        return session.scalar(select(User.id).where(User.email == PEOPLE[-1].email)) is not None


def make(database: Database, settings: Settings, *, today: date, say: Say) -> dict[str, Any]:
    """Make the demonstration as of a day; give the figures of the month that was closed last.

    People are made last: whoever can sign in finds everything there. Steps that were done before are harmless.
    """
    running = Period.of(today)
    closed = _months_before(running)
    say("firms, accounts, price rules, exchange rates")
    simulated_vendor.prepare(settings)
    _make_firms(database, closed=closed, running=running)
    say("price lists")
    _make_catalogue(database, settings, closed=closed, running=running)
    say("a year of subscriptions, at the simulated vendor")
    with database.owner_transaction() as session:
        orders.enrol(session, now=utc_now())
    past.make(database, settings, last=closed[-1], today=today)
    figures: dict[str, Any] = {}
    for number, month in enumerate(closed):
        say(f"vendor files of {month}")
        _deliver_month(database, settings, month)
        if number == CLOSED_MONTHS - 1:
            _deliver_late(database, settings, closed[0])
        say(f"the close of {month}")
        figures = _close(database, settings, month, approve=True)
        if number == 0:
            _settle_unknown(database)
    say("orders, carried out by the simulated vendor")
    orders.make(database, settings)
    if today.day > 1:
        say(f"usage of {running} so far")
        _deliver_running(database, settings, running, today)
        _close(database, settings, running, approve=False)
    say("people who can sign in")
    _make_people(database)
    return figures


def _settle_unknown(database: Database) -> None:
    """Decide once what becomes of subscriptions that the vendor bills and that are older than their histories here."""
    with database.transaction(STAFF) as session:
        unknown = select(ChargeDifference.public_id).where(ChargeDifference.kind == DifferenceKind.UNKNOWN)
        settle_all(
            session,
            actor=STAFF,
            differences=session.scalars(unknown).all(),
            note="Sold before this marketplace kept histories: billed on from Microsoft's lines.",
            now=utc_now(),
        )


def _months_before(running: Period) -> list[Period]:
    months = [running.previous()]
    while len(months) < CLOSED_MONTHS:
        months.insert(0, months[0].previous())
    return months


def _make_firms(database: Database, *, closed: Sequence[Period], running: Period) -> None:
    with database.transaction(STAFF) as session:
        wholesaler = session.get_one(Wholesaler, 1)
        wholesaler.legal_name, wholesaler.country = "Nuage Distribution", "FR"
        wholesaler.email, wholesaler.currency = "finance@demo.example", "EUR"
        for carry_out, name, content in (
            (import_resellers, "resellers.csv", firms.resellers_csv()),
            (import_customers, "customers.csv", firms.customers_csv()),
            (import_accounts, "accounts.csv", firms.accounts_csv(closed[0])),
            (
                import_price_rules,
                "rules.csv",
                firms.rules_csv(Period(closed[0].year - 2, closed[0].month), closed[-1]),
            ),
            (import_fx_rates, "fx.csv", firms.fx_csv(closed, running)),
        ):
            carry_out(session, actor=STAFF, file=name, content=content)


def _make_catalogue(
    database: Database, settings: Settings, *, closed: Sequence[Period], running: Period
) -> None:
    """Put price lists in force: the licences twice, since their prices rose with the running month."""
    with database.owner_transaction() as session:
        if session.scalar(select(exists(select(PriceList.id)))):
            return  # versions would be counted twice
    begun, risen = _midnight(closed[0].start - timedelta(days=730)), _midnight(running.start)
    newest = price_lists.licence_list(since=risen, is_newest=True)
    versions = (
        (begun, price_lists.licence_list(since=begun, is_newest=False)),
        (risen, newest),
    )
    for at, content in versions:
        for market in price_lists.MARKETS:
            _put_in_force(database, price_lists.MICROSOFT, "licences.csv", content, market=market, at=at)
    azure = price_lists.azure_sheet(since=begun)
    _put_in_force(database, price_lists.MICROSOFT, "azure_plan.csv", azure, market="FR", at=begun)
    backup = price_lists.backup_sheet(since=begun)
    _put_in_force(database, price_lists.BACKUP, "coffre.csv", backup, market="FR", at=begun)
    with database.transaction(STAFF) as session:
        import_price_list(
            session,
            actor=STAFF,
            vendor=price_lists.MICROSOFT,
            file="offer_matrix.csv",
            content=price_lists.offer_matrix(),
        )
        promotion = _promote(session, running)
        _categorise(session)
    simulated_vendor.sell(settings, price_lists.licence_history(begun=begun, risen=risen))
    simulated_vendor.promote(settings, promotion, terms=(Term.P1Y,))


def _categorise(session: Session) -> None:
    """Have the wholesaler put what it sells into families, which vendors' lists do not say."""
    for product in session.scalars(select(Product)).all():
        family = next((name for name in price_lists.FAMILIES if product.title.startswith(name)), "")
        if family:
            words = OwnWords(own_title="", own_category=family, is_listed=product.is_listed)
            change_product(session, actor=STAFF, product_id=product.public_id, words=words)


def _promote(session: Session, running: Period) -> PromotionTerms:
    """Have the vendor take something off a year of teamwork, for the first seats of a customer."""
    product = session.scalars(select(Product).where(Product.reference == price_lists.PROMOTED)).one()
    plans = session.scalars(
        select(Plan.public_id)
        .join(Sku, Sku.id == Plan.sku_id)
        .where(Sku.product_id == product.id, Plan.term == Term.P1Y.value, Sku.is_trial.is_(False))
    ).all()
    terms = PromotionTerms(
        reference=f"{price_lists.PROMOTED}:0002:39NFJQT1Q5KN",
        title="Business Premium 2026-27",
        percent=Decimal(15),
        starts_on=running.start,
        ends_on=running.next().next().next().start,
        segment=Segment.COMMERCIAL,
        maximum_quantity=300,
        is_first_purchase_only=True,
    )
    add_promotion(session, actor=STAFF, product_id=product.public_id, terms=terms, plan_ids=plans)
    return terms


def _put_in_force(
    database: Database, vendor: str, file: str, content: bytes, *, market: str, at: datetime
) -> None:
    with database.transaction(STAFF) as session:
        imported = import_price_list(
            session, actor=STAFF, vendor=vendor, file=file, content=content, market=market
        )
        if imported.price_list_id is not None and imported.status == PriceListStatus.DRAFT:
            activate(session, actor=STAFF, price_list_id=imported.price_list_id, now=at)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def _deliver_month(database: Database, settings: Settings, month: Period) -> None:
    usage = vendor_files.daily_usage(month, first=month.start, until=month.end)
    invoice = vendor_files.invoice_number(month)
    _deliver(
        database, settings, firms.AZURE, f"{invoice}_daily_usage.csv", vendor_files.as_csv("daily", usage)
    )
    licences = simulated_vendor.billed(settings, month, now=utc_now())
    lines = [{**row, "InvoiceNumber": invoice} for row in licences]
    bill = vendor_files.as_csv("bill", [*vendor_files.bill(month, usage), *lines])
    _deliver(database, settings, firms.AZURE, f"{invoice}_reconciliation.csv", bill, period=month)
    focus = vendor_files.as_csv("focus", vendor_files.focus(month, until=month.end))
    _deliver(database, settings, firms.AWS, f"focus-{month}.csv", focus)


def _deliver_late(database: Database, settings: Settings, month: Period) -> None:
    """Bring two days of a closed month once more: the vendor found usage it had not billed."""
    first = month.start + timedelta(days=11)
    late = vendor_files.daily_usage(month, first=first, until=first + timedelta(days=2))
    content = vendor_files.as_csv(
        "daily", [row for row in late if row["CustomerName"] == "Conserverie de Carnac"]
    )
    _deliver(database, settings, firms.AZURE, f"late_usage_{month}.csv", content, is_addition=True)


def _deliver_running(database: Database, settings: Settings, month: Period, today: date) -> None:
    """Bring the running month as it comes: a first file, then daily increments."""
    first_part = max(month.start + timedelta(days=1), today - timedelta(days=2))
    usage = vendor_files.daily_usage(month, first=month.start, until=first_part)
    _deliver(database, settings, firms.AZURE, f"unbilled_{month}.csv", vendor_files.as_csv("daily", usage))
    day = first_part
    while day < today:
        usage = vendor_files.daily_usage(month, first=day, until=day + timedelta(days=1))
        content = vendor_files.as_csv("daily", usage)
        _deliver(database, settings, firms.AZURE, f"unbilled_{day}.csv", content, is_addition=True)
        day += timedelta(days=1)
    focus = vendor_files.as_csv("focus", vendor_files.focus(month, until=today))
    _deliver(database, settings, firms.AWS, f"focus-{month}.csv", focus)


def _deliver(
    database: Database,
    settings: Settings,
    vendor: str,
    name: str,
    content: bytes,
    *,
    period: Period | None = None,
    is_addition: bool = False,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        import_files(
            database,
            settings,
            actor=STAFF,
            files=[GivenFile(path, name)],
            vendor=vendor,
            period=period,
            is_addition=is_addition,
        )


def _close(database: Database, settings: Settings, month: Period, *, approve: bool) -> dict[str, Any]:
    return close_period(
        database, settings, period=month, actor=STAFF, approve=approve, dry_run=False, now=utc_now()
    )


def _make_people(database: Database) -> None:
    with database.owner_transaction() as session:
        customer = _id_of(session, Customer, "carnac-conserves")
        reseller = _id_of(session, Reseller, "armor-it")
        carla = Actor("Carla Tanguy", Audience.CUSTOMER, party_id=customer, permissions=frozenset(Permission))
        rashid = Actor(
            "Rashid Benali", Audience.RESELLER, party_id=reseller, permissions=frozenset(Permission)
        )
        _ask(session, carla, Hop.RETAIL, "Is this the new server for the cold room?")
        _ask(session, rashid, Hop.WHOLESALE, "Did the price of this change in October?")
        for person in PEOPLE:
            create_user(
                session,
                actor=STAFF,
                party=_party(session, person),
                email=person.email,
                name=person.name,
                role=person.role,
                password=PASSWORD,
            )


def _ask(session: Session, asking: Actor, hop: Hop, text: str) -> None:
    """Put a question on the dearest line of the newest month."""
    charged = StatementLine.reseller_id if hop is Hop.WHOLESALE else StatementLine.customer_id
    line = session.scalar(
        select(StatementLine.id)
        .where(charged == asking.party_id, StatementLine.hop == hop)
        .order_by(StatementLine.period.desc(), StatementLine.amount_minor.desc())
        .limit(1)
    )
    if line is not None:
        ask(session, actor=asking, line_id=line, text=text)


def _party(session: Session, person: Person) -> Party:
    match person.audience:
        case Audience.WHOLESALER:
            return Party(person.audience)
        case Audience.RESELLER:
            return Party(person.audience, _id_of(session, Reseller, person.party))
        case Audience.CUSTOMER:
            return Party(person.audience, _id_of(session, Customer, person.party))


def _id_of(session: Session, table: type[Reseller | Customer], reference: str) -> int:
    return session.scalars(select(table.id).where(table.reference == reference)).one()
