"""Why this amount: a line, the steps that made it, the hops the viewer may see, and its source rows in the lake."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from catalog.rules.promotions import promotion_as_json
from marketplace.billing.charge_details import ChargeDetail, charge_details
from marketplace.billing.models import BillingPeriod, PeriodStatus, StatementLine
from marketplace.billing.queries.visible import lines_visible_to
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.errors import N_, Refusal
from marketplace.core.money import Money
from marketplace.core.period import Period
from marketplace.rating.exact import plain
from marketplace.rating.explain import LineFacts, RuleFacts, Step, steps_of
from marketplace.rating.price import COST, LIST
from marketplace.usage.lake import Lake, RowFilter, SourceRow, source_rows
from resellers.models import WHOLESALER_REFERENCE, Customer, Hop, PriceRule, PriceRuleScope, Reseller

#: Columns of a source row that tell what the vendor charged: for the wholesaler alone.
COST_COLUMNS = frozenset(
    {"cost", "list_unit_price", "list_fx", "list_cost", "invoice", "billing_account", "file_kind"}
)


class UnknownLine(Refusal):
    """There is no such line, or not for this viewer."""

    sentence = N_(
        "There is no statement line %(line)s: take the id from the column `line` of a statement export."
    )


@dataclass(frozen=True, slots=True)
class HopExplanation:
    """One line explained for one viewer."""

    line_id: UUID
    hop: str
    seller: str
    buyer: str
    # As exports name them.
    seller_reference: str
    buyer_reference: str
    amount: Money
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A line with its business fields, its own steps, and the hop below which it was bought, where that is theirs."""

    line_id: UUID
    period: Period
    usage_period: Period
    is_draft: bool
    subject: Mapping[str, str]
    charge_from: date
    charge_until: date
    source_rows: int
    customer_id: int
    own: HopExplanation
    # Lines of subscriptions: the charges behind them.
    charges: Sequence[ChargeDetail]
    # Retail lines, for the reseller and the wholesaler: how the same rows were bought.
    bought: HopExplanation | None


_SUBJECT = (
    *(
        "vendor",
        "account",
        "subscription",
        "product",
        "sku",
        "meter",
        "unit",
        "charge_category",
        "charge_type",
    ),
)


def explain(session: Session, line_id: UUID, *, actor: Actor) -> Explanation:
    """Explain a line to a viewer. Raises `UnknownLine` where it is not one of theirs."""
    line = _visible_line(session, line_id, actor)
    parties = _parties(session, line)
    bought = None
    if line.hop == Hop.RETAIL and actor.audience is not Audience.CUSTOMER:
        below = _bought_as(session, line)
        if below is not None and session.scalar(lines_visible_to(actor).where(StatementLine.id == below.id)):
            bought = _hop(session, below, parties, actor)
    status = session.scalar(select(BillingPeriod.status).where(BillingPeriod.period == line.period))
    return Explanation(
        line_id=line.id,
        period=Period.from_number(line.period),
        usage_period=Period.from_number(line.corrects or line.period),
        is_draft=status != PeriodStatus.CLOSED,
        subject={name: getattr(line, name) for name in _SUBJECT},
        charge_from=line.charge_from,
        charge_until=line.charge_until,
        source_rows=line.source_rows,
        customer_id=line.customer_id,
        own=_hop(session, line, parties, actor),
        charges=charge_details(session, line),
        bought=bought,
    )


def sees_sellers_side(actor: Actor, hop: str) -> bool:
    """Whether a viewer may see what the seller of a hop starts from. A reseller's sales people may not."""
    if actor.audience is Audience.WHOLESALER:
        return True
    is_seller = actor.audience is Audience.RESELLER and hop == Hop.RETAIL
    return is_seller and actor.may(Permission.RESELLER_MARGINS_VIEW)


def _visible_line(session: Session, line_id: UUID, actor: Actor) -> StatementLine:
    visible = session.scalar(lines_visible_to(actor).where(StatementLine.id == line_id))
    line = (
        None if visible is None else session.scalar(select(StatementLine).where(StatementLine.id == line_id))
    )
    if line is None:
        raise UnknownLine(line=line_id)
    return line


class _Parties(NamedTuple):
    """The reseller and the customer of a line, by reference and legal name."""

    reseller: str
    reseller_name: str
    customer: str
    customer_name: str


def _parties(session: Session, line: StatementLine) -> _Parties:
    """Give the parties; blank where row-level security hides one (a customer that has moved since)."""
    parties = ((Reseller, line.reseller_id), (Customer, line.customer_id))
    columns = [
        func.coalesce(select(column).where(table.id == number).scalar_subquery(), "")
        for table, number in parties
        for column in (table.reference, table.legal_name)
    ]
    return _Parties._make(session.execute(select(*columns)).one())


def _hop(session: Session, line: StatementLine, parties: _Parties, actor: Actor) -> HopExplanation:
    is_wholesale = line.hop == Hop.WHOLESALE
    is_sellers_view = sees_sellers_side(actor, line.hop)
    rule = None
    if line.rule_id is not None and (is_sellers_view or line.basis != COST):
        rule = _rule(session, line.rule_id)
    facts = LineFacts(
        hop=line.hop,
        unit=line.unit,
        quantity=line.quantity,
        basis=line.basis,
        basis_amount=line.basis_amount,
        basis_currency=line.basis_currency,
        percent=line.percent,
        unit_price=line.unit_price,
        fx_rate=line.fx_rate,
        fx_month=str(Period.from_number(line.corrects or line.period)),
        exact_amount=line.exact_amount,
        amount_minor=line.amount_minor,
        currency=line.currency,
        gap=line.gap,
        worth=line.worth,
        billed=line.billed,
    )
    return HopExplanation(
        line_id=line.id,
        hop=line.hop,
        seller="" if is_wholesale else parties.reseller_name,
        buyer=parties.reseller_name if is_wholesale else parties.customer_name,
        seller_reference=WHOLESALER_REFERENCE if is_wholesale else parties.reseller,
        buyer_reference=parties.reseller if is_wholesale else parties.customer,
        amount=Money(line.amount_minor, line.currency),
        steps=steps_of(facts, rule, is_sellers_view=is_sellers_view),
    )


def _rule(session: Session, rule_id: int) -> RuleFacts | None:
    """Give a rule with its scope by references; None where row-level security hides it."""
    query = (
        select(PriceRule, PriceRuleScope, Reseller.reference, Customer.reference)
        .join(PriceRuleScope, PriceRuleScope.id == PriceRule.scope_id)
        .outerjoin(Reseller, Reseller.id == PriceRuleScope.reseller_id)
        .outerjoin(Customer, Customer.id == PriceRuleScope.customer_id)
        .where(PriceRule.id == rule_id)
    )
    row = session.execute(query).one_or_none()
    if row is None:
        return None
    rule, scope, reseller, customer = row
    named = {
        "reseller": reseller,
        "customer": customer,
        "subscription": scope.subscription,
        "vendor": scope.vendor,
        "product": scope.product,
        "sku": scope.sku,
    }
    return RuleFacts(
        scope={name: value for name, value in named.items() if value},
        basis=rule.basis,
        percent=rule.percent,
        unit_price=rule.unit_price,
        currency=rule.currency or "",
        valid_from=rule.valid_from,
        valid_until=rule.valid_until,
    )


def _bought_as(session: Session, line: StatementLine) -> StatementLine | None:
    """Give the wholesale line of the same rows: the same subject under the rule and basis the retail line notes."""
    same = [getattr(StatementLine, name) == getattr(line, name) for name in _SUBJECT]
    query = select(StatementLine).where(
        StatementLine.period == line.period,
        StatementLine.hop == Hop.WHOLESALE.value,
        StatementLine.customer_id == line.customer_id,
        StatementLine.reseller_id == line.reseller_id,
        StatementLine.corrects.is_not_distinct_from(line.corrects),
        StatementLine.rule_id.is_not_distinct_from(line.upper_rule_id),
        StatementLine.basis == line.upper_basis,
        StatementLine.row_currency == line.row_currency,
        *same,
    )
    return session.scalars(query.limit(1)).first()


# --- Source rows ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SourcePage:
    """A page of the rows behind a line: only the columns the viewer may see."""

    rows: Sequence[Mapping[str, Any]]
    total: int
    offset: int


def source_page(
    session: Session, line_id: UUID, *, actor: Actor, lake: Lake, limit: int = 50, offset: int = 0
) -> SourcePage:
    """Read a page of the rows a line was made of, from the lake. Raises `UnknownLine`."""
    line = _visible_line(session, line_id, actor)
    sources = session.execute(
        text("SELECT vendor, billing_account, file_kind, lake_file FROM line_sources(:billed, :used)"),
        {"billed": line.period, "used": line.corrects or line.period},
    ).all()
    files = sorted({row[3] for row in sources if row[0] == line.vendor})
    matching = RowFilter(
        equal={
            **{name: getattr(line, name) for name in _SUBJECT if name != "vendor"},
            "currency": line.row_currency,
        },
        days=line.days,
        has_list_price=_has_list_price(session, line),
        among=sorted({(row[1], row[2]) for row in sources if row[0] == line.vendor}),
    )
    rows, total = source_rows(lake, files, matching=matching, limit=limit, offset=offset)
    names = _file_names(session, line, rows) if actor.audience is Audience.WHOLESALER else {}
    return SourcePage(rows=[_shown(row, actor, names) for row in rows], total=total, offset=offset)


def _file_names(
    session: Session, line: StatementLine, rows: Sequence[SourceRow]
) -> dict[tuple[str, int], tuple[str, str]]:
    """Give the delivery and the name of the vendor's file each row came in, by lake file and number of the file."""
    found = session.execute(
        text(_FILE_NAMES),
        {
            "vendor": line.vendor,
            "period": line.corrects or line.period,
            "files": sorted({row.lake_file for row in rows}),
        },
    )
    return {(path, number): (str(delivery), name) for path, number, delivery, name in found}


_FILE_NAMES = """
    SELECT DISTINCT path.value, f.number, d.public_id, f.name
    FROM delivery_slice s
    CROSS JOIN LATERAL jsonb_array_elements_text(s.lake_files) AS path(value)
    JOIN delivery d ON d.id = s.delivery_id
    JOIN delivery_file f ON f.delivery_id = d.id
    WHERE s.vendor = :vendor AND s.period = :period AND path.value = ANY(:files)
"""


def _has_list_price(session: Session, line: StatementLine) -> bool | None:
    """Say which side of a list rule the rows are on; None where no list rule told them apart."""
    for rule_id, basis in ((line.rule_id, line.basis), (line.upper_rule_id, line.upper_basis)):
        if rule_id is None:
            continue
        if session.scalar(select(PriceRule.basis).where(PriceRule.id == rule_id)) == LIST:
            return basis == LIST
    return None


def _shown(
    row: SourceRow, actor: Actor, names: Mapping[tuple[str, int], tuple[str, str]]
) -> Mapping[str, Any]:
    if actor.audience is not Audience.WHOLESALER:
        return {name: value for name, value in row.columns.items() if name not in COST_COLUMNS}
    delivery, file = names.get((row.lake_file, row.file_no), ("", ""))
    return {**row.columns, "delivery": delivery, "file": file}


def as_data(explanation: Explanation, page: SourcePage | None) -> dict[str, Any]:
    """Give an explanation fit for JSON: exact decimals as text."""
    data: dict[str, Any] = {
        "line": str(explanation.line_id),
        "period": str(explanation.period),
        "correction_of": None
        if explanation.usage_period == explanation.period
        else str(explanation.usage_period),
        "is_draft": explanation.is_draft,
        **explanation.subject,
        "charge_from": explanation.charge_from.isoformat(),
        "charge_until": explanation.charge_until.isoformat(),
        "hops": [_hop_data(hop) for hop in (explanation.bought, explanation.own) if hop is not None],
        "charges": [
            {name: _plain(value) for name, value in asdict(charge).items()}
            | {
                "days": charge.days,
                "promotion": promotion_as_json(charge.promotion) if charge.promotion else None,
            }
            for charge in explanation.charges
        ],
        "source_rows": explanation.source_rows,
    }
    if page is not None:
        data["rows"] = [{name: _plain(value) for name, value in row.items()} for row in page.rows]
        data["rows_total"] = page.total
    return data


def _hop_data(hop: HopExplanation) -> dict[str, Any]:
    return {
        "line": str(hop.line_id),
        "hop": hop.hop,
        "seller": hop.seller_reference,
        "buyer": hop.buyer_reference,
        "amount": str(hop.amount.amount),
        "currency": hop.amount.currency,
        "steps": [
            {
                "step": step.name.value,
                "amount": _plain(step.amount),
                "currency": step.currency or None,
                **{name: _plain(value) for name, value in step.facts.items()},
            }
            for step in hop.steps
        ],
    }


def _plain(value: Any) -> Any:
    match value:
        case Decimal():
            return plain(value)
        case date():
            return value.isoformat()
        case RuleFacts():
            return {
                "scope": dict(value.scope),
                "basis": value.basis,
                "percent": _plain(value.percent),
                "unit_price": _plain(value.unit_price),
                "currency": value.currency or None,
                "valid_from": _plain(value.valid_from),
                "valid_until": _plain(value.valid_until),
            }
        case UUID():
            return str(value)
        case _:
            return value
