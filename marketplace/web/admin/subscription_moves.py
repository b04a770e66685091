"""Moving one subscription to a customer of another reseller: the final and the first charges, and what it does to amounts."""

from datetime import date
from uuid import UUID

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from wtforms import StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from marketplace.accounts.operations.moving import tell_of_subscription_move
from marketplace.billing.queries.moved_charges import BothSides, both_sides
from marketplace.core.actor import Permission
from marketplace.core.clock import utc_now
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.operations.moving import (
    as_customer_of,
    cancel_subscription_move,
    move_subscription,
    waiting_subscription_move,
)
from marketplace.subscriptions.prices import buyer_at
from marketplace.web.admin import blueprint
from marketplace.web.admin.effects import TermsEffect, effect_asked_here
from marketplace.web.admin.move_forms import change_of, take_move
from marketplace.web.admin.suggestions import suggesting
from marketplace.web.forms import DayField, PageForm
from marketplace.web.guards import requires
from marketplace.web.session import current_actor, transaction
from marketplace.web.subscription_pages import subscription_or_404
from resellers.models import Customer, Reseller, SubscriptionMove

MANAGE = Permission.WHOLESALER_PARTIES_MANAGE


class SubscriptionMoveForm(PageForm):
    """Which customer takes a subscription, from when, and why."""

    customer = StringField(
        lazy_gettext("Customer that takes it"),
        validators=[InputRequired(lazy_gettext("Name the customer.")), Length(max=200)],
    )
    reseller = StringField(lazy_gettext("Reseller that takes the firm on"), validators=[Length(max=200)])
    moves_on = DayField(
        lazy_gettext("First day with it"), validators=[InputRequired(lazy_gettext("Choose the day."))]
    )
    reason = TextAreaField(
        lazy_gettext("Why"),
        validators=[InputRequired(lazy_gettext("Write a few words.")), Length(max=4000)],
    )


@blueprint.get("/subscriptions/<uuid:subscription_id>/move")
@requires(MANAGE)
def ask_subscription_move(subscription_id: UUID) -> ResponseReturnValue:
    """Ask which customer takes it and from when."""
    with transaction() as session:
        effect = effect_asked_here(session)
        if effect is not None:
            form = SubscriptionMoveForm(MultiDict(effect.job.row.facts))
            return _page(subscription_id, form, effect=effect)
        return _page(subscription_id, SubscriptionMoveForm(data={"moves_on": utc_now().date()}))


@blueprint.post("/subscriptions/<uuid:subscription_id>/move")
@requires(MANAGE)
def move_to_customer(subscription_id: UUID) -> ResponseReturnValue:
    """Show both sides and what changes, or move the subscription."""
    form = SubscriptionMoveForm()
    return take_move(
        form,
        change_of(form, "move_subscription", subscription_id),
        lambda session: _moved(session, subscription_id, form),
        tell_of_subscription_move,
        field="customer",
        back=url_for("admin.subscription", subscription_id=subscription_id),
        page=lambda effect: _page(subscription_id, form, effect=effect),
    )


@blueprint.post("/subscriptions/<uuid:subscription_id>/move/cancel")
@requires(MANAGE)
def cancel_move_of_subscription(subscription_id: UUID) -> ResponseReturnValue:
    """Take a move back that waits for its day."""
    with transaction() as session:
        cancel_subscription_move(session, actor=current_actor(), subscription_id=subscription_id)
    flash(gettext("The move is cancelled: the subscription stays where it is."), "success")
    return redirect(url_for("admin.subscription", subscription_id=subscription_id), code=303)


def _moved(session: Session, subscription_id: UUID, form: SubscriptionMoveForm) -> SubscriptionMove:
    return move_subscription(
        session,
        actor=current_actor(),
        subscription_id=subscription_id,
        customer=(form.customer.data or "").strip(),
        reseller=(form.reseller.data or "").strip(),
        moves_on=form.moves_on.data,
        reason=form.reason.data or "",
        now=utc_now(),
    )


def _page(subscription_id: UUID, form: SubscriptionMoveForm, *, effect: TermsEffect | None = None) -> str:
    with transaction() as session:
        one = subscription_or_404(session, subscription_id, actor=current_actor())
        subscription = session.scalars(
            select(Subscription).where(Subscription.public_id == subscription_id)
        ).one()
        leaves = _party(session, Customer.id == subscription.customer_id) or abort(404)
        wanted = (form.customer.data or "").strip()
        goes_to = _party(session, Customer.reference == wanted) if effect else None
        if effect and goes_to is None:
            goes_to = _newcomer(session, leaves[0], form)
        waiting = waiting_subscription_move(session, subscription)
        return render_template(
            "admin/subscriptions/move.html",
            one=one,
            leaves=leaves,
            goes_to=goes_to,
            waiting=waiting,
            waits_for=_party(session, Customer.id == waiting.to_customer_id) if waiting else None,
            sides=_sides(session, subscription, leaves[0], goes_to[0], form.moves_on.data)
            if goes_to
            else None,
            form=form,
            effect=effect,
            suggesting=suggesting,
        )


def _sides(
    session: Session, subscription: Subscription, leaves: Customer, takes: Customer, moves_on: date
) -> BothSides:
    return both_sides(
        session,
        moves_on=moves_on,
        leaves=buyer_at(session, leaves, leaves.reseller_id),
        takes=buyer_at(session, takes, takes.reseller_id),
        subscription_id=subscription.id,
    )


def _newcomer(
    session: Session, leaves: Customer, form: SubscriptionMoveForm
) -> tuple[Customer, Reseller] | None:
    """Give the firm as it would be added at the reseller that is named."""
    named = (form.reseller.data or "").strip()
    seller = session.scalars(select(Reseller).where(Reseller.reference == named)).one_or_none()
    if seller is None:
        return None
    return as_customer_of(leaves, seller, reference=(form.customer.data or "").strip()), seller


def _party(session: Session, which: ColumnElement[bool]) -> tuple[Customer, Reseller] | None:
    found = session.execute(select(Customer, Reseller).join(Reseller).where(which)).one_or_none()
    return (found[0], found[1]) if found else None
