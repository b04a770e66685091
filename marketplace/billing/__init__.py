"""The monthly close: what each reseller owes the wholesaler and each customer its reseller, and the proof of it.

Screens and commands call it; it reads usage and terms and must not know invoices, payments or pages.
"""
