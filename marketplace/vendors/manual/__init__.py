"""Vendors without an interface: what is ordered there is done by hand, by the wholesaler's staff."""
