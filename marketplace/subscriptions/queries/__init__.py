"""Subscriptions as pages, decisions and the close read them."""
