"""Changing the catalogue: each loads, decides and saves once, in the caller's transaction."""
