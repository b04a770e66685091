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
from marketplace.core.bulk import table_of
from marketplace.core.cells import FaultyEntry
from marketplace.core.csv_table import Faults, ImportResult, faulty_row, read_table
from marketplace.core.errors import N_, FaultyRow, Phrase
from marketplace.core.period import DateRange
from marketplace.core.permit import require
from resellers.conflicts import conflicts_in_words
from resellers.imports.references import (
    KnownCustomer,
    customers_by_reference,
    resellers_by_reference,
    unknown_customer,
    unknown_reseller,
)
from resellers.models import PriceRule, PriceRuleScope
from resellers.rules.price_rules import COLUMNS, RuleTerms, read_rule, rule_as_json
from resellers.rules.prices import Price, price_warning, price_words
from resellers.rules.scopes import Scope, scope_words
from resellers.rules.spans import overlaps, span_words
from resellers.words import Basis

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
    given: list[GivenRule] = []
    for row in rows:
        try:
            given.append(GivenRule(row.number, read_rule(row.cells)))
        except FaultyEntry as faulty:
            faults.add_entry(row.number, faulty)
    parties = _parties(session, [one.terms.scope for one in given])
    known = _with_known_parties(given, parties, faults=faults)
    standing = _standing(session, {one.terms.scope for one in known}, parties)
    added = _new(known, standing)
    _refuse_overlaps(added, standing, faults=faults)
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


def _parties(session: Session, scopes: Sequence[Scope]) -> _Parties:
    return _Parties(
        resellers=resellers_by_reference(session, (scope.reseller for scope in scopes if scope.reseller)),
        customers=customers_by_reference(session, (scope.customer for scope in scopes if scope.customer)),
    )


def _with_known_parties(given: Iterable[GivenRule], parties: _Parties, *, faults: Faults) -> list[GivenRule]:
    known: list[GivenRule] = []
    for one in given:
        scope = one.terms.scope
        is_known = True
        if scope.reseller and scope.reseller not in parties.resellers:
            faults.add(one.row, "reseller", scope.reseller, unknown_reseller(scope.reseller))
            is_known = False
        if scope.customer and scope.customer not in parties.customers:
            faults.add(one.row, "customer", scope.customer, unknown_customer(scope.customer))
            is_known = False
        if is_known:
            known.append(one)
    return known


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
        beside = [GivenRule(0, terms) for terms in standing.get(scope, ())]
        for first, second in overlaps((one.terms.span, one) for one in (*rules, *beside)):
            _name_overlap(first, second, faults=faults)


def _name_overlap(first: GivenRule, second: GivenRule, *, faults: Faults) -> None:
    other, later = sorted((first, second), key=lambda one: one.row)
    if not later.row:
        return
    facts: dict[str, object] = {
        "price": price_words(other.terms.price),
        "scope": scope_words(other.terms.scope),
        "span": span_words(other.terms.span),
    }
    if other.row:
        reason = N_(
            "overlaps row %(row)s, which is %(price)s for %(scope)s, %(span)s: two rules of one scope may not"
        )
        facts["row"] = other.row
    else:
        reason = N_("overlaps the rule that stands: %(price)s for %(scope)s, %(span)s. End that rule first")
    start = later.terms.span.start
    faults.add(later.row, "valid_from", start.isoformat() if start else "", Phrase.of(reason, **facts))


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
