"""The help page."""

from flask import render_template
from flask.typing import ResponseReturnValue

from marketplace.web.guards import public
from marketplace.web.help import blueprint


@blueprint.get("/help")
@public
def guide() -> ResponseReturnValue:
    """Show how to find one's way, in the shell of whoever asks."""
    return render_template("help/guide.html")
