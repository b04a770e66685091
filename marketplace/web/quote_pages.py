"""Quotes: made from a cart, sent by mail behind a link, accepted by a person of the customer who has signed in."""

from datetime import timedelta
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session
from wtforms import SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Optional

from marketplace.accounts.operations.mailing import Attachment
from marketplace.core.actor import Audience, Permission
from marketplace.core.clock import utc_now
from marketplace.core.errors import Refusal
from marketplace.core.look import Letterhead
from marketplace.orders.models import Order
from marketplace.orders.operations.answering import accept, quote_of_customer
from marketplace.orders.operations.quoting import Sent, make_quote
from marketplace.orders.queries.shown import find_order, find_quote
from marketplace.orders.rules.quotes import USUAL_DAYS
from marketplace.web.forms import DayField, PageForm
from marketplace.web.guards import requires
from marketplace.web.mails import external, letterhead_for, post_mail
from marketplace.web.preferences import LANGUAGES
from marketplace.web.quote_papers import draw_paper, give_paper, language_for, speaking
from marketplace.web.session import current_actor, order_desk, transaction
from resellers.models import Customer, Reseller


class QuoteForm(PageForm):
    """Until when, to whom, with which words."""

    valid_until = DayField(
        lazy_gettext("Holds until"), validators=[InputRequired(lazy_gettext("Choose the day."))]
    )
    sent_to = StringField(lazy_gettext("Send to"), validators=[Optional()])
    language = SelectField(
        lazy_gettext("Language"), choices=[SelectChoice(code, name) for code, name in LANGUAGES.items()]
    )
    words = TextAreaField(lazy_gettext("A word to the customer"), validators=[Optional()])


def add_quote_pages(blueprint: Blueprint, *, places: Permission) -> None:
    """Put the pages of quotes on a shell's blueprint: sellers make them, customers accept them."""
    _add_papers(blueprint, places=places)
    if blueprint.name == "portal":
        _add_accepting(blueprint)
        return

    @blueprint.get("/orders/<uuid:order_id>/quote")
    @requires(places)
    def new_quote(order_id: UUID) -> ResponseReturnValue:
        """Ask for the particulars of a quote."""
        with transaction() as session:
            order, customer = _order_or_404(session, order_id)
            form = QuoteForm()
            form.valid_until.data = utc_now().date() + timedelta(days=USUAL_DAYS)
            form.sent_to.data = customer.email
            with order_desk() as desk:
                form.language.data = language_for(desk, customer)
            return _page(blueprint, form, order, customer)

    @blueprint.post("/orders/<uuid:order_id>/quote")
    @requires(places)
    def quote(order_id: UUID) -> ResponseReturnValue:
        """Make the quote, mail its link, and show it once."""
        form = QuoteForm()
        with transaction() as session:
            order, customer = _order_or_404(session, order_id)
        if not form.validate_on_submit():
            return _page(blueprint, form, order, customer), 422
        try:
            with order_desk() as desk:
                sent = make_quote(
                    desk,
                    actor=current_actor(),
                    order_id=order_id,
                    valid_until=form.valid_until.data,
                    sent_to=form.sent_to.data or "",
                    words=form.words.data or "",
                    language=form.language.data,
                    now=utc_now(),
                )
                link = url_for("sign_in.quote", token=sent.token)
                letterhead = letterhead_for(desk, order.reseller_id)
                whole = external(link, letterhead)
                paper = draw_paper(desk, sent.quote, order, customer, link=whole)
                _mail(desk, sent, customer, link, paper, letterhead)
        except Refusal as refusal:
            form.refuse(refusal)
            return _page(blueprint, form, order, customer), 422
        return render_template(
            "orders/quoted.html",
            quote=sent.quote,
            link=whole,
            order=order,
            customer=customer,
            shell=blueprint.name,
        )


def _add_papers(blueprint: Blueprint, *, places: Permission) -> None:
    @blueprint.get("/orders/<uuid:order_id>/quotes/<uuid:quote_id>/paper")
    @requires(places)
    def quote_paper(order_id: UUID, quote_id: UUID) -> ResponseReturnValue:
        """Give the paper of a version. It holds the link, so it is for those who may place orders alone."""
        with transaction() as session:
            found = find_order(session, current_actor(), order_id)
            quote = find_quote(session, order_id, quote_id) if found else None
            if found is None or quote is None:
                abort(404)
            return give_paper(quote, found[0])


def _add_accepting(blueprint: Blueprint) -> None:
    @blueprint.post("/quotes/<uuid:quote_id>/accept")
    @requires(Permission.CUSTOMER_ORDERS_PLACE)
    def accept_quote(quote_id: UUID) -> ResponseReturnValue:
        """Accept a quote in the name of who has signed in."""
        actor = current_actor()
        with order_desk() as session:
            found = quote_of_customer(session, actor=actor, quote_id=quote_id)
            order = accept(session, quote=found, name=actor.name, now=utc_now())
            order_id = order.public_id
        flash(gettext("You have accepted the quote."), "success")
        return redirect(url_for("portal.order", order_id=order_id), code=303)


def _mail(
    desk: Session, sent: Sent, customer: Customer, path: str, paper: Attachment, letterhead: Letterhead | None
) -> None:
    """Mail the link, where there is an address; else whoever made it hands it over."""
    quote = sent.quote
    if not quote.sent_to:
        return
    reseller = desk.get_one(Reseller, customer.reseller_id)
    with speaking(quote.language):
        post_mail(
            desk,
            to_address=quote.sent_to,
            subject=gettext(
                "Quote of %(reseller)s for %(customer)s",
                reseller=reseller.legal_name,
                customer=customer.legal_name,
            ),
            body=render_template("emails/quote.txt", quote=quote, customer=customer, reseller=reseller),
            path=path,
            letterhead=letterhead,
            attachment=paper,
        )


def _order_or_404(session: Session, order_id: UUID) -> tuple[Order, Customer]:
    found = find_order(session, current_actor(), order_id)
    if found is None or current_actor().audience is Audience.CUSTOMER:
        abort(404)
    return found[0], found[1]


def _page(blueprint: Blueprint, form: QuoteForm, order: Order, customer: Customer) -> str:
    return render_template(
        "orders/quote.html", form=form, order=order, customer=customer, shell=blueprint.name
    )
