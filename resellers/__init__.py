"""Who sells to whom, and on what terms: parties, mappings of vendor accounts, price rules.

Usage and billing read it; it knows neither usage nor statements.
"""
