"""The reseller's customers: what each was sold, what is left of it, and each one's own page."""

from uuid import UUID

from flask import abort, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from marketplace.billing.queries.consumption import consumption
from marketplace.billing.queries.margins import (
    CustomerRow,
    customers_called,
    customers_with_margin,
    find_customer,
    margin_by_month,
)
from marketplace.billing.queries.months import months
from marketplace.billing.queries.selection import Selection
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.errors import N_
from marketplace.orders.models import CustomerBuying
from marketplace.web import filters as shown
from marketplace.web.account_pages import AccountPages, accounts_context, add_account_pages
from marketplace.web.day_charts import day_chart, ranking
from marketplace.web.guards import requires
from marketplace.web.listing import Column, Filter, Kind, ListView, OnPhone
from marketplace.web.months import chosen_month
from marketplace.web.navigation import Hit, add_search, add_to_menu
from marketplace.web.session import current_actor, transaction
from marketplace.web.storefront import blueprint
from resellers.models import Hop
from resellers.queries.retail_rules import list_retail_rules
from resellers.queries.standing import agreements_of_customer

add_to_menu(
    Audience.RESELLER,
    endpoint="storefront.customers",
    label=N_("Customers"),
    icon="users",
    permission=Permission.RESELLER_CUSTOMERS_VIEW,
    place=20,
    words="margins sales clients",
)

_FIRST_FEW = 8
add_account_pages(AccountPages(blueprint, Permission.RESELLER_CUSTOMERS_MANAGE))


def _list(actor: Actor) -> ListView[CustomerRow]:
    sale = Column[CustomerRow](
        key="sale",
        label=N_("Sold"),
        value=lambda row: row.sold,
        sort=True,
        kind=Kind.MONEY,
        phone=OnPhone.SIDE,
    )
    earned: tuple[Column[CustomerRow], ...] = (
        Column(
            key="purchase",
            label=N_("Bought"),
            value=lambda row: row.purchase[0] if row.purchase else None,
            sort=True,
            kind=Kind.MONEY,
        ),
        Column(
            key="margin", label=N_("Margin"), value=lambda row: row.margin_amount, sort=True, kind=Kind.MONEY
        ),
        Column(
            key="percent",
            label=N_("Margin, % of sale"),
            value=lambda row: row.margin_percent,
            sort=True,
            kind=Kind.NUMBER,
        ),
    )
    may = actor.may(Permission.RESELLER_MARGINS_VIEW)
    return ListView[CustomerRow](
        name="customers",
        columns=(
            Column(
                key="name", label=N_("Customer"), value=lambda row: row.name, sort=True, phone=OnPhone.TITLE
            ),
            Column(key="reference", label=N_("Reference"), value=lambda row: row.reference, sort=True),
            sale,
            *(earned if may else ()),
        ),
        filters=(
            Filter(
                key="show",
                label=N_("Show"),
                choices=(
                    ("active", N_("With consumption")),
                    ("idle", N_("Without consumption")),
                    *((("losing", N_("Negative margin")),) if may else ()),
                ),
                keeps=_keeps,
            ),
        ),
        finds=lambda row, text: text in row.name.casefold() or text in row.reference.casefold(),
        search_label=N_("Search customer"),
        sort="-margin" if may else "-sale",
    )


def _keeps(row: CustomerRow, value: str) -> bool:
    match value:
        case "active":
            return bool(row.sale or row.purchase)
        case "idle":
            return not (row.sale or row.purchase)
        case _:
            return row.margin is not None and row.margin.amount.minor < 0


@blueprint.get("/customers")
@requires(Permission.RESELLER_CUSTOMERS_VIEW)
def customers() -> ResponseReturnValue:
    """List customers with the margin on each, for whoever may see it."""
    actor = current_actor()
    with transaction() as session:
        choice = chosen_month(months(session, actor=actor, hop=Hop.RETAIL))
        rows = customers_with_margin(session, actor=actor, period=choice.period)
    margins = [(row.name, row.margin.amount) for row in rows if row.margin]
    ranked = None
    if margins:
        ranked = ranking(gettext("Margin by customer"), margins, currency=margins[0][1].currency)
    return _list(actor).respond_with_rows(
        rows, "storefront/customers/list.html", choice=choice, ranked=ranked, total=_total(rows)
    )


def _total(rows: list[CustomerRow]) -> object | None:
    """Add the margins up: None where there is none."""
    margins = [row.margin for row in rows if row.margin]
    if not margins:
        return None
    total = margins[0]
    for margin in margins[1:]:
        total = type(total)(total.sale + margin.sale, total.purchase + margin.purchase)
    return total


@blueprint.get("/customers/<uuid:customer_id>")
@requires(Permission.RESELLER_CUSTOMERS_VIEW)
def customer(customer_id: UUID) -> ResponseReturnValue:
    """Show one customer: its month by day, its accounts, its last months."""
    actor = current_actor()
    with transaction() as session:
        found = find_customer(session, actor=actor, customer_id=customer_id)
        if found is None:
            abort(404)
        choice = chosen_month(months(session, actor=actor, hop=Hop.RETAIL))
        charts = []
        if choice.period:
            selection = Selection(hop=Hop.RETAIL, period=choice.period, customer=customer_id)
            charts = consumption(session, actor=actor, selection=selection)
        context = {
            "customer": found,
            "choice": choice,
            "consumption": charts,
            "charts": [day_chart(one, title=_sold_by_day(choice.period)) for one in charts],
            "history": margin_by_month(session, actor=actor, customer=found.id),
            **accounts_context(session, found),
            # A percentage on what the firm pays would tell what it pays.
            "may_set_prices": actor.may(Permission.RESELLER_RULES_MANAGE),
            "buying": session.get(CustomerBuying, found.id),
            "may_order": actor.may(Permission.RESELLER_ORDERS_PLACE)
            and found.reseller_id == actor.reseller_id,
            "may_say_who_buys": actor.may(Permission.RESELLER_ORDERS_APPROVE),
            "rules": list_retail_rules(session, actor=actor, customer_id=found.id),
            "agreements": agreements_of_customer(session, found.id),
            "may_manage": actor.may(Permission.RESELLER_CUSTOMERS_MANAGE)
            and found.reseller_id == actor.reseller_id
            and not actor.is_read_only,
        }
    return render_template("storefront/customers/show.html", **context)


def _sold_by_day(period: object) -> str:
    return str(gettext("Sold by day, %(month)s", month=shown.said(period)))


def _find(session: Session, actor: Actor, text: str) -> list[Hit]:
    """Find customers for Ctrl+K."""
    return [
        Hit(
            label=found.legal_name,
            href=url_for("storefront.customer", customer_id=found.public_id),
            kind=gettext("Customer"),
            icon="users",
            detail=found.reference,
        )
        for found in customers_called(session, actor=actor, text=text, most=_FIRST_FEW)
    ]


add_search(Audience.RESELLER, _find)
