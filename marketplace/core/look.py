"""What pages and mails wear for somebody: a reseller's brand, as far as they need it."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Look:
    """A reseller's brand. Its colours and logo are fetched by `brand_id`, which changes with each change."""

    brand_id: UUID
    name: str
    has_accent: bool
    has_logo: bool
    support_email: str = ""
    support_phone: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Letterhead:
    """A reseller's brand on mails to its customers."""

    name: str
    # Before our own address of sender; blank is the name.
    sender_name: str
    # As #rrggbb; blank is none.
    accent: str
    support_email: str
    support_phone: str
    # What links begin with: its own host name, or its word of our address.
    address: str
