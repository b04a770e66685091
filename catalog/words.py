"""The words of the catalogue that everybody above speaks: terms, billing cycles."""

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
