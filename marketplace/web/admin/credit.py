"""Credit of each reseller: what is owed and will be, against what may be; limits, and statements that were paid."""

from dataclasses import dataclass
from uuid import UUID

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import IntegerField
from wtforms.validators import InputRequired, NumberRange, Optional

from marketplace.core.actor import Audience, Permission
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_, Refusal
from marketplace.core.money import Money
from marketplace.orders.operations.checking import check_for
from marketplace.orders.operations.ruling import set_credit
from marketplace.orders.queries.exposure import debtor_called, statements_of
from marketplace.orders.queries.unpaid import open_statements, paid_lately
from marketplace.orders.rules.credit import CreditCheck
from marketplace.web.admin import blueprint
from marketplace.web.credit_pages import picture
from marketplace.web.forms import AmountField, PageForm
from marketplace.web.guards import requires
from marketplace.web.listing import Column, Filter, Kind, ListView, OnPhone
from marketplace.web.navigation import GROUP_PARTIES, add_to_menu
from marketplace.web.session import current_actor, order_desk, transaction
from resellers.models import Reseller
from resellers.queries.standing import credit_of

add_to_menu(
    Audience.WHOLESALER,
    endpoint="admin.credit",
    label=N_("Credit"),
    icon="coins",
    permission=Permission.WHOLESALER_CREDIT_MANAGE,
    group=GROUP_PARTIES,
    place=80,
    words="limits exposure owed unpaid",
)

MOST_STATEMENTS = 200
_LATEST_PAYMENTS = 20


@dataclass(frozen=True, slots=True)
class CreditRow:
    """A reseller and how its credit stands."""

    id: UUID
    name: str
    check: CreditCheck

    @property
    def state(self) -> str:
        """Whether it is within its limit."""
        if self.check.limit is None:
            return "unlimited"
        return "within" if self.check.total.minor <= self.check.limit.minor else "beyond"


class LimitForm(PageForm):
    """How much may be owed, and for how long."""

    limit = AmountField(lazy_gettext("Limit"), validators=[Optional()])
    payment_days = IntegerField(
        lazy_gettext("Days to pay"),
        validators=[InputRequired(lazy_gettext("Write the days.")), NumberRange(0, 365)],
    )


_LIST = ListView[CreditRow](
    name="credit",
    columns=(
        Column(key="name", label=N_("Reseller"), value=lambda row: row.name, sort=True, phone=OnPhone.TITLE),
        Column(
            key="owed",
            label=N_("Owed and bound"),
            value=lambda row: row.check.total,
            sort=True,
            kind=Kind.MONEY,
        ),
        Column(
            key="overdue",
            label=N_("Overdue"),
            value=lambda row: row.check.exposure.overdue,
            sort=True,
            kind=Kind.MONEY,
        ),
        Column(key="limit", label=N_("Limit"), value=lambda row: row.check.limit, sort=True, kind=Kind.MONEY),
        Column(
            key="share", label=N_("Taken"), value=lambda row: row.check.share, sort=True, kind=Kind.NUMBER
        ),
        Column(
            key="crossed",
            label=N_("Crossed on"),
            value=lambda row: row.check.crossed_on,
            sort=True,
            kind=Kind.DAY,
        ),
        Column(
            key="state", label=N_("Status"), value=lambda row: row.state, kind=Kind.STATUS, phone=OnPhone.SIDE
        ),
    ),
    filters=(
        Filter(
            key="state",
            label=N_("Status"),
            choices=(
                ("beyond", N_("Beyond its limit")),
                ("within", N_("Within its limit")),
                ("unlimited", N_("Without a limit")),
            ),
            keeps=lambda row, value: row.state == value,
        ),
    ),
    finds=lambda row, text: text in row.name.casefold(),
    search_label=N_("Search reseller"),
    sort="-share",
)


@blueprint.get("/credit")
@requires(Permission.WHOLESALER_CREDIT_MANAGE)
def credit() -> ResponseReturnValue:
    """List resellers with what they owe, the nearest to their limits first."""
    today = utc_now().date()
    with order_desk() as desk:
        rows = [
            CreditRow(
                one.public_id,
                one.legal_name,
                check_for(desk, debtor_called(one), Money.zero(one.currency), today=today),
            )
            for one in desk.scalars(select(Reseller).order_by(Reseller.legal_name))
        ]
    return _LIST.respond_with_rows(rows, "admin/credit/list.html")


@blueprint.get("/credit/<uuid:reseller_id>")
@requires(Permission.WHOLESALER_CREDIT_MANAGE)
def credit_of_reseller(reseller_id: UUID) -> ResponseReturnValue:
    """Show each part of what a reseller owes, and ask for its limit."""
    with transaction() as session:
        reseller = reseller_or_404(session, reseller_id)
        agreed = credit_of(session, reseller_id=reseller.id)
    form = LimitForm()
    form.limit.data, form.payment_days.data = agreed.limit, agreed.payment_days
    return _page(reseller, form)


@blueprint.post("/credit/<uuid:reseller_id>")
@requires(Permission.WHOLESALER_CREDIT_MANAGE)
def set_credit_of_reseller(reseller_id: UUID) -> ResponseReturnValue:
    """Set the limit; orders it held back go on."""
    with transaction() as session:
        reseller = reseller_or_404(session, reseller_id)
    form = LimitForm()
    if not form.validate_on_submit():
        return _page(reseller, form), 422
    try:
        with order_desk() as desk:
            count = set_credit(
                desk,
                actor=current_actor(),
                reseller_id=reseller_id,
                limit=form.limit.data,
                payment_days=form.payment_days.data,
                now=utc_now(),
            )
    except Refusal as refusal:
        form.refuse(refusal)
        return _page(reseller, form), 422
    flash(released(count), "success")
    return redirect(url_for("admin.credit_of_reseller", reseller_id=reseller_id), code=303)


def released(count: int) -> str:
    """Say that something was noted, and how many orders go on by it."""
    if count:
        return gettext("It is noted. Orders that go on now: %(count)s.", count=count)
    return gettext("It is noted.")


def reseller_or_404(session: Session, reseller_id: UUID) -> Reseller:
    """Give a reseller."""
    found = session.scalar(select(Reseller).where(Reseller.public_id == reseller_id))
    if found is None:
        abort(404)
    return found


def _page(reseller: Reseller, form: LimitForm) -> str:
    today = utc_now().date()
    with order_desk() as desk:
        debtor = debtor_called(reseller)
        check = check_for(desk, debtor, Money.zero(reseller.currency), today=today)
        owed = statements_of(debtor)
        unpaid = open_statements(desk, owed, today=today, limit=MOST_STATEMENTS)
        paid = paid_lately(desk, owed, limit=_LATEST_PAYMENTS)
    return render_template(
        "admin/credit/show.html",
        reseller=reseller,
        credit=picture(reseller.legal_name, check),
        unpaid=unpaid,
        paid=paid,
        form=form,
    )
