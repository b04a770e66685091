"""Every component of the kit on one page, for those who write pages."""

from decimal import Decimal

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from marketplace.core.actor import Audience, Permission
from marketplace.core.errors import N_
from marketplace.core.money import Money
from marketplace.core.period import DateRange, Period
from marketplace.web import gallery as made_up
from marketplace.web.admin import blueprint
from marketplace.web.guards import requires
from marketplace.web.navigation import GROUP_SYSTEM, add_to_menu

SHELLS = ("admin", "storefront", "portal")

add_to_menu(
    Audience.WHOLESALER,
    endpoint="admin.gallery",
    label=N_("Component gallery"),
    icon="package",
    permission=Permission.WHOLESALER_HOME_VIEW,
    group=GROUP_SYSTEM,
    place=900,
    in_menu=False,
    words="kit design components",
)


@blueprint.route("/gallery", methods=["GET", "POST"])
@requires(Permission.WHOLESALER_HOME_VIEW)
def gallery() -> ResponseReturnValue:
    """Show the components; the form on the page can be sent, and changes nothing."""
    form = made_up.GalleryForm()
    if form.validate_on_submit():
        flash(gettext("The form was right. Nothing was saved: this is the gallery."), "success")
        return redirect(url_for("admin.gallery"), code=303)
    shell = request.args.get("shell", "admin")
    answer = made_up.SAMPLES.respond_with_rows(
        made_up.samples(),
        "admin/gallery/show.html",
        form=form,
        shell=shell if shell in SHELLS else "admin",
        shells=SHELLS,
        made_up=made_up,
        Decimal=Decimal,
        Period=Period,
        DateRange=DateRange,
        totals=[
            Money(18_493_240, "EUR"),
            Money(-1_204_055, "USD"),
            Money(903_000, "JPY"),
            Money(12_345_678, "KWD"),
        ],
    )
    return make_response(answer, 422 if form.is_submitted() else 200)


@blueprint.get("/gallery/job/<int:percent>")
@requires(Permission.WHOLESALER_HOME_VIEW)
def gallery_job(percent: int) -> ResponseReturnValue:
    """Give the progress of a job that exists nowhere, as a page polls it."""
    return render_template("admin/gallery/job.html", percent=min(100, percent))
