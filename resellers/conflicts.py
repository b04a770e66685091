"""What the database refuses when two people change the same terms at the same moment, in words.

Operations look first and say more; these sentences are for the instant between looking and writing.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg.errors import ExclusionViolation, ForeignKeyViolation, UniqueViolation
from sqlalchemy.exc import IntegrityError

from marketplace.core.errors import N_, Refusal


class ReferenceTaken(Refusal):
    """Another party has the reference."""

    sentence = N_("The reference is taken by another party. Choose another, or change that party instead.")


class AddressTaken(Refusal):
    """Another reseller is found at the address."""

    sentence = N_("Another reseller has this host name or address. Choose another.")


class MappingsOverlap(Refusal):
    """The account belongs to somebody on some of those days."""

    sentence = N_("The account belongs to a customer on some of those days already. End that mapping first.")


class RulesOverlap(Refusal):
    """A rule of the same scope holds on some of those days."""

    sentence = N_("A rule of the same scope holds on some of those days already. End that rule first.")


class MovedThatDay(Refusal):
    """A subscription has one customer a day."""

    sentence = N_("The subscription moved on that day already. Choose a later day.")


class ChangedMeanwhile(Refusal):
    """Somebody else wrote the same thing at the same moment."""

    sentence = N_("Somebody else changed the same terms at this very moment. Nothing was saved: try again.")


_SENTENCES: dict[str, type[Refusal]] = {
    "uq_reseller_reference": ReferenceTaken,
    "uq_customer_reference": ReferenceTaken,
    "uq_brand_host": AddressTaken,
    "uq_brand_path": AddressTaken,
    "ex_account_mapping_overlap": MappingsOverlap,
    "ex_price_rule_overlap": RulesOverlap,
    "uq_subscription_move_vendor_subscription_moves_on": MovedThatDay,
}


@contextmanager
def conflicts_in_words() -> Iterator[None]:
    """Turn a violated constraint into its sentence. The transaction is lost; whoever opened it rolls back."""
    try:
        yield
    except IntegrityError as error:
        if isinstance(error.orig, ExclusionViolation | UniqueViolation | ForeignKeyViolation):
            refusal = _SENTENCES.get(error.orig.diag.constraint_name or "", ChangedMeanwhile)
            raise refusal from error
        raise
