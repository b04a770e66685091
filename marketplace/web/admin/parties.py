"""One reseller, one customer: who they are, their latest months, their accounts and prices; and finding them."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from flask import abort, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Membership, User
from marketplace.accounts.queries import PersonRow, people_visible_to, person_row
from marketplace.accounts.roles import ROLE_LABELS
from marketplace.billing.queries.statements import months_of_customer, months_of_reseller
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.web.account_pages import AccountPages, accounts_context, add_account_pages
from marketplace.web.admin import blueprint
from marketplace.web.guards import requires
from marketplace.web.navigation import Hit, add_search
from marketplace.web.session import current_actor, transaction
from resellers.models import Customer, PriceRule, Reseller
from resellers.queries.terms import rule_list

_MONTHS = 6
_MOST_SHOWN = 50
_FIRST_FEW = 5
add_account_pages(AccountPages(blueprint, Permission.WHOLESALER_PARTIES_MANAGE))


@blueprint.get("/resellers/<uuid:reseller_id>")
@requires(Permission.WHOLESALER_PARTIES_VIEW)
def reseller(reseller_id: UUID) -> ResponseReturnValue:
    """Show a reseller."""
    with transaction() as session:
        party = session.scalars(select(Reseller).where(Reseller.public_id == reseller_id)).one_or_none()
        if party is None:
            abort(404)
        customers = session.execute(
            select(Customer.public_id, Customer.legal_name, Customer.reference, Customer.currency)
            .where(Customer.reseller_id == party.id)
            .order_by(Customer.legal_name, Customer.id)
            .limit(_MOST_SHOWN)
        ).all()
        count = session.scalar(select(func.count()).where(Customer.reseller_id == party.id)) or 0
        rules = session.execute(
            rule_list()
            .where(Reseller.id == party.id, Customer.id.is_(None))
            .order_by(*_RULE_ORDER)
            .limit(_MOST_SHOWN)
        ).all()
        return render_template(
            "admin/parties/reseller.html",
            party=party,
            customers=customers,
            customers_count=count,
            rules=rules,
            months=months_of_reseller(session, party.id, most=_MONTHS),
            people=_people(session, Membership.reseller_id == party.id),
            roles=ROLE_LABELS,
        )


@blueprint.get("/customers/<uuid:customer_id>")
@requires(Permission.WHOLESALER_PARTIES_VIEW)
def customer(customer_id: UUID) -> ResponseReturnValue:
    """Show a customer."""
    with transaction() as session:
        found = session.execute(
            select(Customer, Reseller).join(Reseller).where(Customer.public_id == customer_id)
        ).one_or_none()
        if found is None:
            abort(404)
        party, of_reseller = found
        rules = session.execute(
            rule_list().where(Customer.id == party.id).order_by(*_RULE_ORDER).limit(_MOST_SHOWN)
        ).all()
        return render_template(
            "admin/parties/customer.html",
            party=party,
            reseller=of_reseller,
            **accounts_context(session, party),
            may_manage=current_actor().may(Permission.WHOLESALER_PARTIES_MANAGE)
            and not current_actor().is_read_only,
            rules=rules,
            months=months_of_customer(session, party.id, most=_MONTHS),
            people=_people(session, Membership.customer_id == party.id),
            roles=ROLE_LABELS,
        )


_RULE_ORDER: tuple[Any, ...] = (PriceRule.valid_from.desc().nulls_last(), PriceRule.id)


def _people(session: Session, works_there: ColumnElement[bool]) -> list[PersonRow]:
    """Give who can sign in for a party."""
    found = session.execute(
        people_visible_to(current_actor())
        .where(works_there)
        .order_by(User.name, Membership.id)
        .limit(_MOST_SHOWN)
    )
    return [person_row(row) for row in found]


def _find(session: Session, actor: Actor, text: str) -> Iterator[Hit]:
    """Find resellers and customers for Ctrl+K."""
    if not actor.may(Permission.WHOLESALER_PARTIES_VIEW):
        return
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    pattern = f"%{escaped}%"
    for table, endpoint, argument, kind, icon in (
        (Reseller, "admin.reseller", "reseller_id", gettext("Reseller"), "building-store"),
        (Customer, "admin.customer", "customer_id", gettext("Customer"), "building"),
    ):
        rows = session.execute(
            select(table.public_id, table.legal_name, table.reference)
            .where(
                or_(table.legal_name.ilike(pattern, escape="\\"), table.reference.ilike(pattern, escape="\\"))
            )
            .order_by(table.legal_name, table.id)
            .limit(_FIRST_FEW)
        )
        for public_id, legal_name, reference in rows:
            address: dict[str, Any] = {argument: public_id}
            yield Hit(
                label=legal_name,
                href=url_for(endpoint, **address),
                kind=kind,
                icon=icon,
                detail=reference,
            )


add_search(Audience.WHOLESALER, _find)
