"""A product that its vendor renamed: from which day its new name is taken, with the price rules."""

from uuid import UUID

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext, ngettext
from sqlalchemy import select
from wtforms.validators import InputRequired

from catalog.models import Product
from marketplace.core.actor import Permission
from marketplace.core.clock import utc_now
from marketplace.web.admin import blueprint
from marketplace.web.forms import DayField, PageForm
from marketplace.web.guards import requires
from marketplace.web.session import current_actor, transaction
from resellers.operations.renaming import rules_of_name, take_vendor_title


class RenameForm(PageForm):
    """From which day of usage rules are to hold under the new name."""

    day = DayField(
        lazy_gettext("First day of the new name"), validators=[InputRequired(lazy_gettext("Choose the day."))]
    )


@blueprint.route("/products/<uuid:product_id>/rename", methods=["GET", "POST"])
@requires(Permission.WHOLESALER_CATALOGUE_MANAGE)
def rename_product(product_id: UUID) -> ResponseReturnValue:
    """Ask from when the vendor's new name is to be taken, and take it."""
    form = RenameForm()
    with transaction() as session:
        product = session.scalars(select(Product).where(Product.public_id == product_id)).one_or_none()
        if product is None or (not product.new_title and request.method == "GET"):
            abort(404)
        if form.validate_on_submit():
            carried = take_vendor_title(
                session, actor=current_actor(), product_id=product_id, day=form.day.data
            )
            words = ngettext(
                "The new name is taken, and %(num)s price rule came along.",
                "The new name is taken, and %(num)s price rules came along.",
                carried,
            )
            flash(words, "success")
            return redirect(url_for("admin.product", product_id=product_id), code=303)
        day = form.day.data or utc_now().date()
        if request.method == "GET":
            form.day.data = day
        page = render_template(
            "admin/products/rename.html",
            product=product,
            rules=rules_of_name(session, product, day=day),
            form=form,
        )
        return make_response(page, 422 if request.method == "POST" else 200)
