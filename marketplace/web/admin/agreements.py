"""The agreement resellers accept: its versions, and publishing another."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from sqlalchemy import select
from wtforms import StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from marketplace.core.actor import Audience, Permission
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_, Refusal
from marketplace.web.admin import blueprint
from marketplace.web.forms import PageForm
from marketplace.web.guards import requires
from marketplace.web.navigation import GROUP_SYSTEM, add_to_menu
from marketplace.web.session import current_actor, transaction
from resellers.models import Agreement
from resellers.operations.agreements import publish_agreement

MANAGE = Permission.WHOLESALER_SETTINGS_MANAGE

add_to_menu(
    Audience.WHOLESALER,
    endpoint="admin.agreements",
    label=N_("Reseller agreement"),
    icon="file-text",
    permission=MANAGE,
    group=GROUP_SYSTEM,
    place=86,
    words="terms conditions contract version accept",
)


class AgreementForm(PageForm):
    """Another version."""

    version = StringField(
        lazy_gettext("Version"),
        validators=[InputRequired(lazy_gettext("Name the version, such as 2026-1.")), Length(max=40)],
    )
    title = StringField(
        lazy_gettext("Title"), validators=[InputRequired(lazy_gettext("Write the title.")), Length(max=200)]
    )
    text = TextAreaField(
        lazy_gettext("Text"),
        validators=[InputRequired(lazy_gettext("Write the text.")), Length(max=200_000)],
    )


@blueprint.get("/agreements")
@requires(MANAGE)
def agreements() -> ResponseReturnValue:
    """List the versions, and ask for another."""
    return _page(AgreementForm())


@blueprint.post("/agreements")
@requires(MANAGE)
def publish() -> ResponseReturnValue:
    """Publish a version."""
    form = AgreementForm()
    try:
        if form.validate_on_submit():
            with transaction() as session:
                publish_agreement(
                    session,
                    actor=current_actor(),
                    version=form.version.data or "",
                    title=form.title.data or "",
                    text=form.text.data or "",
                    now=utc_now(),
                )
    except Refusal as refusal:
        form.refuse(refusal, "version")
    if form.errors:
        return _page(form), 422
    flash(gettext("The version is published. Owners are asked for it at their next sign-in."), "success")
    return redirect(url_for("admin.agreements"), code=303)


def _page(form: AgreementForm) -> str:
    with transaction() as session:
        versions = session.scalars(
            select(Agreement).order_by(Agreement.published_at.desc(), Agreement.id.desc())
        ).all()
    return render_template("admin/agreements/list.html", form=form, versions=versions)
