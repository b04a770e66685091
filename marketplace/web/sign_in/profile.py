"""One's own name, language and theme."""

from flask import flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale, gettext, lazy_gettext
from wtforms import BooleanField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from marketplace.accounts.models import User
from marketplace.accounts.operations.people import save_profile
from marketplace.core.actor import Permission
from marketplace.core.errors import Refusal
from marketplace.web.forms import PageForm
from marketplace.web.guards import requires
from marketplace.web.preferences import LANGUAGES, language, remember_choice
from marketplace.web.session import current_actor, transaction
from marketplace.web.sign_in import blueprint


class ProfileForm(PageForm):
    """Name, language, theme."""

    name = StringField(lazy_gettext("Name"), validators=[InputRequired(lazy_gettext("Write your name."))])
    locale = SelectField(
        lazy_gettext("Language"),
        choices=[
            SelectChoice("", lazy_gettext("As the browser says")),
            *(SelectChoice(code, name) for code, name in LANGUAGES.items()),
        ],
    )
    theme = SelectField(
        lazy_gettext("Theme"),
        choices=[
            SelectChoice("", lazy_gettext("As the device says")),
            SelectChoice("light", lazy_gettext("Light")),
            SelectChoice("dark", lazy_gettext("Dark")),
        ],
    )
    wants_mail = BooleanField(lazy_gettext("Mail me what stands under the bell"))


@blueprint.get("/account/profile")
@requires(Permission.ACCOUNT_SELF_MANAGE)
def profile() -> ResponseReturnValue:
    """Show the form."""
    with transaction() as session:
        user = session.get_one(User, current_actor().user_id)
        form = ProfileForm(
            data={
                "name": user.name,
                "locale": user.locale,
                "theme": user.theme,
                "wants_mail": user.wants_mail,
            }
        )
        return render_template("sign_in/profile.html", form=form, email=user.email)


@blueprint.post("/account/profile")
@requires(Permission.ACCOUNT_SELF_MANAGE)
def change_profile() -> ResponseReturnValue:
    """Keep what was chosen, and use it at once."""
    form = ProfileForm()
    with transaction() as session:
        email = session.get_one(User, current_actor().user_id).email
    if not form.validate_on_submit():
        return render_template("sign_in/profile.html", form=form, email=email), 422
    locale, theme = form.locale.data or "", form.theme.data or ""
    try:
        with transaction() as session:
            save_profile(
                session,
                actor=current_actor(),
                name=form.name.data or "",
                locale=locale,
                theme=theme,
                wants_mail=bool(form.wants_mail.data),
            )
    except Refusal as refusal:
        form.refuse(refusal, "name")
        return render_template("sign_in/profile.html", form=form, email=email), 422
    with force_locale(locale or language()):
        flash(gettext("Your profile is saved."), "success")
    answer = make_response(redirect(url_for("sign_in.profile"), code=303))
    if locale:
        remember_choice(answer, "lang", locale)
    else:
        answer.delete_cookie("lang")
    remember_choice(answer, "theme", theme or "auto")
    return answer
