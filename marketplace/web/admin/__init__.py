"""The wholesaler's pages, in the admin shell.

Every module in this folder is imported by the application and puts its views on `blueprint`; only people of the
wholesaler get past its guard.
"""

from marketplace.core.actor import Audience
from marketplace.web.guards import audience_blueprint

blueprint = audience_blueprint("admin", Audience.WHOLESALER, url_prefix="/admin")
