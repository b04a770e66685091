"""How vendors are called where people read. Files, commands and rules know them by the key they were given here."""

_NAMES = {
    "alibaba": "Alibaba Cloud",
    "aws": "Amazon Web Services",
    "gcp": "Google Cloud",
    "google": "Google",
    "microsoft": "Microsoft",
    "oracle": "Oracle",
    "ovh": "OVHcloud",
    "ovhcloud": "OVHcloud",
    "scaleway": "Scaleway",
}


def name_of(vendor: str) -> str:
    """Give a vendor's own name where it is known, else the key as it was given."""
    return _NAMES.get(vendor, vendor)
