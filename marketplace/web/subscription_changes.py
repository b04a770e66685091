"""Changing a subscription, the same for the three audiences: what it would come to, live, and ordering it.

What it costs above the viewer never leaves the order desk.
"""

from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from uuid import UUID, uuid4

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from marketplace.core.actor import Permission
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_, NotFound, Refusal
from marketplace.orders.operations.changing import known_order, order_change
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.previews import SeenPreview, preview_change
from marketplace.subscriptions.queries.choices import (
    Aim,
    TargetNotOffered,
    aims_of,
    chosen,
    ends_for,
    plans_for,
    targets_for,
)
from marketplace.subscriptions.queries.offers import offers_of
from marketplace.subscriptions.queries.standing import standings
from marketplace.subscriptions.queries.visible import visible_to
from marketplace.subscriptions.rules.changes import Change, ChangeQuantity
from marketplace.subscriptions.rules.ends import AllowedEnd
from marketplace.subscriptions.rules.history import Offer, Segment, Standing
from marketplace.web.guards import requires
from marketplace.web.session import current_actor, order_desk, transaction
from marketplace.web.shop_pages import quantity_of
from marketplace.web.subscription_pages import ACTIONS, AIM_LABELS, subscription_or_404


@dataclass(frozen=True)
class ChangePages:
    """What differs between the shells: the blueprint, and who may order."""

    blueprint: Blueprint
    places: Permission

    @property
    def shell(self) -> str:
        """The name of the shell, which endpoints begin with."""
        return self.blueprint.name


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for, as the address or the form says it."""

    what: str
    label: str
    # None: as many as there are. Nought: what was written is no number of seats.
    quantity: int | None
    plan: UUID | None
    ends_on: date | None
    # The subscription that upgraded seats are to go into.
    into: UUID | None = None

    @property
    def aim(self) -> Aim | None:
        """Which kind of plan is chosen with it, if any is."""
        return Aim(self.what) if self.what in AIM_LABELS else None


@dataclass(frozen=True, slots=True)
class Form:
    """What can be chosen, without prices, and what is."""

    quantity: int
    plans: dict[UUID, Offer]
    plan: UUID | None
    ends: list[AllowedEnd]
    change: Change | None
    # Those of the customer's subscriptions that can take upgraded seats: how many each has, and until when.
    targets: dict[UUID, Segment] = field(default_factory=dict)
    # Why nothing can be previewed.
    fault: Refusal | None = None


class NothingAgreed(Refusal):
    """The form came without a number of seats, or from nowhere."""

    sentence = N_("Write a whole number of seats, and order what is shown then.")


def add_change_pages(pages: ChangePages) -> None:
    """Put the pages on a shell's blueprint."""

    @pages.blueprint.get("/subscriptions/<uuid:subscription_id>/change")
    @requires(pages.places)
    def preview_subscription_change(subscription_id: UUID) -> ResponseReturnValue:
        """Show what a change would come to; whoever asks for none chooses on the subscription's page."""
        if "what" in request.args:
            return _show(pages, subscription_id)
        with transaction() as session:
            subscription_or_404(session, subscription_id, actor=current_actor())
        return redirect(url_for(f"{pages.shell}.subscription", subscription_id=subscription_id))

    @pages.blueprint.post("/subscriptions/<uuid:subscription_id>/change")
    @requires(pages.places)
    def change_subscription(subscription_id: UUID) -> ResponseReturnValue:
        """Order a change that was agreed to as it was shown; sent twice, it is one order."""
        wish, actor = _wish(), current_actor()
        try:
            with order_desk() as session:
                key = _uuid(request.form.get("key", ""))
                if key is None:
                    raise NothingAgreed
                order = known_order(session, actor=actor, subscription_id=subscription_id, key=key)
                if order is None:
                    order = order_change(
                        session,
                        actor=actor,
                        subscription_id=subscription_id,
                        change=_agreed(session, subscription_id, wish),
                        key=key,
                        now=utc_now(),
                        po_number=request.form.get("po_number", ""),
                        seen=request.form.get("seen", ""),
                    )
                order_id = order.public_id
        except Refusal as refusal:
            if isinstance(refusal, NotFound):
                raise
            return _show(pages, subscription_id, refusal=refusal), 422
        flash(gettext("It is ordered."), "success")
        return redirect(url_for(f"{pages.shell}.order", order_id=order_id), code=303)


def _agreed(session: Session, subscription_id: UUID, wish: Wish) -> Change:
    form = _form(session, subscription_id, wish)
    if form.fault is not None:
        raise form.fault
    if form.change is None:
        raise NothingAgreed
    return form.change


def _show(pages: ChangePages, subscription_id: UUID, *, refusal: Refusal | None = None) -> str:
    wish = _wish()
    with transaction() as session:
        page = subscription_or_404(session, subscription_id, actor=current_actor())
        if not page.may_change or (wish.aim is not None and wish.aim not in aims_of(page.standing)):
            abort(404)
    with order_desk() as desk:
        form = _form(desk, subscription_id, wish)
        seen: SeenPreview | None = None
        if form.change is not None:
            seen = preview_change(
                desk,
                actor=current_actor(),
                subscription_id=subscription_id,
                change=form.change,
                now=utc_now(),
            )
    return render_template(
        "subscriptions/change.html",
        one=page,
        shell=pages.shell,
        wish=wish,
        form=form,
        seen=seen,
        refusal=refusal,
        key=uuid4(),
        po_number=request.form.get("po_number", ""),
    )


def _form(session: Session, subscription_id: UUID, wish: Wish) -> Form:
    """Say what can be chosen, and which change is. The session must be the owner's."""
    subscription = session.scalar(
        visible_to(current_actor()).where(Subscription.public_id == subscription_id)
    )
    if subscription is None:
        raise NotFound
    offers = offers_of(session, {subscription.plan_id})
    standing = standings(session, [subscription], offers=offers)[subscription.id]
    quantity = _least(standing, wish) if wish.quantity is None else wish.quantity
    if wish.aim is not None:
        return _form_of_plans(session, subscription, standing, wish, wish.aim, quantity)
    change: Change | None = next((change for what, _, change in ACTIONS if what == wish.what), None)
    if change is None and quantity:
        change = ChangeQuantity(quantity)
    return Form(quantity, {}, None, [], change)


def _least(standing: Standing, wish: Wish) -> int:
    """Give how many seats are shown first: all there are, or as many as a trial must become."""
    trial = standing.offer.commitments(utc_now().date()).trial
    least = trial.quantity if wish.aim is Aim.CONVERT and trial else 1
    return max(standing.now.quantity, least)


def _form_of_plans(
    session: Session,
    subscription: Subscription,
    standing: Standing,
    wish: Wish,
    aim: Aim,
    quantity: int,
) -> Form:
    found = plans_for(session, subscription, standing, aim, quantity=max(quantity, 1), now=utc_now())
    plan = wish.plan if wish.plan in found or aim is Aim.AT_RENEWAL else next(iter(found), None)
    quoted = found.get(plan) if plan else None
    ends = ends_for(session, subscription, standing, quoted) if aim is Aim.AT_RENEWAL else []
    offers = {public_id: one.offer for public_id, one in found.items()}
    upgrades = (
        targets_for(session, subscription, standing, quoted, now=utc_now())
        if aim is Aim.UPGRADE and quoted
        else {}
    )
    targets = {public_id: one.into.now for public_id, one in upgrades.items() if one.into}
    form = Form(quantity, offers, plan, ends, None, targets)
    if not quantity:
        return form
    try:
        if wish.into is not None and wish.into not in upgrades:
            raise TargetNotOffered
        into = upgrades[wish.into] if wish.into else None
        change = chosen(
            aim, standing, quoted, quantity=quantity, custom_end=wish.ends_on, ends=ends, into=into
        )
    except Refusal as fault:
        return replace(form, fault=fault)
    return replace(form, change=change)


def _wish() -> Wish:
    """Read what is asked for; what nobody can ask for is answered 404."""
    what = request.values.get("what", "")
    labels = {
        "quantity": N_("Have another number of seats"),
        **AIM_LABELS,
        **{name: label for name, label, _ in ACTIONS},
    }
    if what not in labels:
        abort(404)
    text = request.values.get("quantity")
    ends_on = None
    with suppress(ValueError):
        ends_on = date.fromisoformat(request.values.get("ends_on", ""))
    return Wish(
        what,
        labels[what],
        quantity=None if text is None else quantity_of(text),
        plan=_uuid(request.values.get("plan", "")),
        ends_on=ends_on,
        into=_uuid(request.values.get("into", "")),
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
