"""Which connector serves which vendor. The only place that knows all of them."""

from contextlib import closing

from marketplace.core.errors import Refusal
from marketplace.settings import Settings
from marketplace.vendors.connector import Capability, Connector
from marketplace.vendors.manual.connector import ByHand
from marketplace.vendors.partner_center.client import BRIEF, PATIENT, Account, Client
from marketplace.vendors.partner_center.connector import PartnerCenter
from marketplace.vendors.values import AddressRules

MICROSOFT = PartnerCenter.vendor
#: Vendors that have a connector; any other is served by hand.
CONNECTED = (MICROSOFT,)


def connector_for(settings: Settings, vendor: str, *, is_brief: bool = False) -> Connector:
    """Give the connector of a vendor. The caller closes it: `with closing(connector_for(...)) as connector`.

    A brief one asks once and waits little, for somebody who waits for a page.
    """
    if vendor == MICROSOFT and (settings.microsoft_address or settings.has_simulator):
        return PartnerCenter(Client(microsoft_account(settings), patience=BRIEF if is_brief else PATIENT))
    return ByHand(vendor)


def can(settings: Settings, vendor: str, capability: Capability) -> bool:
    """Whether a vendor can be asked for something, or people have to do it."""
    with closing(connector_for(settings, vendor)) as connector:
        return capability in connector.capabilities


def address_rules_of(settings: Settings, vendor: str, country: str) -> AddressRules | None:
    """Ask a vendor what it demands of addresses in a country; None where it does not say, or not soon."""
    with closing(connector_for(settings, vendor, is_brief=True)) as connector:
        try:
            return connector.address_rules(country)
        except Refusal:
            return None


def microsoft_account(settings: Settings) -> Account:
    """Give where Microsoft is and who we are there; without a real address, the simulator and its one account."""
    if settings.has_simulator:
        return Account(
            api=settings.simulator_url,
            graph=settings.simulator_url,
            sign_in=settings.simulator_url,
            tenant="simulator",
            client_id="marketplace",
            client_secret="simulated",  # noqa: S106 - the simulator listens on loopback and takes any
        )
    return Account(
        api=settings.microsoft_address,
        graph=settings.microsoft_graph_address,
        sign_in=settings.microsoft_sign_in_address,
        tenant=settings.microsoft_tenant,
        client_id=settings.microsoft_client_id,
        client_secret=settings.microsoft_client_secret.get_secret_value(),
    )
