"""The clock: read at the edge, by views, commands and jobs, and handed inwards as an argument."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Give this instant, in UTC."""
    return datetime.now(UTC)
