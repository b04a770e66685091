"""The reseller's own people, and what was done in its name."""

from marketplace.core.actor import Audience, Permission
from marketplace.core.errors import N_
from marketplace.web.audit_trail import add_audit_page
from marketplace.web.navigation import GROUP_FIRM, add_to_menu
from marketplace.web.people import PeoplePages, add_people_pages
from marketplace.web.storefront import blueprint

add_people_pages(
    PeoplePages(
        blueprint, Audience.RESELLER, Permission.RESELLER_USERS_MANAGE, Permission.RESELLER_USERS_MANAGE
    )
)
add_audit_page(blueprint, permission=Permission.RESELLER_AUDIT_VIEW)
add_to_menu(
    Audience.RESELLER,
    endpoint="storefront.users",
    label=N_("People"),
    icon="users",
    permission=Permission.RESELLER_USERS_MANAGE,
    place=80,
    group=GROUP_FIRM,
    words="users roles access invite colleagues",
)
add_to_menu(
    Audience.RESELLER,
    endpoint="storefront.audit",
    label=N_("Who did what"),
    icon="history",
    permission=Permission.RESELLER_AUDIT_VIEW,
    place=81,
    group=GROUP_FIRM,
    in_menu=False,
    words="log audit history",
)
