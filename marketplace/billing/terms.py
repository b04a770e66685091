"""What a rating needs to know of the parties and their terms, loaded once for a month."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.core.period import Period
from marketplace.rating.price import AT_COST, Terms
from marketplace.rating.rule_choice import Scope
from marketplace.rating.statements import Chain, ExchangeRates

#: Stands for "since ever" and "until further notice" where a database wants a day.
FIRST_DAY = date(1, 1, 1)
LAST_DAY = date(9999, 12, 31)


@dataclass(frozen=True, slots=True)
class MappingSpan:
    """Whose an account is over some days (end exclusive)."""

    vendor: str
    account: str
    customer_id: int
    start: date
    end: date


@dataclass(frozen=True, slots=True)
class MovedSpan:
    """Whose a subscription is over some days (end exclusive), whoever has its account."""

    vendor: str
    subscription: str
    customer_id: int
    start: date
    end: date


@dataclass(frozen=True, slots=True)
class SellerSpan:
    """Whose customer somebody is over some days (end exclusive): of several where it moves within the month."""

    # The same for the same customer and reseller: each has documents of its own.
    number: int
    chain: Chain
    start: date
    end: date


@dataclass(frozen=True, slots=True)
class RuleSpan:
    """A price rule with its scope and days (end exclusive)."""

    rule_id: int
    hop: str
    scope: Scope
    start: date
    end: date
    terms: Terms


@dataclass(frozen=True, slots=True)
class Book:
    """Everything but the usage that amounts of one period depend on."""

    period: Period
    # By customer, in their order, from ever until further notice.
    sellers: dict[int, Sequence[SellerSpan]]
    mappings: Sequence[MappingSpan]
    moved: Sequence[MovedSpan]
    rules: Sequence[RuleSpan]
    rates: ExchangeRates

    def terms(self) -> dict[int | None, Terms]:
        """Give the terms by rule id; no rule means at cost."""
        return {None: AT_COST, **{rule.rule_id: rule.terms for rule in self.rules}}


# Whose a customer was as the period began: a move counts from its day, and leaves those before as they were.
_SELLER = """
    coalesce(
      (SELECT v.to_reseller_id FROM customer_move v WHERE v.customer_id = c.id AND v.moves_on <= :begins
         ORDER BY v.moves_on DESC LIMIT 1),
      (SELECT v.from_reseller_id FROM customer_move v WHERE v.customer_id = c.id ORDER BY v.moves_on LIMIT 1),
      c.reseller_id)
"""
_CHAINS = f"""
    SELECT c.id, c.reference, c.currency, r.id, r.reference, r.currency
    FROM customer c JOIN reseller r ON r.id = {_SELLER}
"""
# Moves within the month share its days out.
_MOVES = """
    SELECT v.customer_id, v.moves_on, r.id, r.reference, r.currency
    FROM customer_move v JOIN reseller r ON r.id = v.to_reseller_id
    WHERE v.moves_on > :begins AND v.moves_on < :ends ORDER BY v.customer_id, v.moves_on
"""
_MAPPINGS = """
    SELECT a.vendor, a.account, m.customer_id, m.valid_from, m.valid_until
    FROM account_mapping m JOIN vendor_account a ON a.id = m.vendor_account_id
    WHERE m.valid_until IS NULL OR m.valid_until > coalesce(m.valid_from, DATE '0001-01-01')
"""
# A subscription that moves again belongs to each customer until the next move.
_MOVED = """
    SELECT vendor, subscription, to_customer_id, moves_on,
           lead(moves_on) OVER (PARTITION BY vendor, subscription ORDER BY moves_on)
    FROM subscription_move
"""
_RULES = """
    SELECT r.id, s.hop, s.reseller_id, s.customer_id, s.subscription, s.vendor, s.product, s.sku,
           r.valid_from, r.valid_until, r.basis, r.percent, r.unit_price, r.currency,
           coalesce(re.reference, ''), coalesce(cu.reference, '')
    FROM price_rule r JOIN price_rule_scope s ON s.id = r.scope_id
    LEFT JOIN reseller re ON re.id = s.reseller_id LEFT JOIN customer cu ON cu.id = s.customer_id
    WHERE r.valid_until IS NULL OR r.valid_until > coalesce(r.valid_from, DATE '0001-01-01')
"""
_RATES = "SELECT from_currency, to_currency, rate FROM fx_rate WHERE month = :month"


def load_book(session: Session, period: Period) -> Book:
    """Load parties, mappings, moves, rules and rates in six queries, whatever their number."""
    return Book(
        period=period,
        sellers=_sellers(session, period),
        mappings=[
            MappingSpan(vendor, account, customer_id, start or FIRST_DAY, end or LAST_DAY)
            for vendor, account, customer_id, start, end in session.execute(text(_MAPPINGS))
        ],
        moved=[
            MovedSpan(vendor, subscription, customer_id, start, end or LAST_DAY)
            for vendor, subscription, customer_id, start, end in session.execute(text(_MOVED))
        ],
        rules=[_rule(row) for row in session.execute(text(_RULES))],
        rates=ExchangeRates(
            {(row[0], row[1]): row[2] for row in session.execute(text(_RATES), {"month": period.number})}
        ),
    )


def _sellers(session: Session, period: Period) -> dict[int, Sequence[SellerSpan]]:
    values = {"begins": period.start, "ends": period.end}
    sellers: dict[int, Sequence[SellerSpan]] = {
        row[0]: [SellerSpan(number, Chain(*row), FIRST_DAY, LAST_DAY)]
        for number, row in enumerate(session.execute(text(_CHAINS), values))
    }
    number = len(sellers)
    for customer_id, moves_on, *reseller in session.execute(text(_MOVES), values):
        *before, last = sellers[customer_id]
        buyer = last.chain
        chain = Chain(buyer.customer_id, buyer.customer, buyer.customer_currency, *reseller)
        known = next((one.number for one in (*before, last) if one.chain == chain), number)
        number += known == number
        until = replace(last, end=moves_on)
        sellers[customer_id] = [*before, until, SellerSpan(known, chain, moves_on, LAST_DAY)]
    return sellers


def _rule(row: Any) -> RuleSpan:
    rule_id, hop, reseller_id, customer_id, subscription, vendor, product, sku, start, end, *price = row
    basis, percent, unit_price, currency, reseller, customer = price
    words = scope_words(reseller, customer, subscription, vendor, product, sku, start)
    return RuleSpan(
        rule_id=rule_id,
        hop=hop,
        scope=Scope(reseller_id, customer_id, subscription, vendor, product, sku),
        start=start or FIRST_DAY,
        end=end or LAST_DAY,
        terms=Terms(rule_id, words, basis, percent, unit_price, currency or ""),
    )


def scope_words(
    reseller: str, customer: str, subscription: str, vendor: str, product: str, sku: str, start: date | None
) -> str:
    """Write a rule's scope and start so that texts compare as the fields would, one after the other."""
    first = "" if start is None else start.isoformat()
    fields = ("rule", reseller, customer, subscription, vendor, product, sku, first)
    return "\x1f".join(fields)


_FINGERPRINT = f"""
    WITH span AS (SELECT CAST(:first AS date) AS first, CAST(:until AS date) AS until)
    SELECT md5(concat_ws('|',
      (SELECT string_agg(s.id::text, ',' ORDER BY s.id) FROM delivery_slice s
         WHERE s.is_current AND s.period = :period),
      (SELECT string_agg(concat_ws(',', a.vendor, a.account, m.customer_id,
                greatest(m.valid_from, first), least(m.valid_until, until)), ';'
                ORDER BY a.vendor, a.account, m.valid_from)
         FROM span, account_mapping m JOIN vendor_account a ON a.id = m.vendor_account_id
         WHERE daterange(m.valid_from, m.valid_until) && daterange(first, until)),
      (SELECT string_agg(concat_ws(',', v.vendor, v.subscription, v.to_customer_id, greatest(v.moves_on, first)), ';'
                ORDER BY v.vendor, v.subscription, v.moves_on)
         FROM span, subscription_move v WHERE v.moves_on < until),
      (SELECT string_agg(concat_ws(',', r.id, greatest(r.valid_from, first), least(r.valid_until, until)), ';'
                ORDER BY r.id)
         FROM span, price_rule r WHERE daterange(r.valid_from, r.valid_until) && daterange(first, until)),
      (SELECT string_agg(concat_ws(',', from_currency, to_currency, trim_scale(rate)), ';'
                ORDER BY from_currency, to_currency) FROM fx_rate WHERE month = :period),
      (SELECT string_agg(concat_ws(',', id, currency), ';' ORDER BY id) FROM reseller),
      (SELECT string_agg(concat_ws(',', c.id, {_SELLER}, c.currency), ';' ORDER BY c.id) FROM customer c),
      (SELECT string_agg(concat_ws(',', v.customer_id, v.moves_on, v.to_reseller_id), ';'
                ORDER BY v.customer_id, v.moves_on)
         FROM customer_move v WHERE v.moves_on > :begins AND v.moves_on < :ends),
      CAST(:recipe AS text)))
"""
#: Raised whenever the meaning of an amount changes, so that open periods are rated anew.
RECIPE = "1"


def inputs_fingerprint(session: Session, period: Period, *, first_day: date, last_day: date) -> str:
    """Digest everything the period's amounts come from, cut to the days its usage spans.

    Equal fingerprints mean that rating again would give the same lines.
    """
    values = {
        "period": period.number,
        "begins": period.start,
        "ends": period.end,
        "first": first_day,
        "until": last_day + timedelta(days=1),
        "recipe": RECIPE,
    }
    return str(session.scalar(text(_FINGERPRINT), values))
