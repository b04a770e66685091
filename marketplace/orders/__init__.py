"""Orders: carts, quotes, what was bought at which price of every hop, who must approve it, and whether credit allows it.

Screens and commands ask and place here; what is bought becomes a subscription only once its vendor has carried it out.
It knows neither pages nor how a vendor is spoken to, and never writes a statement.
"""
