"""Whether a reseller may sell, who invoices on a day, and which step of its standing follows which."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from marketplace.core.errors import N_, Phrase, Refusal
from resellers.words import BillingMode, EnrolmentStatus, Prerequisite, Programme, ResellerStatus

_R = ResellerStatus
_NEXT: Mapping[ResellerStatus, frozenset[ResellerStatus]] = {
    _R.ACTIVE: frozenset({_R.SUSPENDED, _R.ENDED}),
    _R.SUSPENDED: frozenset({_R.ACTIVE, _R.ENDED}),
    # A firm that comes back applies anew.
    _R.ENDED: frozenset(),
}
#: How long what a vendor said of a partner id is relied on.
CHECK_HOLDS_FOR = timedelta(hours=24)

RESELLER_STATUS_LABELS = {
    _R.ACTIVE: N_("Active"),
    _R.SUSPENDED: N_("Suspended"),
    _R.ENDED: N_("Ended"),
}
ENROLMENT_STATUS_LABELS = {
    EnrolmentStatus.PENDING: N_("Pending"),
    EnrolmentStatus.ACTIVE: N_("Active"),
    EnrolmentStatus.SUSPENDED: N_("Suspended"),
    EnrolmentStatus.ENDED: N_("Ended"),
}
PREREQUISITE_LABELS = {
    Prerequisite.OWN_BILLING: N_("Bills its customers by systems of its own"),
    Prerequisite.OWN_PROVISIONING: N_("Provisions by systems of its own"),
    Prerequisite.SUPPORT_AROUND_THE_CLOCK: N_("Supports its customers around the clock"),
    Prerequisite.SUPPORT_PLAN: N_("Has a support plan with the vendor"),
    Prerequisite.MANAGED_SERVICE: N_("Offers a managed service"),
    Prerequisite.REVENUE: N_("Reached the vendor's revenue of twelve months"),
    Prerequisite.SECURITY_SCORE: N_("Passed the vendor's security score"),
    Prerequisite.DESIGNATION: N_("Holds a designation of the vendor"),
}


class WrongStatus(Refusal):
    """The reseller's status does not allow the step."""

    sentence = N_("The reseller is “%(status)s” by now: this step is not open. Reload the page.")


class PrerequisitesMissing(Refusal):
    """A direct partner cannot be active before everything its vendor asks for is recorded."""

    sentence = N_(
        "%(missing)s prerequisites of a direct partner are not recorded yet. Record them, or enrol it as indirect reseller."
    )


class AdvisorsSellNothing(Refusal):
    """The advisor model is over."""

    sentence = N_(
        "Advisors are kept for the record: the vendor invoiced their customers. Choose another programme to sell."
    )


@dataclass(frozen=True, kw_only=True)
class EnrolmentFacts:
    """What is known of a reseller's enrolment at a vendor."""

    programme: Programme
    status: EnrolmentStatus
    partner_id: str
    is_known: bool | None
    has_signed: bool | None
    checked_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class SellingState:
    """Whether a reseller may sell a vendor's products now; where not, every reason, the first the most urgent.

    `partner_id` is the partner on record for its orders. `needs_check` asks the caller to let the vendor look at the
    partner id again before it orders, and to record the answer.
    """

    reasons: Sequence[Phrase]
    partner_id: str
    programme: Programme | None
    needs_check: bool

    @property
    def may_sell(self) -> bool:
        """Whether nothing stands against it."""
        return not self.reasons


def selling_state_of(
    *,
    status: ResellerStatus,
    enrolment: EnrolmentFacts | None,
    has_open_agreement: bool,
    asks_partner_id: bool,
    now: datetime,
) -> SellingState:
    """Tell whether a reseller may sell. `asks_partner_id`: the vendor wants a partner on record."""
    reasons = []
    if status is not _R.ACTIVE:
        reasons.append(
            Phrase.of(N_("The reseller is “%(status)s”."), status=Phrase.of(RESELLER_STATUS_LABELS[status]))
        )
    if has_open_agreement:
        reasons.append(Phrase.of(N_("An owner of the reseller has not accepted the current agreement yet.")))
    if enrolment is None:
        reasons.append(Phrase.of(N_("The reseller is not enrolled with this vendor.")))
        return SellingState(reasons=reasons, partner_id="", programme=None, needs_check=False)
    if enrolment.programme is Programme.ADVISOR:
        reasons.append(Phrase.of(AdvisorsSellNothing.sentence))
    if enrolment.status is not EnrolmentStatus.ACTIVE:
        said = Phrase.of(ENROLMENT_STATUS_LABELS[enrolment.status])
        reasons.append(Phrase.of(N_("Its enrolment with this vendor is “%(status)s”."), status=said))
    if asks_partner_id and not enrolment.partner_id:
        reasons.append(Phrase.of(N_("It has no partner id on record.")))
    if enrolment.is_known is False:
        reasons.append(
            Phrase.of(N_("The vendor does not know the partner id %(id)s."), id=enrolment.partner_id)
        )
    elif enrolment.has_signed is False:
        reasons.append(Phrase.of(N_("It has not signed the vendor's partner agreement.")))
    checked = enrolment.checked_at
    return SellingState(
        reasons=reasons,
        partner_id=enrolment.partner_id,
        programme=enrolment.programme,
        # A "no" is never relied on: whoever put it right orders again at once.
        needs_check=bool(enrolment.partner_id)
        and (
            checked is None
            or now - checked > CHECK_HOLDS_FOR
            or not (enrolment.is_known and enrolment.has_signed)
        ),
    )


@dataclass(frozen=True, slots=True)
class ModeFrom:
    """Who invoices from a day on. No mode: as the reseller's others."""

    mode: BillingMode | None
    valid_from: date


def billing_mode_on(
    day: date, *, base: BillingMode, of_reseller: Collection[ModeFrom], of_customer: Collection[ModeFrom] = ()
) -> BillingMode:
    """Tell who invoices a customer on a day: its own word, else its reseller's, else what holds since ever."""
    for changes in (of_customer, of_reseller):
        begun = [change for change in changes if change.valid_from <= day]
        if begun:
            latest = max(begun, key=lambda change: change.valid_from)
            if latest.mode is not None:
                return latest.mode
    return base


def check_status_step(now: ResellerStatus, then: ResellerStatus) -> None:
    """Raise `WrongStatus` unless the one may follow the other."""
    if then not in _NEXT[now]:
        raise WrongStatus(status=Phrase.of(RESELLER_STATUS_LABELS[now]))


def check_may_activate(programme: Programme, met: Collection[Prerequisite]) -> None:
    """Raise unless an enrolment may become active: advisors never, direct partners once everything is recorded."""
    if programme is Programme.ADVISOR:
        raise AdvisorsSellNothing
    missing = sum(one not in met for one in Prerequisite)
    if programme is Programme.DIRECT_PARTNER and missing:
        raise PrerequisitesMissing(missing=missing)
