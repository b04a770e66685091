"""Renewals of the reseller's customers: what ends when, who decided, and what holds where nobody did."""

from marketplace.core.actor import Audience, Permission
from marketplace.core.errors import N_
from marketplace.web.navigation import add_to_menu
from marketplace.web.renewal_pages import add_renewal_pages
from marketplace.web.renewal_policy_pages import add_policy_pages
from marketplace.web.storefront import blueprint

add_to_menu(
    Audience.RESELLER,
    endpoint="storefront.renewals",
    label=N_("Renewals"),
    icon="refresh",
    permission=Permission.RESELLER_SUBSCRIPTIONS_VIEW,
    place=16,
    in_menu=False,
    words="terms ends calendar policy",
)
add_renewal_pages(
    blueprint,
    audience=Audience.RESELLER,
    views=Permission.RESELLER_SUBSCRIPTIONS_VIEW,
    asks=Permission.RESELLER_SUBSCRIPTIONS_MANAGE,
)
add_policy_pages(
    blueprint,
    views=Permission.RESELLER_SUBSCRIPTIONS_VIEW,
    manages=Permission.RESELLER_SUBSCRIPTIONS_MANAGE,
)
