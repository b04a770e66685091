"""Products: what vendors sell, with costs, list prices and their history, and what the wholesaler says of it itself."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from wtforms import BooleanField, StringField
from wtforms.validators import Length

from catalog.models import Plan, Product, Publisher
from catalog.operations.products import OwnWords, change_product
from catalog.queries.prices import PriceBand, prices_in_force
from catalog.queries.products import (
    SHOWN_CATEGORY,
    SHOWN_TITLE,
    PricePoint,
    ProductPage,
    categories,
    find_product,
    has_plan,
    meter_steps,
    price_history,
    product_list,
    vendors_of_products,
)
from catalog.words import PlanStatus, Segment, Term
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_
from marketplace.web import catalogue_words
from marketplace.web import filters as shown
from marketplace.web.admin import blueprint
from marketplace.web.admin.wholesaler import wholesaler_of
from marketplace.web.forms import PageForm
from marketplace.web.guards import requires
from marketplace.web.listing import Column, Filter, Kind, ListView, OnPhone
from marketplace.web.navigation import GROUP_CATALOGUE, Hit, add_search, add_to_menu
from marketplace.web.session import current_actor, transaction

add_to_menu(
    Audience.WHOLESALER,
    endpoint="admin.products",
    label=N_("Products"),
    icon="package",
    permission=Permission.WHOLESALER_CATALOGUE_VIEW,
    group=GROUP_CATALOGUE,
    place=12,
    words="catalogue offers skus plans licences",
)

_LONGEST = 200
_FIRST_FEW = 5
_YES, _NO = "yes", "no"


class ProductForm(PageForm):
    """What the wholesaler says of a product."""

    own_title = StringField(lazy_gettext("Your title"), validators=[Length(max=_LONGEST)])
    own_category = StringField(lazy_gettext("Your category"), validators=[Length(max=_LONGEST)])
    is_listed = BooleanField(lazy_gettext("The shop shows it"))


@dataclass(frozen=True)
class PlanPrices:
    """What a plan costs now, by quantity, and what it cost before."""

    bands: Sequence[PriceBand]
    history: Sequence[PricePoint]

    @property
    def costs(self) -> list[Decimal]:
        """The costs to draw."""
        return [point.cost for point in self.history if point.cost is not None]


def _view(vendors: Sequence[str], used: Sequence[str]) -> ListView[Any]:
    return ListView[Any](
        name="products",
        columns=(
            Column(
                key="title",
                label=N_("Product"),
                value=lambda row: row.title,
                sort=SHOWN_TITLE,
                phone=OnPhone.TITLE,
            ),
            Column(
                key="vendor",
                label=N_("Vendor"),
                value=lambda row: row.vendor,
                kind=Kind.VENDOR,
                sort=Product.vendor,
            ),
            Column(
                key="kind",
                label=N_("Kind"),
                value=lambda row: gettext(catalogue_words.KINDS[row.kind]),
                sort=Product.kind,
            ),
            Column(key="category", label=N_("Category"), value=lambda row: row.category, sort=SHOWN_CATEGORY),
            Column(key="skus", label=N_("SKUs"), value=lambda row: row.skus, kind=Kind.NUMBER),
            Column(key="plans", label=N_("Plans"), value=lambda row: row.plans, kind=Kind.NUMBER),
            Column(
                key="shown",
                label=N_("In the shop"),
                value=lambda row: gettext("Shown") if row.is_listed else gettext("Hidden"),
                phone=OnPhone.SIDE,
            ),
        ),
        filters=(
            Filter(
                key="vendor",
                label=N_("Vendor"),
                choices=[(vendor, shown.vendor(vendor)) for vendor in vendors],
                where=lambda value: Product.vendor == value,
            ),
            Filter(
                key="kind",
                label=N_("Kind"),
                choices=[(kind.value, label) for kind, label in catalogue_words.KINDS.items()],
                where=lambda value: Product.kind == value,
            ),
            Filter(
                key="term",
                label=N_("Term"),
                choices=[(term.value, label) for term, label in catalogue_words.TERMS.items()],
                where=lambda value: has_plan(Plan.term == Term(value).value),
            ),
            Filter(
                key="segment",
                label=N_("Segment"),
                choices=[(segment.value, label) for segment, label in catalogue_words.SEGMENTS.items()],
                where=lambda value: has_plan(Plan.segment == Segment(value).value),
            ),
            *([_category(used)] if used else []),
            Filter(
                key="shown",
                label=N_("In the shop"),
                choices=((_YES, N_("Shown")), (_NO, N_("Hidden"))),
                where=lambda value: Product.is_listed.is_(value == _YES),
            ),
        ),
        search=(Product.title, Product.vendor_title, Product.own_title, Product.reference, Publisher.name),
        search_label=N_("Search title, reference or publisher"),
        sort="title",
        tie_break=(Product.id,),
    )


def _category(used: Sequence[str]) -> Filter[Any]:
    return Filter(
        key="category",
        label=N_("Category"),
        choices=[(category, category) for category in used],
        where=lambda value: SHOWN_CATEGORY.in_([value]),
    )


@blueprint.get("/products")
@requires(Permission.WHOLESALER_CATALOGUE_VIEW)
def products() -> ResponseReturnValue:
    """List what vendors sell."""
    with transaction() as session:
        view = _view(vendors_of_products(session), categories(session))
        return view.respond(session, product_list(), "admin/products/list.html")


@blueprint.get("/products/<uuid:product_id>")
@requires(Permission.WHOLESALER_CATALOGUE_VIEW)
def product(product_id: UUID) -> ResponseReturnValue:
    """Show a product, with its prices in one market and currency."""
    now = utc_now()
    with transaction() as session:
        page = _page_or_404(session, product_id)
        market, currency = _chosen_market(session, page)
        asked: dict[str, Any] = {"market": market, "currency": currency}
        bands = prices_in_force(session, plan_ids=page.plan_ids, at=now, **asked)
        history = price_history(session, plan_ids=page.plan_ids, until=now, **asked)
        return render_template(
            "admin/products/show.html",
            page=page,
            product=page.product,
            market=market,
            currency=currency,
            prices={
                plan_id: PlanPrices(bands.get(plan_id, ()), history.get(plan_id, ()))
                for plan_id in page.plan_ids
            },
            steps=meter_steps(session, product_id=page.product.id, at=now, **asked),
            words=catalogue_words,
        )


@blueprint.get("/products/<uuid:product_id>/edit")
@requires(Permission.WHOLESALER_CATALOGUE_MANAGE)
def edit_product(product_id: UUID) -> ResponseReturnValue:
    """Ask what the wholesaler says of a product."""
    with transaction() as session:
        page = _page_or_404(session, product_id)
        form = ProductForm()
        for name in ("own_title", "own_category", "is_listed"):
            form[name].data = getattr(page.product, name)
        return _edit_page(session, page, form)


@blueprint.post("/products/<uuid:product_id>/edit")
@requires(Permission.WHOLESALER_CATALOGUE_MANAGE)
def save_product(product_id: UUID) -> ResponseReturnValue:
    """Keep what the wholesaler says of a product."""
    form = ProductForm()
    with transaction() as session:
        page = _page_or_404(session, product_id)
        if not form.validate_on_submit():
            return _edit_page(session, page, form), 422
        words = OwnWords(
            own_title=form.own_title.data or "",
            own_category=form.own_category.data or "",
            is_listed=bool(form.is_listed.data),
            statuses=_statuses(page, request.form),
        )
        change_product(session, actor=current_actor(), product_id=product_id, words=words)
    flash(gettext("Saved. No import changes it."), "success")
    return redirect(url_for("admin.product", product_id=product_id), code=303)


def _edit_page(session: Session, page: ProductPage, form: ProductForm) -> str:
    return render_template(
        "admin/products/edit.html",
        page=page,
        product=page.product,
        form=form,
        categories=categories(session),
        words=catalogue_words,
    )


def _statuses(page: ProductPage, given: Mapping[str, str]) -> dict[UUID, PlanStatus]:
    known = {status.value for status in PlanStatus}
    return {
        plan.public_id: PlanStatus(given[f"status-{plan.public_id}"])
        for plans in page.plans.values()
        for plan in plans
        if given.get(f"status-{plan.public_id}") in known
    }


def _page_or_404(session: Session, product_id: UUID) -> ProductPage:
    page = find_product(session, product_id)
    if page is None:
        abort(404)
    return page


def _chosen_market(session: Session, page: ProductPage) -> tuple[str, str]:
    """Give the market and currency the address asks for, else the wholesaler's own, else the first."""
    asked = tuple(request.args.get("market", "").split("-", 1))
    wholesaler = wholesaler_of(session)
    for market, currency in (
        asked if len(asked) == len(("market", "currency")) else ("", ""),
        (wholesaler.country, wholesaler.currency),
    ):
        if (market, currency) in page.markets:
            return market, currency
    return page.markets[0] if page.markets else (wholesaler.country, wholesaler.currency)


def _find(session: Session, actor: Actor, text: str) -> Iterator[Hit]:
    """Find products for Ctrl+K."""
    if not actor.may(Permission.WHOLESALER_CATALOGUE_VIEW):
        return
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    pattern = f"%{escaped}%"
    rows = session.execute(
        select(Product.public_id, SHOWN_TITLE, Product.reference)
        .where(or_(*(column.ilike(pattern, escape="\\") for column in (SHOWN_TITLE, Product.reference))))
        .order_by(SHOWN_TITLE, Product.id)
        .limit(_FIRST_FEW)
    )
    for public_id, title, reference in rows:
        href = url_for("admin.product", product_id=public_id)
        yield Hit(label=title, href=href, kind=gettext("Product"), icon="package", detail=reference)


add_search(Audience.WHOLESALER, _find)
