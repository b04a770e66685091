"""What Ctrl+K finds in this shell."""

from flask.typing import ResponseReturnValue

from marketplace.core.actor import Permission
from marketplace.web import navigation
from marketplace.web.guards import requires
from marketplace.web.portal import blueprint


@blueprint.get("/palette")
@requires(Permission.CUSTOMER_HOME_VIEW)
def palette() -> ResponseReturnValue:
    """Answer with pages and objects, as JSON."""
    return navigation.palette()
