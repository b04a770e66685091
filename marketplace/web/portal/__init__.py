"""The customer's pages, in the portal shell.

Every module in this folder is imported by the application and puts its views on `blueprint`; only people of
the customer get past its guard.
"""

from marketplace.core.actor import Audience
from marketplace.web.guards import audience_blueprint

blueprint = audience_blueprint("portal", Audience.CUSTOMER, url_prefix="/portal")
