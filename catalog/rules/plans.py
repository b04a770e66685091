"""Which terms can be paid how."""

from catalog.words import BillingCycle, Term

#: How many months a term lasts. What is bought once has no end.
TERM_MONTHS = {Term.P1M: 1, Term.P1Y: 12, Term.P3Y: 36}
#: How many months one charge pays for. The others pay for the whole term at once.
CYCLE_MONTHS = {BillingCycle.MONTHLY: 1, BillingCycle.ANNUAL: 12, BillingCycle.TRIENNIAL: 36}

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
