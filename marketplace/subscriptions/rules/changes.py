"""What can be asked of a subscription."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from marketplace.subscriptions.rules.history import Quoted, Standing
from marketplace.subscriptions.words import AtTermEnd


@dataclass(frozen=True, slots=True)
class ChangeQuantity:
    """Have this many seats from now on."""

    quantity: int


@dataclass(frozen=True, slots=True)
class Cancel:
    """Give the whole subscription up."""


@dataclass(frozen=True, slots=True)
class Upgrade:
    """Take all seats, or some, to a higher SKU: in place, to a new subscription, or into one that is there.

    Some seats go to a subscription of their own that ends with this one, unless `into` names one.
    """

    quoted: Quoted
    quantity: int
    # Which one, and as it stands where that is known: what is kept of an order knows the first alone.
    into_id: UUID | None = None
    into: Standing | None = None


@dataclass(frozen=True, slots=True)
class ChangeTerm:
    """Commit for longer, from now on."""

    quoted: Quoted


@dataclass(frozen=True, slots=True)
class ChangeBilling:
    """Pay the same term by another cycle."""

    quoted: Quoted


@dataclass(frozen=True, slots=True)
class ConvertTrial:
    """Make a trial what it was a trial of."""

    quoted: Quoted
    quantity: int


@dataclass(frozen=True, slots=True)
class Suspend:
    """Stop the service; it goes on being charged."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Let the service go on."""


@dataclass(frozen=True, slots=True)
class SetTermEnd:
    """Say what happens when the term ends."""

    choice: AtTermEnd


@dataclass(frozen=True, slots=True)
class ChangeAtRenewal:
    """Renew with another number of seats, as another plan, or until a day."""

    quantity: int | None = None
    quoted: Quoted | None = None
    custom_end: date | None = None


@dataclass(frozen=True, slots=True)
class RenewAsItIs:
    """Forget what waits for the renewal."""


Change = (
    ChangeQuantity
    | Cancel
    | Upgrade
    | ChangeTerm
    | ChangeBilling
    | ConvertTrial
    | Suspend
    | Resume
    | SetTermEnd
    | ChangeAtRenewal
    | RenewAsItIs
)
