"""The four sides of a month: vendor's bill, cost on statements, wholesale, retail, and what lies between them."""

from collections.abc import Sequence

from flask import abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from marketplace.billing.queries.periods import list_periods
from marketplace.billing.queries.reconciliation import (
    VendorRow,
    files_of_bill,
    find_bill,
    reconcile,
    sides_in,
)
from marketplace.core.actor import Audience, Permission
from marketplace.core.errors import N_
from marketplace.core.money import Money
from marketplace.core.period import Period
from marketplace.web import filters as shown
from marketplace.web.admin import blueprint
from marketplace.web.admin.months import chosen_rated_month
from marketplace.web.admin.wholesaler import wholesaler_of
from marketplace.web.charts import Step, Waterfall, in_currency
from marketplace.web.guards import requires
from marketplace.web.listing import EXPORTS, Column, Kind, ListView, OnPhone
from marketplace.web.navigation import GROUP_MONTH, add_to_menu
from marketplace.web.session import transaction

add_to_menu(
    Audience.WHOLESALER,
    endpoint="admin.reconciliation",
    label=N_("Reconciliation"),
    icon="scale",
    permission=Permission.WHOLESALER_PERIODS_VIEW,
    group=GROUP_MONTH,
    place=45,
    words="balance vendor bill four way difference",
)


def _sum(part: str) -> Column[VendorRow]:
    labels = {
        "bill": N_("Vendor's bill"),
        "tax": N_("Vendor tax"),
        "unmapped": N_("Unmapped"),
        "parked": N_("Parked"),
        "licences": N_("Licences, differently"),
        "rounding": N_("Vendor rounding"),
    }
    return Column(
        key=part,
        label=labels[part],
        value=lambda row: row.sum_of(part),
        kind=Kind.MONEY,
        phone=OnPhone.LINE,
    )


_PARTS = ("tax", "unmapped", "parked", "licences", "rounding")


def _view(rows: Sequence[VendorRow]) -> ListView[VendorRow]:
    """Describe the list; on pages, a part that is nothing everywhere has no column."""
    is_file = request.args.get("format") in EXPORTS
    has_late = is_file or any(row.late.minor for row in rows)
    parts = [part for part in _PARTS if is_file or any(row.sum_of(part).minor for row in rows)]
    late = Column[VendorRow](
        key="late", label=N_("Late, of closed months"), value=lambda row: row.late, kind=Kind.MONEY
    )
    return ListView[VendorRow](
        name="reconciliation",
        columns=(
            Column(
                key="vendor",
                label=N_("Vendor"),
                value=lambda row: row.vendor,
                kind=Kind.VENDOR,
                phone=OnPhone.TITLE,
            ),
            _sum("bill"),
            *(_sum(part) for part in parts),
            *((late,) if has_late else ()),
            Column(key="cost", label=N_("Cost on statements"), value=lambda row: row.cost, kind=Kind.MONEY),
            Column(key="wholesale", label=N_("Wholesale"), value=lambda row: row.wholesale, kind=Kind.MONEY),
            Column(key="retail", label=N_("Retail"), value=lambda row: row.retail, kind=Kind.MONEY),
            Column(key="proved", label=N_("Adds up"), value=lambda row: row.is_proved, phone=OnPhone.SIDE),
        ),
    )


@blueprint.get("/reconciliation")
@requires(Permission.WHOLESALER_PERIODS_VIEW)
def reconciliation() -> ResponseReturnValue:
    """Show the four sides of a month, and class every difference between them."""
    with transaction() as session:
        choice = chosen_rated_month(session)
        rows = reconcile(session, choice.period) if choice.period else []
        currency = wholesaler_of(session).currency
        sides = sides_in(currency, rows)
        figures = list_periods(session, currency=currency, only=choice.period) if choice.period else []
        return _view(rows).respond_with_rows(
            rows,
            "admin/reconciliation/show.html",
            choice=choice,
            vendors=rows,
            bills=[bill for row in rows for bill in row.bills],
            currency=currency,
            sides=sides,
            parked=sum(row.parked for row in figures),
            chart=_waterfall(sides, currency),
            hrefs=_hrefs(choice.period) if choice.period else {},
        )


@blueprint.get("/reconciliation/<period:period>/<int:balance_id>")
@requires(Permission.WHOLESALER_PERIODS_VIEW)
def vendor_bill(period: str, balance_id: int) -> ResponseReturnValue:
    """Show one vendor bill: its parts, and the deliveries it was made from."""
    month = Period.parse(period)
    with transaction() as session:
        bill = find_bill(session, month, balance_id=balance_id)
        if bill is None:
            abort(404)
        return render_template(
            "admin/reconciliation/bill.html",
            month=month,
            bill=bill,
            files=files_of_bill(session, bill, period=month),
            hrefs=_hrefs(month),
            chart=Waterfall(
                title=gettext("From the bill to the statements"),
                steps=[
                    Step(name=gettext("Vendor's bill"), value=bill.bill.amount, is_total=True),
                    *(
                        Step(name=name, value=-part.amount)
                        for name, part in (
                            (gettext("Vendor tax"), bill.tax),
                            (gettext("Unmapped"), bill.unmapped),
                            (gettext("Parked"), bill.parked),
                            (gettext("Licences, differently"), bill.licences),
                            (gettext("Vendor rounding"), bill.rounding),
                        )
                        if part.minor
                    ),
                    Step(name=gettext("Cost on statements"), value=bill.cost.amount, is_total=True),
                ],
                write=in_currency(bill.bill.currency),
            ),
        )


def _hrefs(month: Period) -> dict[str, str]:
    """Give where each class of difference opens."""
    return {
        "bill": url_for("admin.imports", period=month),
        "late": url_for("admin.lines", period=month, hop="wholesale", gap="late"),
        "tax": url_for("admin.imports", period=month),
        "unmapped": url_for("admin.unmapped", period=month),
        "parked": url_for("admin.statements", period=month, needs="parked"),
        "licences": url_for("admin.charge_differences", period=month),
        "rounding": url_for("admin.imports", period=month),
        "cost": url_for("admin.statements", period=month),
        "wholesale": url_for("admin.lines", period=month, hop="wholesale"),
        "retail": url_for("admin.lines", period=month, hop="retail"),
    }


def _waterfall(sides: dict[str, Money | None], currency: str) -> Waterfall | None:
    """Draw how the vendors' bills become what customers pay; nothing where a rate is missing."""
    known = {name: side.amount for name, side in sides.items() if side is not None}
    if not known.keys() >= sides.keys() - {"wholesale", "retail"} or not any(known.values()):
        return None
    steps = [Step(name=gettext("Vendors' bills"), value=known["bill"], is_total=True)]
    parts = (
        (gettext("Vendor tax"), -known["tax"]),
        (gettext("Unmapped"), -known["unmapped"]),
        (gettext("Parked"), -known["parked"]),
        (gettext("Licences, differently"), -known["licences"]),
        (gettext("Vendor rounding"), -known["rounding"]),
        (gettext("Late"), known["late"]),
    )
    steps += [Step(name=name, value=value) for name, value in parts if value]
    steps.append(Step(name=gettext("Cost on statements"), value=known["cost"], is_total=True))
    if "wholesale" in known:
        steps.append(Step(name=gettext("Your margin"), value=known["wholesale"] - known["cost"]))
        steps.append(Step(name=gettext("Resellers pay"), value=known["wholesale"], is_total=True))
    if "wholesale" in known and "retail" in known:
        steps.append(Step(name=gettext("Resellers' margin"), value=known["retail"] - known["wholesale"]))
        steps.append(Step(name=gettext("Customers pay"), value=known["retail"], is_total=True))
    return Waterfall(
        title=gettext("From the vendors' bills to what customers pay, %(currency)s", currency=currency),
        steps=steps,
        write=lambda value: shown.money(Money.rounded(value, currency)),
    )
