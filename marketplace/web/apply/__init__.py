"""Applying to become a reseller: pages for visitors, each application behind its own private link."""

from flask import Blueprint

blueprint = Blueprint("apply", __name__, url_prefix="/apply")
