"""Orders of the whole channel: the queue, what waits for staff, files, and which orders need approval."""

from marketplace.core.actor import Audience, Permission
from marketplace.core.errors import N_
from marketplace.web.admin import blueprint
from marketplace.web.navigation import GROUP_PARTIES, add_to_menu
from marketplace.web.order_pages import OrderPages, add_order_pages
from marketplace.web.order_rule_pages import RulePages, add_rule_pages

add_order_pages(
    OrderPages(
        blueprint,
        Audience.WHOLESALER,
        views=Permission.WHOLESALER_ORDERS_VIEW,
        places=Permission.WHOLESALER_ORDERS_PLACE,
        approves=Permission.WHOLESALER_ORDERS_APPROVE,
        opens=Permission.WHOLESALER_PARTIES_MANAGE,
    )
)
add_rule_pages(RulePages(blueprint, Audience.WHOLESALER, Permission.WHOLESALER_ORDERS_APPROVE))
add_to_menu(
    Audience.WHOLESALER,
    endpoint="admin.orders",
    label=N_("Orders"),
    icon="receipt",
    permission=Permission.WHOLESALER_ORDERS_VIEW,
    group=GROUP_PARTIES,
    place=70,
    words="quotes approvals purchases",
)
add_to_menu(
    Audience.WHOLESALER,
    endpoint="admin.order_rules",
    label=N_("Rules of approval"),
    icon="shield-check",
    permission=Permission.WHOLESALER_ORDERS_APPROVE,
    group=GROUP_PARTIES,
    place=75,
    in_menu=False,
    words="approve orders limits",
)
