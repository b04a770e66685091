"""The files of a brand, and the word of our address under which a reseller is found. All open to visitors."""

from urllib.parse import quote
from uuid import UUID

from flask import Response, abort, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.web.brand import blueprint
from marketplace.web.branding import CAME_BY
from marketplace.web.guards import public
from marketplace.web.session import visitors_transaction
from resellers.queries.brands import accent_of, logo_of, look_at_address
from resellers.rules.brand import stylesheet

_YEAR = 365 * 24 * 3600


@blueprint.get("/brand/<uuid:brand_id>/accent.css")
@public
def accent(brand_id: UUID) -> ResponseReturnValue:
    """Give the stylesheet of an accent: the content policy allows no colours in the page itself."""
    with visitors_transaction() as session:
        colour = accent_of(session, brand_id)
    if not colour:
        abort(404)
    return Response(stylesheet(colour), mimetype="text/css")


@blueprint.get("/brand/<uuid:brand_id>/logo")
@public
def logo(brand_id: UUID) -> ResponseReturnValue:
    """Give a logo."""
    with visitors_transaction() as session:
        found = logo_of(session, brand_id)
    if found is None:
        abort(404)
    kind, content = found
    return Response(content, mimetype=kind)


@blueprint.get("/at/<string:firm>")
@public
def at(firm: str) -> ResponseReturnValue:
    """Remember by whose word a visitor came, and show its sign-in page."""
    return _coming_by(firm, url_for("sign_in.sign_in"))


@blueprint.get("/at/<string:firm>/<path:page>")
@public
def page_at(firm: str, page: str) -> ResponseReturnValue:
    """Remember by whose word a visitor came, and go on to a page of this site: a link of a mail."""
    # One slash leads to this site; two, or a backslash, to another.
    query = f"?{request.query_string.decode()}" if request.query_string else ""
    return _coming_by(firm, f"/{quote(page.lstrip('/'))}{query}")


def _coming_by(firm: str, target: str) -> ResponseReturnValue:
    with visitors_transaction() as session:
        found = look_at_address(session, path=firm)
    if found is None:
        abort(404)
    answer = make_response(redirect(target))
    answer.set_cookie(CAME_BY, firm, max_age=_YEAR, samesite="Lax", httponly=True)
    return answer
