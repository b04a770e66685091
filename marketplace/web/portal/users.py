"""The customer's own people, and what was done in its name."""

from marketplace.core.actor import Audience, Permission
from marketplace.core.errors import N_
from marketplace.web.audit_trail import add_audit_page
from marketplace.web.navigation import add_to_menu
from marketplace.web.people import PeoplePages, add_people_pages
from marketplace.web.portal import blueprint

add_people_pages(
    PeoplePages(
        blueprint, Audience.CUSTOMER, Permission.CUSTOMER_USERS_MANAGE, Permission.CUSTOMER_USERS_MANAGE
    )
)
add_audit_page(blueprint, permission=Permission.CUSTOMER_AUDIT_VIEW)
add_to_menu(
    Audience.CUSTOMER,
    endpoint="portal.users",
    label=N_("People"),
    icon="users",
    permission=Permission.CUSTOMER_USERS_MANAGE,
    place=80,
    words="users roles access invite colleagues",
)
add_to_menu(
    Audience.CUSTOMER,
    endpoint="portal.audit",
    label=N_("Who did what"),
    icon="history",
    permission=Permission.CUSTOMER_AUDIT_VIEW,
    place=81,
    in_menu=False,
    words="log audit history",
)
