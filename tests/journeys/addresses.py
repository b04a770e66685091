"""Every page there is, with an object of the reader's own in its address."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.models import Plan, PriceList, Product, Promotion, Sku
from marketplace.accounts.models import Membership, OutgoingMail, User
from marketplace.accounts.operations.password_change import ask_for_reset
from marketplace.accounts.roles import Role, permissions_of
from marketplace.billing.models import (
    PeriodBalance,
    Question,
    QuestionMessage,
    StatementLine,
    StatementPayment,
)
from marketplace.billing.questions import ask
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.audit import AuditEntry
from marketplace.core.clock import utc_now
from marketplace.core.period import Period
from marketplace.demo.make import STAFF
from marketplace.demo.price_lists import PROMOTED
from marketplace.orders.models import Order
from marketplace.orders.operations.cart import put_in_cart
from marketplace.orders.operations.quoting import make_quote
from marketplace.orders.operations.settling import note_payment
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.operations.renewal_links import ask_customers
from marketplace.usage.models import Delivery
from marketplace.vendors.models import ProvisioningRequest
from resellers.models import (
    AccountMapping,
    Customer,
    Hop,
    PriceRule,
    PriceRuleScope,
    Reseller,
    ResellerApplication,
)
from resellers.operations.applications import add_document, ask_for_more, begin_application, submit
from resellers.operations.floors import set_floor
from resellers.rules.floors import Floor
from resellers.words import DocumentKind
from tests.architecture.routes import STORED
from tests.factories import make_charge_difference, make_subscription
from tests.journeys.world import ARMOR, CARNAC, World
from tests.offer_factories import make_promotion
from tests.vendor_factories import make_inquiry, make_outside_change, make_request

#: Files, JSON and fragments of a page: nobody looks at them by themselves.
NO_PAGES = {
    "/admin/gallery/job/<int:percent>",
    "/admin/imports/<uuid:delivery_id>/progress",
    "/admin/imports/<uuid:delivery_id>/rejects.csv",
    "/admin/applications/<uuid:application_id>/documents/<uuid:document_id>",
    "/admin/credit/<uuid:reseller_id>/settlements.csv",
    "/admin/palette",
    "/admin/price-lists/<uuid:list_id>/rejects.csv",
    "/at/<string:firm>",
    "/at/<string:firm>/<path:page>",
    "/brand/<uuid:brand_id>/accent.css",
    "/brand/<uuid:brand_id>/logo",
    "/firm/brand/accent",
    "/admin/periods/<period:period>/run",
    "/admin/statements/<period:period>/download",
    "/admin/previews/<uuid:preview_id>",
    "/admin/suggestions/<string:name>",
    "/owed/focus",
    "/palette",
    "/previews/<uuid:preview_id>",
    "/portal/palette",
    "/portal/statements/focus",
    *(f"{shell}/orders/<uuid:order_id>/quotes/<uuid:quote_id>/paper" for shell in ("", "/admin", "/portal")),
    "/quotes/<string(length=43):token>/paper",
}
#: Pages that want a query to show anything, and the views of one page that look unlike each other.
QUERIES = {
    "/admin/unmapped/account": ["?vendor=microsoft&account=7d1c0a52-90aa-4b61-9e0d-0000000000ff"],
    "/owed": ["", "?by=product", "?by=day", "?by=line"],
    "/consumption": ["", "?prices=wholesale"],
    "/customers": ["?q=nobody"],
}
CLOSED = Period(2025, 11)
READERS = {
    "walter@demo.example": "/admin/",
    "rashid@demo.example": "/",
    "carla@demo.example": "/portal/",
    "": "",
}
_PUBLIC = ("/sign-in", "/forgotten-password", "/set-password/", "/apply", "/quotes/", "/renew/")
_SHARED = ("/account/", "/help")


def pages_of(email: str, ids: dict[str, str]) -> list[str]:
    """Give the addresses of a reader's pages; shared ones are read by Rashid, public ones by a visitor."""
    return [address for rule in _rules() if _reader_of(rule) == email for address in _filled(rule, ids)]


def _rules() -> list[str]:
    lines = (line.split(" ", 1) for line in STORED.read_text().splitlines())
    return [rule for method, rule in lines if method == "GET" and rule not in NO_PAGES]


def _reader_of(rule: str) -> str:
    if rule.startswith(_PUBLIC):
        return ""
    for email, start in READERS.items():
        if email and start != "/" and rule.startswith(start):
            return email
    return "rashid@demo.example"


def _filled(rule: str, ids: dict[str, str]) -> list[str]:
    prefix = rule.split("/")[1] if rule.startswith(("/admin", "/portal")) else "storefront"
    address = rule
    while "<" in address:
        start, end = address.index("<"), address.index(">")
        name = address[start + 1 : end].rpartition(":")[2]
        key = f"{prefix}:{_subject(rule, name)}"
        address = f"{address[:start]}{ids[key]}{address[end + 1 :]}"
    return [f"{address}{query}" for query in QUERIES.get(rule, [""])]


def _subject(rule: str, name: str) -> str:
    """Tell apart what shares a variable's name."""
    if rule.startswith("/apply"):
        return f"application {name}"
    if rule.startswith("/quotes/"):
        return "quote token"
    if rule.startswith("/renew/"):
        return "renewal token"
    if name == "row_id":
        return f"row of {rule.split('/')[2]}"
    if name == "statement_id" and rule.startswith("/customer-statements"):
        return "sold statement_id"
    return name


def _own_floor(session: Session, reseller: Reseller) -> UUID:
    """Set a floor of the reseller's own."""
    owner = Actor(
        "Rashid",
        Audience.RESELLER,
        reseller.id,
        permissions=permissions_of(Audience.RESELLER, Role.OWNER),
    )
    return set_floor(session, actor=owner, vendor="", floor=Floor(Decimal(0), Decimal(-50))).public_id


def _renamed(session: Session) -> UUID:
    """Have the vendor rename the product that the demonstration promotes."""
    product = session.scalars(select(Product).where(Product.reference == PROMOTED)).one()
    product.vendor_title = "Microsoft 365 Business Premium (EU)"
    return product.public_id


def _floor(session: Session) -> UUID:
    """Set a floor of margins: the demonstration has none."""
    floor = Floor(Decimal(5), Decimal(0))
    return set_floor(session, actor=Actor.system(), vendor="", floor=floor).public_id


#: The token of the link to an application that waits for its applicant.
APPLICANTS_LINK = "a-private-link-of-somebody-who-applies-0000"


def _sent_application(session: Session) -> ResellerApplication:
    """Make an application that was sent, with everything asked for and a question to its applicant."""
    now = utc_now()
    found = begin_application(
        session,
        public_id=uuid4(),
        token=APPLICANTS_LINK,
        cells={
            "legal_name": "Alizés Numérique SAS",
            "country": "FR",
            "registration_number": "732829320",
            "currency": "EUR",
            "vendor": "microsoft",
            "programme": "indirect_reseller",
            "owner_name": "Aline Le Goff",
            "owner_email": "aline@alizes.example",
            "billing_name": "Bruno Petit",
            "billing_email": "bruno@alizes.example",
        },
        locale="fr",
        now=now,
    )
    add_document(
        session,
        application=found,
        kind=DocumentKind.REGISTRATION,
        name="kbis.pdf",
        content=b"%PDF-1.7",
        now=now,
    )
    submit(session, application=found, now=now)
    ask_for_more(session, actor=STAFF, application_id=found.public_id, text="IBAN : FR76 …", now=now)
    return found


def _difference(session: Session) -> UUID:
    """Make a difference of a licence: the demonstration has none."""
    return make_charge_difference(session, period=CLOSED).public_id


def ids_of(world: World) -> dict[str, str]:
    """Give an id for each variable of each shell's addresses: objects of Armor IT and its customer in Carnac."""
    with world.database.owner_transaction() as session:
        reseller = session.scalars(select(Reseller).where(Reseller.reference == ARMOR)).one()
        customer = session.scalars(select(Customer).where(Customer.reference == CARNAC)).one()
        of_customer = (StatementLine.customer_id == customer.id, StatementLine.period == CLOSED.number)
        bought, sold = (
            session.scalars(select(StatementLine).where(*of_customer, StatementLine.hop == hop.value)).first()
            for hop in (Hop.WHOLESALE, Hop.RETAIL)
        )
        assert bought is not None
        assert sold is not None
        bought_for = make_subscription(session, customer)
        application = _sent_application(session)
        rule = select(PriceRule.public_id).join(PriceRuleScope, PriceRuleScope.id == PriceRule.scope_id)
        found = {
            "admin:application_id": application.public_id,
            "storefront:application token": APPLICANTS_LINK,
            "admin:row of accounts": session.scalar(select(AccountMapping.public_id)),
            "admin:row of rules": session.scalar(rule.where(PriceRule.valid_until.is_(None))),
            "admin:customer_id": customer.public_id,
            "admin:reseller_id": reseller.public_id,
            "admin:delivery_id": session.scalar(
                select(Delivery.public_id).where(Delivery.status == "current").order_by(Delivery.id)
            ),
            "admin:number": 1,
            "admin:row": 2,
            "admin:line_id": bought.id,
            "admin:period": CLOSED,
            "admin:question_id": _asked(session, reseller, bought.id),
            "admin:balance_id": session.scalar(
                select(PeriodBalance.id).where(PeriodBalance.period == CLOSED.number)
            ),
            "admin:difference_id": _difference(session),
            "admin:request_id": make_request(
                session, customer, "failed", error="Ask again tomorrow."
            ).public_id,
            "admin:vendor_name": "microsoft",
            **{
                f"{shell}:subscription_id": bought_for.public_id
                for shell in ("admin", "storefront", "portal")
            },
            "admin:product_id": _renamed(session),
            "admin:list_id": session.scalar(
                select(PriceList.public_id).where(PriceList.market == "FR", PriceList.version == 2)
            ),
            "admin:floor_id": _floor(session),
            "admin:statement_id": bought.statement_id,
            "admin:payment_id": _paid(session, bought.statement_id, STAFF),
            "admin:promotion_id": session.scalar(select(Promotion.public_id)),
            "admin:membership_id": _member(session, "wanda@demo.example"),
            "storefront:vendor_name": "microsoft",
            "storefront:statement_id": bought.statement_id,
            "storefront:sold statement_id": sold.statement_id,
            "storefront:payment_id": _paid(session, sold.statement_id, as_rashid(session)),
            "storefront:customer_id": customer.public_id,
            "storefront:line_id": bought.id,
            "storefront:question_id": session.scalar(
                select(Question.public_id).where(Question.addressed_to == "reseller")
            ),
            "storefront:inquiry_id": make_inquiry(session, customer).public_id,
            "storefront:floor_id": _own_floor(session, reseller),
            "storefront:rule_id": session.scalar(rule.where(PriceRuleScope.reseller_id == reseller.id)),
            "storefront:membership_id": _member(session, "rosa@demo.example"),
            "storefront:token": _link(session, "pavel@demo.example"),
            "portal:statement_id": sold.statement_id,
            "portal:line_id": sold.id,
            "portal:question_id": session.scalar(
                select(Question.public_id).where(Question.addressed_to == "reseller")
            ),
            "storefront:renewal token": _renewal_link(session, bought_for),
            "portal:membership_id": _member(session, "victor@demo.example"),
        }
        make_outside_change(session, customer)
        found |= _to_buy(session, customer)
    assert None not in found.values(), found
    return {name: str(value) for name, value in found.items()}


def written_by_people(world: World) -> set[str]:
    """Give what somebody wrote, in whatever language: questions, answers and reasons."""
    with world.database.owner_transaction() as session:
        texts = [
            *session.scalars(select(QuestionMessage.text)),
            *session.scalars(select(AuditEntry.reason)),
            *session.scalars(select(ProvisioningRequest.question)),
            *session.scalars(select(ProvisioningRequest.answer)),
            *session.scalars(select(ProvisioningRequest.error).where(ProvisioningRequest.error.is_not(None))),
        ]
    return {str(text) for text in texts} - {""}


def _asked(session: Session, reseller: Reseller, line_id: UUID) -> UUID:
    rashid = Actor(
        "Rashid Benali", Audience.RESELLER, party_id=reseller.id, permissions=frozenset(Permission)
    )
    return ask(session, actor=rashid, line_id=line_id, text="Why this much?").public_id


def _paid(session: Session, statement_id: UUID, actor: Actor) -> int | None:
    """Note a part of what is owed on a statement."""
    now = utc_now()
    note_payment(
        session, actor=actor, statement_id=statement_id, amount=Decimal(1), paid_on=now.date(), now=now
    )
    return session.scalar(select(StatementPayment.id).where(StatementPayment.statement_id == statement_id))


def _renewal_link(session: Session, subscription: Subscription) -> str:
    """Ask the customer about a renewal; give the token of the link that is mailed."""
    ask_customers(
        session,
        actor=STAFF,
        subscription_ids=[subscription.public_id],
        site_url="",
        now=utc_now(),
    )
    mail = session.scalars(select(OutgoingMail).where(OutgoingMail.link.startswith("/renew/"))).one()
    return mail.link.removeprefix("/renew/")


def _to_buy(session: Session, customer: Customer) -> dict[str, Any]:
    """Give an offer, the customer's cart, an order of it that stands, and the link of a quote."""
    sku, plan = session.execute(
        select(Sku.public_id, Plan.public_id)
        .join(Plan, Plan.sku_id == Sku.id)
        .join(Product, Product.id == Sku.product_id)
        .where(Product.reference == PROMOTED, Plan.term == "P1Y", Plan.billing_cycle == "monthly")
    ).one()
    rashid = as_rashid(session)
    promoted = session.scalars(select(Plan).where(Plan.public_id == plan)).one()
    make_promotion(session, promoted, title="Microsoft 365", percent="10", maximum_quantity=300)

    def cart() -> Order:
        return put_in_cart(session, actor=rashid, customer_id=customer.public_id, plan_id=plan, quantity=4)

    sent = make_quote(
        session,
        actor=rashid,
        order_id=cart().public_id,
        valid_until=utc_now().date(),
        sent_to="",
        language="en",
        words="",
        now=utc_now(),
    )
    stands = session.scalars(
        select(Order.public_id).where(Order.customer_id == customer.id, Order.state == "completed")
    ).first()
    metered = session.scalars(
        select(Sku.public_id).join(Product, Product.id == Sku.product_id).where(Product.reference == "COFFRE")
    ).one()
    return {
        "storefront:metered_id": metered,
        "portal:metered_id": metered,
        "storefront:sku_id": sku,
        "portal:sku_id": sku,
        "storefront:order_id": cart().public_id,
        "portal:order_id": stands,
        "admin:order_id": stands,
        "storefront:quote token": sent.token,
    }


def as_rashid(session: Session) -> Actor:
    """Give the owner of Armor IT, who may do everything there."""
    reseller_id = session.scalars(
        select(Membership.reseller_id).join(User).where(User.email == "rashid@demo.example")
    ).one()
    return Actor("Rashid Benali", Audience.RESELLER, party_id=reseller_id, permissions=frozenset(Permission))


def _member(session: Session, email: str) -> UUID | None:
    return session.scalar(select(Membership.public_id).join(User).where(User.email == email))


def _link(session: Session, email: str) -> str | None:
    link = ask_for_reset(session, email=email, ip="127.0.0.1", now=utc_now())
    return link.token if link else None
