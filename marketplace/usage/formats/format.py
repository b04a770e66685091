"""What a vendor's file format is: its columns, what each means in the lake, and what makes a row unusable."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from marketplace.core.errors import N_

# Reasons are sentences about the value, shown after the column's name.
MISSING = N_("is missing")
NOT_A_DECIMAL = N_("is not a plain number of at most 20 digits before and 18 after the decimal point")
NOT_A_DAY = N_("is not a day such as 2024-09-30 or 9/30/2024")
NOT_A_CURRENCY = N_("is not a currency code of ISO 4217")
OTHER_PERIOD = N_("is not in the period that was given for the file")
NOT_AN_OBJECT = N_("is not a JSON object on a line of its own")
WRONG_FIELD_COUNT = N_("has another number of fields than the header")
TOO_LONG = N_("is longer than a hundred thousand characters")

_PLACEHOLDER = re.compile(r"\{(\w+)\}")

#: Columns of the lake in their order, with their types. Text is never null, blank instead.
LAKE_COLUMNS: Mapping[str, str] = {
    "file_no": "INTEGER",
    "row": "BIGINT",
    "billing_account": "VARCHAR",
    "account": "VARCHAR",
    "subscription": "VARCHAR",
    "product": "VARCHAR",
    "sku": "VARCHAR",
    "meter": "VARCHAR",
    "unit": "VARCHAR",
    "charge_category": "VARCHAR",
    "charge_type": "VARCHAR",
    "usage_date": "DATE",
    "charge_from": "DATE",
    "charge_until": "DATE",
    "quantity": "DECIMAL(38,18)",
    "cost": "DECIMAL(38,18)",
    "currency": "VARCHAR",
    "list_unit_price": "DECIMAL(38,18)",
    "list_fx": "DECIMAL(38,18)",
    "list_cost": "DECIMAL(38,18)",
    "is_committed": "BOOLEAN",
    "provider": "VARCHAR",
    "invoice": "VARCHAR",
    "file_kind": "VARCHAR",
}


@dataclass(frozen=True)
class Check:
    """A reason to reject a row: `fault` is SQL over the vendor's columns in braces and the lake's columns."""

    column: str
    fault: str
    reason: str


@dataclass(frozen=True)
class Format:
    """One vendor file format.

    `lake` gives each column of the lake as SQL over the vendor's columns, which stand in braces: `{CustomerId}`.
    `period_day` is SQL for a day of the billing period, or blank where the period has to be told.
    """

    name: str
    title: str
    file_kind: str
    required: tuple[str, ...]
    lake: Mapping[str, str]
    period_day: str
    checks: tuple[Check, ...]
    # Columns with amounts, which must not pass through a float where a file writes them as JSON numbers.
    decimals: tuple[str, ...]

    @property
    def is_period_told(self) -> bool:
        """Whether the file itself does not say which period it is about."""
        return not self.period_day

    @property
    def columns(self) -> tuple[str, ...]:
        """The vendor's columns that anything here reads, in a stable order."""
        texts = [*self.lake.values(), self.period_day, *(check.fault for check in self.checks)]
        read = (name for text in texts for name in _PLACEHOLDER.findall(text))
        return tuple(dict.fromkeys((*self.required, *read)))

    def missing_from(self, names: Iterable[str]) -> list[str]:
        """Give the required columns that a header lacks, whatever its case and order."""
        present = {name.casefold() for name in names}
        return [name for name in self.required if name.casefold() not in present]


def fill(expression: str, columns: Mapping[str, str]) -> str:
    """Put the SQL of the vendor's columns in place of their names in braces; absent ones are NULL."""
    return _PLACEHOLDER.sub(lambda found: columns.get(found[1], "NULL::VARCHAR"), expression)


def is_missing(column: str) -> Check:
    """Reject a row whose column is blank."""
    return Check(column, is_blank(column), MISSING)


def is_blank(column: str) -> str:
    """Say in SQL that a column has nothing but blanks. Comparing first spares the trimming of every value."""
    return f"{{{column}}} IS NULL OR ({{{column}}} < '!' AND trim({{{column}}}) = '')"


def is_no_decimal(column: str, lake_column: str) -> Check:
    """Reject a row whose column says something that is not an exact decimal."""
    return Check(column, f"{{{column}}} IS NOT NULL AND {lake_column} IS NULL", NOT_A_DECIMAL)


def is_no_day(column: str, lake_column: str) -> Check:
    """Reject a row whose column does not give a day; placeholders such as 0001-01-01 are no day."""
    return Check(column, f"{lake_column} IS NULL", NOT_A_DAY)


def is_bad_day(column: str) -> Check:
    """Reject a row whose optional day is filled with something that is neither a day nor a placeholder."""
    return Check(
        column,
        f"{{{column}}} IS NOT NULL AND day_of({{{column}}}) IS NULL AND moment_of({{{column}}}) IS NULL",
        NOT_A_DAY,
    )


def is_no_currency(column: str) -> Check:
    """Reject a row whose currency ISO 4217 does not know."""
    return Check(column, "NOT is_currency(currency)", NOT_A_CURRENCY)


def text(column: str) -> str:
    """Take a column as it came, blank where it has nothing."""
    return f"coalesce({{{column}}}, '')"
