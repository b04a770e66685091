"""A vendor to try things on: a service of its own on this machine that speaks Partner Center and keeps its rules.

`python -m marketplace simulator` starts it. Nothing of the product imports it, and it imports of the product only what
a vendor would know too: words of the catalogue and the calendar of terms.
"""
