"""What a reseller's pages wear: the stylesheet of its accent, its logo, and the address it is found at."""

from flask import Blueprint

blueprint = Blueprint("brand", __name__)
