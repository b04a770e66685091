"""The words of the catalogue that everybody above speaks: what can be sold, for how long, to whom, how it is paid."""

from enum import StrEnum


class Term(StrEnum):
    """How long a plan commits for, as ISO 8601 durations; `OneTime` is bought for good."""

    P1M = "P1M"
    P1Y = "P1Y"
    P3Y = "P3Y"
    ONE_TIME = "OneTime"


class BillingCycle(StrEnum):
    """How often a plan is paid."""

    MONTHLY = "monthly"
    ANNUAL = "annual"
    TRIENNIAL = "triennial"
    NONE = "none"
    ONE_TIME = "one_time"


class ProductKind(StrEnum):
    """What a product is, which decides by which rules it is bought and billed."""

    LICENCE = "licence"
    SOFTWARE = "software"
    CONSUMPTION = "consumption"
    SERVICE = "service"


class Segment(StrEnum):
    """Whom a plan is for."""

    COMMERCIAL = "commercial"
    EDUCATION = "education"
    CHARITY = "charity"
    GOVERNMENT = "government"


class BillingModel(StrEnum):
    """Both models of the trade: a plan is billed as it is used, or paid by the year before."""

    POSTPAID = "postpaid"
    PREPAID = "prepaid"


class PlanStatus(StrEnum):
    """Whether a plan can be bought: by everybody, by whom the wholesaler sells it to, or no longer."""

    ON_SALE = "on_sale"
    PRIVATE = "private"
    ENDED = "ended"


class RelationKind(StrEnum):
    """What another SKU is to one: needed beside it, what it can be upgraded to, what a trial becomes."""

    PREREQUISITE = "prerequisite"
    UPGRADE = "upgrade"
    CONVERSION = "conversion"


class PriceListKind(StrEnum):
    """The lists a vendor publishes, each with its own form and cadence."""

    LICENCE = "licence"
    SOFTWARE = "software"
    CONSUMPTION = "consumption"
    OFFERS = "offers"


class PriceListStatus(StrEnum):
    """How far a version of a price list is. One version of a list is active at a time."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    ACTIVE = "active"
    SUPERSEDED = "superseded"
    DISCARDED = "discarded"
