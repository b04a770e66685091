"""The screens: parse what was asked, call one operation or query, render.

`admin`, `storefront` and `portal` are siblings and never import one another; what they share lies beside this file.
Nothing here decides anything about money.
"""
