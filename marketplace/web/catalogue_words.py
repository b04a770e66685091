"""The catalogue's words as pages say them."""

from catalog.words import (
    BillingModel,
    PlanStatus,
    PriceListKind,
    PriceListStatus,
    ProductKind,
    RelationKind,
    Segment,
    Term,
)
from marketplace.core.errors import N_

KINDS = {
    ProductKind.LICENCE: N_("Licence"),
    ProductKind.SOFTWARE: N_("Software"),
    ProductKind.CONSUMPTION: N_("Consumption"),
    ProductKind.SERVICE: N_("Service"),
}
TERMS = {
    Term.P1M: N_("one month"),
    Term.P1Y: N_("one year"),
    Term.P3Y: N_("three years"),
    Term.ONE_TIME: N_("for good"),
}
SEGMENTS = {
    Segment.COMMERCIAL: N_("Commercial"),
    Segment.EDUCATION: N_("Education"),
    Segment.CHARITY: N_("Charity"),
    Segment.GOVERNMENT: N_("Government"),
}
BILLING_MODELS = {
    BillingModel.POSTPAID: N_("billed as it goes"),
    BillingModel.PREPAID: N_("prepaid by the year"),
}
PLAN_STATUSES = {
    PlanStatus.ON_SALE: N_("On sale"),
    PlanStatus.PRIVATE: N_("Private: only where it runs already"),
    PlanStatus.ENDED: N_("No longer sold"),
}
#: From the SKU that names the other, and from the one that is named.
RELATIONS = {
    (RelationKind.PREREQUISITE, False): N_("Needs one of"),
    (RelationKind.PREREQUISITE, True): N_("Add-ons that can be had with it"),
    (RelationKind.UPGRADE, False): N_("Can be upgraded to"),
    (RelationKind.UPGRADE, True): N_("Can be upgraded from"),
    (RelationKind.CONVERSION, False): N_("As a trial becomes"),
    (RelationKind.CONVERSION, True): N_("Can be tried as"),
}
LIST_KINDS = {
    PriceListKind.LICENCE: N_("Licences"),
    PriceListKind.SOFTWARE: N_("Software"),
    PriceListKind.CONSUMPTION: N_("Consumption"),
    PriceListKind.OFFERS: N_("Offers without prices"),
}
LIST_STATUSES = {
    PriceListStatus.DRAFT: N_("Draft"),
    PriceListStatus.SCHEDULED: N_("Scheduled"),
    PriceListStatus.ACTIVE: N_("In force"),
    PriceListStatus.SUPERSEDED: N_("Superseded"),
    PriceListStatus.DISCARDED: N_("Discarded"),
}
