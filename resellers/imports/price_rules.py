"""rules.csv: every row is a price rule; one that already stands changes nothing."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Numeric,
    Text,
    Uuid,
    and_,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import insert as insert_or_ignore
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import TableValuedAlias

from marketplace.core import audit
from marketplace.core.actor import Actor, Permission
from marketplace.core.bulk import many_at_once, table_of
from marketplace.core.cells import FaultyEntry
from marketplace.core.csv_table import Faults, ImportResult, faulty_row, read_table
from marketplace.core.errors import N_, FaultyRow, Phrase
from marketplace.core.period import DateRange
from marketplace.core.permit import require
from resellers.conflicts import conflicts_in_words
from resellers.imports.references import KnownCustomer, known_customers, known_resellers
from resellers.models import PriceRule, PriceRuleScope
from resellers.queries.floors import costs_by_scope, floors
from resellers.rules.floors import floor_fault, floor_for
from resellers.rules.price_rules import COLUMNS, RuleTerms, read_rule, rule_as_json
from resellers.rules.prices import Price, plain, price_warning, price_words
from resellers.rules.scopes import Scope, scope_words
from resellers.rules.spans import overlaps, span_words
from resellers.words import Basis, Hop

_SCOPE_COLUMNS = ("hop", "reseller_id", "customer_id", "subscription", "vendor", "product", "sku")


@dataclass(frozen=True, slots=True)
class GivenRule:
    """A rule as a row gives it."""

    row: int
    terms: RuleTerms


@dataclass(frozen=True, slots=True)
class _Parties:
    """The parties the file speaks of, by reference."""

    resellers: Mapping[str, int]
    customers: Mapping[str, KnownCustomer]

    def know(self, scope: Scope) -> bool:
        """Whether whom a scope names is known."""
        is_reseller_known = not scope.reseller or scope.reseller in self.resellers
        return is_reseller_known and (not scope.customer or scope.customer in self.customers)

    def of(self, scope: Scope) -> tuple[int | None, int | None]:
        """Give the ids of a scope's reseller and customer."""
        customer = self.customers[scope.customer].id if scope.customer else None
        return (self.resellers[scope.reseller] if scope.reseller else None), customer


def import_price_rules(
    session: Session, *, actor: Actor, file: str, content: bytes, dry_run: bool = False
) -> ImportResult:
    """Add the rules of a file, all or none. Raises `FaultyFile` naming every faulty row."""
    require(actor, Permission.WHOLESALER_TERMS_MANAGE)
    rows, faults = read_table(content, file=file, columns=COLUMNS)
    with many_at_once(session, len(rows)):
        given: list[GivenRule] = []
        for row in rows:
            try:
                given.append(GivenRule(row.number, read_rule(row.cells)))
            except FaultyEntry as faulty:
                faults.add_entry(row.number, faulty)
        parties = _Parties(
            resellers=known_resellers(session, rows, faults=faults),
            customers=known_customers(session, rows, faults=faults),
        )
        known = [one for one in given if parties.know(one.terms.scope)]
        standing = _standing(session, {one.terms.scope for one in known}, parties)
        added = _new(known, standing)
        _refuse_overlaps(added, standing, faults=faults)
        _refuse_low_margins(session, added, actor=actor, faults=faults)
        faults.check()
        if not dry_run:
            _write(session, added, parties, actor=actor, file=file)
    return ImportResult(
        file=file,
        kind="rules",
        rows=len(rows),
        added=len(added),
        changed=0,
        unchanged=len(given) - len(added),
        dry_run=dry_run,
        warnings=tuple(_warnings(given, parties, file=file)),
    )


def _standing(session: Session, scopes: Iterable[Scope], parties: _Parties) -> dict[Scope, list[RuleTerms]]:
    """Give the rules that stand for any of the scopes."""
    in_order = sorted(scopes)
    wanted = _scope_table(in_order, parties)
    found = session.execute(
        select(
            wanted.c.position,
            PriceRule.basis,
            PriceRule.percent,
            PriceRule.unit_price,
            PriceRule.currency,
            PriceRule.valid_from,
            PriceRule.valid_until,
        )
        .select_from(wanted)
        .join(PriceRuleScope, _same_scope(wanted))
        .join(PriceRule, PriceRule.scope_id == PriceRuleScope.id)
    )
    standing: defaultdict[Scope, list[RuleTerms]] = defaultdict(list)
    for position, basis, percent, unit_price, currency, start, end in found:
        price = Price(basis=Basis(basis), percent=percent, unit_price=unit_price, currency=currency)
        scope = in_order[position]
        standing[scope].append(RuleTerms(scope, price, DateRange(start, end)))
    return standing


def _scope_table(scopes: Sequence[Scope], parties: _Parties) -> TableValuedAlias:
    ids = [parties.of(scope) for scope in scopes]
    return table_of(
        {
            "position": (BigInteger(), range(len(scopes))),
            "hop": (Text(), [scope.hop.value for scope in scopes]),
            "reseller_id": (BigInteger(), [reseller_id for reseller_id, _ in ids]),
            "customer_id": (BigInteger(), [customer_id for _, customer_id in ids]),
            "subscription": (Text(), [scope.subscription for scope in scopes]),
            "vendor": (Text(), [scope.vendor for scope in scopes]),
            "product": (Text(), [scope.product for scope in scopes]),
            "sku": (Text(), [scope.sku for scope in scopes]),
        }
    )


def _same_scope(wanted: TableValuedAlias) -> ColumnElement[bool]:
    """Compare scopes. No id is 0; written so, since a plan by hashing does not understand IS NOT DISTINCT FROM."""
    return and_(
        *(
            func.coalesce(getattr(PriceRuleScope, name), 0) == func.coalesce(wanted.c[name], 0)
            if name.endswith("_id")
            else getattr(PriceRuleScope, name) == wanted.c[name]
            for name in _SCOPE_COLUMNS
        )
    )


def _new(given: Iterable[GivenRule], standing: Mapping[Scope, Sequence[RuleTerms]]) -> list[GivenRule]:
    """Leave out what stands already, in the database or in an earlier row."""
    seen = {terms for rules in standing.values() for terms in rules}
    new: list[GivenRule] = []
    for one in given:
        if one.terms not in seen:
            seen.add(one.terms)
            new.append(one)
    return new


def _refuse_overlaps(
    added: Iterable[GivenRule], standing: Mapping[Scope, Sequence[RuleTerms]], *, faults: Faults
) -> None:
    by_scope: defaultdict[Scope, list[GivenRule]] = defaultdict(list)
    for one in added:
        by_scope[one.terms.scope].append(one)
    for scope, rules in by_scope.items():
        # Row 0 is what stands.
        held = [*(GivenRule(0, terms) for terms in standing.get(scope, ())), *rules]
        for later, other in overlaps([one.terms.span for one in held]).items():
            start = held[later].terms.span.start
            faults.add(
                held[later].row, "valid_from", start.isoformat() if start else "", _overlap(held[other])
            )


def _refuse_low_margins(
    session: Session, added: Iterable[GivenRule], *, actor: Actor, faults: Faults
) -> None:
    """Hold the wholesaler's own prices to its floors."""
    standing = floors(session)
    sold = [one for one in added if one.terms.scope.hop is Hop.WHOLESALE] if standing else []
    if not sold:
        return
    needs_costs = any(one.terms.price.basis is not Basis.COST for one in sold)
    costs = costs_by_scope(session) if needs_costs else {}
    may_go_below = actor.may(Permission.WHOLESALER_TERMS_BELOW_FLOOR)
    for one in sold:
        scope, price = one.terms.scope, one.terms.price
        floor = floor_for(standing, scope.vendor)
        if floor is None:
            continue
        named = tuple(name for name in (scope.vendor, scope.product, scope.sku) if name)
        if fault := floor_fault(price, floor, costs.get(named, ()), may_go_below=may_go_below):
            column, reason = fault
            faults.add(one.row, column, plain(getattr(price, column)), reason)


def _overlap(other: GivenRule) -> Phrase:
    facts = {
        "price": price_words(other.terms.price),
        "scope": scope_words(other.terms.scope),
        "span": span_words(other.terms.span),
    }
    if other.row:
        sentence = N_(
            "overlaps row %(row)s, which is %(price)s for %(scope)s, %(span)s: two rules of one scope may not"
        )
        return Phrase.of(sentence, row=other.row, **facts)
    sentence = N_("overlaps the rule that stands: %(price)s for %(scope)s, %(span)s. End that rule first")
    return Phrase.of(sentence, **facts)


def _warnings(given: Iterable[GivenRule], parties: _Parties, *, file: str) -> Iterable[FaultyRow]:
    for one in given:
        scope, price = one.terms.scope, one.terms.price
        if (
            scope.reseller
            and scope.customer
            and parties.customers[scope.customer].reseller_id != parties.resellers[scope.reseller]
        ):
            reason = N_(
                "is not a customer of reseller %(reseller)s: this rule never applies while that is so"
            )
            about = Phrase.of(reason, reseller=scope.reseller)
            yield faulty_row(file, one.row, "customer", scope.customer, about)
        if warning := price_warning(price):
            column, phrase = warning
            yield faulty_row(file, one.row, column, str(getattr(price, column)), phrase)


def _write(
    session: Session, added: Sequence[GivenRule], parties: _Parties, *, actor: Actor, file: str
) -> None:
    scopes = sorted({one.terms.scope for one in added})
    positions = {scope: position for position, scope in enumerate(scopes)}
    wanted = _scope_table(scopes, parties)
    ids = [uuid4() for _ in added]
    rules = table_of(
        {
            "public_id": (Uuid(), ids),
            "position": (BigInteger(), [positions[one.terms.scope] for one in added]),
            "basis": (Text(), [one.terms.price.basis.value for one in added]),
            "percent": (Numeric(), [one.terms.price.percent for one in added]),
            "unit_price": (Numeric(), [one.terms.price.unit_price for one in added]),
            "currency": (Text(), [one.terms.price.currency for one in added]),
            "valid_from": (Date(), [one.terms.span.start for one in added]),
            "valid_until": (Date(), [one.terms.span.end for one in added]),
        },
        name="rules",
    )
    terms = [column for column in rules.c if column.name != "position"]
    with conflicts_in_words():
        session.execute(
            insert_or_ignore(PriceRuleScope)
            .from_select(list(_SCOPE_COLUMNS), select(*(wanted.c[name] for name in _SCOPE_COLUMNS)))
            .on_conflict_do_nothing()
        )
        session.execute(
            insert(PriceRule).from_select(
                ["scope_id", "created_by", *(column.name for column in terms)],
                select(PriceRuleScope.id, literal(actor.name), *terms)
                .select_from(rules)
                .join(wanted, wanted.c.position == rules.c.position)
                .join(PriceRuleScope, _same_scope(wanted)),
            )
        )
    acts = [audit.Act(str(id_), None, rule_as_json(one.terms)) for id_, one in zip(ids, added, strict=True)]
    audit.record_many(
        session, actor=actor, action="price_rule.add", subject="price_rule", acts=acts, reason=file
    )
