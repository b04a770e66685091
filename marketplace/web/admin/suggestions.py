"""What a field may be meant to say, while it is typed in."""

from flask import abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.actor import Permission
from marketplace.web.admin import blueprint
from marketplace.web.guards import requires
from marketplace.web.session import transaction
from resellers.queries.suggestions import SUGGESTIONS


def suggesting(name: str, *, list_id: str) -> dict[str, str]:
    """Give the attributes of a field that fetch what it may be meant to say into its list."""
    return {
        "list": list_id,
        "autocomplete": "off",
        "hx-get": url_for("admin.suggestions", name=name),
        "hx-trigger": "focus once, input changed delay:200ms",
        "hx-target": f"#{list_id}",
        "hx-swap": "innerHTML",
    }


@blueprint.get("/suggestions/<string:name>")
@requires(Permission.WHOLESALER_PARTIES_VIEW)
def suggestions(name: str) -> ResponseReturnValue:
    """Answer with the options of a field's list; what was typed comes under the field's own name."""
    suggest = SUGGESTIONS.get(name) or abort(404)
    with transaction() as session:
        found = suggest(session, request.args.get(name, "").strip())
    return render_template("admin/suggestions.html", found=found)
