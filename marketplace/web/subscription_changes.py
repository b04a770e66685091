"""Changing a subscription, the same for the three audiences: what it would come to, live, and ordering it.

What it costs above the viewer never leaves the order desk.
"""

from dataclasses import dataclass
from uuid import UUID, uuid4

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from marketplace.core.actor import Permission
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_, Refusal
from marketplace.orders.operations.changing import order_change
from marketplace.subscriptions.previews import SeenPreview, preview_change
from marketplace.subscriptions.rules.changes import Change, ChangeQuantity
from marketplace.web.guards import requires
from marketplace.web.session import current_actor, order_desk, transaction
from marketplace.web.shop_pages import quantity_of
from marketplace.web.subscription_pages import ACTIONS, SubscriptionPage, subscription_or_404


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
    quantity: int

    @property
    def change(self) -> Change | None:
        """The change it is; None where the number of seats is none."""
        if self.what == "quantity":
            return ChangeQuantity(self.quantity) if self.quantity > 0 else None
        return next(change for what, _, change in ACTIONS if what == self.what)


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
        """Order a change that was agreed to as it was shown."""
        wish, key = _wish(), _key(request.form.get("key", ""))
        try:
            if wish.change is None or key is None:
                raise NothingAgreed
            with order_desk() as session:
                order = order_change(
                    session,
                    actor=current_actor(),
                    subscription_id=subscription_id,
                    change=wish.change,
                    key=key,
                    now=utc_now(),
                    po_number=request.form.get("po_number", ""),
                    seen=request.form.get("seen", ""),
                )
                order_id = order.public_id
        except Refusal as refusal:
            return _show(pages, subscription_id, refusal=refusal), 422
        flash(gettext("It is ordered."), "success")
        return redirect(url_for(f"{pages.shell}.order", order_id=order_id), code=303)


class NothingAgreed(Refusal):
    """The form came without a number of seats, or from nowhere."""

    sentence = N_("Write a whole number of seats, and order what is shown then.")


def _show(pages: ChangePages, subscription_id: UUID, *, refusal: Refusal | None = None) -> str:
    wish = _wish()
    with transaction() as session:
        page = subscription_or_404(session, subscription_id, actor=current_actor())
        if not page.may_change:
            abort(404)
    return render_template(
        "subscriptions/change.html",
        one=page,
        shell=pages.shell,
        wish=wish,
        seen=_preview(page, wish),
        refusal=refusal,
        key=uuid4(),
        po_number=request.form.get("po_number", ""),
    )


def _preview(page: SubscriptionPage, wish: Wish) -> SeenPreview | None:
    if wish.change is None:
        return None
    with order_desk() as session:
        return preview_change(
            session, actor=current_actor(), subscription_id=page.row.id, change=wish.change, now=utc_now()
        )


def _wish() -> Wish:
    """Read what is asked for; what nobody can ask for is answered 404."""
    what = request.values.get("what", "")
    labels = {"quantity": N_("Have another number of seats")} | {what: label for what, label, _ in ACTIONS}
    if what not in labels:
        abort(404)
    return Wish(what, labels[what], quantity_of(request.values.get("quantity", "")))


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
