"""Buying, changing and renewing: each loads, asks the rules, and adds segments in the caller's transaction.

They write costs, so they run as the wholesaler or its machine: what a reseller or customer asks for becomes an order,
and the order's fulfilment calls them.
"""
