"""Floors of margins: how low the reseller's own prices may be entered, by vendor."""

from marketplace.core.actor import Audience, Permission
from marketplace.core.errors import N_
from marketplace.web.floor_pages import FloorPages, add_floor_pages
from marketplace.web.navigation import GROUP_TERMS, add_to_menu
from marketplace.web.storefront import blueprint

add_to_menu(
    Audience.RESELLER,
    endpoint="storefront.floors",
    label=N_("Floors of margins"),
    icon="scale",
    permission=Permission.RESELLER_RULES_MANAGE,
    place=52,
    group=GROUP_TERMS,
    in_menu=False,
    words="minimum margin markup limit price rules",
)
add_floor_pages(
    FloorPages(
        blueprint=blueprint,
        views=Permission.RESELLER_RULES_MANAGE,
        manages=Permission.RESELLER_FLOORS_MANAGE,
    )
)
