"""Floors of margins: how low the wholesaler's own prices may be entered, by vendor."""

from marketplace.core.actor import Audience, Permission
from marketplace.core.errors import N_
from marketplace.web.admin import blueprint
from marketplace.web.floor_pages import FloorPages, add_floor_pages
from marketplace.web.navigation import GROUP_TERMS, add_to_menu

add_to_menu(
    Audience.WHOLESALER,
    endpoint="admin.floors",
    label=N_("Floors of margins"),
    icon="scale",
    permission=Permission.WHOLESALER_TERMS_VIEW,
    group=GROUP_TERMS,
    place=45,
    words="minimum margin markup limit price rules",
)
add_floor_pages(
    FloorPages(
        blueprint=blueprint,
        views=Permission.WHOLESALER_TERMS_VIEW,
        manages=Permission.WHOLESALER_FLOORS_MANAGE,
    )
)
