"""Help, the same for all audiences and for visitors: how to find one's way, and what the words mean."""

from flask import Blueprint

blueprint = Blueprint("help", __name__)
