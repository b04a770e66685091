"""The reseller's own firm: its standing with the wholesaler, the agreement it accepts, and its brand."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from wtforms import BooleanField, FileField, HiddenField, StringField
from wtforms.validators import InputRequired, Length

from marketplace.core.actor import Audience, Permission
from marketplace.core.cells import FaultyEntry
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_, Refusal
from marketplace.web.branding import accent_proposal, own_host
from marketplace.web.forms import PageForm
from marketplace.web.guards import requires
from marketplace.web.navigation import GROUP_FIRM, add_to_menu
from marketplace.web.session import current_actor, transaction
from marketplace.web.sign_in.entering import is_ours
from marketplace.web.storefront import blueprint
from resellers.models import Brand, Reseller
from resellers.operations.agreements import accept_agreement
from resellers.operations.brand import change_brand
from resellers.queries.brands import brand_of
from resellers.queries.standing import (
    acceptances_of,
    billing_mode_of,
    credit_of,
    enrolments_of,
    open_agreement,
)
from resellers.rules.applications import PROGRAMME_LABELS
from resellers.rules.brand import (
    BrandEntry,
    read_brand,
)
from resellers.words import Programme

VIEW = Permission.RESELLER_FIRM_VIEW
MANAGE = Permission.RESELLER_FIRM_MANAGE
_NAMES = tuple(BrandEntry.__dataclass_fields__)

add_to_menu(
    Audience.RESELLER,
    endpoint="storefront.firm",
    label=N_("Your firm"),
    icon="building-store",
    permission=VIEW,
    place=75,
    group=GROUP_FIRM,
    words="settings brand logo colour terms enrolment agreement credit",
)


class BrandForm(PageForm):
    """What pages wear, and where they are found."""

    name = StringField(lazy_gettext("Name on the pages"), validators=[Length(max=60)])
    accent = StringField(lazy_gettext("Accent colour"), validators=[Length(max=7)])
    logo = FileField(lazy_gettext("Logo"))
    removes_logo = BooleanField(lazy_gettext("Take the logo away"))
    host = StringField(lazy_gettext("Host name of your own"), validators=[Length(max=253)])
    path = StringField(lazy_gettext("Word of our address"), validators=[Length(max=40)])
    sender_name = StringField(lazy_gettext("Sender of mails"), validators=[Length(max=60)])
    support_email = StringField(lazy_gettext("Support by mail"))
    support_phone = StringField(lazy_gettext("Support by phone"), validators=[Length(max=40)])


class AcceptForm(PageForm):
    """The firm's word."""

    accepts = BooleanField(
        lazy_gettext("I have read it and accept it for my firm"),
        validators=[InputRequired(lazy_gettext("Tick the box to accept."))],
    )
    next = HiddenField()


@blueprint.get("/firm")
@requires(VIEW)
def firm() -> ResponseReturnValue:
    """Show how the firm stands with the wholesaler."""
    actor = current_actor()
    with transaction() as session:
        party = session.get_one(Reseller, actor.party_id)
        now = utc_now()
        return render_template(
            "storefront/firm/show.html",
            party=party,
            enrolments=enrolments_of(session, party, now=now),
            mode=billing_mode_of(session, reseller_id=party.id, customer_id=None, day=now.date()),
            credit=credit_of(session, reseller_id=party.id),
            versions=acceptances_of(session, party.id),
            programmes={one.value: PROGRAMME_LABELS[one] for one in Programme},
            may_manage=actor.may(MANAGE),
        )


@blueprint.get("/firm/agreement")
@requires(MANAGE)
def agreement() -> ResponseReturnValue:
    """Show the agreement that waits for the firm's word."""
    return _agreement(AcceptForm(request.args))


@blueprint.post("/firm/agreement")
@requires(MANAGE)
def accept() -> ResponseReturnValue:
    """Accept it for the firm."""
    form = AcceptForm()
    actor = current_actor()
    if not form.validate_on_submit():
        return _agreement(form), 422
    with transaction() as session:
        found = open_agreement(session, actor.reseller_id or 0)
        if found is not None and str(found.public_id) == request.form.get("agreement"):
            accept_agreement(
                session,
                actor=actor,
                agreement_id=found.public_id,
                ip=request.remote_addr or "",
                now=utc_now(),
            )
            flash(gettext("Thank you: the agreement is accepted."), "success")
    wanted = form.next.data or ""
    return redirect(wanted if is_ours(wanted) else url_for("storefront.firm"), code=303)


@blueprint.get("/firm/brand")
@requires(MANAGE)
def brand() -> ResponseReturnValue:
    """Ask what the firm's pages wear."""
    with transaction() as session:
        found = brand_of(session, current_actor().party_id or 0)
        values = {name: getattr(found, name) for name in _NAMES} if found else {}
        return _brand(BrandForm(data=values), found)


@blueprint.post("/firm/brand")
@requires(MANAGE)
def change() -> ResponseReturnValue:
    """Change it."""
    form = BrandForm()
    actor = current_actor()
    file = request.files.get("logo")
    try:
        if form.validate_on_submit():
            entry = read_brand({name: form[name].data or "" for name in _NAMES}, own_host=own_host())
            with transaction() as session:
                change_brand(
                    session,
                    actor=actor,
                    entry=entry,
                    logo=file.read() if file and file.filename else None,
                    removes_logo=bool(form.removes_logo.data),
                )
    except FaultyEntry as faulty:
        form.refuse_entry(faulty)
    except Refusal as refusal:
        form.refuse(refusal, "logo")
    if form.errors:
        with transaction() as session:
            return _brand(form, brand_of(session, actor.party_id or 0)), 422
    flash(gettext("Your brand is saved: your pages and your customers' wear it from now on."), "success")
    return redirect(url_for("storefront.brand"), code=303)


@blueprint.get("/firm/brand/accent")
@requires(MANAGE)
def brand_accent() -> ResponseReturnValue:
    """Say, while a colour is typed, whether everybody can read it, and which near it they can."""
    return render_template(
        "brand/accent.html", proposal=accent_proposal(request.args.get("accent", "")), is_fragment=True
    )


def _brand(form: BrandForm, found: Brand | None) -> str:
    return render_template(
        "storefront/firm/brand.html",
        form=form,
        brand=found,
        proposal=accent_proposal(form.accent.data or ""),
    )


def _agreement(form: AcceptForm) -> str:
    with transaction() as session:
        found = open_agreement(session, current_actor().reseller_id or 0)
    return render_template("storefront/firm/agreement.html", form=form, agreement=found)
