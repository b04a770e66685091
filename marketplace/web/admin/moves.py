"""Moving a customer to another reseller: both sides' months, what goes with it, what it does to amounts."""

from uuid import UUID

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from wtforms import StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from marketplace.accounts.operations.moving import tell_of_move
from marketplace.billing.queries.moved_charges import both_sides
from marketplace.billing.queries.statements import months_of_customer
from marketplace.core.actor import Permission
from marketplace.core.clock import utc_now
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.prices import buyer_at
from marketplace.web.admin import blueprint
from marketplace.web.admin.effects import TermsEffect, effect_asked_here
from marketplace.web.admin.move_forms import change_of, take_move
from marketplace.web.admin.suggestions import suggesting
from marketplace.web.forms import DayField, PageForm
from marketplace.web.guards import requires
from marketplace.web.session import current_actor, transaction
from resellers.models import AccountMapping, Customer, CustomerMove, PriceRule, PriceRuleScope, Reseller
from resellers.operations.moves import cancel_move, move_customer, waiting_move
from resellers.rules.moves import next_first

MANAGE = Permission.WHOLESALER_PARTIES_MANAGE
_MONTHS = 3


class MoveForm(PageForm):
    """Where a customer goes, from when, and why."""

    reseller = StringField(
        lazy_gettext("Reseller it goes to"),
        validators=[InputRequired(lazy_gettext("Name the reseller.")), Length(max=200)],
    )
    moves_on = DayField(
        lazy_gettext("First day with it"), validators=[InputRequired(lazy_gettext("Choose the day."))]
    )
    reason = TextAreaField(
        lazy_gettext("Why"),
        validators=[InputRequired(lazy_gettext("Write a few words.")), Length(max=4000)],
    )


@blueprint.get("/customers/<uuid:customer_id>/move")
@requires(MANAGE)
def ask_move(customer_id: UUID) -> ResponseReturnValue:
    """Ask where a customer goes and from when."""
    with transaction() as session:
        effect = effect_asked_here(session)
        if effect is not None:
            return _page(customer_id, MoveForm(MultiDict(effect.job.row.facts)), effect=effect)
        return _page(customer_id, MoveForm(data={"moves_on": next_first(utc_now().date())}))


@blueprint.post("/customers/<uuid:customer_id>/move")
@requires(MANAGE)
def move_to_reseller(customer_id: UUID) -> ResponseReturnValue:
    """Show both sides and what changes, or move the customer."""
    form = MoveForm()
    return take_move(
        form,
        change_of(form, "move_customer", customer_id),
        lambda session: _moved(session, customer_id, form),
        tell_of_move,
        field="reseller",
        back=url_for("admin.customer", customer_id=customer_id),
        page=lambda effect: _page(customer_id, form, effect=effect),
    )


@blueprint.post("/customers/<uuid:customer_id>/move/cancel")
@requires(MANAGE)
def cancel_customer_move(customer_id: UUID) -> ResponseReturnValue:
    """Take a move back that waits for its day."""
    with transaction() as session:
        cancel_move(session, actor=current_actor(), customer_id=customer_id)
    flash(gettext("The move is cancelled: the customer stays where it is."), "success")
    return redirect(url_for("admin.customer", customer_id=customer_id), code=303)


def _moved(session: Session, customer_id: UUID, form: MoveForm) -> CustomerMove:
    return move_customer(
        session,
        actor=current_actor(),
        customer_id=customer_id,
        reseller=(form.reseller.data or "").strip(),
        moves_on=form.moves_on.data,
        reason=form.reason.data or "",
        now=utc_now(),
    )


def _page(customer_id: UUID, form: MoveForm, *, effect: TermsEffect | None = None) -> str:
    with transaction() as session:
        found = session.execute(
            select(Customer, Reseller).join(Reseller).where(Customer.public_id == customer_id)
        ).one_or_none()
        if found is None:
            abort(404)
        customer, leaves = found
        wanted = (form.reseller.data or "").strip()
        goes_to = session.scalars(select(Reseller).where(Reseller.reference == wanted)).one_or_none()
        waiting = waiting_move(session, customer.id)
        subscriptions = _count(session, select(func.count()).where(Subscription.customer_id == customer.id))
        sides = None
        if effect and goes_to and subscriptions:
            sides = both_sides(
                session,
                moves_on=form.moves_on.data,
                leaves=buyer_at(session, customer, customer.reseller_id),
                takes=buyer_at(session, customer, goes_to.id),
                customer_id=customer.id,
            )
        return render_template(
            "admin/parties/move.html",
            party=customer,
            leaves=leaves,
            goes_to=goes_to,
            waiting=waiting,
            waits_for=session.get(Reseller, waiting.to_reseller_id) if waiting else None,
            sides=sides,
            months=months_of_customer(session, customer.id, most=_MONTHS),
            accounts=_count(session, select(func.count()).where(AccountMapping.customer_id == customer.id)),
            rules=_count(
                session,
                select(func.count())
                .select_from(PriceRule)
                .join(PriceRuleScope, PriceRuleScope.id == PriceRule.scope_id)
                .where(PriceRuleScope.customer_id == customer.id),
            ),
            subscriptions=subscriptions,
            form=form,
            effect=effect,
            suggesting=suggesting,
        )


def _count(session: Session, counting: object) -> int:
    return session.scalar(counting) or 0  # type: ignore[call-overload]
