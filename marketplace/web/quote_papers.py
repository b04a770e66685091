"""The paper of a quote, in the customer's language: drawn when the quote is made, and given out as it was then."""

from contextlib import AbstractContextManager
from io import BytesIO

from flask import Response, abort, get_template_attribute, send_file
from flask_babel import force_locale, get_locale, gettext
from sqlalchemy.orm import Session

from marketplace.accounts.operations.mailing import Attachment
from marketplace.accounts.queries import language_chosen_at
from marketplace.core.languages import language_of_country
from marketplace.core.stored_files import read_kept
from marketplace.documents.quote import PaperLine, PaperParty, QuotePaper, quote_pdf
from marketplace.orders.models import Order, Quote
from marketplace.orders.operations.quoting import keep_paper
from marketplace.orders.rules.quotes import QuotedLine, by_cycle
from marketplace.web import filters
from marketplace.web.preferences import LANGUAGES
from marketplace.web.session import wiring
from resellers.models import Customer, Reseller
from resellers.queries.brands import brand_of, logo_of


def language_for(session: Session, customer: Customer) -> str:
    """Give the language a customer is likely to read: chosen by its people, else that of its country."""
    chosen = language_chosen_at(session, customer_id=customer.id, email=customer.email)
    return chosen or language_of_country(
        customer.country, known=LANGUAGES, otherwise=wiring().settings.locale
    )


def speaking(language: str) -> AbstractContextManager[None]:
    """Write in a language, whatever that of the page is."""
    return force_locale(language)


def draw_paper(session: Session, quote: Quote, order: Order, customer: Customer, *, link: str) -> Attachment:
    """Draw the paper of a quote that was just made, keep it, and give it as it goes with a mail."""
    reseller = session.get_one(Reseller, order.reseller_id)
    brand = brand_of(session, reseller.id)
    with speaking(quote.language):
        paper = _paper(quote, order, customer, reseller, link=link, accent=brand.accent if brand else "")
    logo = logo_of(session, brand.public_id) if brand else None
    keep_paper(quote, quote_pdf(paper, logo=logo, made_at=quote.created_at), files=wiring().settings.files)
    return Attachment(quote.paper, name_of(quote, order))


def name_of(quote: Quote, order: Order) -> str:
    """Give what the file is called."""
    return f"{order.name}-{quote.version}.pdf"


def give_paper(quote: Quote, order: Order) -> Response:
    """Give the paper out, as it was sent. Quotes made before there were papers have none."""
    if not quote.paper:
        abort(404)
    content = read_kept(wiring().settings.files, quote.paper)
    return send_file(
        BytesIO(content), mimetype="application/pdf", as_attachment=True, download_name=name_of(quote, order)
    )


def _paper(
    quote: Quote, order: Order, customer: Customer, reseller: Reseller, *, link: str, accent: str
) -> QuotePaper:
    lines = [QuotedLine.from_data(line) for line in quote.lines]
    until = filters.day(quote.valid_until)
    seller = _party(gettext("Offered by"), reseller)
    return QuotePaper(
        language=quote.language,
        title=gettext("Quote for %(customer)s", customer=customer.legal_name),
        number=gettext("Quote %(order)s", order=order.name),
        version=gettext("Version %(version)s", version=quote.version),
        accent=accent,
        seller=seller,
        buyer=_party(gettext("Offered to"), customer),
        particulars=[
            (gettext("Made on"), filters.day(quote.created_at.date())),
            (gettext("Holds until"), until),
            (gettext("Made by"), quote.created_by),
            *([(gettext("Purchase order number"), order.po_number)] if order.po_number else []),
        ],
        words_title=gettext("A word from %(name)s", name=quote.created_by),
        words=quote.words,
        lines_title=gettext("What is offered"),
        heads=[
            gettext("What"),
            gettext("Quantity"),
            gettext("Price of a unit"),
            gettext("Price of a charge"),
            gettext("Commitment"),
            gettext("Until"),
        ],
        lines=[_line(line) for line in lines],
        totals=[
            *(
                (
                    gettext("Price of a charge, paid %(how)s", how=_word("cycle_said", cycle=cycle)),
                    filters.money(amount),
                )
                for cycle, amount in by_cycle(lines)
            ),
            (gettext("Commitment until the terms end"), filters.money(quote.commitment)),
        ],
        terms_title=gettext("Terms"),
        terms=[
            gettext("All amounts without tax."),
            gettext("The price of a unit is that of one charge, and holds for the whole term."),
            gettext(
                "By accepting, you order what is offered for %(customer)s, for the whole terms.",
                customer=customer.legal_name,
            ),
            gettext("After %(day)s, ask for a new quote.", day=until),
        ],
        accept_title=gettext("How to accept"),
        accept=gettext(
            "Until %(day)s, open this link, write your name, and choose “Accept and order”:", day=until
        ),
        link=link,
        page=gettext("Page"),
        footer=" · ".join((seller.name, *seller.about)),
    )


def _line(line: QuotedLine) -> PaperLine:
    detail = _word("plan_said", term=line.term, cycle=line.billing_cycle)
    if line.promotion:
        promotion = {"title": line.promotion, "percent": line.percent_off}
        detail = f"{detail} · {_word('promotion_said', promotion=promotion)}"
    return PaperLine(
        what=line.product,
        detail=detail,
        cells=[
            filters.count(line.quantity),
            filters.exact_money(line.unit_price, line.charge.currency),
            filters.money(line.charge),
            filters.money(line.commitment),
            filters.day(line.term_end) if line.term_end else filters.DASH,
        ],
    )


def _party(role: str, firm: Reseller | Customer) -> PaperParty:
    locale = get_locale()
    about = [
        (gettext("Registration number"), firm.registration_number),
        (gettext("VAT number"), firm.vat_number),
        ("", str(locale.territories.get(firm.country, firm.country)) if locale else firm.country),
        ("", firm.email),
    ]
    return PaperParty(
        role=role,
        name=firm.legal_name,
        about=[f"{label} {value}".strip() for label, value in about if value],
    )


def _word(macro: str, **values: object) -> str:
    """Say a term, a cycle or a promotion as pages do."""
    return str(get_template_attribute("components/terms.html", macro)(**values)).strip()
