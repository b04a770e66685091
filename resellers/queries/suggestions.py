"""What a person may mean who has typed a few letters of a reference, for the forms of the wholesaler."""

from collections.abc import Callable, Sequence

from sqlalchemy import String, func, literal, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from resellers.models import Customer, PriceRuleScope, Reseller, VendorAccount

#: A value, and what says more about it.
Suggestion = tuple[str, str]
_MOST = 20


def _party(
    reference: InstrumentedAttribute[str], name: InstrumentedAttribute[str]
) -> Callable[[Session, str], Sequence[Suggestion]]:
    def suggest(session: Session, text: str) -> Sequence[Suggestion]:
        found = session.execute(
            select(reference, name)
            .where(or_(reference.istartswith(text, autoescape=True), name.icontains(text, autoescape=True)))
            .order_by(reference.istartswith(text, autoescape=True).desc(), reference)
            .limit(_MOST)
        )
        return [(known, said) for known, said in found]

    return suggest


def _word(*columns: InstrumentedAttribute[str]) -> Callable[[Session, str], Sequence[Suggestion]]:
    def suggest(session: Session, text: str) -> Sequence[Suggestion]:
        used = [
            select(column.label("word")).where(column.icontains(text, autoescape=True), column != "")
            for column in columns
        ]
        words = used[0].union(*used[1:]).subquery()
        found = session.execute(
            select(words.c.word, literal("", String()))
            .order_by(func.length(words.c.word), words.c.word)
            .limit(_MOST)
        )
        return [(known, said) for known, said in found]

    return suggest


#: By the name of the field that is typed in.
SUGGESTIONS: dict[str, Callable[[Session, str], Sequence[Suggestion]]] = {
    "reseller": _party(Reseller.reference, Reseller.legal_name),
    "customer": _party(Customer.reference, Customer.legal_name),
    "vendor": _word(VendorAccount.vendor, PriceRuleScope.vendor),
    "account": _word(VendorAccount.account),
    "product": _word(PriceRuleScope.product),
    "sku": _word(PriceRuleScope.sku),
}
