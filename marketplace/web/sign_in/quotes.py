"""A quote behind its link: whoever has the link reads it, and signs it off or declines it with their name."""

from collections.abc import Callable

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext
from wtforms import StringField
from wtforms.validators import InputRequired, Optional

from marketplace.core.clock import utc_now
from marketplace.core.errors import Refusal
from marketplace.core.money import Money
from marketplace.orders.models import Order, Quote
from marketplace.orders.operations.answering import accept, decline, quote_by_token
from marketplace.orders.rules.quotes import QuotedLine, state_of
from marketplace.web.forms import PageForm
from marketplace.web.guards import public
from marketplace.web.quote_papers import give_paper
from marketplace.web.session import order_desk
from marketplace.web.sign_in import blueprint
from resellers.models import Customer, Reseller


class AnswerForm(PageForm):
    """Who answers, and why not."""

    name = StringField(
        lazy_gettext("Your name"), validators=[InputRequired(lazy_gettext("Write your name."))]
    )
    reason = StringField(lazy_gettext("Why not"), validators=[Optional()])


@blueprint.get("/quotes/<string(length=43):token>")
@public
def quote(token: str) -> ResponseReturnValue:
    """Show what is offered, and what became of it."""
    return _page(token, AnswerForm())


@blueprint.get("/quotes/<string(length=43):token>/paper")
@public
def quote_paper(token: str) -> ResponseReturnValue:
    """Give its paper."""
    with order_desk() as session:
        found = session.get_one(Quote, quote_by_token(session, token))
        return give_paper(found, session.get_one(Order, found.order_id))


@blueprint.post("/quotes/<string(length=43):token>")
@public
def accept_quote(token: str) -> ResponseReturnValue:
    """Sign it off."""
    return _answer(
        token,
        lambda session, quote, form: accept(session, quote=quote, name=form.name.data or "", now=utc_now()),
    )


@blueprint.post("/quotes/<string(length=43):token>/decline")
@public
def decline_quote(token: str) -> ResponseReturnValue:
    """Decline it."""
    return _answer(
        token,
        lambda session, quote, form: decline(
            session,
            quote=quote,
            name=form.name.data or "",
            reason=form.reason.data or "",
            now=utc_now(),
        ),
    )


def _answer(token: str, act: Callable[..., Order]) -> ResponseReturnValue:
    form = AnswerForm()
    if not form.validate_on_submit():
        return _page(token, form), 422
    try:
        with order_desk() as session:
            act(session, quote_by_token(session, token), form)
    except Refusal as refusal:
        form.refuse(refusal)
        return _page(token, form), 422
    return redirect(url_for("sign_in.quote", token=token), code=303)


def _page(token: str, form: AnswerForm) -> str:
    """Draw the quote at the customer's prices, which are all that it holds."""
    with order_desk() as session:
        found = session.get_one(Quote, quote_by_token(session, token))
        order = session.get_one(Order, found.order_id)
        customer = session.get_one(Customer, order.customer_id)
        reseller = session.get_one(Reseller, order.reseller_id)
        return render_template(
            "sign_in/quote.html",
            quote=found,
            lines=[QuotedLine.from_data(line) for line in found.lines],
            total=Money(found.commitment_minor, found.currency),
            state=state_of(
                accepted_at=found.accepted_at,
                declined_at=found.declined_at,
                withdrawn_at=found.withdrawn_at,
                valid_until=found.valid_until,
                today=utc_now().date(),
            ).value,
            order=order,
            customer=customer,
            reseller=reseller,
            token=token,
            form=form,
        )
