"""What an amount means. Pure: no database, no clock, no settings; values in, values out.

Billing calls it for every group of usage; previews and explanations call the same code.
"""
