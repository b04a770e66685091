"""Why this amount, for pages: a line's explanation and one page of its source rows."""

from typing import Any
from uuid import UUID

from flask import abort, request
from flask_babel import gettext
from sqlalchemy.orm import Session

from marketplace.billing.explanations import UnknownLine, explain, source_page
from marketplace.core.actor import Actor
from marketplace.core.errors import N_
from marketplace.usage.lake import Lake
from marketplace.web.session import wiring

ROWS = 25

# Columns of a source row worth showing, where the viewer may see them: name, heading, whether it is a number.
_COLUMNS = (
    ("usage_date", N_("Day"), False),
    ("quantity", N_("Quantity"), True),
    ("cost", N_("Cost"), True),
    ("list_cost", N_("List cost"), True),
    ("charge_type", N_("Charge type"), False),
    ("provider", N_("Provider"), False),
    ("invoice", N_("Invoice"), False),
    ("file", N_("File"), False),
    ("file_no", N_("File"), True),
    ("row", N_("Row"), True),
)


def explained_or_404(session: Session, line_id: UUID, *, actor: Actor) -> dict[str, Any]:
    """Give what `components/explain.html` shows of a line: its arguments by name. `?start=` pages the rows."""
    start = request.args.get("start", 0, type=int)
    try:
        explanation = explain(session, line_id, actor=actor)
        lake = Lake(wiring().settings.lake)
        source = source_page(session, line_id, actor=actor, lake=lake, limit=ROWS, offset=max(0, start))
    except UnknownLine:
        abort(404)
    shown = source.rows[0].keys() if source.rows else ()
    columns = [
        (name, gettext(label), is_number)
        for name, label, is_number in _COLUMNS
        if name in shown and any(row[name] not in {None, ""} for row in source.rows)
    ]
    # A file's name says more than its number, and the number of the only one says nothing.
    has_names = any(name == "file" for name, _, _ in columns)
    if has_names or len({row["file_no"] for row in source.rows}) == 1:
        columns = [column for column in columns if column[0] != "file_no"]
    return {
        "explanation": explanation,
        "source": source,
        "columns": columns,
        "heads": [column[1:] for column in columns],
    }
