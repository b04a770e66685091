"""One row as the vendor wrote it, with every column of its file."""

from uuid import UUID

from flask import abort, render_template
from flask.typing import ResponseReturnValue

from marketplace.core.actor import Permission
from marketplace.usage.lake import original_row
from marketplace.usage.queries import find_delivery_page
from marketplace.web.admin import blueprint
from marketplace.web.guards import requires
from marketplace.web.session import current_actor, transaction, wiring


@blueprint.get("/imports/<uuid:delivery_id>/files/<int:number>/rows/<int:row>")
@requires(Permission.WHOLESALER_USAGE_VIEW)
def vendor_row(delivery_id: UUID, number: int, row: int) -> ResponseReturnValue:
    """Show a row of a delivered file, counted from 1 after its header."""
    with transaction() as session:
        page = find_delivery_page(session, actor=current_actor(), delivery_id=delivery_id)
    file = next((one for one in page.files if one.number == number), None) if page else None
    if page is None or file is None or not 1 <= row <= file.rows:
        abort(404)
    try:
        values = original_row(wiring().settings.files, file.path, row, name=file.name)
    except LookupError:
        abort(404)
    return render_template(
        "admin/imports/row.html", delivery=page.delivery, file=file, row=row, values=values
    )
