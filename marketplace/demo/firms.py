"""The firms of the demonstration and what they agreed, in the very files the product imports."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from marketplace.core.period import Period

AZURE = "microsoft"
AWS = "aws"


@dataclass(frozen=True)
class DemoReseller:
    """A reseller of the demonstration."""

    reference: str
    name: str
    country: str
    currency: str
    partner_id: str


@dataclass(frozen=True)
class DemoCustomer:
    """An end customer, with the size of what it uses."""

    reference: str
    reseller: str
    name: str
    country: str
    currency: str
    azure: int = 0
    seats: int = 0
    aws: int = 0


RESELLERS = (
    DemoReseller("armor-it", "Armor IT", "FR", "EUR", "5710001"),
    DemoReseller("rhone-cloud", "Rhône Cloud Services", "FR", "EUR", "5710002"),
    DemoReseller("canal-digital", "Canal Digital", "BE", "EUR", "5710003"),
    DemoReseller("leman-systems", "Léman Systems", "CH", "CHF", "5710004"),
    DemoReseller("atelier-reseau", "Atelier Réseau", "FR", "EUR", "5710005"),
)
CUSTOMERS = (
    DemoCustomer("carnac-conserves", "armor-it", "Conserverie de Carnac", "FR", "EUR", azure=4, seats=48),
    DemoCustomer("hotel-voyageurs", "armor-it", "Hôtel des Voyageurs", "FR", "EUR", azure=1, seats=22),
    DemoCustomer(
        "transports-kerbrat", "armor-it", "Transports Kerbrat", "FR", "EUR", azure=3, seats=65, aws=2
    ),
    DemoCustomer("clinique-du-port", "armor-it", "Clinique du Port", "FR", "EUR", azure=6, seats=140),
    DemoCustomer("brighton-studio", "armor-it", "Brighton Studio", "GB", "GBP", aws=2),
    DemoCustomer("lyon-logistique", "rhone-cloud", "Lyon Logistique", "FR", "EUR", azure=7, seats=210, aws=3),
    DemoCustomer("vignes-beaujolais", "rhone-cloud", "Vignes du Beaujolais", "FR", "EUR", azure=2, seats=18),
    DemoCustomer("lycee-ampere", "rhone-cloud", "Lycée Ampère", "FR", "EUR", azure=3, seats=320),
    DemoCustomer("menuiserie-saone", "rhone-cloud", "Menuiserie de Saône", "FR", "EUR", seats=9),
    DemoCustomer(
        "brasserie-senne", "canal-digital", "Brasserie de la Senne", "BE", "EUR", azure=2, seats=31, aws=1
    ),
    DemoCustomer("port-anvers-fret", "canal-digital", "Fret du Port", "BE", "EUR", azure=5, seats=88, aws=4),
    DemoCustomer("horloges-leman", "leman-systems", "Horloges du Léman", "CH", "CHF", azure=4, seats=54),
    DemoCustomer("fiduciaire-vevey", "leman-systems", "Fiduciaire de Vevey", "CH", "CHF", azure=1, seats=16),
    DemoCustomer("cabinet-duroc", "atelier-reseau", "Cabinet Duroc", "FR", "EUR", azure=1, seats=12),
    DemoCustomer(
        "energie-locale", "atelier-reseau", "Énergie Locale SCIC", "FR", "EUR", azure=3, seats=27, aws=2
    ),
)
#: An account the vendor bills and nobody has been told about.
ORPHAN_TENANT = "7d1c0a52-90aa-4b61-9e0d-0000000000ff"
ORPHAN_AWS = "999900001111"


def tenant(customer: DemoCustomer) -> str:
    """Give the customer's directory at Microsoft."""
    return f"5b1d7a10-33c4-4f2e-8a55-{CUSTOMERS.index(customer) + 1:012d}"


def cloud_account(customer: DemoCustomer) -> str:
    """Give the customer's account at the second vendor."""
    return f"4401{CUSTOMERS.index(customer) + 1:08d}"


def resellers_csv() -> bytes:
    """Write resellers.csv."""
    head = (
        "reference,legal_name,country,vat_number,registration_number,partner_id,currency,billing_mode,email"
    )
    rows = [
        (
            r.reference,
            r.name,
            r.country,
            "",
            "",
            r.partner_id,
            r.currency,
            "resale",
            f"finance@{r.reference}.example",
        )
        for r in RESELLERS
    ]
    return _csv(head, rows)


def customers_csv() -> bytes:
    """Write customers.csv."""
    head = "reference,reseller,legal_name,country,vat_number,registration_number,currency,email"
    rows = [
        (c.reference, c.reseller, c.name, c.country, "", "", c.currency, f"it@{c.reference}.example")
        for c in CUSTOMERS
    ]
    return _csv(head, rows)


def accounts_csv(first: Period) -> bytes:
    """Write accounts.csv; one account was given back just before the first month, and is used nevertheless."""
    rows = [(AZURE, tenant(c), c.reference, "", "") for c in CUSTOMERS if c.azure or c.seats]
    rows += [(AWS, cloud_account(c), c.reference, "", "") for c in CUSTOMERS if c.aws]
    rows.append((AWS, ORPHAN_AWS, "port-anvers-fret", "", first.start.isoformat()))
    return _csv("vendor,account,customer,valid_from,valid_until", rows)


def rules_csv(first: Period, changed: Period) -> bytes:
    """Write rules.csv: terms from the first month on, some of which change on the 15th of a later one."""
    start, middle = first.start.isoformat(), changed.start.replace(day=15).isoformat()
    head = (
        "hop,reseller,customer,subscription,vendor,product,sku,"
        "basis,percent,unit_price,currency,valid_from,valid_until"
    )
    premium = "Microsoft 365 Business Premium"
    rows = [
        ("wholesale", "", "", "", "", "", "", "cost", "7", "", "", start, ""),
        ("wholesale", "rhone-cloud", "", "", "", "", "", "cost", "5.5", "", "", start, ""),
        ("wholesale", "armor-it", "", "", AZURE, "", "", "cost", "6", "", "", start, middle),
        ("wholesale", "armor-it", "", "", AZURE, "", "", "cost", "5.25", "", "", middle, ""),
        ("wholesale", "", "", "", AWS, "", "", "list", "-4", "", "", start, ""),
        ("wholesale", "", "", "", AZURE, premium, "", "cost", "8.5", "", "", start, ""),
        ("retail", "armor-it", "", "", "", "", "", "cost", "18", "", "", start, ""),
        ("retail", "armor-it", "clinique-du-port", "", "", "", "", "cost", "12.5", "", "", start, ""),
        ("retail", "armor-it", "", "", AWS, "", "", "list", "0", "", "", start, ""),
        ("retail", "rhone-cloud", "", "", "", "", "", "cost", "15", "", "", start, ""),
        (
            "retail",
            "rhone-cloud",
            "lycee-ampere",
            "",
            AZURE,
            premium,
            "",
            "fixed",
            "",
            "18.40",
            "EUR",
            start,
            "",
        ),
        ("retail", "canal-digital", "", "", "", "", "", "cost", "20", "", "", start, ""),
        ("retail", "leman-systems", "", "", "", "", "", "cost", "22", "", "", start, ""),
    ]
    return _csv(head, rows)


def fx_csv(closed: Sequence[Period], running: Period) -> bytes:
    """Write fx.csv. The running month still lacks the pound, so one customer's statement waits."""
    rows = []
    for number, month in enumerate((*closed, running)):
        rows.append((str(month), "USD", "EUR", str(Decimal("0.9187") + Decimal(number) * Decimal("0.0031"))))
        rows.append((str(month), "EUR", "CHF", str(Decimal("0.9412") - Decimal(number) * Decimal("0.0017"))))
        # Margins are told in euros: what is sold in other currencies needs the way back, too.
        rows.append((str(month), "GBP", "EUR", "1.1721"))
        rows.append((str(month), "CHF", "EUR", str(Decimal("1.0617") + Decimal(number) * Decimal("0.0019"))))
        if month != running:
            rows.append((str(month), "EUR", "GBP", "0.8532"))
            rows.append((str(month), "USD", "GBP", "0.7841"))
    return _csv("month,from,to,rate", rows)


def _csv(head: str, rows: Sequence[Sequence[str]]) -> bytes:
    lines = [head, *(",".join(row) for row in rows)]
    return ("\r\n".join(lines) + "\r\n").encode()
