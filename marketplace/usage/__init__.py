"""Vendor files in: deliveries, their rows in the lake, what was rejected and why.

Billing reads what is current; it knows nothing of prices, customers or statements.
"""
