"""What was paid of statements: noted in parts by whoever is owed, and taken back with a reason; staff and resellers."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from flask import Blueprint, Response, make_response, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from marketplace.core.actor import Permission
from marketplace.core.clock import utc_now
from marketplace.orders.operations.settling import (
    CannotBeNoted,
    NotedAlready,
    note_payment,
    payment_to_undo,
    undo_payment,
)
from marketplace.web.form_posts import carry_out
from marketplace.web.guards import requires
from marketplace.web.payment_forms import PaymentForm, UndoForm
from marketplace.web.session import current_actor, order_desk
from resellers.rules.applications import ReasonNeeded


@dataclass(frozen=True)
class PaymentPages:
    """What differs between the shells: the blueprint, who notes payments, and the page of a statement."""

    blueprint: Blueprint
    notes: Permission
    # The address of a statement's page, up to its id, and its endpoint.
    address: str
    endpoint: str
    # Draws it with the form as it was sent.
    draw: Callable[[UUID, PaymentForm], Response]


def add_payment_pages(pages: PaymentPages) -> None:
    """Put the forms that note payments and take them back on a shell's blueprint."""
    statement = f"{pages.address}/<uuid:statement_id>"
    undo = f"{statement}/payments/<int:payment_id>/undo"

    @pages.blueprint.post(statement, endpoint="note_payment")
    @requires(pages.notes)
    def note(statement_id: UUID) -> ResponseReturnValue:
        """Note that a statement was paid, all or a part."""
        form = PaymentForm()
        return carry_out(
            form,
            lambda desk: note_payment(
                desk,
                actor=current_actor(),
                statement_id=statement_id,
                amount=form.amount.data or Decimal(0),
                paid_on=form.paid_on.data,
                now=utc_now(),
            ),
            said=gettext("The payment is noted."),
            then=url_for(pages.endpoint, statement_id=statement_id),
            again=lambda: pages.draw(statement_id, form),
            field="amount",
            shown=(CannotBeNoted, NotedAlready),
            opened=order_desk,
        )

    @pages.blueprint.get(undo, endpoint="ask_undo_payment")
    @requires(pages.notes)
    def ask_undo(statement_id: UUID, payment_id: int) -> ResponseReturnValue:
        """Ask why a payment is taken back."""
        return _asked(pages, statement_id, payment_id, UndoForm(formdata=None))

    @pages.blueprint.post(undo, endpoint="undo_payment")
    @requires(pages.notes)
    def take_back(statement_id: UUID, payment_id: int) -> ResponseReturnValue:
        """Take a payment back."""
        form = UndoForm()
        return carry_out(
            form,
            lambda desk: undo_payment(
                desk,
                actor=current_actor(),
                statement_id=statement_id,
                payment_id=payment_id,
                reason=form.reason.data or "",
                now=utc_now(),
            ),
            said=gettext("The payment is taken back."),
            then=url_for(pages.endpoint, statement_id=statement_id),
            again=lambda: _asked(pages, statement_id, payment_id, form),
            field="reason",
            shown=ReasonNeeded,
            opened=order_desk,
        )


def _asked(pages: PaymentPages, statement_id: UUID, payment_id: int, form: UndoForm) -> Response:
    with order_desk() as desk:
        statement, payment = payment_to_undo(
            desk, actor=current_actor(), statement_id=statement_id, payment_id=payment_id, now=utc_now()
        )
        drawn = render_template(
            "statements/undo.html",
            form=form,
            shell=pages.blueprint.name,
            back=url_for(pages.endpoint, statement_id=statement_id),
            statement_id=statement_id,
            payment_id=payment_id,
            amount=payment.amount(statement.currency),
            paid_on=payment.paid_on,
            noted_by=payment.noted_by,
        )
    return make_response(drawn)
