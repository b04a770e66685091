"""Microsoft's Partner Center: its paths, bodies, paging, etags and error codes, and nothing of ours.

`client` speaks HTTP, `bodies` reads and writes JSON (pure), `faults` knows the error codes, `connector` joins them.
"""
