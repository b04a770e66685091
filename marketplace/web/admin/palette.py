"""What Ctrl+K finds in this shell."""

from flask.typing import ResponseReturnValue

from marketplace.core.actor import Permission
from marketplace.web import navigation
from marketplace.web.admin import blueprint
from marketplace.web.guards import requires


@blueprint.get("/palette")
@requires(Permission.WHOLESALER_HOME_VIEW)
def palette() -> ResponseReturnValue:
    """Answer with pages and objects, as JSON."""
    return navigation.palette()
