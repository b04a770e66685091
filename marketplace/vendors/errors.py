"""How a vendor can fail us: it says no, it is not there, or it is busy with the same thing."""

from collections.abc import Sequence
from datetime import timedelta

from marketplace.core.errors import N_, Phrase, Refusal


class VendorRefused(Refusal):
    """The vendor understood and said no. Asking the same again gives the same answer."""

    sentence = N_("%(vendor)s refused: %(words)s (%(code)s) %(remedy)s")

    def __init__(self, *, vendor: str, words: str, code: str, remedy: Phrase) -> None:
        """Keep the vendor's own words and code beside what to do about it."""
        super().__init__(vendor=vendor, words=words, code=code, remedy=remedy)
        self.vendor, self.words, self.code, self.remedy = vendor, words, code, remedy


class AgreementMissing(VendorRefused):
    """The vendor does not know yet that the customer accepted its terms: it sells nothing before."""


class PromotionRefused(VendorRefused):
    """The vendor does not sell at the price after a promotion; `promotions` are the vendor's names."""

    def __init__(self, refusal: VendorRefused, promotions: Sequence[str]) -> None:
        """Keep which they are beside what the vendor said."""
        super().__init__(vendor=refusal.vendor, words=refusal.words, code=refusal.code, remedy=refusal.remedy)
        self.promotions = tuple(promotions)


class VendorUnavailable(Refusal):
    """The vendor did not answer, or answered that it cannot now. What was asked may have been done all the same."""

    sentence = N_("%(vendor)s cannot be reached: %(reason)s. It is tried again by itself.")

    def __init__(self, *, vendor: str, reason: str, retry_after: timedelta | None = None) -> None:
        """Keep how long the vendor wants to be left alone, where it says so."""
        super().__init__(vendor=vendor, reason=reason)
        self.vendor, self.reason, self.retry_after = vendor, reason, retry_after


class VendorBusy(VendorUnavailable):
    """The vendor is still working on what was asked before, or was asked too often."""

    sentence = N_("%(vendor)s is busy: %(reason)s. It is tried again by itself.")


class VendorAnswerUnreadable(Refusal):
    """The vendor answered something else than its documentation says."""

    sentence = N_(
        "The answer of %(vendor)s cannot be read: %(reason)s. "
        "Nothing was concluded from it; look at the request in the vendor's own portal."
    )


class NotOffered(Refusal):
    """The connector of this vendor cannot do this."""

    sentence = N_("%(vendor)s is not connected for this: do it in the vendor's own portal.")


class NotSold(Refusal):
    """The vendor does not sell this today, in this country, for this term."""

    sentence = N_(
        "%(item)s is not sold for %(term)s, billed %(cycle)s, in %(country)s: "
        "import the vendor's current price list and choose what it offers."
    )


class SignInRefused(Refusal):
    """The vendor does not accept our credentials."""

    sentence = N_(
        "%(vendor)s does not accept our credentials (%(words)s): check MARKETPLACE_MICROSOFT_TENANT, "
        "MARKETPLACE_MICROSOFT_CLIENT_ID and MARKETPLACE_MICROSOFT_CLIENT_SECRET."
    )


class NotConnected(Refusal):
    """The reseller has not become ours at the vendor."""

    sentence = N_(
        "%(vendor)s does not list the partner %(id)s among our resellers: have it accept our invitation in the "
        "vendor's portal, then try again."
    )
