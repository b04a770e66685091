"""What can be sold and at what price: products, plans, price lists, promotions, and the exchange rates amounts are converted at.

Anybody above may ask it; it knows neither resellers nor orders nor users.
"""
