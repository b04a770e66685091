"""Statements of a month: by reseller with margin, by customer, and as files."""

import tempfile
from collections.abc import Sequence
from decimal import Decimal
from typing import IO
from uuid import UUID

from flask import abort, request, send_file
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import select

from marketplace.billing.exports import Wanted, write_statements
from marketplace.billing.queries.party_margins import PartyMargin, margins_by_customer, margins_by_reseller
from marketplace.billing.queries.periods import list_periods
from marketplace.core.actor import Audience, Permission
from marketplace.core.errors import N_
from marketplace.core.money import Money
from marketplace.core.period import Period
from marketplace.web import filters as shown
from marketplace.web.admin import blueprint
from marketplace.web.admin.months import chosen_rated_month, comparable
from marketplace.web.admin.wholesaler import wholesaler_of
from marketplace.web.charts import Part, Parts, in_currency
from marketplace.web.guards import requires
from marketplace.web.listing import EXPORTS, Column, Filter, Kind, ListView, OnPhone
from marketplace.web.navigation import GROUP_MONTH, add_to_menu
from marketplace.web.session import transaction
from resellers.models import Hop, Reseller

add_to_menu(
    Audience.WHOLESALER,
    endpoint="admin.statements",
    label=N_("Statements"),
    icon="file-text",
    permission=Permission.WHOLESALER_STATEMENTS_VIEW,
    group=GROUP_MONTH,
    place=40,
    words="resellers margin invoices documents download",
)

_IN_MEMORY = 4 * 1024 * 1024
_FILES = {
    "csv": ("csv", "text/csv"),
    "xlsx": ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "focus": ("csv", "text/csv"),
}


def _sale(row: PartyMargin) -> Money | None:
    return row.margin.sale if row.margin else None


def _purchase(row: PartyMargin) -> Money | None:
    return row.margin.purchase if row.margin else None


def _left(row: PartyMargin) -> Money | None:
    return row.margin.amount if row.margin else None


def _percent(row: PartyMargin) -> Decimal | None:
    return row.margin.percent if row.margin else None


def _needs(row: PartyMargin, value: str) -> bool:
    if value == "loss":
        return bool(row.margin and row.margin.amount.minor < 0)
    return bool(row.gaps) if value == "gap" else bool(row.parked)


_REFERENCE = Column[PartyMargin](key="reference", label=N_("Reference"), value=lambda row: row.reference)


def _view(name: str, *, of_resellers: bool) -> ListView[PartyMargin]:
    is_file = request.args.get("format") in EXPORTS
    return ListView[PartyMargin](
        name=name,
        columns=(
            Column(
                key="name",
                label=N_("Reseller") if of_resellers else N_("Customer"),
                value=lambda row: row.name,
                sort=True,
                phone=OnPhone.TITLE,
            ),
            *((_REFERENCE,) if is_file else ()),
            *(
                (
                    Column[PartyMargin](
                        key="customers",
                        label=N_("Customers"),
                        value=lambda row: row.customers,
                        sort=True,
                        kind=Kind.NUMBER,
                    ),
                )
                if of_resellers
                else ()
            ),
            Column(key="cost", label=N_("Cost"), value=_purchase, sort=True, kind=Kind.MONEY),
            Column(key="wholesale", label=N_("Wholesale"), value=_sale, sort=True, kind=Kind.MONEY),
            Column(
                key="margin", label=N_("Margin"), value=_left, sort=True, kind=Kind.MONEY, phone=OnPhone.SIDE
            ),
            Column(key="percent", label=N_("Margin, %"), value=_percent, sort=True, kind=Kind.NUMBER),
            Column(
                key="retail",
                label=N_("Retail"),
                value=lambda row: row.retail,
                kind=Kind.MONEY,
            ),
            Column(
                key="change",
                label=N_("Against last month, %"),
                value=lambda row: row.percent_change,
                sort=True,
                kind=Kind.NUMBER,
            ),
            Column(
                key="gaps", label=N_("Rule gaps"), value=lambda row: row.gaps, sort=True, kind=Kind.NUMBER
            ),
        ),
        filters=(
            Filter(
                key="needs",
                label=N_("Show"),
                choices=(("loss", N_("Negative margin")), ("gap", N_("Rule gaps")), ("parked", N_("Parked"))),
                keeps=_needs,
            ),
        ),
        finds=lambda row, text: text in f"{row.name} {row.reference}".casefold(),
        sort="-wholesale",
    )


def _margins(rows: Sequence[PartyMargin], month: Period, currency: str) -> Parts | None:
    """Rank what is left of each party's sale; nothing where there is nobody to compare with."""
    known = [(row.name, row.margin.amount) for row in rows if row.margin]
    if len(known) < 2:  # noqa: PLR2004 - one alone has no rank
        return None
    return Parts(
        title=gettext("Your margin, %(month)s, %(currency)s", month=shown.period(month), currency=currency),
        parts=[
            Part(name=name, value=left.amount)
            for name, left in sorted(known, key=lambda one: (-one[1].minor, one[0]))
        ],
        write=in_currency(currency),
    )


@blueprint.get("/statements")
@requires(Permission.WHOLESALER_STATEMENTS_VIEW)
def statements() -> ResponseReturnValue:
    """List what every reseller owes for a month, with cost and margin beside."""
    with transaction() as session:
        choice = chosen_rated_month(session)
        currency = wholesaler_of(session).currency
        rows, figures = [], None
        if choice.period:
            found = margins_by_reseller(session, choice.period, currency=currency)
            rows = comparable(found, choice.period)
            figures = next(iter(list_periods(session, currency=currency, only=choice.period)), None)
        view = _view(f"statements-{choice.period}", of_resellers=True)
        return view.respond_with_rows(
            rows,
            "admin/statements/list.html",
            choice=choice,
            currency=currency,
            figures=figures,
            has_rows=bool(rows),
            chart=_margins(rows, choice.period, currency) if choice.period else None,
        )


@blueprint.get("/statements/<period:period>/<uuid:reseller_id>")
@requires(Permission.WHOLESALER_STATEMENTS_VIEW)
def reseller_statements(period: str, reseller_id: UUID) -> ResponseReturnValue:
    """List what a reseller owes for each of its customers."""
    month = Period.parse(period)
    with transaction() as session:
        reseller = session.scalars(select(Reseller).where(Reseller.public_id == reseller_id)).one_or_none()
        if reseller is None:
            abort(404)
        currency = wholesaler_of(session).currency
        found = margins_by_customer(session, month, reseller_id=reseller.id, currency=currency)
        rows = comparable(found, month)
        resellers = comparable(margins_by_reseller(session, month, currency=currency), month)
        total = next((one for one in resellers if one.id == reseller_id), None)
        view = _view(f"statements-{month}-{reseller.reference}", of_resellers=False)
        return view.respond_with_rows(
            rows,
            "admin/statements/show.html",
            reseller=reseller,
            month=month,
            currency=currency,
            total=total,
            chart=_margins(rows, month, currency),
        )


@blueprint.get("/statements/<period:period>/download")
@requires(Permission.WHOLESALER_STATEMENTS_VIEW)
def download_statements(period: str) -> ResponseReturnValue:
    """Send every line of a hop of a month, of one reseller where it is named, as CSV, Excel or FOCUS."""
    month = Period.parse(period)
    kind = request.args.get("as", "csv")
    hop = request.args.get("hop", Hop.WHOLESALE.value)
    reference = request.args.get("reseller", "")
    if kind not in _FILES or hop not in set(Hop):
        abort(404)
    wanted = Wanted(
        period=month,
        hop=Hop(hop),
        buyer=reference if hop == Hop.WHOLESALE else "",
        seller=reference if hop == Hop.RETAIL else "",
    )
    file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - send_file closes it
    with transaction() as session:
        write_statements(session, wanted, format_=kind, file=file)
    file.seek(0)
    suffix, media_type = _FILES[kind]
    parts = [hop, str(month), *([reference] if reference else []), *(["focus"] if kind == "focus" else [])]
    return send_file(
        file, mimetype=media_type, as_attachment=True, download_name=f"{'-'.join(parts)}.{suffix}"
    )
