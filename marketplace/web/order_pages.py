"""Orders, the same for the three audiences: each registers them on its own blueprint.

A cart is an order that is still put together: its page asks for quantities and a day, later pages tell what became of it.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from wtforms import StringField
from wtforms.validators import Optional

from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_, Refusal
from marketplace.orders.models import Order
from marketplace.orders.operations.cart import change_line, discard
from marketplace.orders.operations.deciding import approve, cancel, refuse
from marketplace.orders.operations.ordering_again import put_in_cart_again
from marketplace.orders.operations.placing import submit
from marketplace.orders.operations.pricing import PricedLine, lines_of, price_lines, shown_to, starts_at
from marketplace.orders.queries.listed import (
    OrderRow,
    carts,
    list_orders,
    open_quotes,
    order_row,
    waiting_for,
)
from marketplace.orders.queries.shown import OrderPage, find_order, order_page
from marketplace.orders.rules.approvals import may_decide
from marketplace.orders.rules.seen import as_text, from_text
from marketplace.orders.words import OrderState, Party
from marketplace.vendors.customer_accounts.queries import missing_accounts
from marketplace.vendors.promotions import LeftOut, left_out
from marketplace.web.credit_pages import CreditPicture, credit_of_order
from marketplace.web.filters import named, said
from marketplace.web.forms import DayField, PageForm
from marketplace.web.guards import requires
from marketplace.web.listing import Column, Filter, Kind, ListView, OnPhone
from marketplace.web.order_files import add_file_pages
from marketplace.web.order_labels import EVENT_LABELS, KIND_LABELS, STATE_LABELS
from marketplace.web.quote_pages import add_quote_pages
from marketplace.web.session import current_actor, order_desk, transaction
from marketplace.web.shop_pages import quantity_of
from resellers.models import Customer, Reseller

_TONES = {
    OrderState.COMPLETED: "success",
    OrderState.REJECTED: "danger",
    OrderState.FAILED: "danger",
    OrderState.AWAITING_APPROVAL: "warning",
}


@dataclass(frozen=True)
class OrderPages:
    """What differs between the shells: the blueprint, and who may look, order and approve."""

    blueprint: Blueprint
    audience: Audience
    views: Permission
    places: Permission
    # None: nobody of this audience approves.
    approves: Permission | None
    # Who asks vendors for customers' accounts. None: nobody of this audience.
    opens: Permission | None = None

    @property
    def shell(self) -> str:
        """The name of the shell, which endpoints begin with."""
        return self.blueprint.name


@dataclass(frozen=True, slots=True)
class Event:
    """One turn of an order, as the timeline shows it."""

    moment: Any
    title: str
    who: str
    detail: str
    icon_name: str = ""
    tone: str = ""


class SubmitForm(PageForm):
    """What is said with an order."""

    po_number = StringField(lazy_gettext("Purchase order number"), validators=[Optional()])
    starts_on = DayField(lazy_gettext("For the day"), validators=[Optional()])


class ReasonForm(PageForm):
    """Why."""

    reason = StringField(lazy_gettext("Why"))


def add_order_pages(pages: OrderPages) -> None:
    """Put the pages of orders on a shell's blueprint."""
    _add_reading(pages)
    _add_putting_together(pages)
    _add_deciding(pages)
    add_quote_pages(pages.blueprint, places=pages.places)
    if pages.audience is not Audience.CUSTOMER:
        add_file_pages(pages.blueprint, places=pages.places)


def _add_reading(pages: OrderPages) -> None:
    @pages.blueprint.get("/orders")
    @requires(pages.views)
    def orders() -> ResponseReturnValue:
        """List orders, what waits for the reader, and what is still put together."""
        actor = current_actor()
        with transaction() as session:
            return _view(pages).respond(
                session,
                list_orders(actor),
                "orders/list.html",
                shell=pages.shell,
                waiting=waiting_for(session, actor) if pages.approves and actor.may(pages.approves) else (),
                carts=carts(session, actor),
                quotes=open_quotes(session, actor) if pages.audience is Audience.CUSTOMER else (),
                may_place=actor.may(pages.places),
            )

    @pages.blueprint.get("/orders/<uuid:order_id>")
    @requires(pages.views)
    def order(order_id: UUID) -> ResponseReturnValue:
        """Show an order with its history, or a cart."""
        return show(pages, order_id, form=SubmitForm())


def _add_putting_together(pages: OrderPages) -> None:
    @pages.blueprint.post("/orders/<uuid:order_id>/lines/<uuid:order_line_id>")
    @requires(pages.places)
    def change_order_line(order_id: UUID, order_line_id: UUID) -> ResponseReturnValue:
        """Order another quantity of a line; nought takes it out."""
        quantity = quantity_of(request.form.get("quantity", ""))
        custom_end = None
        with suppress(ValueError):  # blank is the term's own end
            custom_end = date.fromisoformat(request.form.get("ends_on", ""))
        with order_desk() as session:
            change_line(
                session,
                actor=current_actor(),
                order_id=order_id,
                line_id=order_line_id,
                quantity=quantity,
                now=utc_now(),
                custom_end=custom_end,
            )
        flash(gettext("The order was changed."), "success")
        return redirect(url_for(f"{pages.shell}.order", order_id=order_id), code=303)

    @pages.blueprint.post("/orders/<uuid:order_id>/submit")
    @requires(pages.places)
    def submit_order(order_id: UUID) -> ResponseReturnValue:
        """Order it, at the price that was shown."""
        form = SubmitForm()
        if not form.validate_on_submit():
            return show(pages, order_id, form=form), 422
        seen = None
        with suppress(ValueError):  # a text nobody wrote was shown to nobody
            seen = from_text(request.form.get("seen", ""))
        try:
            with order_desk() as session:
                submit(
                    session,
                    actor=current_actor(),
                    order_id=order_id,
                    now=utc_now(),
                    seen=seen or {},
                    po_number=form.po_number.data or "",
                    starts_on=form.starts_on.data,
                )
        except Refusal as refusal:
            form.refuse(refusal)
            return show(pages, order_id, form=form, refusal=refusal), 422
        flash(gettext("It is ordered."), "success")
        return redirect(url_for(f"{pages.shell}.order", order_id=order_id), code=303)

    @pages.blueprint.post("/orders/<uuid:order_id>/discard")
    @requires(pages.places)
    def discard_order(order_id: UUID) -> ResponseReturnValue:
        """Do away with a cart or a quote."""
        return _done(pages, order_id, discard, gettext("It was discarded."))

    @pages.blueprint.post("/orders/<uuid:order_id>/again")
    @requires(pages.places)
    def put_again(order_id: UUID) -> ResponseReturnValue:
        """Put what failed or was refused into the customer's cart again."""
        with order_desk() as session:
            cart = put_in_cart_again(session, actor=current_actor(), order_id=order_id, now=utc_now())
            cart_id = cart.public_id
        flash(gettext("It is in the cart again, at the prices of today."), "success")
        return redirect(url_for(f"{pages.shell}.order", order_id=cart_id), code=303)

    @pages.blueprint.post("/orders/<uuid:order_id>/cancel")
    @requires(pages.places)
    def cancel_order(order_id: UUID) -> ResponseReturnValue:
        """Withdraw an order no vendor was asked for yet."""
        return _done(pages, order_id, cancel, gettext("The order was withdrawn."))


def _add_deciding(pages: OrderPages) -> None:
    if pages.approves is None:
        return

    @pages.blueprint.post("/orders/<uuid:order_id>/approvals/<uuid:approval_id>/approve")
    @requires(pages.approves)
    def approve_order(order_id: UUID, approval_id: UUID) -> ResponseReturnValue:
        """Approve what an order waits for."""
        with order_desk() as session:
            approve(
                session,
                actor=current_actor(),
                approval_id=approval_id,
                now=utc_now(),
                reason=request.form.get("reason", ""),
            )
        flash(gettext("It is approved."), "success")
        return redirect(url_for(f"{pages.shell}.order", order_id=order_id), code=303)

    @pages.blueprint.post("/orders/<uuid:order_id>/approvals/<uuid:approval_id>/refuse")
    @requires(pages.approves)
    def refuse_order(order_id: UUID, approval_id: UUID) -> ResponseReturnValue:
        """Refuse an order, with the reason."""
        with order_desk() as session:
            refuse(
                session,
                actor=current_actor(),
                approval_id=approval_id,
                reason=request.form.get("reason", ""),
                now=utc_now(),
            )
        flash(gettext("It is refused; whoever ordered is told why."), "success")
        return redirect(url_for(f"{pages.shell}.order", order_id=order_id), code=303)


def show(pages: OrderPages, order_id: UUID, *, form: PageForm, refusal: Refusal | None = None) -> str:
    """Draw an order or a cart."""
    actor = current_actor()
    with transaction() as session:
        found = find_order(session, actor, order_id)
        if found is None:
            abort(404)
        priced, credit, refused = _at_the_desk(actor, found[0])
        page = order_page(session, actor, found, priced=priced)
        if isinstance(form, SubmitForm) and not form.is_submitted():
            form.po_number.data, form.starts_on.data = found[0].po_number, found[0].starts_on
        missing = missing_accounts(
            session, customer_id=page.customer.id, vendors=_needing_accounts(priced), day=utc_now().date()
        )
        return render_template(
            "orders/cart.html" if page.is_open else "orders/show.html",
            page=page,
            shell=pages.shell,
            form=form,
            refusal=refusal,
            credit=credit,
            left_out=refused,
            missing_accounts=missing,
            may_open=pages.opens is not None and actor.may(pages.opens),
            seen=as_text(shown_to(actor, priced)) if priced is not None else "",
            events=_events(page),
            may_place=actor.may(pages.places),
            decides=[one for one in page.waits_for if _decides(actor, one.party, one.kind)],
            shows_purchase=_shows_purchase(actor),
            state_labels=STATE_LABELS,
        )


def _at_the_desk(
    actor: Actor, order: Order
) -> tuple[Sequence[PricedLine] | None, CreditPicture | None, Sequence[LeftOut]]:
    """Give today's prices of what is still put together and what they are without, and how credit stands.

    Credit is for staff and the reseller alone.
    """
    with order_desk() as desk:
        here, now = desk.get_one(Order, order.id), utc_now()
        priced, refused = None, []
        if here.state in {OrderState.DRAFT, OrderState.QUOTED}:
            priced = price_lines(desk, here, lines_of(desk, [here]), now=now)
            asked = [one.prices.wanted for one in priced if one.prices]
            seats = {(one.plan_id, one.quantity + one.beside) for one in asked}
            day = starts_at(here, now).date()
            refused = left_out(desk, customer_id=here.customer_id, seats=seats, day=day)
        return priced, credit_of_order(desk, actor, here, priced), refused


def _needing_accounts(priced: Sequence[PricedLine] | None) -> set[str]:
    """Give the vendors of a cart's lines that are ordered into an account the customer has before."""
    today = utc_now().date()
    offers = [one.prices.quoted.offer for one in priced or () if one.prices]
    return {one.vendor for one in offers if not one.commitments(today).account_comes_with_purchase}


def _decides(actor: Actor, party: str, kind: str) -> bool:
    if not may_decide(actor, Party(party)):
        return False
    return kind != "credit" or actor.may(Permission.WHOLESALER_CREDIT_MANAGE)


def _shows_purchase(actor: Actor) -> bool:
    return actor.audience is Audience.WHOLESALER or (
        actor.audience is Audience.RESELLER and actor.may(Permission.RESELLER_MARGINS_VIEW)
    )


def _done(pages: OrderPages, order_id: UUID, act: Callable[..., Order], words: str) -> ResponseReturnValue:
    with order_desk() as session:
        act(session, actor=current_actor(), order_id=order_id, now=utc_now())
    flash(words, "success")
    return redirect(url_for(f"{pages.shell}.order", order_id=order_id), code=303)


def _events(page: OrderPage) -> list[Event]:
    return [
        Event(
            event.at,
            gettext(EVENT_LABELS[OrderState(event.state)]),
            named(event.by),
            _words(event.words),
            tone=_TONES.get(OrderState(event.state), ""),
        )
        for event in page.events
    ]


def _words(words: Any) -> str:
    return said(words) if words is not None else ""


def _view(pages: OrderPages) -> ListView[OrderRow]:
    """Describe the list."""
    columns: list[Column[OrderRow]] = [
        Column(key="name", label=N_("Order"), value=lambda row: row.name, sort=Order.id, phone=OnPhone.TITLE)
    ]
    if pages.audience is not Audience.CUSTOMER:
        columns.append(
            Column(
                key="customer", label=N_("Customer"), value=lambda row: row.customer, sort=Customer.legal_name
            )
        )
    if pages.audience is Audience.WHOLESALER:
        columns.append(
            Column(
                key="reseller",
                label=N_("Reseller"),
                value=lambda row: row.reseller,
                sort=Reseller.legal_name,
                is_shown=False,
            )
        )
    columns += [
        Column(
            key="kind",
            label=N_("What"),
            value=lambda row: gettext(dict(KIND_LABELS)[row.kind]),
            sort=Order.kind,
        ),
        Column(key="po", label=N_("Their number"), value=lambda row: row.po_number, is_shown=False),
        Column(key="commitment", label=N_("Commitment"), value=lambda row: row.commitment, kind=Kind.MONEY),
        Column(key="by", label=N_("By"), value=lambda row: named(row.by)),
        Column(
            key="at",
            label=N_("On"),
            value=lambda row: row.at.date(),
            sort=Order.submitted_at,
            kind=Kind.DAY,
        ),
        Column(
            key="state",
            label=N_("Status"),
            value=lambda row: row.state,
            sort=Order.state,
            kind=Kind.STATUS,
            phone=OnPhone.SIDE,
        ),
    ]
    return ListView[OrderRow](
        name="orders",
        columns=tuple(columns),
        filters=(
            Filter(
                key="state",
                label=N_("Status"),
                choices=tuple((state.value, label) for state, label in STATE_LABELS.items()),
                where=lambda value: Order.state == value,
            ),
            Filter(
                key="kind",
                label=N_("What"),
                choices=KIND_LABELS,
                where=lambda value: Order.kind == value,
            ),
        ),
        search=(Customer.legal_name, Customer.reference, Order.po_number),
        sort="-name",
        tie_break=(Order.id,),
        row=order_row,
    )
