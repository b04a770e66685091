"""The reseller's pages, in the storefront shell.

Every module in this folder is imported by the application and puts its views on `blueprint`; only people of
the reseller get past its guard.
"""

from marketplace.core.actor import Audience
from marketplace.web.guards import audience_blueprint

blueprint = audience_blueprint("storefront", Audience.RESELLER)
