"""What pages wear for somebody: a reseller's brand, as far as every page needs it."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Look:
    """A reseller's brand. Its colours and logo are fetched by `brand_id`, which changes with each change."""

    brand_id: UUID
    name: str
    has_accent: bool
    has_logo: bool
    sender_name: str = ""
    support_email: str = ""
    support_phone: str = ""
