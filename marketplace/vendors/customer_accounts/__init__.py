"""The accounts customers have at vendors: opened or linked by whoever sells to them, mapped once they are there.

Called by screens, commands and the worker. It knows requests and parties, and no order: those look at mappings.
"""
