"""The customer's own shop, orders and quotes."""

from marketplace.core.actor import Audience, Permission
from marketplace.core.errors import N_
from marketplace.web.consumption_shop import add_consumption_pages
from marketplace.web.navigation import add_to_menu
from marketplace.web.order_pages import OrderPages, add_order_pages
from marketplace.web.portal import blueprint
from marketplace.web.shop_pages import ShopPages, add_shop_pages

_PAGES = ShopPages(blueprint, Permission.CUSTOMER_ORDERS_VIEW, Permission.CUSTOMER_ORDERS_PLACE)
add_shop_pages(_PAGES)
add_consumption_pages(_PAGES)
add_order_pages(
    OrderPages(
        blueprint,
        Audience.CUSTOMER,
        views=Permission.CUSTOMER_ORDERS_VIEW,
        places=Permission.CUSTOMER_ORDERS_PLACE,
        approves=None,
    )
)
add_to_menu(
    Audience.CUSTOMER,
    endpoint="portal.shop",
    label=N_("Shop"),
    icon="building-store",
    permission=Permission.CUSTOMER_ORDERS_VIEW,
    place=24,
    words="buy offers catalogue products prices",
)
add_to_menu(
    Audience.CUSTOMER,
    endpoint="portal.orders",
    label=N_("Orders"),
    icon="receipt",
    permission=Permission.CUSTOMER_ORDERS_VIEW,
    place=26,
    words="quotes cart purchases",
)
