"""What may be done with a subscription, when, what it costs and why not. Pure: tested as tables."""
