"""What vendors call an account by before it has an id: a domain under the vendor's own. Pure."""

import re
import unicodedata
from collections.abc import Mapping

from marketplace.core.cells import Unusable
from marketplace.core.errors import N_, Phrase

#: Vendors that give each account a domain, and what it ends in.
DOMAINS: Mapping[str, str] = {"microsoft": ".onmicrosoft.com"}
LONGEST_DOMAIN = 27
_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", re.ASCII)
_NOT_A_DOMAIN = N_(
    "is not a domain: write 1 to %(most)s letters, digits and hyphens, with no hyphen at either end"
)


def suggested_domain(name: str) -> str:
    """Make the first part of a domain of a firm's name."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST_DOMAIN].strip("-")


def domain_of(vendor: str, text: str) -> str:
    """Read the first part of a domain, or the whole one; blank where the vendor gives none. Raises `Unusable`."""
    end = DOMAINS.get(vendor)
    if end is None:
        return ""
    first = text.strip().casefold().removesuffix(end)
    if len(first) > LONGEST_DOMAIN or not _DOMAIN.fullmatch(first):
        raise Unusable(Phrase.of(_NOT_A_DOMAIN, most=LONGEST_DOMAIN))
    return first + end
