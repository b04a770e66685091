"""Renewals of all customers: what ends when, who decided, and what holds where nobody did."""

from marketplace.core.actor import Audience, Permission
from marketplace.core.errors import N_
from marketplace.web.admin import blueprint
from marketplace.web.navigation import GROUP_PARTIES, add_to_menu
from marketplace.web.renewal_pages import add_renewal_pages
from marketplace.web.renewal_policy_pages import add_policy_pages

add_to_menu(
    Audience.WHOLESALER,
    endpoint="admin.renewals",
    label=N_("Renewals"),
    icon="refresh",
    permission=Permission.WHOLESALER_SUBSCRIPTIONS_VIEW,
    group=GROUP_PARTIES,
    place=45,
    words="terms ends calendar policy",
)
add_renewal_pages(
    blueprint,
    audience=Audience.WHOLESALER,
    views=Permission.WHOLESALER_SUBSCRIPTIONS_VIEW,
    asks=Permission.WHOLESALER_SUBSCRIPTIONS_MANAGE,
)
add_policy_pages(
    blueprint,
    views=Permission.WHOLESALER_SUBSCRIPTIONS_VIEW,
    manages=Permission.WHOLESALER_SUBSCRIPTIONS_MANAGE,
)
