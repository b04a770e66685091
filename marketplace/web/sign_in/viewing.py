"""Being oneself again after viewing as somebody else."""

from flask import abort, flash, redirect
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from marketplace.accounts.operations.sessions import stop_viewing_as
from marketplace.web.guards import home_of, public, while_viewing_as
from marketplace.web.session import accounts_transaction, session_token, token_hash
from marketplace.web.sign_in import blueprint


@blueprint.post("/view-as/stop")
@public
@while_viewing_as
def stop() -> ResponseReturnValue:
    """Stop viewing as somebody else. Public, since the party viewed as lacks the permission; a visitor finds nothing."""
    token = session_token()
    if token is None:
        abort(404)
    with accounts_transaction() as session:
        staff = stop_viewing_as(session, token_hash=token_hash(token))
    flash(gettext("You are yourself again."), "success")
    return redirect(home_of(staff), code=303)
