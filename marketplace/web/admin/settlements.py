"""What was paid: ticked on a reseller's page, or taken from a file that is tried first."""

import csv
import io
from uuid import UUID

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from marketplace.core.actor import Permission
from marketplace.core.clock import utc_now
from marketplace.core.csv_table import ImportResult
from marketplace.core.errors import Refusal
from marketplace.orders.operations.settling import import_payments, settle
from marketplace.orders.queries.exposure import debtor_called, statements_of
from marketplace.orders.queries.unpaid import open_statements
from marketplace.orders.rules.payments import COLUMNS
from marketplace.web.admin import blueprint
from marketplace.web.admin.credit import released, reseller_or_404
from marketplace.web.guards import accepts_upload, requires
from marketplace.web.session import current_actor, order_desk

_MOST_BYTES = 8 << 20
_MOST_ROWS = 100_000


@blueprint.post("/credit/<uuid:reseller_id>/settle")
@requires(Permission.WHOLESALER_CREDIT_MANAGE)
def settle_statements(reseller_id: UUID) -> ResponseReturnValue:
    """Note that the ticked statements were paid whole; orders that were held back go on."""
    chosen = request.form.getlist("statements", type=UUID)
    with order_desk() as desk:
        reseller_or_404(desk, reseller_id)
        count = settle(desk, actor=current_actor(), statement_ids=chosen, now=utc_now())
    flash(released(count), "success")
    return redirect(url_for("admin.credit_of_reseller", reseller_id=reseller_id), code=303)


@blueprint.get("/credit/<uuid:reseller_id>/settlements.csv")
@requires(Permission.WHOLESALER_CREDIT_MANAGE)
def open_settlements(reseller_id: UUID) -> ResponseReturnValue:
    """Give the open statements as the file that notes them as paid whole today."""
    today = utc_now().date()
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    with order_desk() as desk:
        reseller = reseller_or_404(desk, reseller_id)
        for one in open_statements(
            desk,
            statements_of(debtor_called(reseller)),
            today=today,
            limit=_MOST_ROWS,
        ):
            writer.writerow((one.id, one.left.amount, today.isoformat()))
    return Response(
        file.getvalue(),
        mimetype="text/csv",
        headers={"Content-Disposition": 'attachment; filename="settlements.csv"'},
    )


@blueprint.get("/credit/settlements")
@requires(Permission.WHOLESALER_CREDIT_MANAGE)
def settlements_file() -> ResponseReturnValue:
    """Ask for a file."""
    return _page()


@blueprint.post("/credit/settlements")
@requires(Permission.WHOLESALER_CREDIT_MANAGE)
@accepts_upload(most_bytes=_MOST_BYTES)
def import_settlements() -> ResponseReturnValue:
    """Say what a file would note, or note all of it."""
    file = request.files.get("files")
    if file is None or not file.filename:
        return _page(), 422
    is_trial = request.form.get("step") != "save"
    try:
        with order_desk() as desk:
            result = import_payments(
                desk,
                actor=current_actor(),
                file=file.filename,
                content=file.read(),
                now=utc_now(),
                dry_run=is_trial,
            )
    except Refusal as refusal:
        return _page(refusal=refusal), 422
    if is_trial:
        return _page(result=result)
    said = gettext(
        "%(added)s noted, %(unchanged)s were noted already.",
        added=result.added,
        unchanged=result.unchanged,
    )
    flash(said, "success")
    return redirect(url_for("admin.credit"), code=303)


def _page(*, result: ImportResult | None = None, refusal: Refusal | None = None) -> str:
    return render_template("admin/credit/file.html", columns=COLUMNS, result=result, refusal=refusal)
