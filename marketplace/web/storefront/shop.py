"""The reseller's shop, cart and orders."""

from marketplace.core.actor import Audience, Permission
from marketplace.core.errors import N_
from marketplace.web.consumption_shop import add_consumption_pages
from marketplace.web.navigation import GROUP_FIRM, add_to_menu
from marketplace.web.order_pages import OrderPages, add_order_pages
from marketplace.web.order_rule_pages import RulePages, add_rule_pages
from marketplace.web.shop_pages import ShopPages, add_shop_pages
from marketplace.web.storefront import blueprint

_PAGES = ShopPages(blueprint, Permission.RESELLER_ORDERS_VIEW, Permission.RESELLER_ORDERS_PLACE)
add_shop_pages(_PAGES)
add_consumption_pages(_PAGES)
add_order_pages(
    OrderPages(
        blueprint,
        Audience.RESELLER,
        views=Permission.RESELLER_ORDERS_VIEW,
        places=Permission.RESELLER_ORDERS_PLACE,
        approves=Permission.RESELLER_ORDERS_APPROVE,
        opens=Permission.RESELLER_CUSTOMERS_MANAGE,
    )
)
add_rule_pages(RulePages(blueprint, Audience.RESELLER, Permission.RESELLER_ORDERS_APPROVE))
add_to_menu(
    Audience.RESELLER,
    endpoint="storefront.shop",
    label=N_("Shop"),
    icon="building-store",
    permission=Permission.RESELLER_ORDERS_VIEW,
    place=10,
    words="buy offers catalogue products prices",
)
add_to_menu(
    Audience.RESELLER,
    endpoint="storefront.orders",
    label=N_("Orders"),
    icon="receipt",
    permission=Permission.RESELLER_ORDERS_VIEW,
    place=12,
    words="quotes cart purchases approvals",
)
add_to_menu(
    Audience.RESELLER,
    endpoint="storefront.order_rules",
    label=N_("Rules of approval"),
    icon="shield-check",
    permission=Permission.RESELLER_ORDERS_APPROVE,
    place=90,
    group=GROUP_FIRM,
    in_menu=False,
    words="approve orders limits",
)
