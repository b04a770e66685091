"""A product that its vendor renamed: staff take the new name, and the price rules come along."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Select, and_, cast, func, insert, literal, or_, select
from sqlalchemy.dialects.postgresql import insert as insert_or_ignore
from sqlalchemy.orm import Session, aliased

from catalog.models import Product
from marketplace.core import audit
from marketplace.core.actor import Actor, Permission
from marketplace.core.errors import N_, NotFound, Refusal
from marketplace.core.permit import require
from resellers.models import PriceRule, PriceRuleScope


class NotRenamed(Refusal):
    """The vendor has no other name for it."""

    sentence = N_("The vendor calls %(product)s as we do: there is no new name to take.")


@dataclass(frozen=True, slots=True)
class RulesOfName:
    """The rules that know a product by its name and hold on a day or later, and those the new name has already."""

    standing: int
    known: int

    @property
    def carried(self) -> int:
        """How many come along."""
        return self.standing - self.known


def rules_of_name(session: Session, product: Product, *, day: date) -> RulesOfName:
    """Count what taking the new name would carry along."""
    carried = select(func.count()).select_from(_carried(product, day=day, actor="").subquery())
    standing = (
        select(func.count(PriceRule.id))
        .join(PriceRuleScope, PriceRuleScope.id == PriceRule.scope_id)
        .where(_named(PriceRuleScope, product, product.title), _holds_after(day))
    )
    found = session.scalar(standing) or 0
    with session.begin_nested() as looking:
        _add_scopes(session, product)
        new = session.scalar(carried) or 0
        looking.rollback()
    return RulesOfName(found, found - new)


def take_vendor_title(session: Session, *, actor: Actor, product_id: UUID, day: date) -> int:
    """Know a product by what its vendor calls it now; give how many rules were carried along.

    Every rule of the old name is repeated for the new one from `day` on, where the new name has none of its own then.
    The old ones stay: usage files name products in the vendor's words of their time and are matched by those words
    alone, late ones too; and a subscription goes by the name it was sold under until it renews. So `day` is best the
    first on which the vendor's own files say the new name. Raises `NotFound`, `NotRenamed`.
    """
    require(actor, Permission.WHOLESALER_CATALOGUE_MANAGE)
    product = session.scalars(
        select(Product).where(Product.public_id == product_id).with_for_update()
    ).one_or_none()
    if product is None:
        raise NotFound
    if not product.new_title:
        raise NotRenamed(product=product.title)
    _add_scopes(session, product)
    columns = ("scope_id", "basis", "percent", "unit_price", "currency", "valid_from", "valid_until")
    made = session.execute(
        insert(PriceRule)
        .from_select([*columns, "created_by", "public_id"], _carried(product, day=day, actor=actor.name))
        .returning(PriceRule.id)
    ).all()
    before = product.title
    product.title = product.new_title
    audit.record(
        session,
        actor=actor,
        action="product.rename",
        subject="product",
        subject_id=product.public_id,
        before={"product": before},
        after={"product": product.title, "valid_from": day.isoformat(), "rules": len(made)},
    )
    return len(made)


_PARTIES = ("reseller_id", "customer_id")
_SAME = ("hop", "subscription", "vendor", "sku")


def _named(scope: type[PriceRuleScope], product: Product, title: str) -> ColumnElement[bool]:
    return and_(scope.vendor == product.vendor, scope.product == title)


def _holds_after(day: date) -> ColumnElement[bool]:
    return or_(PriceRule.valid_until.is_(None), PriceRule.valid_until > day)


def _add_scopes(session: Session, product: Product) -> None:
    """Make a scope of the new name for each of the old one's."""
    columns = (*_SAME, *_PARTIES)
    session.execute(
        insert_or_ignore(PriceRuleScope)
        .from_select(
            [*columns, "product"],
            select(*(getattr(PriceRuleScope, name) for name in columns), literal(product.new_title)).where(
                _named(PriceRuleScope, product, product.title)
            ),
        )
        .on_conflict_do_nothing()
    )


def _carried(product: Product, *, day: date, actor: str) -> Select[*tuple[object, ...]]:
    """Select the rules to repeat: as they are, from the day on, where the new name has none in their time."""
    old, new, own = aliased(PriceRuleScope), aliased(PriceRuleScope), aliased(PriceRule)
    starts = func.greatest(func.coalesce(PriceRule.valid_from, cast(day, Date)), cast(day, Date))
    has_own = (
        select(own.id)
        .where(
            own.scope_id == new.id,
            or_(own.valid_until.is_(None), own.valid_until > starts),
            or_(
                PriceRule.valid_until.is_(None),
                own.valid_from.is_(None),
                own.valid_from < PriceRule.valid_until,
            ),
        )
        .exists()
    )
    return (
        select(
            new.id,
            PriceRule.basis,
            PriceRule.percent,
            PriceRule.unit_price,
            PriceRule.currency,
            starts.label("valid_from"),
            PriceRule.valid_until,
            literal(actor).label("created_by"),
            func.gen_random_uuid().label("public_id"),
        )
        .join(old, old.id == PriceRule.scope_id)
        .join(
            new,
            and_(
                *(getattr(new, name) == getattr(old, name) for name in _SAME),
                *(getattr(new, name).is_not_distinct_from(getattr(old, name)) for name in _PARTIES),
                new.product == product.new_title,
            ),
        )
        .where(_named(old, product, product.title), _holds_after(day), ~has_own)
    )
