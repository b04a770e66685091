"""Which terms can be paid how."""

from catalog.words import BillingCycle, Term

#: A billing cycle is never longer than the term (Partner Center, error 900270); trials are paid not at all.
PAYABLE = frozenset(
    {
        (Term.P1M, BillingCycle.MONTHLY),
        (Term.P1M, BillingCycle.NONE),
        (Term.P1Y, BillingCycle.MONTHLY),
        (Term.P1Y, BillingCycle.ANNUAL),
        (Term.P1Y, BillingCycle.NONE),
        (Term.P3Y, BillingCycle.MONTHLY),
        (Term.P3Y, BillingCycle.ANNUAL),
        (Term.P3Y, BillingCycle.TRIENNIAL),
        (Term.ONE_TIME, BillingCycle.ONE_TIME),
    }
)


def is_payable(term: Term, cycle: BillingCycle) -> bool:
    """Whether a term can be paid so."""
    return (term, cycle) in PAYABLE
