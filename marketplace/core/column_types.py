"""Column types that refuse what would lose information: floats in amounts, instants without a zone, finished sentences."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import DateTime, Dialect, Numeric
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

from marketplace.core.errors import Phrase


class ExactDecimal(TypeDecorator[Decimal]):
    """NUMERIC without a limit of digits: PostgreSQL keeps what it is given. Floats are refused."""

    impl = Numeric
    cache_ok = True

    def __init__(self) -> None:
        """Keep the values as `Decimal`."""
        super().__init__(asdecimal=True)

    def process_bind_param(self, value: Any, dialect: Dialect) -> Decimal | None:
        """Refuse floats on the way in."""
        del dialect
        if isinstance(value, float):
            raise TypeError("an amount or a rate is never a float")
        return value if value is None else Decimal(value)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant in UTC. Naive ones are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse instants without a zone."""
        del dialect
        if value is not None and value.tzinfo is None:
            raise TypeError("an instant needs a time zone")
        return value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the instant in UTC whatever the server's zone is."""
        del dialect
        return None if value is None else value.astimezone(UTC)


class StoredPhrase(TypeDecorator[Phrase]):
    """A sentence as template and facts, so that each reader has it in their own language. Blank is NULL."""

    impl = JSONB(none_as_null=True)
    cache_ok = True

    def process_bind_param(self, value: Phrase | None, dialect: Dialect) -> dict[str, Any] | None:
        """Take it apart."""
        del dialect
        return None if value is None else value.as_data()

    def process_result_value(self, value: dict[str, Any] | None, dialect: Dialect) -> Phrase | None:
        """Put it together again."""
        del dialect
        return None if value is None else Phrase.from_data(value)
